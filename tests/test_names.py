"""The names of users and channels that Slack tells for an export."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from cli import manifest
from csat.slack_api.names_for_exports import CONCURRENCY, Names
from csat.slack_api.web_client import build_web_client, open_session
from sandbox.slack import Workspace, fixtures
from tests.timeouts import GENEROUS, WAIT_SECONDS
from tests.world import POLL_SECONDS


@contextlib.asynccontextmanager
async def asking() -> AsyncIterator[tuple[Workspace, Names]]:
    """Yield a workspace and an app that asks it for names."""
    workspace = Workspace(manifest.load())
    async with workspace.serve() as url, open_session(GENEROUS) as session:
        yield (
            workspace,
            Names(build_web_client(SecretStr(workspace.bot_token), f"{url}/api", session, GENEROUS)),
        )


async def test_slack_is_asked_once_for_each_name() -> None:
    async with asking() as (workspace, names):
        for _ in range(2):
            told = await names.look_up([fixtures.ADA, fixtures.SUPPORT, "D07DIRECT01", "", fixtures.ADA])

        assert dict(told) == {fixtures.ADA: "Ada Okafor", fixtures.SUPPORT: "support"}
        assert names.unknown == 0
        assert len(workspace.api_calls) == 2


@pytest.mark.parametrize(
    ("error", "most_calls"),
    [
        ("user_not_found", 100),
        ("missing_scope", 100),
        ("ratelimited", CONCURRENCY),
        ("invalid_auth", CONCURRENCY),
        ("account_inactive", CONCURRENCY),
    ],
)
async def test_slack_is_asked_no_more_once_it_is_unavailable_or_rejects_the_token(
    error: str, most_calls: int
) -> None:
    async with asking() as (workspace, names):
        workspace.faults.fail("users.info", error, times=100)
        await names.look_up(f"U{number:010}" for number in range(100))

        assert names.unknown == 100
        assert len(workspace.api_calls) <= most_calls
        assert (len(workspace.api_calls) == 100) is (most_calls == 100)
        assert (names.failure is None) is (most_calls == 100)


async def test_a_late_refusal_does_not_make_slack_available_again() -> None:
    async with asking() as (workspace, names):
        workspace.faults.fail("users.info", "ratelimited")
        workspace.faults.fail("conversations.info", "channel_not_found")
        with workspace.faults.hold("conversations.info") as hold:
            looking_up = asyncio.create_task(names.look_up([fixtures.ADA, fixtures.SUPPORT]))
            async with asyncio.timeout(WAIT_SECONDS):
                await hold.arrived.wait()
                while not names.failure:  # noqa: ASYNC110 - no event tells it
                    await asyncio.sleep(POLL_SECONDS)
        await looking_up

        assert str(names.failure) == "ratelimited"
