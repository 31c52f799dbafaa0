"""Low ratings: shown to supervisors, taken on, and closed with a note.

Slack's buttons outlive the right to press them, so each one asks anew who presses it.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from blocks import answer, low_rating
from blocks.kit import Message, line, plain, text
from csat.db import follow_ups
from csat.db.errors import LedgerError
from csat.db.follow_ups import CantFollow, Hurdle
from csat.db.outbox import Notice
from csat.slack_api.payloads import Interaction, read_id
from csat.surveys.follow_ups import LowRating, NotANote, read_note
from handlers.home import renew
from handlers.modals import open_modal
from handlers.services import Desk

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


def register(app: AsyncApp, desk: Desk) -> None:
    """Connect the buttons of the alert and of App Home, and the form for the note."""
    app.action(low_rating.SHOW)(partial(show, desk))
    app.action(low_rating.TAKE_ON)(partial(take_on, desk))
    app.action(low_rating.CLOSE)(partial(ask_for_note, desk))
    app.view(answer.CLOSING)(partial(close, desk))


async def show(desk: Desk, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Open the answer for a supervisor who did not ask for it, once it is noted who sees it."""
    await ack()
    pressed = Interaction.model_validate(body)
    async with _telling_why_not(desk, pressed):
        rating = await _admit(desk, pressed, pressed.number)
        showing = (rating.survey_id, pressed.team, pressed.user, desk.clock())
        link = desk.slack.link(rating.origin.channel, rating.ts)
        shown, leading = await asyncio.gather(desk.ledger.run(follow_ups.show, *showing), link)
        view = answer.answer(shown, desk.form.catalogue, leading)
        await open_modal(desk, pressed.origin(desk.clock()), pressed.trigger_id, view)


async def take_on(desk: Desk, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Note that somebody takes care of a low rating; the alert says so."""
    await ack()
    pressed = Interaction.model_validate(body)
    async with _telling_why_not(desk, pressed):
        rating = await _admit(desk, pressed, pressed.number)
        taking = (rating.survey_id, pressed.team, pressed.user, desk.clock())
        if await desk.ledger.run(follow_ups.take_on, *taking):
            desk.dispatcher.tell(rating.survey_id, Notice.FOLLOWED)
    await renew(desk, pressed.user)


async def ask_for_note(desk: Desk, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Open the form that asks what became of a low rating."""
    await ack()
    pressed = Interaction.model_validate(body)
    async with _telling_why_not(desk, pressed):
        rating = await _admit(desk, pressed, pressed.number)
        if rating.follow_up.closed_by:
            raise CantFollow(Hurdle.CLOSED, rating.follow_up)
        form = answer.closing(rating, desk.form.catalogue)
        await open_modal(desk, pressed.origin(desk.clock()), pressed.trigger_id, form)


async def close(desk: Desk, ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
    """Close a low rating durably, then let Slack close the form; the alert says so."""
    given = Interaction.model_validate(body)
    try:
        note = read_note(view["state"]["values"][answer.NOTE][answer.NOTE]["value"] or "")
        rating = await _admit(desk, given, read_id(view["private_metadata"]))
        closing = (rating.survey_id, given.team, given.user, note, desk.clock())
        is_new = await desk.ledger.run_within(BEGIN_WITHIN, follow_ups.close, *closing)
    except (NotANote, LedgerError) as problem:
        advice = str(problem) if isinstance(problem, NotANote) else NOT_SAVED
        await ack(response_action="errors", errors={answer.NOTE: advice})
    except (NoSupervisor, CantFollow) as refusal:
        await ack(response_action="update", view=answer.instead(_why_not(refusal)))
    else:
        await ack()
        if is_new:
            desk.dispatcher.tell(rating.survey_id, Notice.FOLLOWED)
        await renew(desk, given.user)


@contextlib.asynccontextmanager
async def _telling_why_not(desk: Desk, pressed: Interaction) -> AsyncIterator[None]:
    """Tell the person who pressed a button, and nobody else, why nothing came of it."""
    try:
        yield
    except (NoSupervisor, CantFollow) as refusal:
        await desk.tell(pressed.origin(desk.clock()), _why_not(refusal))


async def _admit(desk: Desk, pressed: Interaction, survey_id: int) -> LowRating:
    """Return a low rating for a supervisor who may follow it up; raises `NoSupervisor` or `CantFollow`."""
    if not await desk.slack.members.supervises(pressed.user):
        raise NoSupervisor
    return await desk.ledger.read(follow_ups.find_for, survey_id, pressed.team, pressed.user)


def _why_not(refusal: NoSupervisor | CantFollow) -> Message:
    if isinstance(refusal, NoSupervisor):
        return plain(SUPERVISORS_ONLY)
    if refusal.follow_up is None:
        return plain(OWN if refusal.hurdle is Hurdle.OWN else GONE)
    return Message(ALREADY_DONE, [line(text(ALREADY_DONE)), low_rating.standing(refusal.follow_up)])
