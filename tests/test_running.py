"""The command line as an operator uses it: commands, startup and shutdown."""

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
async def fake_environment(
    folder: Path, installed: dict[str, Any] | None = None
) -> AsyncIterator[tuple[Workspace, FakeX, dict[str, str]]]:
    """Serve a fake Slack and a fake X, and yield both with the environment to use them."""
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


async def start_command(folder: Path, environment: Mapping[str, str], *words: str) -> Process:
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PATH", "COV", "LANG"))}
    return await asyncio.create_subprocess_exec(
        sys.executable, str(APP), *words, cwd=folder, env={**kept, **environment}, stdout=PIPE, stderr=STDOUT
    )


async def run_command(folder: Path, environment: Mapping[str, str], *words: str) -> tuple[int | None, str]:
    process = await start_command(folder, environment, *words)
    printed, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, printed.decode()


async def wait_for_line(process: Process, words: str) -> str:
    assert process.stdout
    async with asyncio.timeout(60):
        while line := (await process.stdout.readline()).decode():
            if words in line:
                return line
    raise AssertionError(f"the command did not print {words!r}")


async def stop(process: Process, number: signal.Signals) -> tuple[int | None, float, str]:
    """Send a signal; return the exit code, the seconds it took, and the rest of the output."""
    started_at = time.monotonic()
    process.send_signal(number)
    printed, _ = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode, time.monotonic() - started_at, printed.decode()


async def test_missing_settings_are_listed(tmp_path: Path) -> None:
    code, printed = await run_command(tmp_path, {})

    assert code == 1
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "X_API_KEY", "X_ACCESS_TOKEN_SECRET"):
        assert name in printed
    assert "Fix these settings:" in printed
    assert "Traceback" not in printed


async def test_settings_are_also_read_from_an_env_file(tmp_path: Path) -> None:
    async with fake_environment(tmp_path) as (_, _, environment):
        (tmp_path / ".env").write_text("\n".join(f"{name}={value}" for name, value in environment.items()))
        code, printed = await run_command(tmp_path, {}, "check")

    assert (code, "FAIL" in printed) == (0, False), printed


async def test_check_reports_each_part_as_ok(tmp_path: Path) -> None:
    async with fake_environment(tmp_path) as (_, x, environment):
        code, printed = await run_command(tmp_path, environment, "check")

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
    ("wrong", "expected"),
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
async def test_check_reports_what_is_wrong_and_what_to_do(
    tmp_path: Path, wrong: dict[str, str], expected: str
) -> None:
    async with fake_environment(tmp_path) as (_, _, environment):
        code, printed = await run_command(tmp_path, {**environment, **wrong}, "check")

    assert code == 1
    assert expected in printed
    assert "Traceback" not in printed
    assert "xoxb-" not in printed
    assert "xapp-" not in printed


async def test_check_reports_missing_scopes(tmp_path: Path) -> None:
    poor = manifest.load()
    poor["oauth_config"]["scopes"] = {"bot": ["commands", "chat:write"]}
    async with fake_environment(tmp_path, poor) as (_, _, environment):
        code, printed = await run_command(tmp_path, environment, "check")

    assert code == 1
    assert "FAIL  Slack scopes: missing users:read" in printed
    assert "ok    Slack scope usergroups:read: not granted (optional" in printed


@pytest.mark.parametrize("setting", ["CSAT_AGENTS", "CSAT_SUPERVISORS"])
async def test_check_requires_the_user_group_scope_if_a_setting_names_one(
    tmp_path: Path, setting: str
) -> None:
    poor = manifest.load()
    poor["oauth_config"]["scopes"]["bot_optional"].remove("usergroups:read")
    async with fake_environment(tmp_path, poor) as (_, _, environment):
        code, printed = await run_command(tmp_path, {**environment, setting: "S07AGENTS3D"}, "check")

    assert code == 1
    assert "FAIL  Slack scopes: missing usergroups:read" in printed


