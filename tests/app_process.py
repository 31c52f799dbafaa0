"""Run the commands of app.py against the fake Slack and X."""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

import app
from cli import manifest
from sandbox.local_asgi_server import serve
from sandbox.pubsub import PubSub
from sandbox.slack import Workspace
from sandbox.traffic_log import TrafficLog
from sandbox.x import FakeX
from tests.timeouts import WAIT_SECONDS
from tests.world import MANIFEST, World, x_settings

APP = Path(manifest.__file__).parent.with_name("app.py")


@contextlib.asynccontextmanager
async def fake_environment(
    folder: Path, app_manifest: dict[str, Any] | None = None
) -> AsyncIterator[tuple[Workspace, FakeX, dict[str, str]]]:
    """Serve the fake Slack and X; yield them with the environment variables of the app."""
    pubsub = PubSub()
    workspace, x = (
        Workspace(
            app_manifest or MANIFEST,
            pubsub=pubsub,
            traffic=TrafficLog(pubsub),
            ack_timeout=WAIT_SECONDS,
            trigger_lifetime=timedelta(seconds=WAIT_SECONDS),
        ),
        FakeX(pubsub=pubsub),
    )
    async with workspace.serve() as slack_url, serve(x.app) as x_url:
        yield (
            workspace,
            x,
            {
                "SLACK_BOT_TOKEN": workspace.bot_token,
                "SLACK_APP_TOKEN": workspace.app_token,
                "SLACK_SIGNING_SECRET": workspace.signing_secret,
                "SLACK_API_URL": f"{slack_url}/api/",
                "X_API_KEY": x.keys.consumer_key,
                "X_API_SECRET": x.keys.consumer_secret,
                "X_ACCESS_TOKEN": x.keys.token,
                "X_ACCESS_TOKEN_SECRET": x.keys.token_secret,
                "X_API_URL": x_url,
                "DATABASE_URL": f"sqlite:///{folder / 'csat.db'}",
                "PORT": "0",
                "CSAT_PRIVACY_URL": "https://northwind.example/privacy",
            },
        )


def environment_of(world: World) -> dict[str, str]:
    """Return the environment of a command that works on the world's database."""
    settings = world.settings
    return {
        "SLACK_BOT_TOKEN": settings.slack_bot_token.get_secret_value(),
        "SLACK_SIGNING_SECRET": world.workspace.signing_secret,
        "SLACK_API_URL": settings.slack_api_url,
        **{name.upper(): key for name, key in x_settings(world.x, settings.x_api_url).items()},
        "DATABASE_URL": world.database_url,
    }


async def start_command(
    folder: Path, environment: Mapping[str, str], *args: str, stdout: int = PIPE, stderr: int = STDOUT
) -> Process:
    """Start app.py with the given arguments in a folder."""
    inherited = {
        name: value for name, value in os.environ.items() if name.startswith(("PATH", "COV", "LANG"))
    }
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(APP),
        *args,
        cwd=folder,
        env={**inherited, **environment},
        stdout=stdout,
        stderr=stderr,
    )


async def run_command(folder: Path, environment: Mapping[str, str], *args: str) -> tuple[int, str]:
    """Run a command of app.py in a thread of this process, and return its exit code and output."""

    def invoke() -> Result:
        with contextlib.chdir(folder):
            return CliRunner().invoke(app.cli, args, env=environment, catch_exceptions=False)

    result = await asyncio.to_thread(invoke)
    return result.exit_code, result.output


async def run_process(folder: Path, environment: Mapping[str, str], *args: str) -> tuple[int | None, str]:
    """Run app.py as a process until it exits, and return its exit code and output."""
    process = await start_command(folder, environment, *args)
    output, _ = await asyncio.wait_for(process.communicate(), WAIT_SECONDS)
    return process.returncode, output.decode()


async def wait_for_line(process: Process, text: str) -> str:
    """Return the first line of output that contains `text`."""
    *_, line = await read_until(process, text)
    return line


async def read_until(process: Process, text: str) -> list[str]:
    """Return the lines of output to the first one that contains `text`."""
    assert process.stdout
    lines = []
    async with asyncio.timeout(WAIT_SECONDS):
        while line := (await process.stdout.readline()).decode():
            lines.append(line)
            if text in line:
                return lines
    raise AssertionError(f"{text!r} is not in the output")


async def stop(process: Process, signal_number: signal.Signals) -> tuple[int | None, str]:
    """Send a signal and return the exit code and the rest of the output."""
    process.send_signal(signal_number)
    output, _ = await asyncio.wait_for(process.communicate(), WAIT_SECONDS)
    return process.returncode, output.decode()
