"""The App Home of supervisors: the report and its controls, hidden from everybody else."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy

from csat.db import tables
from csat.english_dates import format_day
from sandbox.free_ports import find_free_port
from sandbox.slack import View, fixtures
from tests.world import World, running_world, visible_text

SUPERVISOR_TITLE = "Feedback results"
AGENT_TITLE = "Your feedback surveys"


@pytest.fixture(name="world")
async def _world(tmp_path: Path) -> AsyncIterator[World]:
    """The app with one supervisor, Cleo."""
    async with running_world(tmp_path, csat_supervisors=fixtures.CLEO) as world:
        yield world


def blocks(view: View, kind: str) -> list[dict[str, Any]]:
    return [block for block in view.blocks if block["type"] == kind]


def audit_entries(world: World) -> list[tuple[str, str, str]]:
    return [
        tuple(row) for row in world.rows(tables.audit.c.viewer, tables.audit.c.action, tables.audit.c.detail)
    ]


async def test_a_supervisor_sees_score_interval_change_and_rates(world: World) -> None:
    world.insert_rated([5] * 45 + [2] * 5 + [None] * 50)
    world.insert_rated([5] * 20 + [1] * 20, days_ago=40)
    world.insert_rated([None], days_ago=70)

    text = visible_text(await world.open_home(fixtures.CLEO))

    assert "CSAT score: 90% (95% interval 79 to 96) from 50 answers. Average rating 4.7 of 5." in text
    assert "Previous 30 days: 50% from 40 answers; up 40 points (95% interval 21 to 56)." in text
    assert "100 sent · 50 answers · 0 comments (0% of answers) · 50 still open · 0 expired" in text
    assert "not who chose to respond" in text


async def test_nps_is_shown_as_a_signed_number_without_percent(world: World) -> None:
    world.insert_rated([10] * 50 + [8] * 30 + [3] * 20, metric="nps")
    await world.open_home(fixtures.CLEO)

    text = visible_text(await world.choose_in_home("home_metric", "nps"))

    assert "NPS: +30 (95% interval +14 to +44) from 100 answers." in text
    assert "Average" not in text


async def test_fewer_than_five_answers_show_neither_score_nor_agents(world: World) -> None:
    world.insert_rated([5, 5, 5, 1])

    view = await world.open_home(fixtures.CLEO)

    assert "CSAT score: none, with 4 answers. Scores start at 5" in visible_text(view)
    assert "Not shown: 1 agent with fewer than 5 answers, too few to judge anybody by." in visible_text(view)
    assert not blocks(view, "data_visualization")
    assert fixtures.ADA not in str(blocks(view, "data_table"))


async def test_few_answers_are_marked_and_chance_is_not_called_a_change(world: World) -> None:
    world.insert_rated([5] * 9 + [1])
    world.insert_rated([5] * 8 + [1] * 2, days_ago=40)
    world.insert_rated([None], days_ago=70)

    text = visible_text(await world.open_home(fixtures.CLEO))

    assert "90% (95% interval 60 to 98) from 10 answers (few answers)." in text
    assert "Previous 30 days: 80% from 10 answers; no clear change." in text


async def test_charts_and_table_match_their_texts(world: World) -> None:
    for day in (2, 3, 4):
        world.insert_rated([5, 5, 5, 4, 1], days_ago=day)
    for day in (10, 17):
        world.insert_rated([4] * 5, days_ago=day, requester=fixtures.BEN, channel=fixtures.LOUNGE)

    view = await world.open_home(fixtures.CLEO)
    bars, curve = (block["chart"]["series"][0]["data"] for block in blocks(view, "data_visualization"))
    (table,) = blocks(view, "data_table")

    assert [(bar["label"], bar["value"]) for bar in bars] == [
        ("1", 3),
        ("2", 0),
        ("3", 0),
        ("4", 13),
        ("5", 9),
    ]
    assert "5 of 5: 9 (36%) · 4 of 5: 13 (52%) · 3 of 5: 0 (0%)" in visible_text(view)
    assert len(curve) == 3
    assert [row[3].get("value") for row in table["rows"][1:]] == [15, 10, 15, 10]
    assert "CSAT score by week:" in visible_text(view)


async def test_a_report_can_be_limited_to_one_way_of_sending(world: World) -> None:
    world.insert_rated([5] * 10)
    world.insert_rated([1] * 10, transport="x_link")
    world.insert_rated([5] * 10, days_ago=40)
    world.insert_rated([None], days_ago=70)
    both = visible_text(await world.open_home(fixtures.CLEO))
    assert "Sent as X's feedback card: 10 · as a link in a direct message: 10" in both
    assert "Previous 30 days: not compared, as none were sent as a link in a direct message." in both

    card = visible_text(await world.choose_in_home("home_transport", "x_card"))
    assert "Only surveys sent as X's feedback card." in card
    assert "CSAT score: 100%" in card
    assert "Previous 30 days: 100% from 10 answers; no clear change." in card

    link = visible_text(await world.choose_in_home("home_transport", "x_link"))
    assert "Only surveys sent as a link in a direct message." in link
    assert "CSAT score: 0%" in link

    await world.choose_in_home("home_period", "7")
    assert "Only surveys sent as" in visible_text(await world.choose_in_home("home_metric", "nps"))
    assert audit_entries(world)[-1][2] == "7 days, nps, transport x_link"
    cleared = visible_text(await world.choose_in_home("home_clear", None))
    assert "Only surveys" not in cleared


async def test_a_way_of_sending_is_offered_only_where_there_are_several(tmp_path: Path) -> None:
    alone: dict[str, Any] = {"csat_supervisors": fixtures.CLEO, "csat_transports": "x_card"}
    async with running_world(tmp_path, **alone) as world:
        world.insert_rated([5] * 10)
        world.insert_rated([5] * 10, transport="x_link", days_ago=100)
        assert "home_transport" not in str((await world.open_home(fixtures.CLEO)).blocks)

        assert "home_transport" in str((await world.choose_in_home("home_period", "90")).blocks)


async def test_a_way_of_sending_is_offered_where_new_surveys_can_be_sent_in_several(tmp_path: Path) -> None:
    port = find_free_port()
    page: dict[str, Any] = {"csat_public_url": f"http://127.0.0.1:{port}", "csat_public_port": port}
    async with running_world(tmp_path, csat_supervisors=fixtures.CLEO, **page) as world:
        assert "home_transport" in str((await world.open_home(fixtures.CLEO)).blocks)


async def test_a_workspace_without_charts_gets_texts_instead(world: World) -> None:
    for error in ("invalid_blocks", "invalid_arguments"):
        world.workspace.faults.disable_blocks("data_visualization", "data_table", view_error=error)
        world.insert_rated([5] * 10)

        view = await world.open_home(fixtures.CLEO)

        assert not blocks(view, "data_visualization")
        assert "By agent and by channel" in visible_text(view)
        assert f"<@{fixtures.ADA}>: Score 100%" in visible_text(view)


async def test_comments_are_truncated_and_link_to_their_threads(world: World) -> None:
    world.insert_rated([4], comment="x" * 10_000, external_id="ticket_7")

    view = await world.open_home(fixtures.CLEO)

    assert "4 of 5, " in visible_text(view)
    assert f"{'x' * 299}…" in visible_text(view)
    assert "x" * 300 not in visible_text(view)
    assert f"https://northwindair.slack.com/archives/{fixtures.SUPPORT}/p1700000000000100" in str(view.blocks)


async def test_low_ratings_are_listed_oldest_first_until_they_are_closed(world: World) -> None:
    world.insert_rated([1], external_id="ticket_new", days_ago=2)
    world.insert_rated([2], external_id="ticket_old", days_ago=5)
    world.insert_rated([1], external_id="ticket_own", requester=fixtures.CLEO)
    view = await world.open_home(fixtures.CLEO)
    text = visible_text(view).partition("Low ratings to follow up")[2].partition("Your own surveys")[0]
    assert 0 < text.index("ticket_old") < text.index("ticket_new")
    assert "ticket_own" not in text

    oldest = next(block for block in view.blocks if "take_on_low_rating" in str(block))["block_id"]
    await world.workspace.click(fixtures.CLEO, "take_on_low_rating", home=True, block_id=oldest)
    view = await world.wait_for_home(view.hash)
    assert "2 low ratings (your own surveys left out): 1 assigned, 1 unassigned" in visible_text(view)
    assert f"Assigned to <@{fixtures.CLEO}>" in visible_text(view)
    assert "take_over_low_rating" not in str(view.blocks)

    oldest = next(block for block in view.blocks if "close_low_rating" in str(block))["block_id"]
    await world.workspace.click(fixtures.CLEO, "close_low_rating", home=True, block_id=oldest)
    await world.wait_for_form(fixtures.CLEO)
    await world.workspace.type_text(fixtures.CLEO, "note", "Called them.")
    await world.workspace.submit_view(fixtures.CLEO)
    text = visible_text(await world.wait_for_home(view.hash))
    assert "2 low ratings (your own surveys left out): 1 closed, 1 unassigned" in text
    still_open, _, closed = text.partition("Closed low ratings")
    assert "ticket_old" not in still_open
    assert "ticket_old" in closed


async def close_low_rating(world: World, note: str, user: str = fixtures.CLEO) -> View:
    """Close the oldest low rating in a supervisor's Home, and return the Home."""
    home = world.workspace.home_view(user)
    assert home
    oldest = next(block for block in home.blocks if "close_low_rating" in str(block))["block_id"]
    await world.workspace.click(user, "close_low_rating", home=True, block_id=oldest)
    await world.wait_for_form(user)
    await world.workspace.type_text(user, "note", note)
    await world.workspace.submit_view(user)
    return await world.wait_for_home(home.hash, user)


