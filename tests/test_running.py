"""The command line as an operator uses it: commands, startup and shutdown."""

import asyncio
import json
import os
import pkgutil
import re
import signal
import socket
import sys
import tomllib
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest
import yaml

import cli
from cli import manifest
from cli.check import NO_OPERATORS, NO_SUPERVISORS
from sandbox.slack import fixtures
from tests.app_process import (
    APP,
    fake_environment,
    read_until,
    run_command,
    run_process,
    start_command,
    stop,
    wait_for_line,
)
from tests.databases import sqlite_in
from tests.local_client import local_client
from tests.timeouts import WAIT_SECONDS


async def test_missing_settings_are_listed(tmp_path: Path) -> None:
    code, printed = await run_process(tmp_path, {})

    assert code == 1
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"):
        assert name in printed
    assert "Fix these settings:" in printed
    assert "Traceback" not in printed


async def test_settings_are_also_read_from_an_env_file(tmp_path: Path) -> None:
    async with fake_environment(tmp_path) as (_, _, environment):
        (tmp_path / ".env").write_text("\n".join(f"{name}={value}" for name, value in environment.items()))
        code, printed = await run_command(tmp_path, {}, "check")

    assert (code, "FAIL" in printed) == (0, False), printed


async def test_the_version_is_that_of_the_project_without_any_settings(tmp_path: Path) -> None:
    project = tomllib.loads((APP.parent / "pyproject.toml").read_text("utf-8"))["project"]

    assert await run_process(tmp_path, {}, "--version") == (0, f"csat-slack {project['version']}\n")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["backup", "copy.db"], "Wrote copy.db: 0 surveys and 0 opt-outs."),
        (["restore", "copy.db"], "Not restored: there is no file copy.db."),
        (["prune", "--older-than", "400d"], "0 finished surveys from before"),
        (["export", "--output", "surveys.csv"], "The export stopped: the database has no surveys yet."),
    ],
    ids=lambda command: command[0],
)
async def test_commands_that_do_not_ask_x_do_without_its_keys(
    tmp_path: Path, command: list[str], expected: str
) -> None:
    settings = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "DATABASE_URL": sqlite_in(tmp_path)}
    _, printed = await run_command(tmp_path, settings, *command)

    assert printed.startswith(expected)


@pytest.mark.parametrize("command", [["serve"], ["check"], ["resume"], ["forget", "@mira_k"]], ids=str)
async def test_all_other_commands_list_the_keys_of_x_that_are_missing(
    tmp_path: Path, command: list[str]
) -> None:
    code, printed = await run_command(tmp_path, {"CSAT_AGENT": "U1A", "X_API_KEY": "key"}, *command)

    assert code == 1
    for problem in ("CSAT_AGENT is no setting", "SLACK_BOT_TOKEN is missing", "X_ACCESS_TOKEN is missing"):
        assert problem in printed
    assert "There's no .env in this folder." in printed


async def test_commands_import_nothing_that_only_the_running_app_needs() -> None:
    commands = [f"cli.{module.name}" for module in pkgutil.iter_modules(cli.__path__)]
    script = f"import sys, app, {', '.join(commands)}; print(*sys.modules)"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, cwd=APP.parent, stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate()

    assert commands
    imported = printed.decode().split()
    assert "bootstrap.values_from_settings" in imported
    assert {"bootstrap.resources", "slack_bolt", "starlette", "uvicorn", "alembic"}.isdisjoint(imported)


async def test_check_reports_each_part_as_ok(tmp_path: Path) -> None:
    async with fake_environment(tmp_path) as (_, x, environment):
        code, printed = await run_process(tmp_path, environment, "check")

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


async def test_check_marks_what_only_may_be_wrong_as_a_warning_and_succeeds(tmp_path: Path) -> None:
    async with fake_environment(tmp_path) as (_, _, environment):
        nobody = {**environment, "CSAT_SUPERVISORS": "", "CSAT_OPERATORS": ""}
        code, printed = await run_command(tmp_path, nobody, "check")

    assert code == 0
    assert f"warn  {NO_SUPERVISORS}" in printed
    assert f"warn  {NO_OPERATORS}" in printed


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (
            {"SLACK_BOT_TOKEN": "xoxb-wrong"},
            "FAIL  Slack token: Slack does not accept the token",
        ),
        (
            {"SLACK_APP_TOKEN": "xapp-wrong"},
            "FAIL  Connection: Socket Mode: Slack does not accept",
        ),
        ({"X_ACCESS_TOKEN_SECRET": "wrong"}, "FAIL  X keys:"),
        ({"X_API_URL": "http://127.0.0.1:9"}, "FAIL  X:"),
        ({"CSAT_QUESTIONS_FILE": "missing.toml"}, "FAIL  Questions: missing.toml can't be read"),
        ({"DATABASE_URL": "sqlite:////nowhere/csat.db"}, "FAIL  Database (SQLite, /nowhere/csat.db): "),
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
    poor["oauth_config"]["scopes"]["bot"].remove("usergroups:read")
    async with fake_environment(tmp_path, poor) as (_, _, environment):
        code, printed = await run_command(tmp_path, {**environment, setting: "S07AGENTS3D"}, "check")

    assert code == 1
    assert "FAIL  Slack scopes: missing usergroups:read" in printed


