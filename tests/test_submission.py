"""Submitting the form: accepted durably before Slack is acknowledged, and exactly once."""

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from csat.db import database as db_module
from sandbox.slack import ActionOutcome, fixtures
from sandbox.x import Endpoint, Fault
from tests.world import World, living, said


async def test_a_submission_delivered_many_times_is_one_survey_with_one_answer(either_world: World) -> None:
    world = either_world
    await world.opened("/csat @mira_k")
    world.workspace.faults.duplicate_deliveries = 4
    seen = await world.workspace.submit_view(fixtures.ADA)
    await world.message("asked")
    delivery = next(d for d in world.workspace.deliveries if d.payload.get("type") == "view_submission")
    again = await world.workspace.redeliver(delivery)

    assert seen.outcome is ActionOutcome.CLOSED
    assert not again.error
    assert [call.path for call in world.x.requests].count("/1.1/feedback/create.json") == 1
    assert len(world.everything()) == 1


async def test_a_form_that_was_changed_after_it_was_accepted_says_so(world: World) -> None:
    await world.opened("/csat @mira_k")
    await world.type_in(message="As it was")
    await world.workspace.submit_view(fixtures.ADA)
    await world.message("asked")
    delivery = next(d for d in world.workspace.deliveries if d.payload.get("type") == "view_submission")
    view = delivery.payload["view"]
    values = {
        **view["state"]["values"],
        "message": {"message": {"type": "plain_text_input", "value": "Other"}},
    }
    world.workspace.deliveries.append(delivery)
    changed = await world.forge(view={**view, "state": {"values": values}})

    assert "already accepted as you sent it before" in str(changed.response)
    assert [feedback.message for feedback in world.x.feedbacks] == ["As it was"]


async def test_a_ledger_that_is_too_busy_writes_nothing_later_either(world: World) -> None:
    await world.opened("/csat @mira_k")
    lock = sqlite3.connect(world.database_file)
    lock.execute("begin immediate")
    await world.workspace.submit_view(fixtures.ADA)
    lock.close()
    await world.until(lambda: world.database("select count(*) from outbox") == [(0,)])

    assert world.database("select count(*) from surveys") == [(0,)]


@pytest.mark.usefixtures("impatient")
async def test_a_submission_is_in_the_ledger_when_slack_is_acknowledged(world: World) -> None:
    world.x.fail(Fault.HANG)
    await world.opened("/csat @mira_k")
    await world.workspace.submit_view(fixtures.ADA)

    with sqlite3.connect(world.database_file) as database:
        row = database.execute("select view_id, requester, recipient_id from surveys").fetchone()
    assert row[1:] == (fixtures.ADA, world.x.customer("mira_k").id)


async def test_a_locked_ledger_keeps_the_form_open_and_nothing_is_lost(world: World) -> None:
    await world.opened("/csat @mira_k")
    await world.type_in(message="Dear Mira")
    lock = sqlite3.connect(world.database_file)
    lock.execute("begin immediate")
    seen = await world.workspace.submit_view(fixtures.ADA)
    lock.close()

    assert seen.outcome is ActionOutcome.UPDATED
    view = world.workspace.current_view(fixtures.ADA)
    assert view
    assert "Not saved, nothing was sent" in said(view.blocks)
    assert world.x.feedbacks == []

    seen = await world.workspace.submit_view(fixtures.ADA)
    assert seen.outcome is ActionOutcome.CLOSED
    assert (await world.sent()).message == "Dear Mira"


async def test_a_full_disk_keeps_the_form_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with living(tmp_path) as world:
        with sqlite3.connect(world.database_file) as database:
            pages = database.execute("pragma page_count").fetchone()[0]
    monkeypatch.setattr(db_module, "PRAGMAS", (*db_module.PRAGMAS, f"max_page_count={pages}"))
    async with living(tmp_path) as world:
        await world.opened("/csat @mira_k")
        await world.type_in(message="x" * 3000, external_id="x" * 256)
        for number in range(3):
            seen = await world.workspace.submit_view(fixtures.ADA)
            if seen.outcome is not ActionOutcome.CLOSED:
                break
            await world.sent(number + 1)
            await world.opened(f"/csat {1820000000000000011 + 11 * number}")
            await world.type_in(message="x" * 3000, external_id="x" * 256)
        sent = len(world.x.feedbacks)

        assert seen.outcome is ActionOutcome.UPDATED
        assert "Not saved, nothing was sent" in said(world.workspace.current_view(fixtures.ADA).blocks)  # type: ignore[union-attr]
        assert sent == len(world.x.feedbacks)


async def test_a_look_up_that_takes_long_does_not_hold_up_the_person(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.look_up.IN_TIME", 0.05)
    world.x.delay_seconds = 0.4
    world.x.fail(Fault.SLOW, Endpoint.LOOKUP)
    await world.opened("/csat @mira_k")
    seen = await world.workspace.submit_view(fixtures.ADA)

    assert seen.outcome is ActionOutcome.CLOSED
    assert (await world.sent()).to_user_id == world.x.customer("mira_k").id


async def test_a_customer_found_missing_later_is_told_to_the_requester_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.look_up.IN_TIME", 0.05)
    world.x.delay_seconds = 0.3
    world.x.fail(Fault.SLOW, Endpoint.LOOKUP)
    await world.opened("/csat @nobody_at_all")
    await world.workspace.submit_view(fixtures.ADA)
    answer = await world.message("was not sent")

    assert answer.visible_to == fixtures.ADA
    assert "There is no such customer on X" in said(answer)
    assert world.x.feedbacks == []


async def test_where_x_refuses_look_ups_the_numeric_id_is_asked_for(world: World) -> None:
    world.x.fail(Fault.NO_CREDIT, Endpoint.LOOKUP)
    await world.opened("/csat @mira_k")
    seen = await world.workspace.submit_view(fixtures.ADA)

    assert "Enter the customer's numeric id instead." in seen.errors["recipient:0"]


async def test_a_person_who_may_no_longer_send_is_told_in_the_form(world: World) -> None:
    await world.opened("/csat @mira_k")
    payload = {"user": {"id": fixtures.GUS, "team_id": fixtures.TEAM}}
    await world.workspace.submit_view(fixtures.ADA)
    await world.sent()
    view = {**world.workspace.deliveries[-1].payload["view"], "id": "VFORGED"}
    forged = await world.forge(view=view, **payload)

    assert forged.response
    assert "Guests can't send surveys" in str(forged.response)
    assert len(world.x.feedbacks) == 1


async def test_the_response_url_is_forgotten_after_half_an_hour(world: World) -> None:
    await world.opened("/csat @mira_k")
    await world.workspace.submit_view(fixtures.ADA)
    await world.message("asked")

    def kept() -> str:
        with sqlite3.connect(world.database_file) as database:
            return str(database.execute("select response_url from surveys").fetchone()[0])

    assert kept().startswith("http")
    world.clock.advance(minutes=31)
    await world.until(lambda: not kept())


async def test_an_unexpected_error_is_told_with_a_reference_and_the_form_stays(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await world.opened("/csat @mira_k")
    await world.type_in(message="A secret between us")

    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("handlers.form._complete", broken)
    seen = await world.workspace.submit_view(fixtures.ADA)

    assert seen.outcome is ActionOutcome.ERRORS
    (sentence,) = seen.errors.values()
    reference = sentence.rsplit(" ", 1)[1].rstrip(".")
    assert reference in caplog.text
    assert "A secret between us" not in caplog.text
    assert timedelta(0) == world.clock.ahead
