"""The ways in: `/csat`, the message shortcut, and another try after a refusal."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NamedTuple

from slack_bolt.async_app import AsyncAck, AsyncApp

from blocks import notifications
from blocks.elements import plain_message
from blocks.help import Usage, help_message
from blocks.survey_form import MAX_OTHER_CUSTOMERS, Form
from csat.db.survey_records import get_survey
from csat.slack_api.message_text import extract_text
from csat.slack_api.payloads import Command, Interaction
from csat.slack_api.permissions import PermissionDenied
from csat.surveys.prefill import find_external_id, find_recipients
from handlers.command_args import InvalidArguments, parse_command_args
from handlers.export import send_export
from handlers.modals import open_modal
from handlers.report import tell_report
from handlers.services import Services
from handlers.status import tell_status

COMMAND = "/csat"
SHORTCUT = "send_survey"

NOT_YOURS = "Only the person who asked for this survey can change it."


def register(app: AsyncApp, services: Services) -> None:
    """Connect the ways in."""
    app.command(COMMAND)(partial(command, services))
    app.shortcut(SHORTCUT)(partial(from_message, services))
    app.action(notifications.EDIT_ACTION)(partial(edit_again, services))


async def command(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Do what the words after `/csat` say."""
    await ack()
    given = Command.model_validate(body)
    word = given.text.strip().partition(" ")[0].lower()
    subcommand = SUBCOMMANDS.get(word, OPEN)
    await subcommand.run(services, given)


async def from_message(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Open the form filled in from the message that the shortcut was used on."""
    await ack()
    used = Interaction.model_validate(body)
    origin = used.origin(services.clock())
    said = extract_text(body.get("message") or {})
    people = [person.label for person in find_recipients(said)]
    draft = services.defaults.model_copy(
        update={
            "recipient": next(iter(people), ""),
            "external_id": find_external_id(said, services.tickets)
            or f"slack_{origin.channel}_{origin.thread}",
        }
    )
    others = tuple(people[: MAX_OTHER_CUSTOMERS + 1])
    await _open(
        services, used.trigger_id, Form(draft=draft, origin=origin, others=others, names_nobody=not people)
    )


async def edit_again(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Open the form once more, as it was typed for a survey that was refused."""
    await ack()
    pressed = Interaction.model_validate(body)
    entry = await services.database.read(get_survey, int(pressed.value or 0))
    if entry is None or entry.origin.requester != pressed.user:
        await services.tell(pressed.origin(services.clock()), plain_message(NOT_YOURS))
        return
    same_place = pressed.channel == entry.origin.channel
    fresh = {"response_url": pressed.response_url if same_place else "", "received_at": services.clock()}
    origin = entry.origin.model_copy(update=fresh)
    await _open(services, pressed.trigger_id, Form(draft=entry.survey.to_draft(), origin=origin))


async def _open_from_words(services: Services, given: Command) -> None:
    origin = given.origin(services.clock())
    try:
        words = parse_command_args(given.text)
    except InvalidArguments as problem:
        await services.tell(origin, help_message(USAGES, str(problem)))
        return
    draft = services.defaults.model_copy(
        update={
            "metric": words.metric or services.defaults.metric,
            "recipient": words.recipient.label if words.recipient else "",
        }
    )
    await _open(services, given.trigger_id, Form(draft=draft, origin=origin))


async def _help(services: Services, given: Command) -> None:
    await services.tell(given.origin(services.clock()), help_message(USAGES))


async def _open(services: Services, trigger_id: str, form: Form) -> None:
    """Open the form for somebody who may send; tell anybody else why not."""
    origin = form.origin
    try:
        await services.slack.permissions.check(origin.requester)
    except PermissionDenied as refusal:
        await services.tell(origin, plain_message(str(refusal)))
    else:
        await open_modal(services, origin, trigger_id, services.form.build(form))


class Subcommand(NamedTuple):
    """What follows `/csat`: how it is used, and what it does."""

    run: Callable[[Services, Command], Awaitable[None]]
    usages: tuple[Usage, ...]


OPEN = Subcommand(
    _open_from_words,
    (
        Usage("/csat", "opens the form"),
        Usage("/csat @handle", "opens it for a customer on X"),
        Usage("/csat 783214", "the same, for an X id (if 783214 is the handle, type @783214)"),
        Usage("/csat nps @handle", "opens it with the NPS question"),
        Usage("/csat https://x.com/handle", "opens it for a profile or post that you paste"),
    ),
)
SUBCOMMANDS = {
    "status": Subcommand(
        tell_status,
        (Usage("/csat status @handle", "tells whether a customer can be asked, and who asked them"),),
    ),
    "report": Subcommand(
        tell_report,
        (Usage("/csat report 30d nps", "tells a supervisor how customers answered (CSAT without nps)"),),
    ),
    "export": Subcommand(
        send_export,
        (Usage("/csat export 90d", "sends a supervisor a file with a row for each survey"),),
    ),
    "help": Subcommand(_help, (Usage("/csat help", "shows this"),)),
}
USAGES = tuple(usage for subcommand in (OPEN, *SUBCOMMANDS.values()) for usage in subcommand.usages)
