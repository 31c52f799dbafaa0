"""What customers in Slack do with a survey: rate, comment, change a rating, ask not to be asked again.

They are known by the id of the survey's recipient and nothing else, as they need not be members of the team.
Every change is idempotent, and the message shows what holds after it.
"""

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from blocks import slack_survey, slack_survey_modals
from blocks.elements import plain_message
from blocks.slack_survey_modals import AnswerForm
from csat.db import customer_answers
from csat.db.customer_answers import Given
from csat.db.errors import CommitUnknown, DatabaseError
from csat.slack_api.errors import SlackError
from csat.slack_api.payloads import Interaction
from csat.slack_api.posting import Posted
from csat.surveys.asked_survey import MAX_COMMENT_LENGTH, AskedSurvey, CommentTooLong, parse_comment
from csat.surveys.opt_outs import How
from csat.surveys.questions import SCALES
from csat.surveys.recipients import SlackPerson
from csat.surveys.slack_survey import make_key, make_receipt_id, parse_key, parse_receipt_id
from handlers.modal_opening import open_modal
from handlers.modal_submission import save
from handlers.services import Services

NOT_YOURS = "This question is for somebody else, so only they can answer it."
NOT_ON_FILE = "This question is no longer on file, so there's nothing to answer."
NOT_SAVED = "That wasn't saved, sorry. Try again in a minute."
NOT_KNOWN = "We can't tell whether that was saved. Try again in a minute: it's saved only once."
NO_RATING = "Choose an answer."
NO_COMMENT = "Write a comment, or close this form."
COMMENT_TOO_LONG = f"Shorten the comment to {MAX_COMMENT_LENGTH:,} characters."

log = logging.getLogger(__name__)


class CantAnswer(Exception):
    """The survey can't be answered, or not by this person; `str()` is for them."""


class InvalidAnswer(Exception):
    """A form can't be saved as it is."""

    def __init__(self, field: str, advice: str) -> None:
        super().__init__(advice)
        self.field = field


def register(app: AsyncApp, services: Services) -> None:
    """Register the listeners for the buttons of a survey and for its modals."""
    app.action(re.compile(f"{slack_survey.RATE_ACTION}:"))(partial(rate, services))
    app.action(slack_survey.COMMENT_ACTION)(partial(open_comment_form, services))
    app.action(slack_survey.CHANGE_ACTION)(partial(show_ratings, services))
    app.action(slack_survey.STOP_ACTION)(partial(stop, services))
    app.action(slack_survey.GIVE_FEEDBACK_ACTION)(partial(open_feedback_form, services))
    app.view(slack_survey_modals.COMMENT_CALLBACK_ID)(partial(submit_comment, services))
    app.view(slack_survey_modals.FEEDBACK_CALLBACK_ID)(partial(submit_feedback, services))


