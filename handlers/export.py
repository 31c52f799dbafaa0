"""`/csat export 90d`: a file with a row for each survey, for a supervisor, in their direct message."""

import contextlib
import logging
import tempfile
from pathlib import Path

from blocks.elements import plain_message
from csat.db import audit
from csat.db.audit import Action
from csat.reporting.export_rows import Selection
from csat.reporting.exports import manifest_of, write_export
from csat.reporting.periods import InvalidPeriod, Period, parse_period
from csat.slack_api.errors import SlackError
from csat.slack_api.payloads import Command
from handlers.services import Services

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


async def send_export(services: Services, given: Command) -> None:
    """Send the file to a supervisor; tell anybody else that it is not for them."""
    origin, now = given.origin(services.clock()), services.clock()
    if not await services.slack.permissions.is_supervisor(given.user):
        await services.tell(origin, plain_message(NOT_YOURS))
        return
    try:
        period = parse_period(given.text.partition(" ")[2] or USUAL, now, services.timezone)
    except InvalidPeriod as problem:
        await services.tell(origin, plain_message(f"{problem} For example: /csat export {USUAL}"))
        return
    await services.tell(origin, plain_message(COMING.format(title=period.title)))
    try:
        await _send(services, given, period)
    except SlackError as error:
        log.warning("An export was not sent: %s", error)
        await services.tell(origin, plain_message(NOT_SENT.format(reason=error)))


async def _send(services: Services, given: Command, period: Period) -> None:
    selection = Selection(team=given.team, period=period, without=given.user)
    await services.database.run(
        audit.note, given.team, given.user, Action.EXPORT, selection.model_dump_json(), services.clock()
    )
    rows = 0
    with tempfile.TemporaryDirectory(prefix="csat-slack-") as folder:
        path = Path(folder) / f"csat-{period.first}-to-{period.last}.csv"
        async with contextlib.aclosing(
            write_export(services.database, selection, path, services.clock())
        ) as pages:
            async for number in pages:
                rows += number
        words = WORDS.format(title=period.title, rows=rows)
        await services.slack.files.send(given.user, [path, manifest_of(path)], *plain_message(words))
