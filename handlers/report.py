"""`/csat report`: the figures of a period, for the supervisor who asks and nobody else."""

from blocks.kit import plain
from blocks.report import report_message
from csat.db import audit
from csat.db.audit import Action
from csat.reporting.assemble import report
from csat.reporting.reports import Filters
from csat.slack_api.payloads import Command
from handlers.command_args import NotUnderstood
from handlers.report_args import Wanted, read_wanted
from handlers.services import Desk

NOT_YOURS = (
    "Reports are for supervisors. Ask whoever runs this app to put you on the list (CSAT_SUPERVISORS). "
    "What became of your own surveys is in this app's Home."
)


async def tell_report(desk: Desk, given: Command) -> None:
    """Tell a supervisor how customers answered; tell anybody else that it is not for them."""
    origin, now = given.origin(desk.clock()), desk.clock()
    if not await desk.slack.members.supervises(given.user):
        await desk.tell(origin, plain(NOT_YOURS))
        return
    try:
        wanted = read_wanted(given.text.strip().partition(" ")[2], now, desk.zone)
    except NotUnderstood as problem:
        await desk.tell(origin, plain(str(problem)))
        return
    await _note(desk, given, wanted)
    filters = Filters(team=given.team, metric=wanted.metric, without=given.user)
    await desk.tell(origin, report_message(await report(desk.ledger, filters, wanted.period)))


async def _note(desk: Desk, given: Command, wanted: Wanted) -> None:
    detail = f"{wanted.period.first} to {wanted.period.last}, {wanted.metric}"
    await desk.ledger.run(audit.note, given.team, given.user, Action.REPORT, detail, desk.clock())
