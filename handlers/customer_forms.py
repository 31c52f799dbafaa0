"""The forms that a customer in Slack submits: a comment on their rating, or the answer to an invitation."""

import contextlib
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from blocks import slack_survey, slack_survey_modals
from blocks.slack_survey_modals import AnswerForm
from csat.db import customer_answers
from csat.db.customer_answers import Given, Outcome
from csat.db.errors import DatabaseError
from csat.slack_api.payloads import Interaction
from csat.slack_api.posting import Posted
from csat.surveys.customer_survey import MAX_COMMENT_LENGTH, CommentTooLong, CustomerSurvey, parse_comment
from csat.surveys.posted_survey_keys import parse_key
from csat.surveys.questions import SCALES
from csat.surveys.slack_survey_ids import make_receipt_id
from handlers.customers_survey import (
    NOT_CHANGED,
    NOT_ON_FILE,
    CantAnswer,
    explain,
    find_survey,
    opt_out,
    show_survey,
)
from handlers.modal_submission import save
from handlers.services import Services

NO_RATING = "Choose an answer."
NO_COMMENT = "Write a comment, or close this form."
COMMENT_TOO_LONG = f"Shorten the comment to {MAX_COMMENT_LENGTH:,} characters."


class InvalidAnswer(Exception):
    """A form can't be saved as it is."""

    def __init__(self, field: str, advice: str) -> None:
        super().__init__(advice)
        self.field = field


def register(app: AsyncApp, services: Services) -> None:
    """Register the listeners for the two forms, and for the button to opt out in one of them."""
    app.view(slack_survey_modals.COMMENT_CALLBACK_ID)(partial(submit_comment, services))
    app.view(slack_survey_modals.FEEDBACK_CALLBACK_ID)(partial(submit_feedback, services))
    app.action(slack_survey_modals.STOP_ACTION)(partial(stop, services))


async def submit_comment(
    services: Services, ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]
) -> None:
    """Save the comment, let Slack close the form, and leave the message with the button to opt out."""
    async with _keeping_form_open(ack):
        form = slack_survey_modals.parse(view)
        asked = await find_survey(services, Interaction.model_validate(body).user, form.key)
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
        asked = await find_survey(services, Interaction.model_validate(body).user, form.key)
        if form.rating is None or form.rating not in SCALES[asked.survey.metric]:
            raise InvalidAnswer(slack_survey_modals.RATING_ID, NO_RATING)
        given = Given(form.rating, _parse_comment(form))
        survey_id, receipt_id = parse_key(form.key)[0], make_receipt_id(form.channel, form.ts)
        answer = (survey_id, given, now := services.clock())
        answered = await save(services, customer_answers.answer, *answer, receipt_id=receipt_id)
        if answered is None:
            raise CantAnswer(NOT_ON_FILE)
        if answered.outcome is Outcome.FIRST:
            services.metrics.count_answer(asked.survey.metric)
        if answered.outcome is Outcome.REFUSED:
            raise CantAnswer(slack_survey.describe(answered.survey, now))
        if answered.outcome is Outcome.LATE:
            raise CantAnswer(f"{NOT_CHANGED} {slack_survey.describe(answered.survey, now)}")
        await _close(services, ack, form, answered.survey)


async def stop(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Record that the customer is not to be asked again; the form says so, and can still be sent.

    The thread tells nothing of it, and its invitation still leads to the form.
    """
    await ack()
    form, view = slack_survey_modals.parse(body["view"]), body["view"]
    user, place = Interaction.model_validate(body).user, Posted(form.channel, form.ts)
    try:
        if stopped := await opt_out(services, user, form.key, place):
            shown = slack_survey_modals.feedback_modal(form, stopped, services.form.catalogue)
        else:
            shown = slack_survey_modals.sentence_modal(slack_survey.STOPPED)
    except (CantAnswer, DatabaseError) as problem:
        shown = slack_survey_modals.sentence_modal(explain(problem))
    await services.slack.views.update(view["id"], view["hash"], shown)


async def _close(services: Services, ack: AsyncAck, form: AnswerForm, asked: CustomerSurvey) -> None:
    await ack()
    await show_survey(services, Posted(form.channel, form.ts), asked)


@contextlib.asynccontextmanager
async def _keeping_form_open(ack: AsyncAck) -> AsyncIterator[None]:
    """Say in the form why it was not saved."""
    try:
        yield
    except InvalidAnswer as problem:
        await ack(response_action="errors", errors={problem.field: str(problem)})
    except DatabaseError as problem:
        await ack(response_action="errors", errors={slack_survey_modals.COMMENT_ID: explain(problem)})
    except CantAnswer as problem:
        await ack(response_action="update", view=slack_survey_modals.sentence_modal(str(problem)))


def _parse_comment(form: AnswerForm) -> str:
    try:
        return parse_comment(form.comment)
    except CommentTooLong:
        raise InvalidAnswer(slack_survey_modals.COMMENT_ID, COMMENT_TOO_LONG) from None
