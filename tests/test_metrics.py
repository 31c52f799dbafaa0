"""`GET /metrics`: what the app counts, without naming anybody."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from csat.db import tables
from csat.db.outbox import NotificationKind
from sandbox.free_ports import find_free_port
from sandbox.slack import fixtures
from sandbox.x import Fault
from tests.local_client import local_client
from tests.rating_page_kit import linking, send_link
from tests.slack_survey_kit import ask, press, stored
from tests.timeouts import WAIT_SECONDS
from tests.world import HASTY, World, is_app_idle, running_world


@pytest.fixture(name="world")
async def _world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """The app on each kind of database, with metrics."""
    async with running_world(
        tmp_path, pace=HASTY, database_url=database_url, metrics_port=find_free_port()
    ) as world:
        yield world


async def fetch_text(world: World) -> str:
    async with local_client(timeout=WAIT_SECONDS) as client:
        response = await client.get(f"http://127.0.0.1:{world.settings.metrics_port}/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=")
    return response.text


async def fetch(world: World) -> dict[str, float]:
    """Return each value by its name and the values of its labels: `csat_x_pauses_total NotAllowed`."""
    return {
        " ".join([sample.name, *(value for _, value in sorted(sample.labels.items()) if value)]): sample.value
        for family in text_string_to_metric_families(await fetch_text(world))
        for sample in family.samples
    }


async def test_what_is_counted_begins_at_zero(world: World) -> None:
    found = await fetch(world)

    for name in ("accepted", "answered"):
        assert found[f"csat_surveys_{name}_total csat"] == found[f"csat_surveys_{name}_total nps"] == 0


async def test_a_survey_is_counted_from_its_form_to_its_answer(world: World) -> None:
    sent = await world.send_survey()
    await world.send_survey("/csat nps @sofie_l")
    world.x.rate(sent.id, 3)
    await world.advance(minutes=1)
    await world.wait_for_message("They answered.")
    await world.wait_until(world.is_outbox_empty)
    found = await fetch(world)

    assert found["csat_surveys_accepted_total csat"] == found["csat_surveys_accepted_total nps"] == 1
    assert found["csat_surveys_notified_total sent"] == 2
    assert found["csat_surveys_answered_total csat"] == 1
    assert found["csat_surveys_waiting"] == found["csat_outbox_backlog"] == found["csat_x_paused"] == 0
    assert found["csat_database_up"] == 1
    assert found["csat_x_request_seconds_count create_feedback ok"] == 2
    assert found["csat_slack_request_seconds_count chat.postMessage ok"] == 2
    assert found["process_resident_memory_bytes"] > 0


async def test_an_answer_in_slack_is_counted_once_however_often_slack_delivers_it(world: World) -> None:
    world.workspace.faults.duplicate_deliveries = 2
    message = await ask(world)
    for action_id in ("rate:1", "rate:4"):
        await press(world, message, action_id)
    await world.wait_for_form(fixtures.SAM)
    await world.workspace.type_text(fixtures.SAM, "comment", "Fast.")
    await world.workspace.submit_view(fixtures.SAM)
    await world.wait_for_message("They answered.", fixtures.PARTNERS)
    await world.wait_until(world.is_outbox_empty)

    assert stored(world) == [("answered", 4, "Fast.")]
    assert (await fetch(world))["csat_surveys_answered_total csat"] == 1
    assert len(world.workspace.view_stack(fixtures.SAM)) == 0


async def test_a_survey_by_a_link_is_counted_from_its_message_to_its_answer(
    database_url: str, tmp_path: Path
) -> None:
    async with linking(tmp_path, database_url=database_url, metrics_port=find_free_port()) as world:
        link = await send_link(world)
        async with local_client(timeout=WAIT_SECONDS) as browser:
            await browser.post(link, data={"rating": "2", "action": "rate"})
            await browser.post(link, data={"rating": "3", "action": "rate"})
        await world.wait_for_message("They answered.")
        found = await fetch(world)
        text = await fetch_text(world)

    assert found["csat_surveys_accepted_total csat"] == found["csat_surveys_notified_total sent"] == 1
    assert found["csat_surveys_answered_total csat"] == 1
    assert found["csat_x_request_seconds_count send_message ok"] == 1
    assert link.rpartition("/")[2] not in text


async def test_what_x_refuses_or_does_not_confirm_is_counted_by_cause(world: World) -> None:
    world.x.fail(Fault.DMS_CLOSED, times=1)
    await world.submit_survey()
    await world.wait_for_message("can't be messaged")
    world.x.fail(Fault.BAD_GATEWAY, times=1)
    await world.submit_survey("/csat @sofie_l")
    await world.wait_for_dm("may not have arrived")
    found = await fetch(world)

    assert found["csat_surveys_notified_total RecipientClosed refused"] == 1
    assert found["csat_surveys_notified_total uncertain"] == 1
    assert found["csat_x_request_seconds_count create_feedback RecipientClosed"] == 1
    assert found["csat_x_request_seconds_count create_feedback Unconfirmed"] == 1


async def test_a_pause_and_what_waits_for_its_end_are_shown(world: World) -> None:
    world.x.fail(Fault.WRONG_KEYS)
    await world.submit_survey()
    await world.wait_for_waiting_message()
    found = await fetch(world)

    assert found["csat_x_pauses_total InvalidCredentials"] == found["csat_x_paused"] == 1
    assert found["csat_surveys_waiting"] == 1
    assert found["csat_surveys_notified_total waiting"] == 1


async def test_a_pause_is_counted_once_until_x_takes_a_survey_however_often_one_is_tried(
    world: World,
) -> None:
    world.x.fail(Fault.WRONG_PLAN)
    await world.submit_survey()
    await world.wait_for_waiting_message()
    await world.advance(minutes=6)
    await world.wait_until(lambda: len(world.rows(tables.attempts.c.number)) == 2)
    await world.wait_until(is_app_idle)
    assert (await fetch(world))["csat_x_pauses_total NotAllowed"] == 1

    world.x.recover()
    await world.advance(minutes=6)
    await world.wait_until(lambda: world.count_sent_notifications(NotificationKind.SENT))
    world.x.fail(Fault.WRONG_PLAN)
    await world.submit_survey("/csat @sofie_l")
    async with asyncio.timeout(WAIT_SECONDS):
        while (await fetch(world))["csat_x_pauses_total NotAllowed"] != 2:
            pass


async def test_messages_that_slack_does_not_take_are_shown_as_backlog(world: World) -> None:
    world.workspace.faults.fail("chat.postMessage", "internal_error")
    await world.submit_survey()
    await world.wait_until(lambda: world.attempts("sent") and world.attempts("sent")[0] > 0)
    found = await fetch(world)

    assert found["csat_outbox_backlog"] == 1
    assert found["csat_slack_request_seconds_count chat.postMessage SlackUnavailable"] > 0


async def test_no_metric_names_a_customer_a_person_or_an_account(world: World) -> None:
    await world.send_survey()
    text = await fetch_text(world)
    names = ["mira", world.x.customer("mira_k").id, world.x.account.id, world.workspace.team.id]

    assert [name for name in [*names, fixtures.ADA, fixtures.SUPPORT, "Northwind"] if name in text] == []


async def test_the_metrics_are_served_while_the_database_is_away(tmp_path: Path) -> None:
    async with running_world(tmp_path, metrics_port=find_free_port()) as world:
        world.database_file.rename(tmp_path / "away.db")
        found = await fetch(world)
        (tmp_path / "away.db").rename(world.database_file)

    assert found["csat_database_up"] == 0


async def test_the_app_s_own_port_has_no_metrics(world: World) -> None:
    async with local_client() as client:
        assert (await client.get(f"{world.url}/metrics")).status_code == 404
