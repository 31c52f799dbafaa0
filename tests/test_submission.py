"""Submissions of the form are committed before they are acknowledged, exactly once."""

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from csat.db import tables
from sandbox.slack import ActionOutcome, fixtures
from sandbox.x import Endpoint, Fault
from tests.databases import sqlite_in
from tests.timeouts import SHORT_LOCK, WITHOUT_LOOK_UP
from tests.unwritable import Problem, unwritable
from tests.world import World, is_app_idle, running_world, visible_text


async def test_a_submission_delivered_many_times_creates_one_survey_and_message(either_world: World) -> None:
    world = either_world
    await world.open_form("/csat @mira_k")
    world.workspace.faults.duplicate_deliveries = 4
    result = await world.workspace.submit_view(fixtures.ADA)
    await world.wait_for_message("sent a survey")
    delivery = next(d for d in world.workspace.deliveries if d.payload.get("type") == "view_submission")
    again = await world.workspace.redeliver(delivery)

    assert result.outcome is ActionOutcome.CLOSED
    assert not again.error
    assert [call.path for call in world.x.requests].count("/1.1/feedback/create.json") == 1
    assert len(world.app_messages()) == 1


async def test_changes_to_an_accepted_form_are_not_accepted(world: World) -> None:
    await world.open_form("/csat @mira_k")
    await world.fill_in(message="As it was")
    await world.workspace.submit_view(fixtures.ADA)
    await world.wait_for_message("sent a survey")
    delivery = next(d for d in world.workspace.deliveries if d.payload.get("type") == "view_submission")
    view = delivery.payload["view"]
    values = {
        **view["state"]["values"],
        "message": {"message": {"type": "plain_text_input", "value": "Other"}},
    }
    world.workspace.deliveries.append(delivery)
    changed = await world.forge(view={**view, "state": {"values": values}})

    assert "already on its way as you first sent it" in str(changed.response)
    assert [feedback.message for feedback in world.x.feedbacks] == ["As it was"]


@pytest.mark.parametrize("timeouts", [SHORT_LOCK])
async def test_a_submission_that_timed_out_is_not_committed_later(world: World) -> None:
    await world.open_form("/csat @mira_k")
    lock = sqlite3.connect(world.database_file)
    lock.execute("begin immediate")
    await world.workspace.submit_view(fixtures.ADA)
    lock.close()
    await world.wait_until(lambda: world.rows(tables.outbox.c.survey_id) == [])

    assert world.rows(tables.surveys.c.id) == []


async def test_a_submission_is_committed_before_it_is_acknowledged(world: World) -> None:
    with world.x.hold(after=False):
        await world.submit_survey("/csat @mira_k")

        (row,) = world.rows(tables.surveys.c.requester, tables.surveys.c.recipient_id)
    assert row == (fixtures.ADA, world.x.customer("mira_k").id)


@pytest.mark.parametrize("timeouts", [SHORT_LOCK])
async def test_a_locked_database_keeps_the_form_open_with_its_values(world: World) -> None:
    await world.open_form("/csat @mira_k")
    await world.fill_in(message="Dear Mira")
    lock = sqlite3.connect(world.database_file)
    lock.execute("begin immediate")
    result = await world.workspace.submit_view(fixtures.ADA)
    lock.close()

    assert result.outcome is ActionOutcome.UPDATED
    view = world.workspace.current_view(fixtures.ADA)
    assert view
    for block in (view.blocks[0], view.blocks[-1]):
        assert "Not saved, nothing was sent" in visible_text(block)
    assert world.x.feedbacks == []

    result = await world.workspace.submit_view(fixtures.ADA)
    assert result.outcome is ActionOutcome.CLOSED
    assert (await world.wait_for_feedback()).message == "Dear Mira"


async def test_a_full_disk_keeps_the_form_open(tmp_path: Path) -> None:
    url = sqlite_in(tmp_path)
    with unwritable(url, Problem.FULL):
        async with running_world(tmp_path, database_url=url) as world:
            await world.open_form("/csat @mira_k")
            await world.fill_in(message="x" * 3000, external_id="x" * 256)
            for number in range(3):
                result = await world.workspace.submit_view(fixtures.ADA)
                if result.outcome is not ActionOutcome.CLOSED:
                    break
                await world.wait_for_feedback(number + 1)
                await world.open_form(f"/csat {1820000000000000011 + 11 * number}")
                await world.fill_in(message="x" * 3000, external_id="x" * 256)
            sent = len(world.x.feedbacks)

            assert result.outcome is ActionOutcome.UPDATED
            assert "Not saved, nothing was sent" in visible_text(world.workspace.current_view(fixtures.ADA))
            assert sent == len(world.x.feedbacks)