async def test_a_closed_low_rating_stays_in_home_with_its_note_who_and_when(world: World) -> None:
    world.insert_rated([1], external_id="ticket_first", days_ago=5)
    world.insert_rated([1], external_id="ticket_second", days_ago=2)
    await world.open_home(fixtures.CLEO)
    await close_low_rating(world, "Called them.")
    await world.advance(minutes=5)
    view = await close_low_rating(world, "Sent\na voucher.")

    _, _, closed = visible_text(view).partition("Closed low ratings")
    assert "Low ratings to follow up" not in visible_text(view)
    assert 0 < closed.index("ticket_second") < closed.index("ticket_first"), "the newest first"
    for words in ("Called them.", "Sent\na voucher.", f"<@{fixtures.ADA}> asked @grace"):
        assert words in closed
    assert closed.count(f"Closed by <@{fixtures.CLEO}>") == 2
    dates = [part for block in view.blocks for part in find_dates(block)]
    assert int(world.clock().timestamp()) - dates[2] < 60, "when it was closed"


async def test_a_closed_low_rating_can_be_reopened_in_home_and_keeps_its_note(world: World) -> None:
    world.insert_rated([1], external_id="ticket_first")
    await world.open_home(fixtures.CLEO)
    view = await close_low_rating(world, "Called them.")
    await world.workspace.click(fixtures.CLEO, "reopen_low_rating", home=True)
    view = await world.wait_for_home(view.hash)

    _, _, still_open = visible_text(view).partition("Low ratings to follow up: 1")
    assert f"Closed by <@{fixtures.CLEO}>, reopened by <@{fixtures.CLEO}>" in still_open
    assert "Called them." in still_open
    assert "Closed low ratings" not in still_open


