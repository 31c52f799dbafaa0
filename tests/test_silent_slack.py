"""A Slack that takes requests and does not respond: every call ends by itself, and nothing waits for it."""

import asyncio
import contextlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from unittest.mock import AsyncMock

import pytest
import typer
from starlette.websockets import WebSocket

from cli import forget
from cli.check import check
from csat.db import tables
from csat.surveys.recipients import XAccount
from sandbox.slack import fixtures
from sandbox.x import Fault
from tests.timeouts import GENEROUS
from tests.world import PACE, World, idle_world, running_app, running_world, visible_text

IMPATIENT = replace(GENEROUS, slack_call=1)


def count_calls(world: World, method: str) -> int:
    """Return how often a method was called."""
    return [call.method for call in world.workspace.api_calls].count(method)


def called_users(world: World, method: str, argument: str) -> list[str]:
    """Return the users that a method was called for, which may still be without a response."""
    return [call.args[argument] for call in world.workspace.api_calls if call.method == method]


async def test_all_who_ask_at_the_start_which_workspace_this_is_share_one_request(tmp_path: Path) -> None:
    async with idle_world(tmp_path) as world:
        with world.workspace.faults.hold("auth.test") as hold:
            async with running_app(world, replace(PACE, interval_scale=1.0)):
                await hold.arrived.wait()
                await world.workspace.open_home(fixtures.ADA)
                hold.release()
                await world.wait_for_home("", fixtures.ADA)

        assert count_calls(world, "auth.test") == 1


@pytest.mark.parametrize(
    ("channel", "method"), [(fixtures.SUPPORT, "chat.postMessage"), (fixtures.LEADS, "response_url")]
)
async def test_a_post_without_a_response_is_given_up_and_repeated_later(
    tmp_path: Path, channel: str, method: str
) -> None:
    async with running_world(tmp_path, timeouts=IMPATIENT) as world:
        with world.workspace.faults.hold(method, after=False):
            await world.submit_survey(channel=channel)
            await world.wait_until(lambda: world.attempts("sent") == [1])
            (due_at,) = world.rows(tables.outbox.c.due_at, where=tables.outbox.c.kind == "sent")[0]
            assert due_at > world.clock() + timedelta(minutes=4), "Slack may have posted it"
        await world.advance(minutes=6)

        await world.wait_for_message("sent a survey", channel)


async def test_an_upload_without_a_response_is_given_up(tmp_path: Path) -> None:
    async with running_world(tmp_path, csat_supervisors=fixtures.CLEO, timeouts=IMPATIENT) as world:
        with world.workspace.faults.hold("upload"):
            await world.workspace.run_command(fixtures.CLEO, fixtures.SUPPORT, "/csat export 30d")

            await world.wait_for_message("too busy to confirm that it took the file", viewer=fixtures.CLEO)


async def test_a_handshake_without_a_response_is_given_up_and_repeated(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "csat.slack_api.socket_mode")
    timeouts = replace(GENEROUS, socket_handshake=1, socket_ping=0.5)
    async with running_world(tmp_path, timeouts=timeouts) as world:
        world.workspace.api_calls.clear()
        caplog.clear()
        with world.workspace.faults.hold("socket", after=False):
            await world.workspace.disconnect_sockets()
            await world.wait_until(lambda: count_calls(world, "apps.connections.open") >= 5)

        await world.wait_until(lambda: "Connected to Slack over Socket Mode" in caplog.text)


async def test_a_reconnect_in_progress_is_given_up_when_the_app_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WebSocket, "close", AsyncMock())  # the app learns of it from Slack's message alone
    before = asyncio.all_tasks()
    with contextlib.ExitStack() as stack:
        async with running_world(tmp_path) as world:
            world.workspace.api_calls.clear()
            stack.enter_context(world.workspace.faults.hold("socket", after=False))
            await world.workspace.disconnect_sockets()
            await world.wait_until(lambda: count_calls(world, "apps.connections.open"))

        assert asyncio.all_tasks() == before


