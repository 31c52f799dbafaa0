"""`/csat`: its subcommands and their help."""

from collections.abc import Awaitable, Callable, Collection
from functools import partial
from typing import Any, NamedTuple

from slack_bolt.async_app import AsyncAck, AsyncApp

from blocks.help import AT_SIGN_HINT, HELP, Usage, help_message, name_example, problem_message
from csat.slack_api.payloads import SlashCommand
from csat.surveys.networks import Network
from csat.surveys.questions import Metric
from handlers.command_args import InvalidArguments, parse_command_args
from handlers.export_command import send_export
from handlers.form_opening import open_from_command
from handlers.opt_outs import open_lift_form, open_stop_form
from handlers.report_command import send_report
from handlers.services import Services
from handlers.status_command import send_status

COMMAND = "/csat"


def register(app: AsyncApp, services: Services) -> None:
    """Register the listener for the command."""
    app.command(COMMAND)(partial(run_command, services))


async def run_command(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Run the subcommand that follows `/csat`, or open the form."""
    await ack()
    command = SlashCommand.model_validate(body)
    first_word = command.text.strip().partition(" ")[0].lower()
    await SUBCOMMANDS.get(first_word, OPEN_FORM).run(services, command)


async def _open_form(services: Services, command: SlashCommand) -> None:
    origin = command.origin(services.clock())
    try:
        _check_other_words(command.text, services.networks)
        args = parse_command_args(
            command.text, known_words=KNOWN_WORDS, networks=services.networks, team=command.team
        )
    except InvalidArguments as problem:
        await services.reply(origin, problem_message(str(problem)))
        return
    await open_from_command(services, command, args)


def _check_other_words(text: str, networks: Collection[Network]) -> None:
    """Raise `InvalidArguments` for a word of other tools, with what does that here."""
    words = text.split()
    for word in words:
        if advice := OTHER_WORDS.get(word.lower()):
            customer = next((other for other in words if other.startswith("@")), name_example(networks))
            hint = AT_SIGN_HINT if Network.X in networks else ""
            raise InvalidArguments(advice.format(customer=customer, hint=hint).strip())


async def _send_help(services: Services, command: SlashCommand) -> None:
    await services.reply(command.origin(services.clock()), help_message(USAGES, services.networks))


class Subcommand(NamedTuple):
    """A subcommand of `/csat`, with its lines in the help."""

    run: Callable[[Services, SlashCommand], Awaitable[None]]
    usages: tuple[Usage, ...]


OPEN_FORM = Subcommand(
    _open_form,
    (
        Usage("/csat", "opens the survey form"),
        Usage("/csat @person", "opens it for a person in Slack", Network.SLACK),
        Usage("/csat @handle", "opens it for a customer on X (the @ may be left out)", Network.X),
        Usage("/csat 783214", "opens it for an X ID (if 783214 is a handle, type @783214)", Network.X),
        Usage("/csat nps {customer}", "opens it with an NPS question"),
        Usage("/csat https://x.com/handle", "opens it for the profile or post you paste", Network.X),
    ),
)
SUBCOMMANDS = {
    "status": Subcommand(
        send_status,
        (Usage("/csat status {customer}", "shows whether you can ask a customer, and who asked them"),),
    ),
    "stop": Subcommand(
        open_stop_form,
        (
            Usage(
                "/csat stop {customer}",
                "records that a customer wants no surveys: nobody can ask them any more",
            ),
        ),
    ),
    "unstop": Subcommand(
        open_lift_form,
        (Usage("/csat unstop {customer}", "lets supervisors lift that, once the customer has agreed"),),
    ),
    "report": Subcommand(
        send_report,
        (
            Usage(
                "/csat report 30d nps", "shows supervisors how customers answered (CSAT unless you type nps)"
            ),
        ),
    ),
    "export": Subcommand(
        send_export,
        (Usage("/csat export 90d", "sends supervisors a file with a row for each survey"),),
    ),
    "help": Subcommand(_send_help, (Usage("/csat help", "shows this help"),)),
}
STOPS = f"To stop surveys to a customer, type /csat stop {{customer}}, or see {HELP}."
RESULTS = (
    "For how customers answered, supervisors type /csat report. "
    "For a customer's surveys, type /csat status {customer}. {hint}"
)
OTHER_WORDS = {
    **dict.fromkeys(("optout", "opt-out", "block", "unsubscribe"), STOPS),
    **dict.fromkeys(("results", "stats", "statistics", "scores"), RESULTS),
    "cancel": (
        "There's no /csat cancel. A survey that waits has the button Cancel, in this app's Messages. {hint}"
    ),
    "start": ("There's no /csat start. To open the form, type /csat or /csat {customer}. {hint}"),
}
"""Advice for commands that people may guess."""
KNOWN_WORDS = (*SUBCOMMANDS, *Metric)
USAGES = tuple(usage for subcommand in (OPEN_FORM, *SUBCOMMANDS.values()) for usage in subcommand.usages)