@pytest.mark.parametrize(
    ("channel", "expected"),
    [
        (fixtures.SUPPORT, f"FAIL  Results channel {fixtures.SUPPORT}: it is public"),
        (fixtures.PARTNERS, f"FAIL  Results channel {fixtures.PARTNERS}: another company reads it"),
        (
            fixtures.LEADS,
            f"FAIL  Results channel {fixtures.LEADS}: there is no such channel",
        ),
        (fixtures.LOUNGE, f"FAIL  Results channel {fixtures.LOUNGE}: the app isn't a member"),
        (fixtures.OLD_SUPPORT, f"FAIL  Results channel {fixtures.OLD_SUPPORT}: it is archived"),
        (fixtures.ESCALATIONS, f"ok    Results channel {fixtures.ESCALATIONS}: the app is a member"),
    ],
)
async def test_check_reports_whether_the_results_channel_has_the_app_and_who_else_reads_it(
    tmp_path: Path, channel: str, expected: str
) -> None:
    async with fake_environment(tmp_path) as (_, _, environment):
        code, printed = await run_command(tmp_path, {**environment, "CSAT_RESULTS_CHANNEL": channel}, "check")

    assert expected in printed
    assert code == ("FAIL" in expected)


async def test_check_does_without_the_scope_that_tells_of_the_results_channel(tmp_path: Path) -> None:
    poor = manifest.load()
    poor["oauth_config"]["scopes"]["bot"].remove("groups:read")
    async with fake_environment(tmp_path, poor) as (_, _, environment):
        settings = {**environment, "CSAT_RESULTS_CHANNEL": fixtures.ESCALATIONS}
        code, printed = await run_command(tmp_path, settings, "check")

    assert (
        f"warn  Results channel {fixtures.ESCALATIONS}: not checked, the token lacks the scope groups:read"
        in printed
    )
    assert code == 0


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (
            {"SLACK_BOT_TOKEN": "xoxb-wrong"},
            "Slack rejects this app: Slack does not accept the token (invalid_auth). Run python app.py check",
        ),
        (
            {"SLACK_API_URL": "http://127.0.0.1:9/api"},
            "Can't reach Slack, retrying: Slack can't be reached (ClientConnectorError)",
        ),
    ],
)
async def test_the_log_says_in_words_why_slack_is_not_connected(
    tmp_path: Path, wrong: dict[str, str], expected: str
) -> None:
    async with fake_environment(tmp_path) as (_, _, environment):
        process = await start_command(tmp_path, {**environment, **wrong})
        await wait_for_line(process, expected)
        await stop(process, signal.SIGTERM)


async def test_the_log_does_not_call_slack_connected_while_slack_does_not_accept_the_app_level_token(
    tmp_path: Path,
) -> None:
    async with fake_environment(tmp_path) as (_, _, environment):
        process = await start_command(tmp_path, {**environment, "SLACK_APP_TOKEN": "xapp-wrong"})
        lines = await read_until(process, "Can't connect to Slack over Socket Mode, retrying: SLACK_APP_")
        _, rest = await stop(process, signal.SIGTERM)

    assert "Connected" not in "".join(lines) + rest


async def test_the_log_names_the_database_and_says_that_slack_is_connected_once_it_is(tmp_path: Path) -> None:
    async with fake_environment(tmp_path) as (workspace, _, environment):
        process = await start_command(tmp_path, environment)
        await wait_for_line(process, f"Database: SQLite, {tmp_path}/csat.db")
        await wait_for_line(process, "Connected to Slack over Socket Mode")
        await workspace.wait_until(lambda: workspace.connection_count, timeout_seconds=WAIT_SECONDS)
        await stop(process, signal.SIGTERM)