async def test_home_offers_to_take_over_what_is_assigned_to_another_supervisor(tmp_path: Path) -> None:
    async with running_world(tmp_path, csat_supervisors={fixtures.CLEO, fixtures.BEN}) as world:
        world.insert_rated([1])
        view = await world.open_home(fixtures.CLEO)
        await world.workspace.click(fixtures.CLEO, "take_on_low_rating", home=True)
        await world.wait_for_home(view.hash)
        view = await world.open_home(fixtures.BEN)
        await world.workspace.click(fixtures.BEN, "take_over_low_rating", home=True)
        view = await world.wait_for_home(view.hash, fixtures.BEN)

    assert f"Assigned to <@{fixtures.BEN}>" in visible_text(view)


def find_dates(part: Any) -> list[int]:
    """Return the dates in the rich text of a block."""
    if isinstance(part, list):
        return [date for item in part for date in find_dates(item)]
    if not isinstance(part, dict):
        return []
    own = [part["timestamp"]] if part.get("type") == "date" else []
    return [*own, *find_dates(list(part.values()))]


async def test_a_closed_low_rating_of_somebody_s_own_survey_is_not_in_their_home(tmp_path: Path) -> None:
    async with running_world(tmp_path, csat_supervisors={fixtures.CLEO, fixtures.BEN}) as world:
        world.insert_rated([1], external_id="ticket_own", requester=fixtures.CLEO)
        await world.open_home(fixtures.BEN)
        assert "Called them." in visible_text(await close_low_rating(world, "Called them.", fixtures.BEN))

        text = visible_text(await world.open_home(fixtures.CLEO))
        assert "Called them." not in text
        assert "Closed low ratings" not in text


