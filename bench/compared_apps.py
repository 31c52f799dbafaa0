"""The apps that are compared, each started as its users would start it, with the same environment."""

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from bench import made_up_values
from bench.errors import BenchError
from bench.linux import children_pinned_to
from bench.load_generator import Connection
from bench.slack_requests import build_command
from sandbox.free_ports import find_free_port
from tests.databases import Databases

BENCH: Final = Path(__file__).parent
ROOT: Final = BENCH.parent
PLAIN_JS_FOLDER: Final = BENCH / "plain_js"
DURABLE_JS_FOLDER: Final = BENCH / "durable_js"

START_TIMEOUT_SECONDS: Final = 30.0
SHUTDOWN_TIMEOUT_SECONDS: Final = 15.0
LOG_TAIL_LINES: Final = 60


@dataclass(frozen=True)
class App:
    """An app to measure."""

    name: str
    label: str
    command: tuple[str, ...]
    path: str = "/slack/events"
    database: Literal["sqlite", "postgresql", ""] = ""
    """The kind of its database; it has none if this is empty."""
    is_ours: bool = False

    def database_url(self, databases: Databases, folder: Path) -> str:
        """Return the URL of a new database, as this app expects it."""
        if not self.database:
            return ""
        url = databases.empty(self.database, folder)
        return url if self.is_ours else url.replace("postgresql+psycopg://", "postgresql://")


OUR_COMMAND: Final = (sys.executable, str(ROOT / "app.py"))
OURS: Final = App("ours", "csat-slack", OUR_COMMAND, database="sqlite", is_ours=True)
OURS_POSTGRESQL: Final = App(
    "ours_postgresql", "csat-slack, PostgreSQL", OUR_COMMAND, database="postgresql", is_ours=True
)
PLAIN_PYTHON: Final = App(
    "plain_python", "plain Bolt (Python)", (sys.executable, str(BENCH / "plain_python_baseline.py"))
)
PLAIN_JS: Final = App("plain_js", "plain Bolt (JS)", ("node", str(PLAIN_JS_FOLDER / "app.js")))
DURABLE_PYTHON: Final = App(
    "durable_python",
    "Bolt + procrastinate",
    (sys.executable, str(BENCH / "durable_python_baseline.py")),
    database="postgresql",
)
DURABLE_JS: Final = App(
    "durable_js", "Bolt + pg-boss", ("node", str(DURABLE_JS_FOLDER / "app.js")), database="postgresql"
)
PLAIN: Final = (PLAIN_PYTHON, PLAIN_JS)
DURABLE: Final = (DURABLE_PYTHON, DURABLE_JS)
BASELINES: Final = (*PLAIN, *DURABLE)
APPS: Final = (OURS, OURS_POSTGRESQL, *BASELINES)
COMPARISONS: Final = (
    *((OURS, app) for app in BASELINES),
    *((OURS_POSTGRESQL, app) for app in DURABLE),
)
"""A pair of apps to compare: one of ours, and a baseline."""


def install_npm_packages() -> None:
    """Install the pinned npm packages of the JavaScript apps, unless they are installed."""
    if not (shutil.which("node") and shutil.which("npm")):
        raise BenchError("The bench includes apps in JavaScript: install Node.js 22 or newer, with npm.")
    for folder in (PLAIN_JS_FOLDER, DURABLE_JS_FOLDER):
        lock_file = folder / "package-lock.json"
        installed = folder / "node_modules" / ".package-lock.json"
        if installed.exists() and installed.stat().st_mtime >= lock_file.stat().st_mtime:
            continue
        npm = subprocess.run(["npm", "ci", "--silent"], cwd=folder, check=False)  # noqa: S607 - from the PATH
        if npm.returncode:
            raise BenchError(f"npm could not install the packages of {folder.name}.")


@dataclass(frozen=True)
class RunningApp:
    """An app that accepts requests."""

    app: App
    pid: int
    port: int
    log_file: Path
    start_seconds: float
    """Time from the start of the process to its first acknowledgement."""

    @property
    def log_tail(self) -> str:
        """The last lines of the app's log."""
        return _read_tail(self.log_file)


@contextlib.asynccontextmanager
async def run_app(
    app: App, folder: Path, database_url: str, form_file: Path, stub_port: int, core: int
) -> AsyncIterator[RunningApp]:
    """Start an app, wait for its first acknowledgement, and stop it when the block ends.

    Args:
        app: the app.
        folder: the folder to run in, for its log.
        database_url: its database; empty if it has none.
        form_file: the form that the baseline apps open.
        stub_port: the port of Slack and X.
        core: the core for all of the app's threads.
    """
    port, log_file = find_free_port(), folder / "log.txt"
    with log_file.open("ab") as log, children_pinned_to(core):
        started_at = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603, ASYNC220 - our own commands; starting one takes a millisecond
            app.command,
            cwd=folder,
            env=_build_environment(port, stub_port, form_file, database_url),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        await _wait_for_ack(app, port, process, log_file)
        yield RunningApp(app, process.pid, port, log_file, time.perf_counter() - started_at)
    finally:
        process.terminate()
        try:
            await asyncio.to_thread(process.wait, SHUTDOWN_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


async def _wait_for_ack(app: App, port: int, process: subprocess.Popen[bytes], log_file: Path) -> None:
    try:
        async with asyncio.timeout(START_TIMEOUT_SECONDS):
            while process.poll() is None:
                try:
                    connection = await Connection.open(port)
                except OSError:
                    await asyncio.sleep(0.005)
                    continue
                await connection.send(build_command(app.path, str(made_up_values.FIRST_KEY)))
                connection.close()
                return
    except TimeoutError:
        seconds = f"{START_TIMEOUT_SECONDS:.0f} s"
        raise BenchError(f"{app.label} did not start within {seconds}:\n{_read_tail(log_file)}") from None
    raise BenchError(f"{app.label} exited at once:\n{_read_tail(log_file)}")


def _build_environment(port: int, stub_port: int, form_file: Path, database_url: str) -> dict[str, str]:
    stub_url = f"http://127.0.0.1:{stub_port}"
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "SLACK_BOT_TOKEN": made_up_values.BOT_TOKEN,
        "SLACK_SIGNING_SECRET": made_up_values.SIGNING_SECRET,
        "SLACK_API_URL": f"{stub_url}/api",
        "X_API_KEY": made_up_values.X_API_KEY,
        "X_API_SECRET": made_up_values.X_API_SECRET,
        "X_ACCESS_TOKEN": made_up_values.X_ACCESS_TOKEN,
        "X_ACCESS_TOKEN_SECRET": made_up_values.X_ACCESS_TOKEN_SECRET,
        "X_API_URL": stub_url,
        "DATABASE_URL": database_url,
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "CSAT_DISPLAY_NAME": made_up_values.DISPLAY_NAME,
        "CSAT_MESSAGE": made_up_values.MESSAGE,
        "CSAT_DAILY_LIMIT": "100000000",
        "CSAT_COOLDOWN_DAYS": "0",
        "FORM_FILE": str(form_file),
        "NODE_ENV": "production",
    }


def _read_tail(log_file: Path) -> str:
    lines = log_file.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(lines[-LOG_TAIL_LINES:])