async def test_a_command_whose_output_nobody_reads_any_more_ends_quietly(tmp_path: Path) -> None:
    reading_end, writing_end = os.pipe()
    os.close(reading_end)
    async with fake_environment(tmp_path) as (_, _, environment):
        process = await start_command(tmp_path, environment, "check", stdout=writing_end, stderr=PIPE)
        os.close(writing_end)
        _, errors = await asyncio.wait_for(process.communicate(), WAIT_SECONDS)

    assert errors.decode() == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_shuts_the_app_down_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    async with fake_environment(tmp_path) as (workspace, _, environment):
        process = await start_command(tmp_path, environment)
        await wait_for_line(process, "Started; health check at http://127.0.0.1:")
        await workspace.wait_until(lambda: workspace.connection_count, timeout_seconds=WAIT_SECONDS)
        code, printed = await stop(process, number)

    assert code == 0, printed
    assert printed.endswith(" Stopped\n")
    assert "Cancelled:" not in printed
    assert "Traceback" not in printed


async def test_with_log_format_json_each_line_of_the_log_is_an_object(tmp_path: Path) -> None:
    async with fake_environment(tmp_path) as (_, _, environment):
        process = await start_command(tmp_path, {**environment, "LOG_FORMAT": "json"})
        first = await wait_for_line(process, "Started")
        code, printed = await stop(process, signal.SIGTERM)

    records = [json.loads(line) for line in [first, *printed.splitlines()]]
    assert code == 0
    assert {tuple(record) for record in records} == {("time", "level", "logger", "message")}
    assert (records[0]["level"], records[-1]["message"]) == ("info", "Stopped")


@pytest.mark.parametrize(
    ("environment", "env_file"),
    [({"LOG_FORMAT": "JSON"}, ""), ({}, "LOG_FORMAT=json"), ({"LOG_FORMAT": "json"}, "LOG_FORMAT=text")],
    ids=str,
)
async def test_with_log_format_json_wrong_settings_are_one_object_too(
    tmp_path: Path, environment: dict[str, str], env_file: str
) -> None:
    (tmp_path / ".env").write_text(env_file)
    code, printed = await run_command(tmp_path, {**environment, "PORT": "high"}, "serve")

    record = json.loads(printed)
    assert (code, tuple(record), record["level"]) == (1, ("time", "level", "logger", "message"), "error")
    assert record["message"].startswith("Fix these settings:\n  - SLACK_BOT_TOKEN is missing.")
    assert "\n  - PORT must be a whole number" in record["message"]


@pytest.mark.parametrize(
    ("environment", "env_file", "command"),
    [
        ({"LOG_FORMAT": "xml"}, b"", "serve"),
        ({"LOG_FORMAT": "json"}, b"CSAT_MESSAGE=\xff", "serve"),
        ({"LOG_FORMAT": "json"}, b"", "check"),
    ],
    ids=["an unknown format", "an unreadable file", "a command that logs no lines"],
)
async def test_wrong_settings_are_plain_text_otherwise(
    tmp_path: Path, environment: dict[str, str], env_file: bytes, command: str
) -> None:
    (tmp_path / ".env").write_bytes(env_file)
    code, printed = await run_command(tmp_path, environment, command)

    assert (code, printed.splitlines()[0]) == (1, "Fix these settings:")


async def test_with_log_format_json_what_keeps_the_app_from_starting_is_an_object_too(tmp_path: Path) -> None:
    async with fake_environment(tmp_path) as (_, _, environment):
        settings = {**environment, "LOG_FORMAT": "json", "DATABASE_URL": "sqlite:////nowhere/csat.db"}
        code, printed = await run_process(tmp_path, settings)

    *_, last = [json.loads(line) for line in printed.splitlines()]
    assert code == 1
    assert last["message"].startswith("The app can't start: the file /nowhere/csat.db can't be created")


async def test_log_level_error_leaves_out_what_is_less(tmp_path: Path) -> None:
    async with fake_environment(tmp_path) as (workspace, _, environment):
        process = await start_command(tmp_path, {**environment, "LOG_LEVEL": "error"})
        await workspace.wait_until(lambda: workspace.connection_count, timeout_seconds=WAIT_SECONDS)
        code, printed = await stop(process, signal.SIGTERM)

    assert (code, printed) == (0, "")


