"""The three apps, each started as its users start it, with the same environment."""

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench import fixtures
from bench.fixtures import FIRST_KEY
from bench.linux import pinned
from bench.load import Connection, LoadError
from bench.slack_requests import command

BENCH: Final = Path(__file__).parent
ROOT: Final = BENCH.parent
PLAIN_JS: Final = BENCH / "plain_js"

LONGEST_START: Final = 30.0
LONGEST_END: Final = 15.0
"""Seconds."""


@dataclass(frozen=True)
class App:
    """One of the three."""

    name: str
    label: str
    command: tuple[str, ...]
    path: str = "/slack/events"


OURS: Final = App("ours", "csat-slack", (sys.executable, str(ROOT / "app.py")))
PLAIN_PYTHON: Final = App("plain_python", "plain Python", (sys.executable, str(BENCH / "plain_python.py")))
PLAIN_JS_APP: Final = App("plain_js", "plain JavaScript", ("node", str(PLAIN_JS / "app.js")))
APPS: Final = (OURS, PLAIN_PYTHON, PLAIN_JS_APP)
PLAIN: Final = (PLAIN_PYTHON, PLAIN_JS_APP)


class NotInstalled(Exception):
    """The plain app in JavaScript can't be run here."""


def install() -> None:
    """Install the plain app in JavaScript, where its pinned packages are not there yet."""
    if not (shutil.which("node") and shutil.which("npm")):
        raise NotInstalled(
            "The bench compares with an app in JavaScript: install Node 20 or newer, with npm."
        )
    locked, installed = PLAIN_JS / "package-lock.json", PLAIN_JS / "node_modules" / ".package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= locked.stat().st_mtime:
        return
    done = subprocess.run(["npm", "ci", "--silent"], cwd=PLAIN_JS, check=False)  # noqa: S607 - npm of the PATH
    if done.returncode:
        raise NotInstalled("npm could not install the packages of the plain app in JavaScript.")


@dataclass(frozen=True)
class Running:
    """An app that is up."""

    app: App
    pid: int
    port: int
    log: Path
    to_first_ack: float
    """Seconds from starting the process to its first acknowledgement."""

    @property
    def last_words(self) -> str:
        """The end of what the app logged."""
        return _end_of(self.log)


@contextlib.asynccontextmanager
async def started(app: App, folder: Path, form: Path, stub_port: int, core: int) -> AsyncIterator[Running]:
    """Run an app: start it, wait for its first acknowledgement, and stop it at the end.

    Args:
        app: which one.
        folder: where it runs and keeps what it keeps; made here.
        form: the file with the form that the plain apps show.
        stub_port: where Slack and X are.
        core: where the app runs, with all of its threads.
    """
    folder.mkdir()  # noqa: ASYNC240 - nothing else runs yet
    port, log = _free_port(), folder / "log.txt"
    with log.open("wb") as output, pinned(core):
        began = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603, ASYNC220 - our own commands; starting takes a millisecond
            app.command,
            cwd=folder,
            env=_environment(port, stub_port, form, folder),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        await _first_ack(app, port, process, log)
        yield Running(app, process.pid, port, log, time.perf_counter() - began)
    finally:
        process.terminate()
        try:
            await asyncio.to_thread(process.wait, LONGEST_END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


async def _first_ack(app: App, port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    async with asyncio.timeout(LONGEST_START):
        while process.poll() is None:
            try:
                connection = await Connection.to(port)
            except OSError:
                await asyncio.sleep(0.005)
                continue
            await connection.ask(command(app.path, str(FIRST_KEY)))
            connection.close()
            return
    raise LoadError(f"{app.label} ended at once:\n{_end_of(log)}")


def _environment(port: int, stub_port: int, form: Path, folder: Path) -> dict[str, str]:
    stub = f"http://127.0.0.1:{stub_port}"
    return {
        "PATH": os.environ["PATH"],
        "SLACK_BOT_TOKEN": fixtures.BOT_TOKEN,
        "SLACK_SIGNING_SECRET": fixtures.SIGNING_SECRET,
        "SLACK_API_URL": f"{stub}/api",
        "X_API_KEY": fixtures.X_API_KEY,
        "X_API_SECRET": fixtures.X_API_SECRET,
        "X_ACCESS_TOKEN": fixtures.X_ACCESS_TOKEN,
        "X_ACCESS_TOKEN_SECRET": fixtures.X_ACCESS_TOKEN_SECRET,
        "X_API_URL": stub,
        "DATABASE_URL": f"sqlite:///{folder / 'csat.db'}",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "CSAT_DISPLAY_NAME": fixtures.DISPLAY_NAME,
        "CSAT_PRIVACY_URL": fixtures.PRIVACY_URL,
        "CSAT_MESSAGE": fixtures.MESSAGE,
        "CSAT_DAILY_LIMIT": "100000000",
        "CSAT_COOLDOWN_DAYS": "0",
        "FORM": str(form),
        "NODE_ENV": "production",
    }


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-60:])


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port
