"""`/csat report`: send a supervisor the report of a period."""

from blocks.elements import plain_message
from blocks.report_reply import report_message
from csat.db.audit_log import AuditAction
from csat.reporting.report_builder import fetch_report
from csat.reporting.report_model import Filters
from csat.slack_api.payloads import SlashCommand
from csat.slack_api.user_permissions import PermissionDenied
from handlers.command_args import InvalidArguments
from handlers.report_args import parse_report_args
from handlers.services import Services

NOT_A_SUPERVISOR = (
    "Reports are for supervisors. Ask an admin of this app to add you to CSAT_SUPERVISORS. "
    "Your own surveys are in this app's Home."
)


async def send_report(services: Services, command: SlashCommand) -> None:
    """Send a report to a supervisor; refuse it to others."""
    origin = command.origin(services.clock())
    try:
        await services.slack.permissions.require_supervisor(command.user, NOT_A_SUPERVISOR)
        typed = command.text.strip().partition(" ")[2]
        args = parse_report_args(typed, services.clock(), services.timezone)
    except (PermissionDenied, InvalidArguments) as problem:
        await services.reply(origin, plain_message(str(problem)))
        return
    transport = f", {args.transport}" if args.transport else ""
    detail = f"{args.period.first} to {args.period.last}, {args.metric}{transport}"
    if not await services.audit(command, AuditAction.REPORT, detail):
        return
    filters = Filters(
        team=command.team,
        metric=args.metric,
        transport=args.transport,
        exclude_requesters=frozenset({command.user}),
    )
    report = await fetch_report(services.database, filters, args.period, services.clock())
    may_send = not await services.slack.permissions.find_agent_denial(command.user)
    await services.reply(origin, report_message(report, may_send=may_send, networks=services.networks))
