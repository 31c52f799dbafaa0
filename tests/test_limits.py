"""How often a customer may be asked, and that nobody gets around it."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from csat.db import submissions
from csat.db.accounts import open_account
from csat.db.database import Database
from csat.surveys.limits import DenialReason, Denied, Limits, PreviousSurvey, find_denial
from csat.surveys.recipients import Recipient
from csat.surveys.states import State
from sandbox.slack import ActionOutcome, ActionResult, fixtures
from sandbox.x import Fault
from tests.factories import NOON, make_origin, make_survey
from tests.world import World, running_world, visible_text

MIRA = Recipient(handle="mira_k", id="33")
HOUR = timedelta(hours=1)


@pytest.fixture(name="world")
def _world(any_world: World) -> World:
    return any_world


def earlier(ago: timedelta | None, *, test: bool = False) -> PreviousSurvey:
    """Return a survey that X took so long ago, or one that is under way."""
    state, at = (State.ACCEPTED, None) if ago is None else (State.SENT, NOON - ago)
    return PreviousSurvey(
        survey_id=1, state=state, sent_at=at, test=test, requester="U1", channel="C1", thread="1.2"
    )


@pytest.mark.parametrize(
    ("asked", "reason", "again"),
    [
        ([], None, None),
        ([earlier(None)], DenialReason.PENDING, None),
        ([earlier(23 * HOUR)], DenialReason.COOLDOWN, NOON + timedelta(days=7) - 23 * HOUR),
        ([earlier(25 * HOUR)], DenialReason.COOLDOWN, NOON + timedelta(days=7) - 25 * HOUR),
        ([earlier(timedelta(days=7))], None, None),
        ([earlier(23 * HOUR, test=True)], DenialReason.DAY, NOON + HOUR),
        ([earlier(25 * HOUR, test=True)], None, None),
        ([earlier(25 * HOUR), earlier(None)], DenialReason.PENDING, None),
    ],
)
def test_what_stands_in_the_way_and_until_when(
    asked: list[PreviousSurvey], reason: DenialReason | None, again: datetime | None
) -> None:
    standing = find_denial(MIRA, asked, Limits(), NOON)

    assert (standing.reason if standing else None) == reason
    assert (standing.retry_at if standing else None) == again


def test_without_cooldown_a_day_is_enough_and_the_allowlist_needs_none() -> None:
    free = Limits(cooldown=timedelta(0))
    listed = Limits(cooldown=timedelta(0), allowlist=frozenset({"mira_k"}))

    assert find_denial(MIRA, [earlier(23 * HOUR)], free, NOON)
    assert not find_denial(MIRA, [earlier(24 * HOUR)], free, NOON)
    assert not find_denial(MIRA, [earlier(HOUR)], listed, NOON)
    assert find_denial(MIRA, [earlier(None)], listed, NOON)


async def outcomes(database: Database, keys: list[str]) -> Counter[str]:
    """Submit for all of these customers at once, and count what becomes of it."""
    await database.run(open_account, "A1")

    async def submit(number: int, key: str) -> str:
        submission = submissions.Submission(f"V{number}", make_survey(), make_origin(), "A1", "one", key)
        try:
            await database.run(submissions.accept, submission, Limits(), NOON)
        except Denied as denied:
            return denied.denial.reason
        return "accepted"

    return Counter(await asyncio.gather(*(submit(number, key) for number, key in enumerate(keys))))


async def test_of_fifty_people_who_ask_one_customer_at_once_one_does(database: Database) -> None:
    assert await outcomes(database, ["mira"] * 50) == {"accepted": 1, DenialReason.PENDING: 49}


async def test_of_1200_surveys_a_thousand_are_accepted(database: Database) -> None:
    keys = [f"customer {number}" for number in range(1_200)]

    assert await outcomes(database, keys) == {"accepted": 1_000, DenialReason.QUOTA: 200}


async def ask(
    world: World, recipient: str = "@mira_k", user: str = fixtures.ADA, **fields: Any
) -> ActionResult:
    return await world.submit_survey(f"/csat {recipient}", user, **fields)


async def sent(world: World, number: int = 1) -> None:
    await world.wait_for_feedback(number)
    await world.wait_until(lambda: world.states().count("sent") == number)


def form_of(world: World, user: str = fixtures.ADA) -> str:
    view = world.workspace.current_view(user)
    assert view
    return visible_text(view.blocks)


async def test_the_form_says_why_not_before_anything_is_sent(world: World) -> None:
    await ask(world)
    await sent(world)
    seen = await ask(world, user=fixtures.BEN, message="Kept as typed")

    assert seen.outcome is ActionOutcome.UPDATED
    assert "Not sent. This customer got a survey recently." in form_of(world, fixtures.BEN)
    assert f"<@{fixtures.ADA}> asked" in form_of(world, fixtures.BEN)
    assert "Possible again from" in form_of(world, fixtures.BEN)
    view = world.workspace.current_view(fixtures.BEN)
    assert view
    assert "{date_short_pretty} at {time}" in str(view.blocks)
    assert len(world.x.feedbacks) == 1

    await world.fill_in(fixtures.BEN, recipient="@sofie_l")
    await world.workspace.submit_view(fixtures.BEN)
    assert (await world.wait_for_feedback(2)).message == "Kept as typed"


async def test_the_same_customer_by_id_is_the_same_customer(world: World) -> None:
    await ask(world)
    await sent(world)

    assert (await ask(world, world.x.customer("mira_k").id)).outcome is ActionOutcome.UPDATED


async def test_after_the_cooldown_they_can_be_asked_again(world: World) -> None:
    await ask(world)
    await sent(world)
    world.clock.advance(days=7, minutes=1)

    assert (await ask(world)).outcome is ActionOutcome.CLOSED
    await sent(world, 2)


@pytest.mark.parametrize(
    ("channel", "reader_in", "linked"),
    [
        (fixtures.SUPPORT, fixtures.LOUNGE, True),
        (fixtures.ESCALATIONS, fixtures.LOUNGE, False),
        (fixtures.ESCALATIONS, fixtures.ESCALATIONS, True),
    ],
)
async def test_the_thread_is_linked_only_where_its_reader_may_see_it(
    world: World, channel: str, reader_in: str, *, linked: bool
) -> None:
    message = await world.workspace.post_message(fixtures.ADA, channel, "@mira_k")
    await world.workspace.run_shortcut(fixtures.ADA, channel, message.ts, "send_survey")
    await world.wait_for_form()
    await world.workspace.submit_view(fixtures.ADA)
    await sent(world)
    await world.submit_survey("/csat @mira_k", fixtures.CLEO, reader_in)

    assert ("in this thread" in form_of(world, fixtures.CLEO)) is linked
    assert (f"archives/{channel}" in str(world.workspace.current_view(fixtures.CLEO))) is linked


async def test_a_refusal_gives_the_reservation_back(world: World) -> None:
    world.x.fail(Fault.LOOKS_AUTOMATED)
    await ask(world)
    await world.wait_for_message("was not sent")
    world.x.recover()

    assert (await ask(world)).outcome is ActionOutcome.CLOSED
    await sent(world)


@pytest.mark.usefixtures("impatient")
async def test_an_unknown_outcome_keeps_the_reservation(world: World) -> None:
    world.x.fail(Fault.HANG)
    await ask(world)
    await world.wait_for_message("It is not known whether")

    assert (await ask(world)).outcome is ActionOutcome.UPDATED


async def test_a_loser_that_was_resolved_later_is_refused_with_the_same_reason(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ask(world, world.x.customer("mira_k").id)
    await sent(world)
    monkeypatch.setattr("handlers.services.LOOKUP_TIMEOUT_SECONDS", 0.0)

    assert (await ask(world)).outcome is ActionOutcome.CLOSED
    answer = await world.wait_for_message("was not sent")
    assert "This customer got a survey recently" in visible_text(answer)
    assert "Possible again from" in visible_text(answer)
    assert len(world.x.feedbacks) == 1


async def test_the_account_s_own_limit_is_told(tmp_path: Path) -> None:
    async with running_world(tmp_path, csat_daily_limit=1) as world:
        await ask(world)
        await sent(world)
        seen = await ask(world, "@sofie_l")

        assert seen.outcome is ActionOutcome.UPDATED
        assert "all the surveys that X allows in 24 hours" in form_of(world)
        assert "Possible again from" in form_of(world)


async def test_status_tells_what_became_of_the_last_surveys_and_when_it_is_possible_again(
    world: World,
) -> None:
    await ask(world, "@mira_k")
    await sent(world)
    await world.workspace.run_command(fixtures.BEN, fixtures.SUPPORT, "/csat status @mira_k")
    answer = await world.wait_for_message("Possible again from", viewer=fixtures.BEN)

    assert answer.visible_to == fixtures.BEN
    assert f"<@{fixtures.ADA}> asked, sent, no answer yet" in visible_text(answer)


async def test_status_of_somebody_new_says_so(world: World) -> None:
    await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, "/csat status @sofie_l")

    assert "Nobody has asked them yet." in visible_text(
        await world.wait_for_message("They can be asked now.")
    )


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("/csat status", "Name the customer"),
        ("/csat status what", "Did you mean /csat status @what?"),
        ("/csat status @nobody_here", "There is no such customer on X"),
    ],
)
async def test_status_says_what_it_needs(world: World, text: str, answer: str) -> None:
    await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, text)

    await world.wait_for_message(answer)
