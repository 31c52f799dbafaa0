"""The program as an operator runs it: its commands, its beginning and its end."""

import asyncio
import contextlib
import os
import re
import signal
import sys
import time
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from cli import manifest
from sandbox.pubsub import PubSub
from sandbox.serving import serve
from sandbox.slack import Workspace, fixtures
from sandbox.traffic import TrafficLog
from sandbox.x import FakeX, Fault

APP = Path(manifest.__file__).parent.with_name("app.py")


@contextlib.asynccontextmanager
async def around(
    folder: Path, installed: dict[str, Any] | None = None
) -> AsyncIterator[tuple[Workspace, FakeX, dict[str, str]]]:
    """Serve a pretend Slack and X, and yield the environment that leads to them."""
    pubsub = PubSub()
    workspace, x = (
        Workspace(installed or manifest.load(), pubsub=pubsub, traffic=TrafficLog(pubsub)),
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


async def started(folder: Path, environment: Mapping[str, str], *words: str) -> Process:
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PATH", "COV", "LANG"))}
    return await asyncio.create_subprocess_exec(
        sys.executable, str(APP), *words, cwd=folder, env={**kept, **environment}, stdout=PIPE, stderr=STDOUT
    )


async def output(folder: Path, environment: Mapping[str, str], *words: str) -> tuple[int | None, str]:
    process = await started(folder, environment, *words)
    printed, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, printed.decode()


async def line_with(process: Process, words: str) -> str:
    assert process.stdout
    async with asyncio.timeout(60):
        while line := (await process.stdout.readline()).decode():
            if words in line:
                return line
    raise AssertionError(f"the program never said {words!r}")


async def ended(process: Process, number: signal.Signals) -> tuple[int | None, float, str]:
    """Send a signal and return exit code, seconds, and what else was printed."""
    begun = time.monotonic()
    process.send_signal(number)
    printed, _ = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode, time.monotonic() - begun, printed.decode()


async def test_without_settings_each_missing_one_is_named(tmp_path: Path) -> None:
    code, printed = await output(tmp_path, {})

    assert code == 1
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "X_API_KEY", "X_ACCESS_TOKEN_SECRET"):
        assert name in printed
    assert "Fix these settings:" in printed
    assert "Traceback" not in printed


async def test_settings_come_from_a_file_too(tmp_path: Path) -> None:
    async with around(tmp_path) as (_, _, environment):
        (tmp_path / ".env").write_text("\n".join(f"{name}={value}" for name, value in environment.items()))
        code, printed = await output(tmp_path, {}, "check")

    assert (code, "FAIL" in printed) == (0, False), printed


async def test_check_tells_line_by_line_that_all_is_well(tmp_path: Path) -> None:
    async with around(tmp_path) as (_, x, environment):
        code, printed = await output(tmp_path, environment, "check")

    assert code == 0, printed
    for line in (
        "Questions: 38 for CSAT",
        "Database:",
        "Slack token:",
        "Slack scopes: complete",
        "Connection: Socket Mode",
    ):
        assert f"ok    {line}" in printed
    assert "HTTP Request" not in printed
    assert f"ok    X keys: surveys are sent by @{x.account.handle}" in printed


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"SLACK_BOT_TOKEN": "xoxb-wrong"}, "FAIL  Slack token: invalid_auth"),
        ({"SLACK_APP_TOKEN": "xapp-wrong"}, "FAIL  Connection: Socket Mode: invalid_auth"),
        ({"X_ACCESS_TOKEN_SECRET": "wrong"}, "FAIL  X keys:"),
        ({"X_API_URL": "http://127.0.0.1:9"}, "FAIL  X:"),
        ({"CSAT_QUESTIONS_FILE": "missing.toml"}, "FAIL  Questions: missing.toml can't be read"),
        ({"DATABASE_URL": "sqlite:////nowhere/csat.db"}, "FAIL  Database:"),
        ({"DATABASE_URL": "nonsense"}, "DATABASE_URL must be"),
    ],
)
async def test_check_tells_what_is_wrong_and_what_to_do(
    tmp_path: Path, wrong: dict[str, str], told: str
) -> None:
    async with around(tmp_path) as (_, _, environment):
        code, printed = await output(tmp_path, {**environment, **wrong}, "check")

    assert code == 1
    assert told in printed
    assert "Traceback" not in printed
    assert "xoxb-" not in printed
    assert "xapp-" not in printed


async def test_check_tells_which_scopes_are_missing(tmp_path: Path) -> None:
    poor = manifest.load()
    poor["oauth_config"]["scopes"] = {"bot": ["commands", "chat:write"]}
    async with around(tmp_path, poor) as (_, _, environment):
        code, printed = await output(tmp_path, environment, "check")

    assert code == 1
    assert "FAIL  Slack scopes: missing users:read" in printed
    assert "ok    Slack scope usergroups:read: not granted (optional" in printed


