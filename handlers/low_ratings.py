"""Low ratings: a supervisor sees the response, takes the follow-up on or over, closes or reopens it.

Buttons outlive the permission to press them, so each listener checks that the person is a supervisor.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from blocks import low_rating, low_rating_modals
from blocks.elements import Message, build_message, plain_message, rich_line, text
from csat.db import follow_ups
from csat.db.errors import DatabaseError
from csat.db.follow_ups import Conflict, FollowUpConflict
from csat.db.outbox import Notification
from csat.slack_api.payloads import Interaction
from csat.slack_api.user_permissions import PermissionDenied, PermissionUnknown
from csat.surveys.follow_ups import InvalidNote, LowRating, parse_note
from handlers.home import refresh_home
from handlers.modal_opening import open_modal
from handlers.modal_submission import explain, save
from handlers.services import Services

SUPERVISORS_ONLY = (
    "Only supervisors can see answers. Ask an admin of this app to add you to CSAT_SUPERVISORS."
)
EXPLANATIONS = {
    Conflict.UNKNOWN: "This low rating is no longer on file, so there's nothing left to do.",
    Conflict.WITHDRAWN: low_rating.WITHDRAWN,
    Conflict.OWN: (
        "You asked for this survey, so another supervisor follows it up. "
        "If there is none, ask an admin of this app to add one to CSAT_SUPERVISORS."
    ),
    Conflict.TAKEN: "Somebody else is on it, so nothing was changed.",
    Conflict.CLOSED: "It was closed already, so nothing was changed.",
    Conflict.OPEN: "It's open already, so nothing was changed.",
}
"""Why nothing was done."""
ALREADY_YOURS = "It's assigned to you already."


def register(app: AsyncApp, services: Services) -> None:
    """Register the listeners for the buttons of an alert and the form for the note."""
    app.action(low_rating.SHOW_ACTION)(partial(show_response, services))
    app.action(low_rating.TAKE_ON_ACTION)(partial(take_on, services))
    app.action(low_rating.TAKE_OVER_ACTION)(partial(take_over, services))
    app.action(low_rating.REOPEN_ACTION)(partial(reopen, services))
    app.action(low_rating.CLOSE_ACTION)(partial(open_close_form, services))
    app.view(low_rating_modals.CLOSE_CALLBACK_ID)(partial(close, services))


async def show_response(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Open the response to a supervisor, and record in the audit log who saw it."""
    await ack()
    interaction = Interaction.model_validate(body)
    async with _replying_with_refusal(services, interaction):
        rating = await _find_low_rating(services, interaction, interaction.value)
        viewed = (rating.survey_id, interaction.team, interaction.user, services.clock())
        revealed, link = await asyncio.gather(
            services.database.run(follow_ups.reveal, *viewed),
            services.slack.message_url(rating.origin.channel, rating.ts),
        )
        view = low_rating_modals.response_modal(revealed, services.form.catalogue, link)
        await open_modal(services, interaction.origin(services.clock()), interaction.trigger_id, view)


async def take_on(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Assign a low rating to the supervisor who pressed the button, and update the alert."""
    await _change_on_press(services, ack, body, follow_ups.take)


async def take_over(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Assign a low rating to the supervisor who pressed the button, if it is still assigned as they saw."""
    await ack()
    interaction = Interaction.model_validate(body)
    key, taken_from = low_rating.parse_take_over(interaction.value or "")
    async with _replying_with_refusal(services, interaction):
        rating = await _find_low_rating(services, interaction, key)
        if rating.follow_up.taken_by == interaction.user and not rating.follow_up.closed_at:
            await services.reply(interaction.origin(services.clock()), plain_message(ALREADY_YOURS))
            return
        await _change(services, interaction, follow_ups.take, rating, taken_from)
    await refresh_home(services, interaction.user)


async def reopen(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Reopen a closed low rating, and update the alert."""
    await _change_on_press(services, ack, body, follow_ups.reopen)


async def open_close_form(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Open the form that asks for a note."""
    await ack()
    interaction = Interaction.model_validate(body)
    async with _replying_with_refusal(services, interaction):
        rating = await _find_low_rating(services, interaction, interaction.value)
        if rating.follow_up.closed_at:
            raise FollowUpConflict(Conflict.CLOSED, rating.follow_up)
        view = low_rating_modals.close_modal(rating, services.form.catalogue)
        await open_modal(services, interaction.origin(services.clock()), interaction.trigger_id, view)


async def close(services: Services, ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
    """Close a low rating with the note, and update the alert; the form closes once that is committed."""
    interaction = Interaction.model_validate(body)
    try:
        note = parse_note(low_rating_modals.get_note(view))
        rating = await _find_low_rating(services, interaction, view["private_metadata"])
        closed = (rating.survey_id, interaction.team, interaction.user, note, services.clock())
        notification = await save(services, follow_ups.close, *closed)
    except (InvalidNote, PermissionUnknown, DatabaseError) as problem:
        await ack(response_action="errors", errors={low_rating_modals.NOTE_ID: explain(problem)})
    except PermissionDenied as refusal:
        await ack(response_action="update", view=low_rating_modals.message_modal(build_refusal(refusal)))
    except FollowUpConflict as conflict:
        is_closed = conflict.conflict is Conflict.CLOSED
        unsaved = low_rating_modals.unsaved_note_modal(build_refusal(conflict), note, is_closed=is_closed)
        await ack(response_action="update", view=unsaved)
    else:
        await ack()
        if notification:
            services.notify(notification)
        await refresh_home(services, interaction.user)


async def _change_on_press(
    services: Services, ack: AsyncAck, body: dict[str, Any], transaction: Callable[..., Notification | None]
) -> None:
    """Run a transaction on the follow-up that a button names, and update the alert."""
    await ack()
    interaction = Interaction.model_validate(body)
    async with _replying_with_refusal(services, interaction):
        rating = await _find_low_rating(services, interaction, interaction.value)
        await _change(services, interaction, transaction, rating)
    await refresh_home(services, interaction.user)


async def _change(
    services: Services,
    interaction: Interaction,
    transaction: Callable[..., Notification | None],
    rating: LowRating,
    *others: str,
) -> None:
    """Run a transaction on a follow-up, and update the alert if it changed anything."""
    changed = (rating.survey_id, interaction.team, interaction.user, services.clock(), *others)
    if notification := await services.database.run_idempotent(transaction, *changed):
        services.notify(notification)


@contextlib.asynccontextmanager
async def _replying_with_refusal(services: Services, interaction: Interaction) -> AsyncIterator[None]:
    """Tell only the person who pressed the button why nothing was done."""
    try:
        yield
    except (PermissionDenied, FollowUpConflict) as refusal:
        await services.reply(interaction.origin(services.clock()), build_refusal(refusal))


async def _find_low_rating(services: Services, interaction: Interaction, key: str | None) -> LowRating:
    """Return a low rating to a supervisor; raises `PermissionDenied` or `FollowUpConflict`."""
    await services.slack.permissions.require_supervisor(interaction.user, SUPERVISORS_ONLY)
    return await services.database.read(
        follow_ups.find_followable, key or "", interaction.team, interaction.user
    )


def build_refusal(refusal: PermissionDenied | FollowUpConflict) -> Message:
    """Return the message for a person whose action was refused."""
    if isinstance(refusal, PermissionDenied):
        return plain_message(str(refusal))
    reason = EXPLANATIONS[refusal.conflict]
    if refusal.follow_up is None:
        return plain_message(reason)
    return build_message(reason, [rich_line(text(reason)), low_rating.follow_up_line(refusal.follow_up)])
