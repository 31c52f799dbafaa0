"""The look-up of the users and user groups that the settings list."""

import pytest
from pydantic import SecretStr

from cli import manifest
from csat.slack_api.errors import SlackError
from csat.slack_api.member_existence import CONCURRENCY, ListedMembers, Problem
from csat.slack_api.web_client import build_web_client, open_session
from sandbox.slack import Workspace, fixtures
from tests.timeouts import GENEROUS


@pytest.fixture(name="workspace")
def _workspace() -> Workspace:
    return Workspace(manifest.load())


async def look_up(workspace: Workspace, *ids: str) -> list[Problem | SlackError | None]:
    async with workspace.serve() as url, open_session(GENEROUS) as session:
        web = build_web_client(SecretStr(workspace.bot_token), f"{url}/api", session, GENEROUS)
        results = await ListedMembers(web, fixtures.TEAM).look_up(ids)
    return [results[each] for each in ids]


async def test_the_problem_of_each_id_is_told(workspace: Workspace) -> None:
    workspace.users[fixtures.BEN].deleted = True
    people = (fixtures.ADA, fixtures.BEN, fixtures.HELPDESK, fixtures.SAM, fixtures.RUI, "U0NEVERWAS1")

    assert await look_up(workspace, *people, fixtures.AGENTS, "S0NEVERWAS1") == [
        None,
        Problem.DEACTIVATED,
        Problem.APP,
        Problem.OTHER_TEAM,
        Problem.STRANGER,
        Problem.NO_USER,
        None,
        Problem.NO_GROUP,
    ]


@pytest.mark.parametrize(("error", "most_calls"), [("user_not_found", 100), ("ratelimited", CONCURRENCY)])
async def test_slack_is_asked_no_more_once_it_is_busy(
    workspace: Workspace, error: str, most_calls: int
) -> None:
    workspace.faults.fail("users.info", error, times=100)
    results = await look_up(workspace, *(f"U{number:010}" for number in range(100)))

    assert len(workspace.api_calls) <= most_calls
    assert {isinstance(result, SlackError) for result in results} == {error == "ratelimited"}