async def test_a_note_is_erased_with_its_customer(world: World) -> None:
    world.insert_rated([1])
    await world.open_home(fixtures.CLEO)
    await close_low_rating(world, "Grace was right.")
    execute(world, "update follow_ups set note = null")

    text = visible_text(await world.open_home(fixtures.CLEO))
    assert "The note was erased with the customer." in text


async def test_low_ratings_name_agent_customer_and_case_and_say_what_they_leave_out(world: World) -> None:
    world.insert_rated([1] * 11, external_id="ticket_7", days_ago=60)
    world.insert_rated([0], external_id="", metric="nps", requester=fixtures.BEN, days_ago=70)
    world.insert_rated([1] * 2, requester=fixtures.CLEO)
    await world.open_home(fixtures.CLEO)

    text = visible_text(await world.choose_in_home("home_agent", fixtures.BEN))

    assert "Low ratings to follow up: 12" in text
    assert f"<@{fixtures.ADA}> asked @grace" in text
    assert f"<@{fixtures.BEN}> asked @grace" in text
    assert "Case number: ticket_7" in text
    assert "No case number" in text
    assert "The choices at the top don't apply to this list" in text
    assert "except those of your own surveys" in text
    assert "The 10 oldest are shown." in text


async def test_a_supervisor_s_own_surveys_are_left_out_visibly(world: World) -> None:
    world.insert_rated([5] * 10, comment="Thanks.")
    world.insert_rated([1] * 3, requester=fixtures.CLEO, comment="own marker")
    world.insert_rated([None], days_ago=70)

    text = visible_text(await world.open_home(fixtures.CLEO))

    assert "from 10 answers" in text
    assert "10 sent (3 of your own surveys left out)" in text
    assert "By agent and by channel (your own surveys left out)" in text
    assert "Newest comments (your own surveys left out)" in text
    assert "Previous 30 days: no answers (your own surveys left out)." in text
    assert "own marker" not in text
    assert "Your own surveys" in text


async def test_filters_are_stored_and_can_be_cleared(world: World) -> None:
    world.insert_rated([5] * 6, variant="1")
    world.insert_rated([4] * 5, requester=fixtures.BEN, channel=fixtures.LOUNGE)
    await world.open_home(fixtures.CLEO)

    assert "from 5 answers" in visible_text(await world.choose_in_home("home_agent", fixtures.BEN))
    assert "from 5 answers" in visible_text(await world.open_home(fixtures.CLEO))
    assert "from 11 answers" in visible_text(await world.choose_in_home("home_clear", None))
    assert "from 5 answers" in visible_text(await world.choose_in_home("home_channel", fixtures.LOUNGE))
    await world.choose_in_home("home_clear", None)
    view = await world.choose_in_home("home_variant", "1")
    assert "from 6 answers" in visible_text(view)
    assert "from 11 answers" in visible_text(await world.choose_in_home("home_variant", "all"))