@pytest.mark.parametrize(
    ("method", "finding"),
    [
        ("auth.test", "FAIL  Slack token: not checked, Slack did not respond in time (TimeoutError)"),
        ("apps.connections.open", "FAIL  Connection: Socket Mode: Slack did not respond in time"),
    ],
)
async def test_check_reports_that_slack_does_not_respond(tmp_path: Path, method: str, finding: str) -> None:
    async with idle_world(tmp_path, timeouts=IMPATIENT) as world:
        with world.workspace.faults.hold(method):
            findings = [f"{each.mark}  {each.message}" async for each in check(world.settings)]

    assert [each for each in findings if each.startswith(finding)]


async def test_forget_reports_that_slack_does_not_respond(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running_world(tmp_path, timeouts=IMPATIENT) as world:
        await world.send_survey("/csat @mira_k")
        with world.workspace.faults.hold("chat.update"), pytest.raises(typer.Exit, match="1"):
            await forget.run(world.settings, XAccount(handle="mira_k"), yes=True, retry_pauses=(0,))

    printed = capsys.readouterr().out
    assert "Slack is unavailable at the moment (TimeoutError)." in printed
    assert "1 survey not erased yet" in printed


async def test_an_error_of_the_account_frees_its_slot_while_slack_is_silent(tmp_path: Path) -> None:
    pace = replace(PACE, concurrency=1)
    async with running_world(tmp_path, pace=pace, csat_operators=fixtures.CLEO) as world:
        world.x.fail(Fault.TOKEN_REVOKED, times=1)
        with world.workspace.faults.hold("chat.postMessage"):
            await world.submit_survey("/csat @mira_k")
            await world.wait_for_dm("isn't accepting surveys", fixtures.CLEO)
            world.clock.advance(minutes=6)
            await world.wait_until(lambda: world.rows(tables.accounts.c.paused_at) == [(None,)])
            await world.submit_survey("/csat @sofie_l", fixtures.BEN)

            await world.wait_for_feedback(2)
            assert "uncertain" not in world.states()


async def test_an_operator_who_can_not_be_told_keeps_no_other_waiting(tmp_path: Path) -> None:
    operators = [fixtures.BEN, fixtures.CLEO]
    async with running_world(tmp_path, csat_operators=",".join(operators)) as world:
        world.x.fail(Fault.TOKEN_REVOKED)
        with world.workspace.faults.hold("chat.postMessage"):
            await world.submit_survey()

            for operator in operators:
                await world.wait_for_dm("isn't accepting surveys", operator)


async def test_an_alert_that_slack_did_not_take_is_repeated_to_that_operator_alone(tmp_path: Path) -> None:
    operators = [fixtures.BEN, fixtures.CLEO]
    async with running_world(tmp_path, csat_operators=",".join(operators)) as world:
        world.x.fail(Fault.TOKEN_REVOKED)
        world.workspace.faults.fail("chat.postMessage", "503")
        await world.submit_survey()
        await world.wait_until(
            lambda: any(world.find_dm("isn't accepting surveys", operator) for operator in operators)
        )
        await world.advance(minutes=1)

        for operator in operators:
            alert = await world.wait_for_dm("isn't accepting surveys", operator)
            assert world.count_messages("isn't accepting surveys", alert.channel, operator) == 1


async def test_homes_of_removed_supervisors_are_withdrawn_side_by_side(tmp_path: Path) -> None:
    removed = [fixtures.ADA, fixtures.BEN]
    async with running_world(tmp_path, csat_supervisors=fixtures.AGENTS) as world:
        for user in removed:
            assert "Feedback results" in visible_text(await world.open_home(user))
        await world.wait_until(lambda: world.rows(tables.homes.c.shows_results) == [(True,)] * 2)
        world.workspace.api_calls.clear()
        with world.workspace.faults.hold("views.publish"):
            await world.workspace.set_usergroup_members(fixtures.AGENTS, [fixtures.CLEO])
            world.clock.advance(seconds=31)

            await world.wait_until(
                lambda: set(called_users(world, "views.publish", "user_id")) == set(removed)
            )