@pytest.mark.parametrize("setting", ["CSAT_AGENTS", "CSAT_SUPERVISORS"])
async def test_check_wants_to_read_the_groups_that_a_setting_names(tmp_path: Path, setting: str) -> None:
    poor = manifest.load()
    poor["oauth_config"]["scopes"]["bot_optional"].remove("usergroups:read")
    async with around(tmp_path, poor) as (_, _, environment):
        code, printed = await output(tmp_path, {**environment, setting: "S07AGENTS3D"}, "check")

    assert code == 1
    assert "FAIL  Slack scopes: missing usergroups:read" in printed


@pytest.mark.parametrize(
    ("channel", "told"),
    [
        (fixtures.SUPPORT, f"ok    Results channel {fixtures.SUPPORT}: the app is a member"),
        (fixtures.LEADS, f"FAIL  Results channel {fixtures.LEADS}: channel_not_found"),
        (fixtures.LOUNGE, f"FAIL  Results channel {fixtures.LOUNGE}: not_in_channel"),
        (fixtures.OLD_SUPPORT, f"FAIL  Results channel {fixtures.OLD_SUPPORT}: is_archived"),
        (
            fixtures.ESCALATIONS,
            f"ok    Results channel {fixtures.ESCALATIONS}: not checked, Slack did not answer",
        ),
    ],
)
async def test_check_looks_for_the_app_in_the_results_channel(
    tmp_path: Path, channel: str, told: str
) -> None:
    async with around(tmp_path) as (_, _, environment):
        code, printed = await output(tmp_path, {**environment, "CSAT_RESULTS_CHANNEL": channel}, "check")

    assert told in printed
    assert code == ("FAIL" in told)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    async with around(tmp_path) as (workspace, _, environment):
        process = await started(tmp_path, environment)
        await line_with(process, "Socket Mode")
        await workspace.wait_until(lambda: workspace.connection_count, timeout_seconds=5)
        code, seconds, printed = await ended(process, number)

    assert code == 0, printed
    assert seconds < 5
    assert "Traceback" not in printed


async def test_a_send_that_runs_is_finished_and_confirmed_before_the_end(tmp_path: Path) -> None:
    async with around(tmp_path) as (workspace, x, environment):
        x.delay_seconds = 1.0
        x.fail(Fault.SLOW)
        process = await started(tmp_path, environment)
        await workspace.wait_until(lambda: workspace.connection_count, timeout_seconds=10)
        await workspace.run_command(fixtures.ADA, fixtures.SUPPORT, "/csat 1820000000000000011")
        await workspace.wait_until(lambda: workspace.current_view(fixtures.ADA), timeout_seconds=5)
        await workspace.submit_view(fixtures.ADA)
        await workspace.wait_until(lambda: x.requests, timeout_seconds=5)
        code, seconds, printed = await ended(process, signal.SIGTERM)

    assert code == 0, printed
    assert len(x.feedbacks) == 1
    assert [call.status for call in workspace.api_calls if call.method == "chat.postMessage"] == [200]
    assert seconds < 10


async def test_over_http_it_serves_at_host_and_port(tmp_path: Path) -> None:
    async with around(tmp_path) as (_, _, environment):
        process = await started(tmp_path, {**environment, "SLACK_APP_TOKEN": ""})
        line = await line_with(process, "healthz")
        address = re.search(r"http://127\.0\.0\.1:\d+/healthz", line)
        assert address
        async with httpx.AsyncClient() as client:
            answer = await client.get(address[0])
        code, _, _ = await ended(process, signal.SIGTERM)

    assert "over HTTP" in line
    assert (answer.status_code, answer.json()["ok"], code) == (200, True, 0)


async def test_the_manifest_is_printed_for_socket_mode_and_for_http(tmp_path: Path) -> None:
    _, socket = await output(tmp_path, {}, "manifest")
    _, http = await output(tmp_path, {}, "manifest", "--url", "https://csat.example/")

    assert yaml.safe_load(socket) == manifest.load()
    assert yaml.safe_load(http)["features"]["slash_commands"][0]["url"] == "https://csat.example/slack/events"


async def test_the_demo_starts_whatever_the_environment_says(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SLACK_API_URL=https://slack.invalid/api\nCSAT_DISPLAY_NAME=" + "x" * 50)
    environment = {
        "X_API_URL": "https://x.invalid",
        "DATABASE_URL": "nonsense",
        "HTTPS_PROXY": "http://127.0.0.1:9",
    }
    process = await started(tmp_path, {**environment, "HTTP_PROXY": "http://127.0.0.1:9"}, "sandbox")
    line = await line_with(process, "in your browser")
    address = re.search(r"http://\S+", line)
    assert address
    async with httpx.AsyncClient(trust_env=False) as client:
        page = await client.get(address[0])
        again = await client.post(f"{address[0]}/restart", headers={"origin": address[0]})
        second = await line_with(process, "in your browser")
        anew = await client.get(address[0])
    code, seconds, printed = await ended(process, signal.SIGINT)

    assert [answer.status_code for answer in (page, again, anew)] == [200, 200, 200]
    assert address[0] in second
    assert (code, "Traceback" in printed) == (0, False), printed
    assert seconds < 10
    assert not (tmp_path / "csat.db").exists()