async def test_a_report_names_its_filters_below_its_heading(world: World) -> None:
    world.insert_rated([5] * 6)
    assert "Only surveys" not in visible_text(await world.open_home(fixtures.CLEO))

    text = visible_text(await world.choose_in_home("home_agent", fixtures.ADA))
    heading = text.partition("CSAT score: ")[0]
    assert f"Only surveys by <@{fixtures.ADA}>." in heading

    await world.choose_in_home("home_channel", fixtures.SUPPORT)
    view = await world.choose_in_home("home_variant", "1")
    (line,) = (block for block in blocks(view, "rich_text") if "Only surveys" in str(block))
    assert visible_text(line).startswith(f"Only surveys by <@{fixtures.ADA}> in ")
    assert visible_text(line).endswith(" with the question “How satisfied are you with …?”.")
    assert {"type": "channel", "channel_id": fixtures.SUPPORT} in line["elements"][0]["elements"]
    assert "Only surveys" not in visible_text(await world.choose_in_home("home_clear", None))


async def test_the_period_can_be_chosen_from_the_menu_or_by_dates(world: World) -> None:
    world.insert_rated([5] * 6)
    world.insert_rated([4] * 5, days_ago=60)
    today = world.clock().date()
    await world.open_home(fixtures.CLEO)

    assert "from 11 answers" in visible_text(await world.choose_in_home("home_period", "90"))
    assert "from 6 answers" in visible_text(await world.choose_in_home("home_period", "7"))
    await world.choose_in_home("home_period", "0")
    assert "from 11 answers" in visible_text(
        await world.choose_in_home("home_since", f"{today.year - 1}-01-01")
    )


def picked_dates(view: View) -> list[str]:
    """Return the days in the two date pickers."""
    pickers = [element for block in blocks(view, "actions") for element in block["elements"]]
    return [element["initial_date"] for element in pickers if element["type"] == "datepicker"]


def dates_block_id(view: View) -> str:
    return next(str(block["block_id"]) for block in blocks(view, "actions") if "home_since" in str(block))


async def test_days_in_the_wrong_order_stay_as_chosen_and_say_so(world: World) -> None:
    world.insert_rated([5] * 6)
    await world.open_home(fixtures.CLEO)
    await world.choose_in_home("home_period", "0")
    await world.choose_in_home("home_until", "2025-10-15")

    view = await world.choose_in_home("home_since", "2025-11-10")
    assert picked_dates(view) == ["2025-11-10", "2025-10-15"]
    assert "Put the first day first: choose an earlier first day, or a later last day." in visible_text(view)
    assert "answers" not in visible_text(view)
    later = await world.choose_in_home("home_until", "2025-11-30")
    assert picked_dates(later) == ["2025-11-10", "2025-11-30"]
    assert "No CSAT surveys were sent in this period" in visible_text(later)


@pytest.mark.parametrize(
    ("first", "last", "reason"),
    [
        ("2026-01-01", "2999-01-01", "The last day is in the future. Choose today or an earlier day."),
        ("2020-01-01", "2026-01-01", "A report covers at most two years. Choose a shorter period."),
        ("0001-01-01", "0001-01-31", "There are no surveys before 2006. Choose a later first day."),
    ],
)
async def test_dates_that_a_report_can_not_cover_show_the_reason_and_no_figures(
    world: World, first: str, last: str, reason: str
) -> None:
    world.insert_rated([5] * 6 + [1], comment="marker", external_id="ticket_7")
    await world.open_home(fixtures.CLEO)
    await world.choose_in_home("home_period", "0")
    await world.choose_in_home("home_since", first)

    view = await world.choose_in_home("home_until", last)

    assert picked_dates(view) == [first, last]
    text = visible_text(view)
    assert reason in text
    for figures in ("answers", "CSAT score", "surveys were sent", "marker", ".."):
        assert figures not in text
    assert "Low ratings to follow up: 1" in text, "as this list does not follow the dates"


async def test_a_stored_pair_of_dates_in_the_wrong_order_shows_no_figures(world: World) -> None:
    world.insert_rated([5] * 6)
    await world.open_home(fixtures.CLEO)
    execute(world, """update homes set query = '{"days": 0, "since": "2026-11-10", "until": "2026-10-15"}'""")

    text = visible_text(await world.open_home(fixtures.CLEO))

    assert "Put the first day first: choose an earlier first day, or a later last day." in text
    assert "answers" not in text


