"""`/csat export 90d`: a file with a row for each survey, for a supervisor, in their direct message."""

import contextlib
import logging
import tempfile
from pathlib import Path

from blocks.kit import plain
from csat.db import audit
from csat.db.audit import Action
from csat.reporting.export_rows import Selection
from csat.reporting.exports import export, manifest_of
from csat.reporting.periods import NotAPeriod, Period, read_period
from csat.slack_api.errors import SlackError
from csat.slack_api.payloads import Command
from handlers.services import Desk

NOT_YOURS = (
    "Exports are for supervisors. Ask whoever runs this app to put you on the list (CSAT_SUPERVISORS)."
)
COMING = "The export of {title} is being made. It comes as a file in your direct message with this app."
WORDS = (
    "Your export of {title}: {rows:,} surveys, your own left out, and a manifest with its checksum. "
    "It has ratings and customers' words in it: keep it where agents don't see it."
)
NOT_SENT = "Slack did not take the file ({reason}), so there is no export. Try again, or a shorter period."
USUAL = "90d"

log = logging.getLogger(__name__)


async def send_export(desk: Desk, given: Command) -> None:
    """Send the file to a supervisor; tell anybody else that it is not for them."""
    origin, now = given.origin(desk.clock()), desk.clock()
    if not await desk.slack.members.supervises(given.user):
        await desk.tell(origin, plain(NOT_YOURS))
        return
    try:
        period = read_period(given.text.partition(" ")[2] or USUAL, now, desk.zone)
    except NotAPeriod as problem:
        await desk.tell(origin, plain(f"{problem} For example: /csat export {USUAL}"))
        return
    await desk.tell(origin, plain(COMING.format(title=period.title)))
    try:
        await _send(desk, given, period)
    except SlackError as error:
        log.warning("An export was not sent: %s", error)
        await desk.tell(origin, plain(NOT_SENT.format(reason=error)))


async def _send(desk: Desk, given: Command, period: Period) -> None:
    selection = Selection(team=given.team, period=period, without=given.user)
    await desk.ledger.run(
        audit.note, given.team, given.user, Action.EXPORT, selection.model_dump_json(), desk.clock()
    )
    rows = 0
    with tempfile.TemporaryDirectory(prefix="csat-slack-") as folder:
        path = Path(folder) / f"csat-{period.first}-to-{period.last}.csv"
        async with contextlib.aclosing(export(desk.ledger, selection, path, desk.clock())) as pages:
            async for number in pages:
                rows += number
        words = WORDS.format(title=period.title, rows=rows)
        await desk.slack.files.send(given.user, [path, manifest_of(path)], *plain(words))