async def rate(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Store the rating, thank in place of the buttons, and ask for a comment."""
    await ack()
    interaction = Interaction.model_validate(body)
    async with _replying_with_problem(services, interaction):
        asked = await _find(services, interaction.user, interaction.value)
        rating = slack_survey.parse_rating(interaction.action_id)
        if rating is None or rating not in SCALES[asked.survey.metric]:
            raise CantAnswer(NOT_ON_FILE)
        rated = await services.database.run_idempotent(
            customer_answers.rate,
            parse_key(interaction.value or "")[0],
            rating,
            services.clock(),
            chosen_at=_pressed_at(services, interaction),
            receipt_id=_receipt_id(interaction),
        )
        if rated is None:  # it was erased meanwhile
            raise CantAnswer(NOT_ON_FILE)
        if rated.is_first:
            services.metrics.count_answer(asked.survey.metric)
        await asyncio.gather(
            _show(services, _place(interaction), rated.survey),
            _ask_for_comment(services, interaction, rated.survey),
        )


async def open_comment_form(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Open the form for a comment, or show that none is taken any more."""
    await ack()
    interaction = Interaction.model_validate(body)
    async with _replying_with_problem(services, interaction):
        asked = await _find(services, interaction.user, interaction.value)
        if asked.takes_comment(services.clock()):
            view = slack_survey_modals.comment_modal(_form(services, interaction))
            await open_modal(services, interaction.origin(services.clock()), interaction.trigger_id, view)
        else:
            await _show(services, _place(interaction), asked)


async def show_ratings(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Show the question again, or that its answer can't be changed any more."""
    await ack()
    interaction = Interaction.model_validate(body)
    async with _replying_with_problem(services, interaction):
        asked = await _find(services, interaction.user, interaction.value)
        if asked.takes_rating(services.clock()):
            message = slack_survey.survey_message(_key(asked), asked.survey, services.form.catalogue)
            await services.slack.poster.update_message(_place(interaction), *message)
        else:
            await _show(services, _place(interaction), asked)


async def stop(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Record that the customer is not to be asked again, and say so in place of the buttons."""
    await ack()
    interaction = Interaction.model_validate(body)
    async with _replying_with_problem(services, interaction):
        await _find(services, interaction.user, interaction.value)
        stopped = await services.database.run_idempotent(
            customer_answers.opt_out,
            parse_key(interaction.value or "")[0],
            How.SLACK,
            services.clock(),
            receipt_id=_receipt_id(interaction),
        )
        if stopped is None:
            raise CantAnswer(NOT_ON_FILE)
        await _show(services, _place(interaction), stopped)


async def open_feedback_form(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Open the form for a whole answer to the person who was invited, or show that none is taken any more."""
    await ack()
    interaction = Interaction.model_validate(body)
    async with _replying_with_problem(services, interaction):
        asked = await _find(services, interaction.user, interaction.value)
        if asked.takes_rating(services.clock()):
            form, catalogue = _form(services, interaction), services.form.catalogue
            view = slack_survey_modals.feedback_modal(form, asked, catalogue)
            await open_modal(services, interaction.origin(services.clock()), interaction.trigger_id, view)
        else:
            await _show(services, _place(interaction), asked)


async def submit_comment(
    services: Services, ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]
) -> None:
    """Save the comment, let Slack close the form, and leave the message without buttons."""
    async with _keeping_form_open(ack):
        form = slack_survey_modals.parse(view)
        asked = await _find(services, Interaction.model_validate(body).user, form.key)
        comment = _parse_comment(form)
        if not comment:
            raise InvalidAnswer(slack_survey_modals.COMMENT_ID, NO_COMMENT)
        commented = await save(services, customer_answers.comment, asked.id, comment, services.clock())
        if commented is None:
            raise CantAnswer(NOT_ON_FILE)
        if commented.response.comment is None:
            raise CantAnswer(slack_survey.CLOSED)
        await _close(services, ack, form, commented)


async def submit_feedback(
    services: Services, ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]
) -> None:
    """Save the whole answer, let Slack close the form, and thank in the thread without telling the answer."""
    async with _keeping_form_open(ack):
        form = slack_survey_modals.parse(view)
        asked = await _find(services, Interaction.model_validate(body).user, form.key)
        given = Given(form.rating, _parse_comment(form), form.opts_out, form.opened_at)
        if given.rating not in SCALES[asked.survey.metric] and (given.comment or not given.opts_out):
            raise InvalidAnswer(slack_survey_modals.RATING_ID, NO_RATING)
        answered = await save(
            services,
            customer_answers.answer,
            parse_key(form.key)[0],
            given,
            How.SLACK,
            services.clock(),
            receipt_id=make_receipt_id(form.channel, form.ts),
        )
        if answered is None:
            raise CantAnswer(NOT_ON_FILE)
        if answered.is_first:
            services.metrics.count_answer(asked.survey.metric)
        if answered.survey.response.rating is None and not answered.survey.has_opted_out:
            raise CantAnswer(slack_survey.CLOSED)
        await _close(services, ack, form, answered.survey)


async def _find(services: Services, user: str, key: str | None) -> AskedSurvey:
    """Return the survey that a button or a form names, if it is this user's; raises `CantAnswer`."""
    asked = await services.database.read(customer_answers.find, *parse_key(key or ""))
    match asked:
        case None:
            raise CantAnswer(NOT_ON_FILE)
        case AskedSurvey(survey=survey):
            recipient = survey.recipient
    if not isinstance(recipient, SlackPerson) or recipient.user != user:
        raise CantAnswer(NOT_YOURS)
    return asked


async def _show(services: Services, place: Posted, asked: AskedSurvey) -> None:
    """Show what holds now in the message whose button was pressed, and in the survey's own."""
    for posted in dict.fromkeys((place, Posted(*parse_receipt_id(asked.receipt_id)))):
        if not posted.ts:
            continue
        if posted.channel == asked.origin.channel:
            message = slack_survey.thread_message(asked)
        else:
            catalogue, now = services.form.catalogue, services.clock()
            message = slack_survey.direct_message(_key(asked), asked, catalogue, now)
        try:
            await services.slack.poster.update_message(posted, *message)
        except SlackError as error:  # its buttons still show what holds, and change nothing
            log.warning("The message of survey %s was not updated: %s", asked.id, error)


async def _ask_for_comment(services: Services, interaction: Interaction, asked: AskedSurvey) -> None:
    """Open the form for a comment; without it, the message has a button for that."""
    if asked.takes_comment(services.clock()):
        view = slack_survey_modals.comment_modal(_form(services, interaction))
        try:
            await services.slack.open_view(interaction.trigger_id, view)
        except SlackError as error:
            log.info("Slack did not open the form for a comment on survey %s: %s", asked.id, error)


async def _close(services: Services, ack: AsyncAck, form: AnswerForm, asked: AskedSurvey) -> None:
    await ack()
    await _show(services, Posted(form.channel, form.ts), asked)


@contextlib.asynccontextmanager
async def _replying_with_problem(services: Services, interaction: Interaction) -> AsyncIterator[None]:
    """Tell only the person who pressed the button why nothing was done."""
    try:
        yield
    except (CantAnswer, DatabaseError) as problem:
        await services.reply(interaction.origin(services.clock()), plain_message(_explain(problem)))


@contextlib.asynccontextmanager
async def _keeping_form_open(ack: AsyncAck) -> AsyncIterator[None]:
    """Say in the form why it was not saved."""
    try:
        yield
    except InvalidAnswer as problem:
        await ack(response_action="errors", errors={problem.field: str(problem)})
    except DatabaseError as problem:
        errors = {slack_survey_modals.COMMENT_ID: _explain(problem)}
        await ack(response_action="errors", errors=errors)
    except CantAnswer as problem:
        await ack(response_action="update", view=slack_survey_modals.sentence_modal(str(problem)))


def _explain(problem: CantAnswer | DatabaseError) -> str:
    if isinstance(problem, CommitUnknown):
        return NOT_KNOWN
    return NOT_SAVED if isinstance(problem, DatabaseError) else str(problem)


def _parse_comment(form: AnswerForm) -> str:
    try:
        return parse_comment(form.comment)
    except CommentTooLong:
        raise InvalidAnswer(slack_survey_modals.COMMENT_ID, COMMENT_TOO_LONG) from None


def _form(services: Services, interaction: Interaction) -> AnswerForm:
    place = _place(interaction)
    return AnswerForm(
        key=interaction.value or "", channel=place.channel, ts=place.ts, opened_at=services.clock()
    )


def _key(asked: AskedSurvey) -> str:
    return make_key(asked.id, asked.accepted_at)


def _place(interaction: Interaction) -> Posted:
    return Posted(interaction.channel, interaction.message.ts)


def _receipt_id(interaction: Interaction) -> str:
    return make_receipt_id(*_place(interaction))


def _pressed_at(services: Services, interaction: Interaction) -> datetime:
    if interaction.action_ts is None:
        return services.clock()
    return datetime.fromtimestamp(interaction.action_ts, UTC)