@pytest.mark.parametrize("timeouts", [WITHOUT_LOOK_UP])
async def test_a_slow_lookup_does_not_delay_the_acknowledgement(world: World) -> None:
    with world.x.hold(Endpoint.LOOKUP):
        result = await world.submit_survey("/csat @mira_k")

    assert result.outcome is ActionOutcome.CLOSED
    assert (await world.wait_for_feedback()).to_user_id == world.x.customer("mira_k").id


@pytest.mark.parametrize("timeouts", [WITHOUT_LOOK_UP])
async def test_a_customer_found_missing_later_is_reported_to_the_requester_only(world: World) -> None:
    with world.x.hold(Endpoint.LOOKUP):
        await world.submit_survey("/csat @nobody_at_all")
    answer = await world.wait_for_message("was not sent")

    assert answer.visible_to == fixtures.ADA
    assert "There is no such customer on X" in visible_text(answer)
    assert world.x.feedbacks == []


async def test_a_refused_lookup_names_the_cause_and_asks_for_the_numeric_id(world: World) -> None:
    world.x.fail(Fault.WRONG_PLAN, Endpoint.LOOKUP)
    result = await world.submit_survey("/csat @mira_k")

    assert result.errors["recipient:0"] == (
        "X doesn't allow this app to look up handles. "
        "Enter the customer's numeric ID, or ask an admin of this app."
    )


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (Fault.WRONG_KEYS, "X isn't accepting surveys (it rejects this app's keys)."),
        (Fault.NO_CREDIT, "X isn't accepting surveys (this app has no API credit left)."),
        (Fault.RESET, "X is busy or can't be reached."),
    ],
)
async def test_a_survey_waits_if_a_numeric_id_would_not_help_to_send_it(
    world: World, fault: Fault, cause: str
) -> None:
    for endpoint in (Endpoint.LOOKUP, Endpoint.CREATE):
        world.x.fail(fault, endpoint)
    result = await world.submit_survey("/csat @mira_k")
    await world.wait_until(is_app_idle)
    world.notify_after.set()
    waiting = await world.wait_for_dm("Queued")
    assert result.outcome is ActionOutcome.CLOSED
    assert cause in visible_text(waiting)

    world.x.recover()
    await world.advance(minutes=20)
    assert (await world.wait_for_feedback()).to_user_id == world.x.customer("mira_k").id


async def test_a_requester_without_permission_sees_an_error_in_the_form(world: World) -> None:
    await world.open_form("/csat @mira_k")
    payload = {"user": {"id": fixtures.GUS, "team_id": fixtures.TEAM}}
    await world.workspace.submit_view(fixtures.ADA)
    await world.wait_for_feedback()
    view = {**world.workspace.deliveries[-1].payload["view"], "id": "VFORGED"}
    forged = await world.forge(view=view, **payload)

    assert forged.response
    assert "Guests can't send surveys" in str(forged.response)
    assert len(world.x.feedbacks) == 1


async def test_the_response_url_is_erased_after_half_an_hour(world: World) -> None:
    await world.submit_survey("/csat @mira_k")
    await world.wait_for_message("sent a survey")
    ((response_url,),) = world.rows(tables.surveys.c.response_url)
    assert response_url.startswith("http")

    await world.advance(minutes=31)
    await world.wait_until(lambda: world.rows(tables.surveys.c.response_url) == [("",)])


async def test_an_unexpected_error_shows_a_reference_and_keeps_the_form_open(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await world.open_form("/csat @mira_k")
    await world.fill_in(message="A secret between us")

    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("handlers.form_submission._check", broken)
    result = await world.workspace.submit_view(fixtures.ADA)

    assert result.outcome is ActionOutcome.ERRORS
    (sentence,) = result.errors.values()
    reference = sentence.rsplit(" ", 1)[1].rstrip(".")
    assert reference in caplog.text
    assert "A secret between us" not in caplog.text
    assert timedelta(0) == world.clock.ahead