@pytest.mark.parametrize(
    ("channel", "expected"),
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
async def test_check_reports_whether_the_app_is_in_the_results_channel(
    tmp_path: Path, channel: str, expected: str
) -> None:
    async with fake_environment(tmp_path) as (_, _, environment):
        code, printed = await run_command(tmp_path, {**environment, "CSAT_RESULTS_CHANNEL": channel}, "check")

    assert expected in printed
    assert code == ("FAIL" in expected)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_shuts_the_app_down_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    async with fake_environment(tmp_path) as (workspace, _, environment):
        process = await start_command(tmp_path, environment)
        await wait_for_line(process, "Socket Mode")
        await workspace.wait_until(lambda: workspace.connection_count, timeout_seconds=5)
        code, seconds, printed = await stop(process, number)

    assert code == 0, printed
    assert seconds < 5
    assert "Traceback" not in printed


async def test_a_running_send_is_finished_and_confirmed_before_shutdown(tmp_path: Path) -> None:
    async with fake_environment(tmp_path) as (workspace, x, environment):
        x.delay_seconds = 1.0
        x.fail(Fault.SLOW)
        process = await start_command(tmp_path, environment)
        await workspace.wait_until(lambda: workspace.connection_count, timeout_seconds=10)
        await workspace.run_command(fixtures.ADA, fixtures.SUPPORT, "/csat 1820000000000000011")
        await workspace.wait_until(lambda: workspace.current_view(fixtures.ADA), timeout_seconds=5)
        await workspace.submit_view(fixtures.ADA)
        await workspace.wait_until(lambda: x.requests, timeout_seconds=5)
        code, seconds, printed = await stop(process, signal.SIGTERM)

    assert code == 0, printed
    assert len(x.feedbacks) == 1
    assert [call.status for call in workspace.api_calls if call.method == "chat.postMessage"] == [200]
    assert seconds < 10


async def test_over_http_the_app_listens_on_host_and_port(tmp_path: Path) -> None:
    async with fake_environment(tmp_path) as (_, _, environment):
        process = await start_command(tmp_path, {**environment, "SLACK_APP_TOKEN": ""})
        line = await wait_for_line(process, "healthz")
        address = re.search(r"http://127\.0\.0\.1:\d+/healthz", line)
        assert address
        async with httpx.AsyncClient() as client:
            answer = await client.get(address[0])
        code, _, _ = await stop(process, signal.SIGTERM)

    assert "over HTTP" in line
    assert (answer.status_code, answer.json()["ok"], code) == (200, True, 0)


async def test_manifest_prints_a_manifest_for_socket_mode_or_http(tmp_path: Path) -> None:
    _, socket = await run_command(tmp_path, {}, "manifest")
    _, http = await run_command(tmp_path, {}, "manifest", "--url", "https://csat.example/")

    assert yaml.safe_load(socket) == manifest.load()
    assert yaml.safe_load(http)["features"]["slash_commands"][0]["url"] == "https://csat.example/slack/events"


async def test_the_sandbox_starts_whatever_the_environment(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SLACK_API_URL=https://slack.invalid/api\nCSAT_DISPLAY_NAME=" + "x" * 50)
    environment = {
        "X_API_URL": "https://x.invalid",
        "DATABASE_URL": "nonsense",
        "HTTPS_PROXY": "http://127.0.0.1:9",
    }
    process = await start_command(tmp_path, {**environment, "HTTP_PROXY": "http://127.0.0.1:9"}, "sandbox")
    line = await wait_for_line(process, "in your browser")
    address = re.search(r"http://\S+", line)
    assert address
    async with httpx.AsyncClient(trust_env=False) as client:
        page = await client.get(address[0])
        again = await client.post(f"{address[0]}/restart", headers={"origin": address[0]})
        second = await wait_for_line(process, "in your browser")
        anew = await client.get(address[0])
    code, seconds, printed = await stop(process, signal.SIGINT)

    assert [answer.status_code for answer in (page, again, anew)] == [200, 200, 200]
    assert address[0] in second
    assert (code, "Traceback" in printed) == (0, False), printed
    assert seconds < 10
    assert not (tmp_path / "csat.db").exists()
