"""Run a command: its settings, its log, its event loop, and what it prints if it can't go on."""

import asyncio
import logging
import signal
import threading
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any, NoReturn, TypeVar

import stamina
import typer
import uvloop
from stamina.instrumentation import RetryDetails

from cli.errors import CommandError
from csat.db.errors import DatabaseError
from csat.json_log import JsonFormatter
from csat.library_logs import silence_libraries
from csat.reporting.export_rows import InvalidExport
from csat.setting_types import LogFormat
from csat.settings import SettingsWithoutXKeys
from csat.settings_from_environment import SettingsError, find_log_format
from csat.surveys.questions import CatalogueError

LOG_FORMATTERS: Mapping[LogFormat, logging.Formatter] = {
    "text": logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"),
    "json": JsonFormatter(),
}

LoadedSettings = TypeVar("LoadedSettings", bound=SettingsWithoutXKeys)

log = logging.getLogger(__name__)


def load_or_exit(load: Callable[[], LoadedSettings], *, is_logged: bool = False) -> LoadedSettings:
    """Load the settings, or exit; what is wrong is a line of the log if `is_logged`."""
    try:
        return load()
    except SettingsError as error:
        lines = ["Fix these settings:", *(f"  - {problem}" for problem in error.problems), error.hint]
        give_up(list(filter(None, lines)), find_log_format() if is_logged else "text")


def run(
    work: Coroutine[Any, Any, None],
    failing: str = "The app can't start",
    level: int = logging.INFO,
    log_format: LogFormat = "text",
    retry_level: int = logging.WARNING,
) -> None:
    """Run a command's work; if an expected error ends it, print that after `failing`, and exit with 1.

    If SIGTERM cancels it, exit with 143, as shells and Docker say it.
    Each retry of a transaction is logged at `retry_level`.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(LOG_FORMATTERS[log_format])
    logging.basicConfig(level=level, handlers=[handler])
    silence_libraries()
    stamina.instrumentation.set_on_retry_hooks([partial(_log_retry, retry_level)])
    try:
        uvloop.run(work)
    except asyncio.CancelledError:
        raise typer.Exit(128 + signal.SIGTERM) from None
    except BrokenPipeError:
        raise  # typer ends quietly when the output's reader is gone
    except (DatabaseError, CatalogueError, InvalidExport, CommandError, OSError) as error:
        give_up([f"{failing}: {error}"], log_format)


def cancel_on_sigterm() -> None:
    """Let SIGTERM cancel the command's work from now on, as Ctrl-C does; else it ends the process at once.

    Only the main thread can handle signals.
    """
    task = asyncio.current_task()
    if task and threading.current_thread() is threading.main_thread():
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


def give_up(lines: list[str], log_format: LogFormat = "text") -> NoReturn:
    """Print why the command can't do its work, as a line of the log if that is JSON, and exit with 1."""
    message = "\n".join(lines)
    if log_format == "json":
        message = JsonFormatter().format(log.makeRecord(log.name, logging.ERROR, "", 0, message, (), None))
    typer.echo(message, err=True)
    raise typer.Exit(1)


def _log_retry(level: int, details: RetryDetails) -> None:
    log.log(level, "Retrying in %.1f s: %s", details.wait_for, details.caused_by)
