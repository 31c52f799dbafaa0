"""`/csat report`: the figures of a period, for the supervisor who asks and nobody else."""

from blocks.elements import plain_message
from blocks.report import report_message
from csat.db import audit
from csat.db.audit import Action
from csat.reporting.report_builder import fetch_report
from csat.reporting.reports import Filters
from csat.slack_api.payloads import Command
from handlers.command_args import InvalidArguments
from handlers.report_args import ReportArgs, parse_report_args
from handlers.services import Services

NOT_YOURS = (
    "Reports are for supervisors. Ask whoever runs this app to put you on the list (CSAT_SUPERVISORS). "
    "What became of your own surveys is in this app's Home."
)


async def tell_report(services: Services, given: Command) -> None:
    """Tell a supervisor how customers answered; tell anybody else that it is not for them."""
    origin, now = given.origin(services.clock()), services.clock()
    if not await services.slack.permissions.is_supervisor(given.user):
        await services.tell(origin, plain_message(NOT_YOURS))
        return
    try:
        wanted = parse_report_args(given.text.strip().partition(" ")[2], now, services.timezone)
    except InvalidArguments as problem:
        await services.tell(origin, plain_message(str(problem)))
        return
    await _note(services, given, wanted)
    filters = Filters(team=given.team, metric=wanted.metric, without=given.user)
    await services.tell(origin, report_message(await fetch_report(services.database, filters, wanted.period)))


async def _note(services: Services, given: Command, wanted: ReportArgs) -> None:
    detail = f"{wanted.period.first} to {wanted.period.last}, {wanted.metric}"
    await services.database.run(audit.note, given.team, given.user, Action.REPORT, detail, services.clock())
