"""The buttons of a customer in Slack: rate, comment, change the rating, opt out, accept an invitation.

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
from csat.db.customer_answers import Outcome
from csat.db.errors import DatabaseError
from csat.slack_api.errors import SlackError
from csat.slack_api.payloads import Interaction
from csat.slack_api.posting import Posted
from csat.surveys.customer_survey import CustomerSurvey
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
from handlers.modal_opening import open_modal
from handlers.services import Services

log = logging.getLogger(__name__)


def register(app: AsyncApp, services: Services) -> None:
    """Register the listeners for the buttons."""
    app.action(re.compile(f"{slack_survey.RATE_ACTION}:"))(partial(rate, services))
    app.action(slack_survey.COMMENT_ACTION)(partial(open_comment_form, services))
    app.action(slack_survey.CHANGE_ACTION)(partial(show_ratings, services))
    app.action(slack_survey.STOP_ACTION)(partial(stop, services))
    app.action(slack_survey.GIVE_FEEDBACK_ACTION)(partial(open_feedback_form, services))


async def rate(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Store the rating, thank in place of the buttons, and ask for a comment if it is the first one.

    Only a form or a reply, which nobody else can see, says which rating is stored.
    """
    await ack()
    interaction = Interaction.model_validate(body)
    async with _replying_with_problem(services, interaction):
        asked = await _find(services, interaction)
        rating = slack_survey.parse_rating(interaction.action_id)
        if rating is None or rating not in SCALES[asked.survey.metric]:
            raise CantAnswer(NOT_ON_FILE)
        rated = await services.database.run_idempotent(
            customer_answers.rate,
            _pressed_id(interaction),
            rating,
            services.clock(),
            chosen_at=_pressed_at(services, interaction),
            receipt_id=make_receipt_id(*_place(interaction)),
        )
        if rated is None:  # it was erased meanwhile
            raise CantAnswer(NOT_ON_FILE)
        showing = show_survey(services, _place(interaction), rated.survey)
        if rated.outcome is Outcome.FIRST:
            services.metrics.count_answer(asked.survey.metric)
            await asyncio.gather(showing, _ask_for_comment(services, interaction, rated.survey))
            return
        await showing
        if rated.outcome is Outcome.LATE:
            raise CantAnswer(NOT_CHANGED)
        if rated.outcome is Outcome.HOLDS:
            saved = plain_message(slack_survey_modals.name_answer(rated.survey))
            await services.reply(interaction.origin(services.clock()), saved)


async def open_comment_form(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Open the form for a comment, or show that none is taken any more."""
    await ack()
    interaction = Interaction.model_validate(body)
    async with _replying_with_problem(services, interaction):
        asked = await _find(services, interaction)
        if asked.takes_comment(services.clock()):
            view = slack_survey_modals.comment_modal(_form(interaction), asked)
            await open_modal(services, interaction.origin(services.clock()), interaction.trigger_id, view)
        else:
            await show_survey(services, _place(interaction), asked)


async def show_ratings(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Show the question again, or that its answer can't be changed any more."""
    await ack()
    interaction = Interaction.model_validate(body)
    async with _replying_with_problem(services, interaction):
        asked = await _find(services, interaction)
        await show_survey(services, _place(interaction), asked, asks_again=True)
        if not asked.takes_rating(services.clock()):
            raise CantAnswer(NOT_CHANGED)


async def stop(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Record that the customer is not to be asked again, and say so in place of the button."""
    await ack()
    interaction = Interaction.model_validate(body)
    async with _replying_with_problem(services, interaction):
        stopped = await opt_out(services, interaction.user, interaction.value or "", _place(interaction))
        if stopped:
            await show_survey(services, _place(interaction), stopped)
        else:
            await services.replace(interaction.origin(services.clock()), plain_message(slack_survey.STOPPED))


async def open_feedback_form(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Open the form for a whole answer to the person who was invited, or show that none is taken any more."""
    await ack()
    interaction = Interaction.model_validate(body)
    async with _replying_with_problem(services, interaction):
        asked = await _find(services, interaction)
        if asked.response.rating is None and asked.takes_rating(services.clock()):
            form, catalogue = _form(interaction), services.form.catalogue
            view = slack_survey_modals.feedback_modal(form, asked, catalogue)
            await open_modal(services, interaction.origin(services.clock()), interaction.trigger_id, view)
        else:
            await show_survey(services, _place(interaction), asked)


async def _find(services: Services, interaction: Interaction) -> CustomerSurvey:
    """Return the survey whose button was pressed; raises `CantAnswer`."""
    return await find_survey(services, interaction.user, interaction.value or "")


async def _ask_for_comment(services: Services, interaction: Interaction, asked: CustomerSurvey) -> None:
    """Open the form for a comment; without it, the message has a button for that."""
    if asked.takes_comment(services.clock()):
        view = slack_survey_modals.comment_modal(_form(interaction), asked)
        try:
            await services.slack.open_view(interaction.trigger_id, view)
        except SlackError as error:
            log.info("Slack did not open the form for a comment on survey %s: %s", asked.id, error)


@contextlib.asynccontextmanager
async def _replying_with_problem(services: Services, interaction: Interaction) -> AsyncIterator[None]:
    """Tell only the person who pressed the button why nothing was done."""
    try:
        yield
    except (CantAnswer, DatabaseError) as problem:
        await services.reply(interaction.origin(services.clock()), plain_message(explain(problem)))


def _form(interaction: Interaction) -> AnswerForm:
    place = _place(interaction)
    return AnswerForm(key=interaction.value or "", channel=place.channel, ts=place.ts)


def _place(interaction: Interaction) -> Posted:
    return Posted(interaction.channel, interaction.message.ts)


def _pressed_id(interaction: Interaction) -> int:
    """Return the id of the survey whose message it is, also of one that was sent again since."""
    survey_id, _ = parse_key(interaction.value or "")
    return survey_id


def _pressed_at(services: Services, interaction: Interaction) -> datetime:
    if interaction.action_ts is None:
        return services.clock()
    return datetime.fromtimestamp(interaction.action_ts, UTC)