async def test_retries_while_the_database_is_away_are_only_logged_for_debugging(tmp_path: Path) -> None:
    async with fake_environment(tmp_path) as (workspace, x, environment):
        hold = x.hold()
        process = await start_command(tmp_path, {**environment, "LOG_LEVEL": "debug"})
        await workspace.wait_until(lambda: workspace.connection_count, timeout_seconds=WAIT_SECONDS)
        await workspace.run_command(fixtures.ADA, fixtures.SUPPORT, "/csat 1820000000000000011")
        await workspace.wait_until(lambda: workspace.current_view(fixtures.ADA), timeout_seconds=WAIT_SECONDS)
        await workspace.submit_view(fixtures.ADA)
        await hold.arrived.wait()
        away = (tmp_path / "csat.db").rename(tmp_path / "away.db")
        hold.release()
        outage = await wait_for_line(process, "The database takes no writes")
        retries = [await wait_for_line(process, "Retrying in") for _ in range(2)]
        away.rename(tmp_path / "csat.db")
        _, rest = await stop(process, signal.SIGTERM)

    assert " ERROR " in outage
    assert "The database takes no writes" not in rest
    assert all(" DEBUG " in line for line in retries), retries


async def test_a_running_send_is_finished_and_confirmed_before_shutdown(tmp_path: Path) -> None:
    async with fake_environment(tmp_path) as (workspace, x, environment):
        hold = x.hold()
        process = await start_command(tmp_path, environment)
        await workspace.wait_until(lambda: workspace.connection_count, timeout_seconds=WAIT_SECONDS)
        await workspace.run_command(fixtures.ADA, fixtures.SUPPORT, "/csat 1820000000000000011")
        await workspace.wait_until(lambda: workspace.current_view(fixtures.ADA), timeout_seconds=WAIT_SECONDS)
        await workspace.submit_view(fixtures.ADA)
        await hold.arrived.wait()
        stopping = asyncio.create_task(stop(process, signal.SIGTERM))
        await workspace.wait_until(lambda: not workspace.connection_count, timeout_seconds=WAIT_SECONDS)
        hold.release()
        code, printed = await stopping

    assert code == 0, printed
    assert len(x.feedbacks) == 1
    assert [call.status for call in workspace.api_calls if call.method == "chat.postMessage"] == [200]
    assert "Cancelled:" not in printed


async def test_over_http_the_app_listens_on_host_and_port(tmp_path: Path) -> None:
    async with fake_environment(tmp_path) as (_, _, environment):
        process = await start_command(tmp_path, {**environment, "SLACK_APP_TOKEN": ""})
        line = await wait_for_line(process, "health check at")
        address = re.search(r"(http://127\.0\.0\.1:\d+)/readyz", line)
        assert address
        async with local_client() as client:
            answer = await client.get(address[0])
        code, _ = await stop(process, signal.SIGTERM)

    assert f"Listening for Slack at {address[1]}/slack/events" in line
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
    async with local_client() as client:
        page = await client.get(address[0])
        again = await client.post(f"{address[0]}/restart", headers={"origin": address[0]})
        second = await wait_for_line(process, "in your browser")
        anew = await client.get(address[0])
    code, printed = await stop(process, signal.SIGINT)

    assert [answer.status_code for answer in (page, again, anew)] == [200, 200, 200]
    assert address[0] in second
    assert (code, "Traceback" in printed) == (0, False), printed
    assert "Cancelled:" not in printed
    assert not (tmp_path / "csat.db").exists()


def list_files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


@pytest.mark.parametrize(
    "command",
    [
        ("prune", "--older-than", "400d"),
        ("forget", "@mira_k"),
        ("export", "--output", "all.csv"),
        ("resume",),
        ("backup", "copy.db"),
    ],
)
async def test_a_command_creates_no_database(tmp_path: Path, command: tuple[str, ...]) -> None:
    async with fake_environment(tmp_path) as (_, _, environment):
        environment["DATABASE_URL"] = "sqlite:///typo.db"
        code, printed = await run_command(tmp_path, environment, *command)

    assert code == 1
    assert f"there is no database at {tmp_path / 'typo.db'}. Check DATABASE_URL." in printed
    assert list_files(tmp_path) == []


async def test_an_address_that_can_not_be_listened_at_is_named_with_its_setting(tmp_path: Path) -> None:
    async with fake_environment(tmp_path) as (_, _, environment):
        code, printed = await run_process(tmp_path, {**environment, "HOST": "300.1.1.1"}, "serve")

    assert code == 1
    assert "The app can't start: HOST 300.1.1.1 and PORT 0 can't be" in printed


async def test_a_port_in_use_is_told_with_its_setting_before_anything_else_is_done(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        async with fake_environment(tmp_path) as (workspace, x, environment):
            page = {"CSAT_PUBLIC_URL": "http://127.0.0.1:1", "CSAT_PUBLIC_PORT": port}
            code, printed = await run_process(tmp_path, {**environment, **page})

    assert code == 1
    assert f"The app can't start: CSAT_PUBLIC_PORT {port} is in use" in printed
    assert "Errno" not in printed
    assert (list_files(tmp_path), workspace.api_calls, x.requests) == ([], [], [])
