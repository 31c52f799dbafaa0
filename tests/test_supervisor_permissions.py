"""The members of a supervisors' user group are asked for seldom, and trusted for a while if Slack is busy."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox.slack import fixtures
from tests.world import World, running_world, visible_text

METHOD = "usergroups.users.list"
SUPERVISOR_TITLE = "Feedback results"
AGENT_TITLE = "Your feedback surveys"
BUSY = "Slack is busy"
ALWAYS = 10_000


@pytest.fixture(name="world")
async def _world(tmp_path: Path) -> AsyncIterator[World]:
    """The app whose supervisors are a user group (Ada, Ben and Cleo), with results."""
    async with running_world(
        tmp_path, csat_supervisors=fixtures.AGENTS, csat_results_channel=fixtures.LEADS
    ) as world:
        world.workspace.invite_bot(fixtures.LEADS)
        world.insert_rated([5] * 10, requester=fixtures.BEN)
        yield world


def count_requests(world: World) -> int:
    return sum(call.method == METHOD for call in world.workspace.api_calls)


def shown_home(world: World, user: str) -> str:
    return visible_text(world.workspace.home_view(user))


async def home_text(world: World, user: str = fixtures.CLEO) -> str:
    return visible_text(await world.open_home(user))


async def make_slack_busy(world: World) -> None:
    """Let Slack be busy for longer than the app trusts what it knows."""
    world.workspace.faults.fail(METHOD, "ratelimited", times=ALWAYS, retry_after=20)
    await world.advance(minutes=6)


async def press(world: World, action_id: str, *, busy: bool) -> None:
    """Press a button of a low rating in Cleo's Home."""
    world.insert_rated([1], requester=fixtures.BEN)
    view = await world.open_home(fixtures.CLEO)
    if busy:
        await make_slack_busy(world)
    block_id = next(block for block in view.blocks if action_id in str(block))["block_id"]
    await world.workspace.click(fixtures.CLEO, action_id, home=True, block_id=block_id)


@pytest.fixture(name="quiet_world")
async def _quiet_world(tmp_path: Path) -> AsyncIterator[World]:
    """The same without a results channel, as the digest lists the supervisors at once."""
    async with running_world(tmp_path, csat_supervisors=fixtures.AGENTS) as world:
        world.insert_rated([5] * 10, requester=fixtures.BEN)
        yield world


async def test_opening_homes_asks_slack_for_the_group_once_in_30_seconds(quiet_world: World) -> None:
    world = quiet_world
    for _ in range(8):
        for user in (fixtures.ADA, fixtures.BEN, fixtures.CLEO):
            assert SUPERVISOR_TITLE in await home_text(world, user)

    assert count_requests(world) == 1
    (request,) = [call.args for call in world.workspace.api_calls if call.method == METHOD]
    assert request == {"usergroup": fixtures.AGENTS, "team_id": fixtures.TEAM}

    await world.advance(seconds=31)
    await world.open_home(fixtures.CLEO)
    assert count_requests(world) == 2


@pytest.mark.parametrize("error", ["ratelimited", "503", "internal_error"])
async def test_supervisors_keep_their_results_for_five_minutes_while_slack_is_busy(
    world: World, error: str
) -> None:
    assert SUPERVISOR_TITLE in await home_text(world)
    world.workspace.faults.fail(METHOD, error, times=ALWAYS, retry_after=20)

    await world.advance(minutes=4, seconds=30)
    assert SUPERVISOR_TITLE in await home_text(world)

    await world.advance(seconds=31)
    text = await home_text(world)
    assert BUSY in text
    assert SUPERVISOR_TITLE not in text


async def test_a_supervisor_who_is_not_known_yet_is_told_that_slack_is_busy(world: World) -> None:
    world.workspace.faults.fail(METHOD, "ratelimited", times=ALWAYS, retry_after=20)

    text = await home_text(world)
    assert BUSY in text
    assert AGENT_TITLE in text
    for command in ("report", "export"):
        await world.workspace.run_command(fixtures.CLEO, fixtures.SUPPORT, f"/csat {command}")
    await world.wait_until(lambda: world.count_messages(BUSY, viewer=fixtures.CLEO) == 2)
    assert world.count_messages("are for supervisors", viewer=fixtures.CLEO) == 0


async def test_results_come_back_by_themselves_when_slack_answers_again(world: World) -> None:
    world.workspace.faults.fail(METHOD, "ratelimited", retry_after=20)
    view = await world.open_home(fixtures.CLEO)
    assert BUSY in visible_text(view)

    await world.advance(seconds=21)

    assert SUPERVISOR_TITLE in visible_text(await world.wait_for_home(view.hash))


async def test_a_button_that_slack_is_too_busy_to_check_says_so(world: World) -> None:
    await press(world, "show_low_rating", busy=True)

    await world.wait_for_dm(BUSY, fixtures.CLEO)
    assert world.workspace.current_view(fixtures.CLEO) is None


async def test_a_note_stays_in_its_form_while_slack_is_too_busy_to_check(world: World) -> None:
    await press(world, "close_low_rating", busy=False)
    await world.wait_for_form(fixtures.CLEO)
    await world.fill_in(fixtures.CLEO, note="Called them.")
    await make_slack_busy(world)

    result = await world.workspace.submit_view(fixtures.CLEO)

    assert BUSY in result.errors["note"]
    assert world.workspace.current_view(fixtures.CLEO) is not None


async def test_slack_is_not_asked_before_the_time_that_it_named(world: World) -> None:
    world.workspace.faults.fail(METHOD, "ratelimited", times=ALWAYS, retry_after=60)
    for _ in range(5):
        await world.open_home(fixtures.CLEO)
    assert count_requests(world) == 1

    world.workspace.faults.clear()
    await world.advance(seconds=61)

    assert SUPERVISOR_TITLE in await home_text(world)


async def test_who_was_removed_is_not_let_in_again_while_slack_is_busy(world: World) -> None:
    assert SUPERVISOR_TITLE in await home_text(world, fixtures.BEN)
    await world.workspace.set_usergroup_members(fixtures.AGENTS, [fixtures.CLEO])
    await world.advance(seconds=31)
    assert SUPERVISOR_TITLE not in await home_text(world, fixtures.BEN)

    world.workspace.faults.fail(METHOD, "ratelimited", times=ALWAYS)
    await world.advance(seconds=31)

    await world.workspace.open_home(fixtures.BEN)
    await world.wait_until(lambda: BUSY in shown_home(world, fixtures.BEN))
    assert SUPERVISOR_TITLE not in shown_home(world, fixtures.BEN)


@pytest.mark.parametrize("refusal", ["no_such_subteam", "missing_scope", "token_revoked"])
async def test_nobody_is_let_in_by_a_group_that_slack_refused_to_list(world: World, refusal: str) -> None:
    assert SUPERVISOR_TITLE in await home_text(world)
    world.workspace.faults.fail(METHOD, refusal, times=ALWAYS)
    await world.advance(seconds=31)
    text = await home_text(world)
    assert SUPERVISOR_TITLE not in text
    assert BUSY not in text

    world.workspace.faults.fail(METHOD, "ratelimited", times=ALWAYS)
    await world.advance(seconds=31)

    assert SUPERVISOR_TITLE not in await home_text(world)


async def test_an_app_that_may_not_list_the_group_says_what_an_admin_should_do(world: World) -> None:
    world.workspace.faults.fail(METHOD, "missing_scope", times=ALWAYS)

    assert "(missing_scope). Ask an admin of this app to run python app.py check." in await home_text(world)