async def test_an_agent_sees_no_results_even_with_a_forged_action(world: World) -> None:
    world.insert_rated([1] * 10, comment="marker")
    await world.open_home(fixtures.CLEO)
    await world.choose_in_home("home_refresh", None)
    await world.open_home(fixtures.ADA)
    home = world.workspace.home_view(fixtures.ADA)
    assert home

    await world.forge(user={"id": fixtures.ADA})
    view = await world.wait_for_home(home.hash, fixtures.ADA)

    assert AGENT_TITLE in visible_text(view)
    assert "marker" not in str(view.blocks)
    assert {person for person, _, _ in audit_entries(world)} == {fixtures.CLEO}


@pytest.fixture(name="grouped")
async def _grouped(tmp_path: Path) -> AsyncIterator[World]:
    """The app whose supervisors are a user group: Cleo, Ada and Ben."""
    async with running_world(tmp_path, csat_supervisors=fixtures.AGENTS) as world:
        yield world


async def test_removed_supervisors_get_an_agent_s_home_within_a_minute(grouped: World) -> None:
    grouped.insert_rated([1] * 10, requester=fixtures.BEN, comment="marker")
    assert SUPERVISOR_TITLE in visible_text(await grouped.open_home(fixtures.ADA))
    previous_hash = (await grouped.choose_in_home("home_refresh", None, fixtures.ADA)).hash
    press = grouped.workspace.deliveries[-1]

    await grouped.workspace.set_usergroup_members(fixtures.AGENTS, [fixtures.CLEO])
    await grouped.advance(seconds=31)
    view = await grouped.wait_for_home(previous_hash, fixtures.ADA)

    assert AGENT_TITLE in visible_text(view)
    previous_hash = view.hash
    await grouped.workspace.redeliver(press)
    assert AGENT_TITLE in visible_text(await grouped.wait_for_home(previous_hash, fixtures.ADA))
    assert "marker" not in str((await grouped.open_home(fixtures.ADA)).blocks)


async def test_new_supervisors_are_shown_results_without_reopening_the_home(grouped: World) -> None:
    await grouped.workspace.set_usergroup_members(fixtures.AGENTS, [fixtures.CLEO])
    grouped.insert_rated([5] * 10)
    previous_hash = (await grouped.open_home(fixtures.BEN)).hash

    await grouped.workspace.set_usergroup_members(fixtures.AGENTS, [fixtures.CLEO, fixtures.BEN])
    await grouped.advance(seconds=31)

    assert SUPERVISOR_TITLE in visible_text(await grouped.wait_for_home(previous_hash, fixtures.BEN))
    assert audit_entries(grouped) == [(fixtures.BEN, "home", "30 days, csat")]


@pytest.mark.parametrize("method", ["usergroups.users.list", "users.info"])
async def test_no_results_are_shown_while_slack_can_not_confirm_a_supervisor(
    grouped: World, method: str
) -> None:
    grouped.insert_rated([5] * 10)
    grouped.workspace.faults.fail(method, "internal_error", times=1_000)

    assert AGENT_TITLE in visible_text(await grouped.open_home(fixtures.CLEO))
    assert audit_entries(grouped) == []


async def test_supervisors_removed_by_a_restart_get_an_agent_s_home(tmp_path: Path) -> None:
    async with running_world(tmp_path, csat_supervisors=fixtures.CLEO) as world:
        world.insert_rated([5] * 10)
        assert SUPERVISOR_TITLE in visible_text(await world.open_home(fixtures.CLEO))
        assert world.rows(tables.homes.c.shows_results) == [(True,)]
    async with running_world(tmp_path) as world:
        view = await world.wait_until(lambda: world.workspace.home_view(fixtures.CLEO))
        assert AGENT_TITLE in visible_text(view)
        await world.wait_until(lambda: world.rows(tables.homes.c.shows_results) == [(False,)])


async def test_a_failed_publication_is_retried(grouped: World) -> None:
    grouped.insert_rated([5] * 10)
    previous_hash = (await grouped.open_home(fixtures.ADA)).hash
    grouped.workspace.faults.fail("views.publish", "internal_error", times=2)

    await grouped.workspace.set_usergroup_members(fixtures.AGENTS, [])
    await grouped.advance(seconds=31)

    assert AGENT_TITLE in visible_text(await grouped.wait_for_home(previous_hash, fixtures.ADA))


