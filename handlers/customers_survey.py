"""Whose survey in Slack it is, and what its message shows: for the customers' buttons and their forms.

Customers are known by the id of the survey's recipient and nothing else, as they may be of another company.
"""

import asyncio
import logging

from blocks import slack_survey
from blocks.elements import Message
from csat.db import customer_answers, opt_outs
from csat.db.errors import CommitUnknown, DatabaseError
from csat.slack_api.errors import SlackError
from csat.slack_api.posting import Posted
from csat.surveys.customer_survey import CustomerSurvey
from csat.surveys.opt_outs import How
from csat.surveys.posted_survey_keys import make_key, parse_key
from csat.surveys.recipients import SlackPerson
from csat.surveys.slack_survey_ids import make_receipt_id, parse_receipt_id
from handlers.services import Services

NOT_YOURS = "This question is for somebody else, so only they can answer it."
NOT_ON_FILE = "This question is no longer on file, so there's nothing to answer."
NOT_CHANGED = "It's too late to change your answer: the one you gave before holds."
NOT_SAVED = "That wasn't saved, sorry. Try again in a minute."
NOT_KNOWN = "We can't tell whether that was saved. Try again in a minute: it's saved only once."

log = logging.getLogger(__name__)


class CantAnswer(Exception):
    """The survey can't be answered, or not by this person; `str()` is for them."""


async def find_survey(services: Services, user: str, key: str) -> CustomerSurvey:
    """Return the survey that a button or a form names, if it is this user's; raises `CantAnswer`."""
    asked = await _find_own(services, user, key)
    if asked is None:
        raise CantAnswer(NOT_ON_FILE)
    return asked


async def opt_out(services: Services, user: str, key: str, place: Posted) -> CustomerSurvey | None:
    """Record that the customer who pressed the button is not to be asked again.

    Returns their survey, or `None` if it is no longer on file. Raises `CantAnswer`, also if it is somebody
    else's, and `DatabaseError`.
    """
    database, now = services.database, services.clock()
    if await _find_own(services, user, key):
        survey_id, receipt_id = parse_key(key)[0], make_receipt_id(*place)
        stopped = await database.run_idempotent(
            customer_answers.opt_out, survey_id, How.SLACK, now, receipt_id=receipt_id
        )
        if stopped:
            return stopped
    person = SlackPerson(team=await _own_team(services), user=user)
    recipient_key = services.recipient_key(person.id)
    await database.run_idempotent(
        opt_outs.record, recipient_key, how=How.SLACK, team="", by="", reason="", now=now
    )
    return None


async def _find_own(services: Services, user: str, key: str) -> CustomerSurvey | None:
    """Return the survey that a key names if it is on file; raises `CantAnswer` if it is somebody else's."""
    asked = await services.database.read(customer_answers.find, *parse_key(key))
    if asked is None:
        return None
    match asked.survey.recipient:
        case SlackPerson(user=recipient) if recipient == user:
            return asked
    raise CantAnswer(NOT_YOURS)


async def _own_team(services: Services) -> str:
    """Return the workspace that the app is installed in, as a payload may name the customer's own."""
    try:
        return await services.slack.team_id()
    except SlackError as error:
        raise CantAnswer(NOT_SAVED) from error


async def show_survey(
    services: Services, place: Posted, asked: CustomerSurvey, *, asks_again: bool = False
) -> None:
    """Show what holds now in the message whose button was pressed, and in the survey's own.

    One after the other, each with what is stored by then: the last one shows the last change. With
    `asks_again` the message has the question, if another rating can be given.
    """
    async with services.survey_locks.setdefault(asked.id, asyncio.Lock()):
        current = await _read_again(services, asked)
        if current is None:  # it was erased, and so was its message
            return
        for posted in dict.fromkeys((place, Posted(*parse_receipt_id(current.receipt_id)))):
            if not posted.ts:
                continue
            message = _message(services, posted, current, asks_again=asks_again and posted == place)
            try:
                await services.slack.poster.update_message(posted, *message)
            except SlackError as error:  # its buttons lead to what holds, too
                log.warning("The message of survey %s was not updated: %s", asked.id, error)


def _message(services: Services, posted: Posted, asked: CustomerSurvey, *, asks_again: bool) -> Message:
    key, now = make_key(asked.id, asked.accepted_at), services.clock()
    if posted.channel == asked.origin.channel:
        return slack_survey.thread_message(key, asked, now)
    return slack_survey.direct_message(key, asked, services.form.catalogue, now, asks_again=asks_again)


async def _read_again(services: Services, asked: CustomerSurvey) -> CustomerSurvey | None:
    """Return the survey as it is stored now, or as it was read before if the database can't be read."""
    key = parse_key(make_key(asked.id, asked.accepted_at))
    try:
        return await services.database.read(customer_answers.find, *key)
    except DatabaseError:
        return asked


def explain(problem: CantAnswer | DatabaseError) -> str:
    """Return what the customer reads."""
    if isinstance(problem, CommitUnknown):
        return NOT_KNOWN
    return NOT_SAVED if isinstance(problem, DatabaseError) else str(problem)
