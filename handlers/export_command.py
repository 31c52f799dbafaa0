"""`/csat export 90d`: send a supervisor a file with a row for each survey."""

import contextlib
import logging
import tempfile
from datetime import timedelta
from pathlib import Path

from blocks.elements import plain_message
from csat.db.audit_log import AuditAction
from csat.reporting.export_files import Manifest, manifest_path, read_manifest, write_export
from csat.reporting.export_rows import Selection
from csat.reporting.formatting import format_tests, format_unknown_names, pluralize
from csat.reporting.periods import InvalidPeriod, parse_period
from csat.slack_api import error_explanations
from csat.slack_api.errors import TOKEN_ERRORS, SlackError, SlackUnavailable
from csat.slack_api.names_for_exports import Names
from csat.slack_api.payloads import SlashCommand
from csat.slack_api.user_permissions import PermissionDenied
from handlers.services import Services

NOT_A_SUPERVISOR = "Exports are for supervisors. Ask an admin of this app to add you to CSAT_SUPERVISORS."
STARTED = "Preparing the export for {title}. You'll get it as a file in a direct message from this app."
FINISHED = (
    "Your export for {title}: {surveys}{remarks}. "
    "It contains ratings and comments, so keep it where agents can't see it. "
    "The manifest beside it shows whether the file was changed later."
)
NO_LONGER_A_SUPERVISOR = "The export was not sent: you stopped being a supervisor while it was made."
FAILED = (
    "Slack didn't accept the file ({reason}), so there is no export. Try again, or choose a shorter period."
)
UNCONFIRMED = (
    "Slack was too busy to confirm that it took the file ({reason}). "
    "If you don't have it in a minute, try again."
)
MISSING_SCOPE = (
    "There is no export, as this app may not upload files. "
    "Ask an admin of this app to add the scope files:write at api.slack.com/apps, and to reinstall the app."
)
UPLOADS_DISABLED = (
    "There is no export, as your Slack workspace does not allow file uploads. "
    "Ask a workspace admin to allow them, or an admin of this app to run python app.py export."
)
APP_REJECTED = "There is no export: {reason}. Ask an admin of this app to fix SLACK_BOT_TOKEN."
ADVICE = {"missing_scope": MISSING_SCOPE, "file_uploads_disabled": UPLOADS_DISABLED}
"""By Slack's error code."""
EXAMPLE = "For example: /csat export 90d"
DEFAULT_PERIOD = "90d"

log = logging.getLogger(__name__)


async def send_export(services: Services, command: SlashCommand) -> None:
    """Send the file in a direct message to a supervisor; refuse it to others."""
    origin = command.origin(services.clock())
    try:
        await services.slack.permissions.require_supervisor(command.user, NOT_A_SUPERVISOR)
        typed = command.text.partition(" ")[2] or DEFAULT_PERIOD
        period = parse_period(typed, services.clock(), services.timezone)
    except PermissionDenied as refusal:
        await services.reply(origin, plain_message(str(refusal)))
        return
    except InvalidPeriod as problem:
        await services.reply(origin, plain_message(f"{problem} {EXAMPLE}"))
        return
    selection = Selection(team=command.team, period=period, exclude_requester=command.user)
    if not await services.audit(command, AuditAction.EXPORT, selection.model_dump_json()):
        return
    await services.reply(origin, plain_message(STARTED.format(title=period.title)))
    try:
        await _export(services, command.user, selection)
    except PermissionDenied as refusal:
        await services.reply(origin, plain_message(str(refusal)))
    except SlackError as error:
        log.warning("An export was not sent: %s", error)
        await services.reply(origin, plain_message(explain(error)))


async def _export(services: Services, user: str, selection: Selection) -> None:
    period, names = selection.period, Names(services.slack.web)
    with tempfile.TemporaryDirectory(prefix="csat-slack-") as folder:
        path = Path(folder) / f"csat-{period.first}-to-{period.last}.csv"
        pages = write_export(services.database, selection, path, services.clock(), names.look_up)
        async with contextlib.aclosing(pages):
            async for _ in pages:
                pass
        manifest = read_manifest(path)
        uploads = await services.slack.files.upload([path, manifest_path(path)])
        # it may have taken minutes
        await services.slack.permissions.require_supervisor(
            user, NO_LONGER_A_SUPERVISOR, max_age=timedelta(0)
        )
        surveys = pluralize(manifest.rows, "survey")
        comment = FINISHED.format(title=period.title, surveys=surveys, remarks=format_remarks(manifest))
        comment += format_unknown_names(names.unknown, names.why_unknown)
        await services.slack.files.share(user, uploads, comment)


def format_remarks(manifest: Manifest) -> str:
    """Return which surveys of an export no report counts, and which it leaves out; empty without any."""
    left_out = f"{manifest.left_out:,} of your own surveys left out" if manifest.left_out else ""
    remarks = "; ".join(filter(None, [format_tests(manifest.tests), left_out]))
    return f" ({remarks})" if remarks else ""


def explain(error: SlackError) -> str:
    """Return why there is no export, and what to do."""
    if str(error) in TOKEN_ERRORS:
        return APP_REJECTED.format(reason=error_explanations.explain(error))
    default = UNCONFIRMED if isinstance(error, SlackUnavailable) else FAILED
    return ADVICE.get(str(error), default).format(reason=error)