async def test_each_report_is_recorded_in_the_audit_log(world: World) -> None:
    world.insert_rated([5] * 10)
    await world.open_home(fixtures.CLEO)
    await world.choose_in_home("home_agent", fixtures.ADA)
    await world.choose_in_home("home_metric", "nps")
    await world.open_home(fixtures.BEN)

    assert audit_entries(world) == [
        (fixtures.CLEO, "home", "30 days, csat"),
        (fixtures.CLEO, "home", f"30 days, csat, agent {fixtures.ADA}"),
        (fixtures.CLEO, "home", f"30 days, nps, agent {fixtures.ADA}"),
    ]


async def test_an_empty_report_shows_the_first_steps(world: World) -> None:
    text = visible_text(await world.open_home(fixtures.CLEO))

    assert "CSAT score, " in text
    assert "No CSAT surveys were sent in this period or the one before. To get started:" in text
    assert "Type /csat @customer in any channel" in text


async def test_a_home_opens_with_the_only_metric_that_the_team_uses(world: World) -> None:
    world.insert_rated([10] * 6, metric="nps")
    text = visible_text(await world.open_home(fixtures.CLEO))
    assert "NPS: +100 " in text

    chosen = visible_text(await world.choose_in_home("home_metric", "csat"))
    assert "CSAT score, " in chosen
    assert "No CSAT surveys were sent in this period or the one before." in chosen
    assert "6 NPS surveys were sent in this period: choose NPS above." in chosen
    assert "/csat @handle" not in chosen
    assert "Come back later" not in chosen
    assert "No CSAT surveys" in visible_text(await world.open_home(fixtures.CLEO)), "as chosen"


async def test_a_home_opens_with_csat_where_the_team_uses_both_metrics(world: World) -> None:
    world.insert_rated([10] * 6, metric="nps")
    await world.open_home(fixtures.CLEO)
    world.insert_rated([5] * 6)

    assert "CSAT score: 100%" in visible_text(await world.open_home(fixtures.CLEO))


async def test_a_period_before_the_first_survey_says_when_the_data_begins(world: World) -> None:
    world.insert_rated([5] * 6)
    begin = format_day((world.clock() - timedelta(days=3)).date())
    await world.open_home(fixtures.CLEO)
    await world.choose_in_home("home_period", "0")
    await world.choose_in_home("home_since", "2024-01-01")

    text = visible_text(await world.choose_in_home("home_until", "2024-12-31"))

    assert f"No CSAT surveys were sent in this period; this data begins on {begin}." in text
    assert "Come back later" not in text
    assert "/csat @handle" not in text


async def test_an_empty_report_does_not_explain_how_to_send_to_a_supervisor_who_may_not(
    tmp_path: Path,
) -> None:
    async with running_world(tmp_path, csat_supervisors=fixtures.CLEO, csat_agents=fixtures.ADA) as world:
        text = visible_text(await world.open_home(fixtures.CLEO))

    assert "No CSAT surveys were sent in this period or the one before. Come back later" in text
    assert "/csat @handle" not in text
    assert "Send feedback survey" not in text


async def test_an_invalid_choice_changes_nothing(world: World) -> None:
    world.insert_rated([5] * 10)
    await world.open_home(fixtures.CLEO)
    previous_hash = (await world.choose_in_home("home_agent", fixtures.ADA)).hash
    action = {"action_id": "home_agent", "type": "users_select", "selected_user": "'; drop table surveys"}

    await world.forge(actions=[{**action, "block_id": "b", "action_ts": "1.2"}])

    assert "from 10 answers" in visible_text(await world.wait_for_home(previous_hash))


async def test_a_report_that_can_not_be_audited_is_not_shown(world: World) -> None:
    world.insert_rated([5] * 10)
    previous_hash = (await world.open_home(fixtures.CLEO)).hash
    execute(world, "drop table audit")

    await world.workspace.click(fixtures.CLEO, "home_refresh", home=True)

    text = visible_text(await world.wait_for_home(previous_hash))
    assert "This page can't be shown right now" in text
    assert SUPERVISOR_TITLE not in text


def execute(world: World, statement: str) -> None:
    with world.engine.begin() as connection:
        connection.execute(sqlalchemy.text(statement))
