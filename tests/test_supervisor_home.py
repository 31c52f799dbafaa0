"""What supervisors see in the app's Home, who else does not, and what it can be asked for."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy

from csat.db import tables
from sandbox.slack import View, fixtures
from tests.world import World, running_world, visible_text

SEES = "Feedback results"
SEES_NOT = "Your feedback surveys"


@pytest.fixture(name="watched")
async def _watched(tmp_path: Path) -> AsyncIterator[World]:
    """The app with one supervisor, Cleo."""
    async with running_world(tmp_path, csat_supervisors=fixtures.CLEO) as world:
        yield world


def blocks(view: View, kind: str) -> list[dict[str, Any]]:
    return [block for block in view.blocks if block["type"] == kind]


def audited(world: World) -> list[tuple[str, str, str]]:
    return [
        tuple(row) for row in world.rows(tables.audit.c.viewer, tables.audit.c.action, tables.audit.c.detail)
    ]


async def test_a_supervisor_sees_score_interval_change_and_rates(watched: World) -> None:
    watched.insert_rated([5] * 45 + [2] * 5 + [None] * 50)
    watched.insert_rated([5] * 20 + [1] * 20, days_ago=40)

    told = visible_text(await watched.open_home(fixtures.CLEO))

    assert "CSAT score: 90 % (95 % interval 79 to 96) from 50 answers. Average rating 4.7 of 5." in told
    assert "Previous 30 days: 50 % from 40 answers; up 40 points." in told
    assert "100 sent · 50 answers (50 %) · 0 comments (0 %) · 50 still open · 0 expired" in told
    assert "not who chose to answer" in told


async def test_nps_is_a_signed_number_without_percent(watched: World) -> None:
    watched.insert_rated([10] * 50 + [8] * 30 + [3] * 20, metric="nps")
    await watched.open_home(fixtures.CLEO)

    told = visible_text(await watched.choose_in_home("home_metric", "nps"))

    assert "NPS: +30 (95 % interval +14 to +44) from 100 answers." in told
    assert "Average" not in told


async def test_of_fewer_than_five_answers_there_is_no_score_and_no_agent_has_a_row(watched: World) -> None:
    watched.insert_rated([5, 5, 5, 1])

    view = await watched.open_home(fixtures.CLEO)

    assert "CSAT score: - from 4 answers. With fewer than 5, there is no score." in visible_text(view)
    assert "Not shown: 1 agent with fewer than 5 answers." in visible_text(view)
    assert not blocks(view, "data_visualization")
    assert fixtures.ADA not in str(blocks(view, "data_table"))


async def test_few_answers_are_called_few_and_chance_is_no_change(watched: World) -> None:
    watched.insert_rated([5] * 9 + [1])
    watched.insert_rated([5] * 8 + [1] * 2, days_ago=40)

    told = visible_text(await watched.open_home(fixtures.CLEO))

    assert "90 % (95 % interval 60 to 98) from 10 answers (few answers)." in told
    assert "Previous 30 days: 80 % from 10 answers; no clear change." in told


async def test_charts_and_the_table_say_the_same_as_their_words(watched: World) -> None:
    for day in (2, 3, 4):
        watched.insert_rated([5, 5, 5, 4, 1], days_ago=day)
    watched.insert_rated([4] * 5, days_ago=10, requester=fixtures.BEN, channel=fixtures.LOUNGE)

    view = await watched.open_home(fixtures.CLEO)
    bars, curve = (block["chart"]["series"][0]["data"] for block in blocks(view, "data_visualization"))
    (table,) = blocks(view, "data_table")

    assert [(bar["label"], bar["value"]) for bar in bars] == [
        ("1", 3),
        ("2", 0),
        ("3", 0),
        ("4", 8),
        ("5", 9),
    ]
    assert "5 of 5: 9 (45 %) · 4 of 5: 8 (40 %) · 3 of 5: 0 (0 %)" in visible_text(view)
    assert len(curve) >= 2
    assert [row[3].get("value") for row in table["rows"][1:]] == [15, 5, 15, 5]
    assert "CSAT score by week:" in visible_text(view)


async def test_where_slack_lacks_charts_the_home_says_it_in_words(watched: World) -> None:
    for error in ("invalid_blocks", "invalid_arguments"):
        watched.workspace.faults.disable_blocks("data_visualization", "data_table", view_error=error)
        watched.insert_rated([5] * 10)

        view = await watched.open_home(fixtures.CLEO)

        assert not blocks(view, "data_visualization")
        assert "By agent and by channel" in visible_text(view)
        assert f"<@{fixtures.ADA}>: Score 100 %" in visible_text(view)


async def test_comments_are_shortened_and_lead_to_their_threads(watched: World) -> None:
    watched.insert_rated([4], comment="x" * 10_000, external_id="ticket_7")

    view = await watched.open_home(fixtures.CLEO)

    assert "4 of 5, " in visible_text(view)
    assert f"{'x' * 599}…" in visible_text(view)
    assert f"https://northwindair.slack.com/archives/{fixtures.SUPPORT}/p1700000000000100" in str(view.blocks)


async def test_low_ratings_are_listed_oldest_first_until_somebody_closes_them(watched: World) -> None:
    watched.insert_rated([1], external_id="ticket_new", days_ago=2)
    watched.insert_rated([2], external_id="ticket_old", days_ago=5)
    watched.insert_rated([1], external_id="ticket_own", requester=fixtures.CLEO)
    view = await watched.open_home(fixtures.CLEO)
    told = visible_text(view).partition("Low ratings to follow up")[2].partition("Your own surveys")[0]
    assert 0 < told.index("ticket_old") < told.index("ticket_new")
    assert "ticket_own" not in told

    oldest = next(block for block in view.blocks if "take_on_low_rating" in str(block))["block_id"]
    await watched.workspace.click(fixtures.CLEO, "take_on_low_rating", home=True, block_id=oldest)
    view = await watched.wait_for_home(view.hash)
    assert "2 low ratings · 1 taken on · 0 closed" in visible_text(view)
    assert f"Taken on by <@{fixtures.CLEO}>" in visible_text(view)

    oldest = next(block for block in view.blocks if "close_low_rating" in str(block))["block_id"]
    await watched.workspace.click(fixtures.CLEO, "close_low_rating", home=True, block_id=oldest)
    await watched.wait_for_form(fixtures.CLEO)
    await watched.workspace.type_text(fixtures.CLEO, "note", "Called them.")
    await watched.workspace.submit_view(fixtures.CLEO)
    told = visible_text(await watched.wait_for_home(view.hash))
    assert "2 low ratings · 1 taken on · 1 closed" in told
    assert "ticket_old" not in told


async def test_a_supervisor_s_own_surveys_are_left_out_and_that_is_said(watched: World) -> None:
    watched.insert_rated([5] * 10)
    watched.insert_rated([1] * 3, requester=fixtures.CLEO, comment="own marker")

    told = visible_text(await watched.open_home(fixtures.CLEO))

    assert "from 10 answers" in told
    assert "3 of your own surveys are left out." in told
    assert "own marker" not in told
    assert "Your own surveys" in told


async def test_filters_are_kept_and_cleared(watched: World) -> None:
    watched.insert_rated([5] * 6, variant="1")
    watched.insert_rated([4] * 5, requester=fixtures.BEN, channel=fixtures.LOUNGE)
    await watched.open_home(fixtures.CLEO)

    assert "from 5 answers" in visible_text(await watched.choose_in_home("home_agent", fixtures.BEN))
    assert "from 5 answers" in visible_text(await watched.open_home(fixtures.CLEO))
    assert "from 11 answers" in visible_text(await watched.choose_in_home("home_clear", None))
    assert "from 5 answers" in visible_text(await watched.choose_in_home("home_channel", fixtures.LOUNGE))
    await watched.choose_in_home("home_clear", None)
    view = await watched.choose_in_home("home_variant", "1")
    assert "from 6 answers" in visible_text(view)
    assert "from 11 answers" in visible_text(await watched.choose_in_home("home_variant", "all"))


async def test_a_period_is_chosen_and_two_dates_can_be(watched: World) -> None:
    watched.insert_rated([5] * 6)
    watched.insert_rated([4] * 5, days_ago=60)
    today = watched.clock().date()
    await watched.open_home(fixtures.CLEO)

    assert "from 11 answers" in visible_text(await watched.choose_in_home("home_period", "90"))
    assert "from 6 answers" in visible_text(await watched.choose_in_home("home_period", "7"))
    await watched.choose_in_home("home_period", "0")
    assert "from 11 answers" in visible_text(
        await watched.choose_in_home("home_since", f"{today.year - 1}-01-01")
    )
    ahead = await watched.choose_in_home("home_until", f"{today.year + 1}-01-01")
    assert "The last day is in the future" in visible_text(ahead)
    assert "from 6 answers" in visible_text(ahead)


async def test_an_agent_sees_no_results_whatever_they_press(watched: World) -> None:
    watched.insert_rated([1] * 10, comment="marker")
    await watched.open_home(fixtures.CLEO)
    await watched.choose_in_home("home_refresh", None)
    await watched.open_home(fixtures.ADA)
    shown = watched.workspace.home_view(fixtures.ADA)
    assert shown

    before = shown.hash
    await watched.forge(user={"id": fixtures.ADA})
    view = await watched.wait_for_home(before, fixtures.ADA)

    assert SEES_NOT in visible_text(view)
    assert "marker" not in str(view.blocks)
    assert {person for person, _, _ in audited(watched)} == {fixtures.CLEO}


@pytest.fixture(name="grouped")
async def _grouped(tmp_path: Path) -> AsyncIterator[World]:
    """The app whose supervisors are a group: Cleo, Ada and Ben."""
    async with running_world(tmp_path, csat_supervisors=fixtures.AGENTS) as world:
        yield world


async def test_who_left_the_group_gets_an_agent_s_home_at_once_and_by_any_press(grouped: World) -> None:
    grouped.insert_rated([1] * 10, requester=fixtures.BEN, comment="marker")
    assert SEES in visible_text(await grouped.open_home(fixtures.ADA))
    shown = (await grouped.choose_in_home("home_refresh", None, fixtures.ADA)).hash
    press = grouped.workspace.deliveries[-1]

    await grouped.workspace.set_usergroup_members(fixtures.AGENTS, [fixtures.CLEO])
    view = await grouped.wait_for_home(shown, fixtures.ADA)

    assert SEES_NOT in visible_text(view)
    shown = view.hash
    await grouped.workspace.redeliver(press)
    assert SEES_NOT in visible_text(await grouped.wait_for_home(shown, fixtures.ADA))
    assert "marker" not in str((await grouped.open_home(fixtures.ADA)).blocks)


async def test_who_joins_the_group_is_shown_results_without_coming_back(grouped: World) -> None:
    await grouped.workspace.set_usergroup_members(fixtures.AGENTS, [fixtures.CLEO])
    grouped.insert_rated([5] * 10)
    shown = (await grouped.open_home(fixtures.BEN)).hash

    await grouped.workspace.set_usergroup_members(fixtures.AGENTS, [fixtures.CLEO, fixtures.BEN])

    assert SEES in visible_text(await grouped.wait_for_home(shown, fixtures.BEN))
    assert audited(grouped) == [(fixtures.BEN, "home", "30 days, csat")]


@pytest.mark.parametrize("method", ["usergroups.users.list", "users.info"])
async def test_where_slack_does_not_tell_who_somebody_is_they_see_no_results(
    grouped: World, method: str
) -> None:
    grouped.insert_rated([5] * 10)
    grouped.workspace.faults.fail(method, "internal_error", times=1_000)

    assert SEES_NOT in visible_text(await grouped.open_home(fixtures.CLEO))
    assert audited(grouped) == []


async def test_after_a_start_without_the_supervisor_their_home_shows_no_results(tmp_path: Path) -> None:
    async with running_world(tmp_path, csat_supervisors=fixtures.CLEO) as world:
        world.insert_rated([5] * 10)
        assert SEES in visible_text(await world.open_home(fixtures.CLEO))
        assert world.rows(tables.homes.c.shows_results) == [(True,)]
    async with running_world(tmp_path) as world:
        view = await world.wait_until(lambda: world.workspace.home_view(fixtures.CLEO))
        assert SEES_NOT in visible_text(view)
        await world.wait_until(lambda: world.rows(tables.homes.c.shows_results) == [(False,)])


async def test_a_home_that_slack_did_not_take_is_tried_again(grouped: World) -> None:
    grouped.insert_rated([5] * 10)
    shown = (await grouped.open_home(fixtures.ADA)).hash
    grouped.workspace.faults.fail("views.publish", "internal_error", times=2)

    await grouped.workspace.set_usergroup_members(fixtures.AGENTS, [])

    assert SEES_NOT in visible_text(await grouped.wait_for_home(shown, fixtures.ADA))


async def test_each_view_is_noted_with_what_was_asked_before_it_is_shown(watched: World) -> None:
    watched.insert_rated([5] * 10)
    await watched.open_home(fixtures.CLEO)
    await watched.choose_in_home("home_agent", fixtures.ADA)
    await watched.choose_in_home("home_metric", "nps")
    await watched.open_home(fixtures.BEN)

    assert audited(watched) == [
        (fixtures.CLEO, "home", "30 days, csat"),
        (fixtures.CLEO, "home", f"30 days, csat, agent {fixtures.ADA}"),
        (fixtures.CLEO, "home", f"30 days, nps, agent {fixtures.ADA}"),
    ]


async def test_where_nothing_was_sent_a_supervisor_is_told_how_to_begin(watched: World) -> None:
    told = visible_text(await watched.open_home(fixtures.CLEO))

    assert "No surveys were sent in this period" in told
    assert "Type /csat @handle in any channel" in told


async def test_what_can_not_be_chosen_changes_nothing(watched: World) -> None:
    watched.insert_rated([5] * 10)
    await watched.open_home(fixtures.CLEO)
    shown = (await watched.choose_in_home("home_agent", fixtures.ADA)).hash
    action = {"action_id": "home_agent", "type": "users_select", "selected_user": "'; drop table surveys"}

    await watched.forge(actions=[{**action, "block_id": "b", "action_ts": "1.2"}])

    assert "from 10 answers" in visible_text(await watched.wait_for_home(shown))


async def test_what_can_not_be_noted_is_not_shown(watched: World) -> None:
    watched.insert_rated([5] * 10)
    shown = (await watched.open_home(fixtures.CLEO)).hash
    sabotage(watched, "drop table audit")

    await watched.workspace.click(fixtures.CLEO, "home_refresh", home=True)

    told = visible_text(await watched.wait_for_home(shown))
    assert "This page can't be shown right now" in told
    assert SEES not in told


def sabotage(world: World, statement: str) -> None:
    with world.engine.begin() as connection:
        connection.execute(sqlalchemy.text(statement))
