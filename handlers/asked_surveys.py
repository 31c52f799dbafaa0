"""Whose survey in Slack it is, and what its message shows: for the customers' buttons and their forms.

Customers are known by the id of the survey's recipient and nothing else, as they may be of another company.
"""

import logging

from blocks import slack_survey
from csat.db import customer_answers
from csat.db.errors import CommitUnknown, DatabaseError
from csat.slack_api.errors import SlackError
from csat.slack_api.posting import Posted
from csat.surveys.asked_survey import AskedSurvey
from csat.surveys.recipients import SlackPerson
from csat.surveys.slack_survey import make_key, parse_key, parse_receipt_id
from handlers.services import Services

NOT_YOURS = "This question is for somebody else, so only they can answer it."
NOT_ON_FILE = "This question is no longer on file, so there's nothing to answer."
NOT_SAVED = "That wasn't saved, sorry. Try again in a minute."
NOT_KNOWN = "We can't tell whether that was saved. Try again in a minute: it's saved only once."

log = logging.getLogger(__name__)


class CantAnswer(Exception):
    """The survey can't be answered, or not by this person; `str()` is for them."""


async def find_survey(services: Services, user: str, key: str) -> AskedSurvey:
    """Return the survey that a button or a form names, if it is this user's; raises `CantAnswer`."""
    asked = await services.database.read(customer_answers.find, *parse_key(key))
    if asked is None:
        raise CantAnswer(NOT_ON_FILE)
    match asked.survey.recipient:
        case SlackPerson(user=recipient) if recipient == user:
            return asked
    raise CantAnswer(NOT_YOURS)


async def show_survey(services: Services, place: Posted, asked: AskedSurvey) -> None:
    """Show what holds now in the message whose button was pressed, and in the survey's own."""
    for posted in dict.fromkeys((place, Posted(*parse_receipt_id(asked.receipt_id)))):
        if not posted.ts:
            continue
        if posted.channel == asked.origin.channel:
            message = slack_survey.thread_message(asked)
        else:
            key, now = make_key(asked.id, asked.accepted_at), services.clock()
            message = slack_survey.direct_message(key, asked, services.form.catalogue, now)
        try:
            await services.slack.poster.update_message(posted, *message)
        except SlackError as error:  # its buttons lead to what holds, too
            log.warning("The message of survey %s was not updated: %s", asked.id, error)


def explain(problem: CantAnswer | DatabaseError) -> str:
    """Return what the customer reads."""
    if isinstance(problem, CommitUnknown):
        return NOT_KNOWN
    return NOT_SAVED if isinstance(problem, DatabaseError) else str(problem)
