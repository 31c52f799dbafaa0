"""Low ratings: shown to supervisors, taken on, and closed with a note.

Slack's buttons outlive the right to press them, so each one asks anew who presses it.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from blocks import low_rating, response_modal
from blocks.elements import Message, build_message, plain_message, rich_line, text
from csat.db import follow_ups
from csat.db.errors import DatabaseError
from csat.db.follow_ups import Conflict, FollowUpConflict
from csat.slack_api.payloads import Interaction, parse_id
from csat.surveys.follow_ups import InvalidNote, LowRating, parse_note
from handlers.home import renew
from handlers.modals import open_modal
from handlers.services import Services

SUPERVISORS_ONLY = (
    "Only supervisors see answers, and Slack does not say that you are one. Ask whoever runs this app."
)
OWN = "You asked for this survey, so its answer is closed to you. Another supervisor can look after it."
GONE = "This is not among the low ratings any more."
ALREADY_DONE = "Nothing was changed: this was done already."
NOT_SAVED = "Not saved. Try again in a moment; if it goes on, tell whoever runs this app."

BEGIN_WITHIN = 1.0
"""Seconds for the ledger to begin; Slack was asked about the person before, and wants its answer in three."""


class NoSupervisor(Exception):
    """This person may not see results, or Slack could not tell whether they may."""


def register(app: AsyncApp, services: Services) -> None:
    """Connect the buttons of the alert and of App Home, and the form for the note."""
    app.action(low_rating.SHOW_ACTION)(partial(show, services))
    app.action(low_rating.TAKE_ON_ACTION)(partial(take_on, services))
    app.action(low_rating.CLOSE_ACTION)(partial(ask_for_note, services))
    app.view(response_modal.CLOSE_CALLBACK_ID)(partial(close, services))


async def show(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Open the answer for a supervisor who did not ask for it, once it is noted who sees it."""
    await ack()
    pressed = Interaction.model_validate(body)
    async with _telling_why_not(services, pressed):
        rating = await _admit(services, pressed, pressed.number)
        showing = (rating.survey_id, pressed.team, pressed.user, services.clock())
        link = services.slack.link(rating.origin.channel, rating.ts)
        shown, leading = await asyncio.gather(services.database.run(follow_ups.show, *showing), link)
        view = response_modal.response_modal(shown, services.form.catalogue, leading)
        await open_modal(services, pressed.origin(services.clock()), pressed.trigger_id, view)


async def take_on(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Note that somebody takes care of a low rating; the alert says so."""
    await ack()
    pressed = Interaction.model_validate(body)
    async with _telling_why_not(services, pressed):
        rating = await _admit(services, pressed, pressed.number)
        taking = (rating.survey_id, pressed.team, pressed.user, services.clock())
        if notification := await services.database.run(follow_ups.take, *taking):
            services.notify(notification)
    await renew(services, pressed.user)


async def ask_for_note(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Open the form that asks what became of a low rating."""
    await ack()
    pressed = Interaction.model_validate(body)
    async with _telling_why_not(services, pressed):
        rating = await _admit(services, pressed, pressed.number)
        if rating.follow_up.closed_by:
            raise FollowUpConflict(Conflict.CLOSED, rating.follow_up)
        form = response_modal.close_modal(rating, services.form.catalogue)
        await open_modal(services, pressed.origin(services.clock()), pressed.trigger_id, form)


async def close(services: Services, ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
    """Close a low rating durably, then let Slack close the form; the alert says so."""
    given = Interaction.model_validate(body)
    try:
        note = parse_note(
            view["state"]["values"][response_modal.NOTE_ID][response_modal.NOTE_ID]["value"] or ""
        )
        rating = await _admit(services, given, parse_id(view["private_metadata"]))
        closing = (rating.survey_id, given.team, given.user, note, services.clock())
        notification = await services.database.run_before_deadline(BEGIN_WITHIN, follow_ups.close, *closing)
    except (InvalidNote, DatabaseError) as problem:
        advice = str(problem) if isinstance(problem, InvalidNote) else NOT_SAVED
        await ack(response_action="errors", errors={response_modal.NOTE_ID: advice})
    except (NoSupervisor, FollowUpConflict) as refusal:
        await ack(response_action="update", view=response_modal.message_modal(_why_not(refusal)))
    else:
        await ack()
        if notification:
            services.notify(notification)
        await renew(services, given.user)


@contextlib.asynccontextmanager
async def _telling_why_not(services: Services, pressed: Interaction) -> AsyncIterator[None]:
    """Tell the person who pressed a button, and nobody else, why nothing came of it."""
    try:
        yield
    except (NoSupervisor, FollowUpConflict) as refusal:
        await services.tell(pressed.origin(services.clock()), _why_not(refusal))


async def _admit(services: Services, pressed: Interaction, survey_id: int) -> LowRating:
    """Return a low rating for a supervisor; raises `NoSupervisor` or `FollowUpConflict`."""
    if not await services.slack.permissions.is_supervisor(pressed.user):
        raise NoSupervisor
    return await services.database.read(follow_ups.find_for, survey_id, pressed.team, pressed.user)


def _why_not(refusal: NoSupervisor | FollowUpConflict) -> Message:
    if isinstance(refusal, NoSupervisor):
        return plain_message(SUPERVISORS_ONLY)
    if refusal.follow_up is None:
        return plain_message(OWN if refusal.conflict is Conflict.OWN else GONE)
    return build_message(
        ALREADY_DONE, [rich_line(text(ALREADY_DONE)), low_rating.follow_up_line(refusal.follow_up)]
    )
