"""The cooldown per customer and the daily limit per account."""

import asyncio
import json
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from blocks.survey_notifications import CANCEL_ACTION, EDIT_ACTION
from blocks.uncertain_survey import ARRIVED_ACTION, LEAVE_ACTION, SEND_AGAIN_ACTION
from csat.db import submissions, tables
from csat.db.account_pauses import ensure_account
from csat.db.database import Database
from csat.db.limits import find_quota_denial
from csat.surveys.limits import Denial, DenialReason, Denied, Limits, PreviousSurvey, find_denial
from csat.surveys.recipients import XAccount
from csat.surveys.states import State
from csat.surveys.transports import TransportName
from handlers.services import GONE
from sandbox.slack import ActionOutcome, ActionResult, Message, fixtures
from sandbox.x import Endpoint, Fault
from tests.factories import NOON, make_origin, make_row, make_survey, replace_surveys
from tests.timeouts import GENEROUS, WITHOUT_LOOK_UP
from tests.world import World, running_world, visible_text

MIRA = XAccount(handle="mira_k", id="33")
HOUR = timedelta(hours=1)


@pytest.fixture(name="world")
def _world(any_world: World) -> World:
    return any_world


def previous_survey(ago: timedelta | None, *, test: bool = False) -> PreviousSurvey:
    """Return a survey sent `ago`, or a pending one if `ago` is None."""
    state, at = (State.ACCEPTED, None) if ago is None else (State.SENT, NOON - ago)
    return PreviousSurvey(
        survey_id=1,
        state=state,
        asked_at=at or NOON,
        sent_at=at,
        test=test,
        transport=TransportName.X_CARD,
        team="T1",
        requester="U1",
        channel="C1",
        thread="1.2",
    )


@pytest.mark.parametrize(
    ("surveys", "reason", "retry_at"),
    [
        ([], None, None),
        ([previous_survey(None)], DenialReason.PENDING, None),
        ([previous_survey(23 * HOUR)], DenialReason.COOLDOWN, NOON + timedelta(days=7) - 23 * HOUR),
        ([previous_survey(25 * HOUR)], DenialReason.COOLDOWN, NOON + timedelta(days=7) - 25 * HOUR),
        ([previous_survey(timedelta(days=7))], None, None),
        ([previous_survey(23 * HOUR, test=True)], DenialReason.DAY, NOON + HOUR),
        ([previous_survey(25 * HOUR, test=True)], None, None),
        ([previous_survey(25 * HOUR), previous_survey(None)], DenialReason.PENDING, None),
    ],
)
def test_previous_surveys_deny_a_survey_until_a_given_time(
    surveys: list[PreviousSurvey], reason: DenialReason | None, retry_at: datetime | None
) -> None:
    denial = find_denial(MIRA, surveys, Limits(), NOON)

    assert (denial.reason if denial else None) == reason
    assert (denial.retry_at if denial else None) == retry_at


def test_without_a_cooldown_a_day_must_pass_except_for_the_allowlist() -> None:
    no_cooldown = Limits(cooldown=timedelta(0))
    allowlisted = Limits(cooldown=timedelta(0), allowlist=frozenset({"mira_k"}))

    assert find_denial(MIRA, [previous_survey(23 * HOUR)], no_cooldown, NOON)
    assert not find_denial(MIRA, [previous_survey(24 * HOUR)], no_cooldown, NOON)
    assert not find_denial(MIRA, [previous_survey(HOUR)], allowlisted, NOON)
    assert find_denial(MIRA, [previous_survey(None)], allowlisted, NOON)


async def submit_concurrently(
    database: Database, keys: list[str], limits: Limits | None = None
) -> Counter[str]:
    """Submit a survey for each recipient key concurrently and count the outcomes."""
    await database.run(ensure_account, "A1")

    async def submit(number: int, key: str) -> str:
        submission = submissions.Submission(f"V{number}", make_survey(), make_origin(), "A1", "one", key)
        try:
            await database.run(submissions.accept, submission, limits or Limits(), NOON)
        except Denied as denied:
            return denied.denial.reason
        return "accepted"

    return Counter(await asyncio.gather(*(submit(number, key) for number, key in enumerate(keys))))


async def test_only_one_of_fifty_concurrent_surveys_to_a_customer_is_accepted(database: Database) -> None:
    assert await submit_concurrently(database, ["mira"] * 50) == {"accepted": 1, DenialReason.PENDING: 49}


async def test_concurrent_surveys_do_not_exceed_the_daily_limit(database: Database) -> None:
    keys = [f"customer {number}" for number in range(60)]

    outcomes = await submit_concurrently(database, keys, Limits(daily={TransportName.X_CARD: 50}))

    assert outcomes == {"accepted": 50, DenialReason.QUOTA: 10}


@pytest.mark.slow
async def test_only_a_thousand_surveys_a_day_are_accepted(database: Database) -> None:
    tomorrow = NOON + timedelta(days=1)
    sent = [make_row(view_id=f"sent {number}", quota_until=tomorrow) for number in range(950)]
    await database.run(ensure_account, "A1")
    await database.run(replace_surveys, sent)
    keys = [f"another {number}" for number in range(100)]

    assert await submit_concurrently(database, keys) == {"accepted": 50, DenialReason.QUOTA: 50}


async def submit_survey(
    world: World, recipient: str = "@mira_k", user: str = fixtures.ADA, **fields: Any
) -> ActionResult:
    return await world.submit_survey(f"/csat {recipient}", user, **fields)


async def wait_until_sent(world: World, number: int = 1) -> None:
    await world.wait_for_feedback(number)
    await world.wait_until(lambda: world.states().count("sent") == number)


def form_text(world: World, user: str = fixtures.ADA) -> str:
    view = world.workspace.current_view(user)
    assert view
    return visible_text(view.blocks)


async def test_the_form_explains_a_denial_and_keeps_the_typed_text(world: World) -> None:
    await submit_survey(world)
    await wait_until_sent(world)
    result = await world.submit_survey("/csat", fixtures.BEN, recipient="@mira_k", message="Kept as typed")

    assert result.errors == {"recipient:0": "Nothing was sent."}
    view = world.workspace.current_view(fixtures.BEN)
    assert view
    by_customer, *_, banner, at_end = view.blocks[1:]
    assert visible_text(banner) == "Nothing was sent to @mira_k."
    for reason in (by_customer, at_end):
        assert "Can't be asked until " in visible_text(reason)
        assert f"<@{fixtures.ADA}> asked on " in visible_text(reason)
        assert "{date_short_pretty} at {time}" in str(reason)
        assert "'{date_short}'" in str(reason), "the day on which they were asked"
    assert len(world.x.feedbacks) == 1

    await world.fill_in(fixtures.BEN, recipient="@sofie_l")
    await world.workspace.submit_view(fixtures.BEN)
    assert (await world.wait_for_feedback(2)).message == "Kept as typed"


async def test_a_form_that_slack_does_not_update_has_the_reason_below_the_customer(world: World) -> None:
    await submit_survey(world)
    await wait_until_sent(world)
    world.workspace.faults.fail("views.update", "internal_error")
    result = await submit_survey(world, "@mira_k", fixtures.BEN)

    assert result.errors == {"recipient:0": "Can't be asked now. This customer was asked recently."}


async def test_the_form_opens_with_the_reason_why_a_known_customer_can_not_be_asked(world: World) -> None:
    await submit_survey(world)
    await wait_until_sent(world)
    for customer in ("@MIRA_K", "https://x.com/mira_k", world.x.customer("mira_k").id):
        form = await world.open_form(f"/csat {customer}", fixtures.BEN)

        assert visible_text(form.blocks[1]).startswith("Can't be asked until ")
        assert f"<@{fixtures.ADA}> asked" in visible_text(form.blocks[1])
        assert form_text(world, fixtures.BEN).count("Can't be asked") == 1
        await world.workspace.close_view(fixtures.BEN)
    assert "Can't be asked" not in visible_text(await world.open_form("/csat @sofie_l", fixtures.BEN))


async def test_the_form_finds_the_survey_to_a_customer_who_has_another_handle_now(world: World) -> None:
    await submit_survey(world)
    await wait_until_sent(world)
    with world.engine.begin() as connection:
        connection.execute(tables.surveys.update().values(recipient_handle="former_mira"))
    form = await world.open_form("/csat @mira_k", fixtures.BEN)

    assert visible_text(form.blocks[1]).startswith("Can't be asked until ")


async def test_the_reason_is_shown_only_for_the_customer_in_the_form(world: World) -> None:
    await submit_survey(world)
    await wait_until_sent(world)
    message = await world.workspace.post_message(fixtures.CLEO, fixtures.SUPPORT, "@sofie_l and @mira_k")
    await world.workspace.run_shortcut(fixtures.BEN, fixtures.SUPPORT, message.ts, "send_survey")
    await world.wait_for_form(fixtures.BEN)
    assert "Can't be asked" not in form_text(world, fixtures.BEN)

    await world.workspace.click(fixtures.BEN, "use_customer:0")
    await world.wait_until(lambda: "Can't be asked" in form_text(world, fixtures.BEN))
    await world.fill_in(fixtures.BEN, recipient="@sofie_l", message="Hello Sofie")
    await world.wait_until(lambda: "Hello Sofie" in form_text(world, fixtures.BEN))
    assert "Can't be asked" not in form_text(world, fixtures.BEN)


async def test_a_form_that_was_opened_before_an_upgrade_can_be_submitted(world: World) -> None:
    await submit_survey(world)
    await wait_until_sent(world)
    form = await world.open_form("/csat @mira_k", fixtures.BEN)
    metadata = json.loads(form.private_metadata)
    del metadata["denial"]["previous"]["asked_at"]  # which older versions did not write
    form.content["private_metadata"] = json.dumps(metadata)
    await world.fill_in(fixtures.BEN, recipient="@sofie_l", message="Hello Sofie")
    await world.workspace.submit_view(fixtures.BEN)

    assert (await world.wait_for_feedback(2)).message == "Hello Sofie"


@pytest.mark.parametrize(
    ("fault", "endpoint", "fact", "advice", "for_others"),
    [
        (
            Fault.OVER_CAPACITY,
            Endpoint.LOOKUP,
            "waits for X.",
            "Cancel it in this app's Messages.",
            "Wait, or ask them to cancel it.",
        ),
        (
            Fault.GATEWAY_TIMEOUT,
            Endpoint.CREATE,
            "may not have arrived.",
            "Settle it in this app's Messages.",
            "Ask them to settle it.",
        ),
    ],
)
async def test_a_survey_that_may_not_reach_its_customer_is_not_said_to_have_asked_them(
    world: World, fault: Fault, endpoint: Endpoint, fact: str, advice: str, for_others: str
) -> None:
    world.x.fail(fault, endpoint)
    await submit_survey(world)
    world.notify_after.set()
    await world.wait_for_dm(fact if "arrived" in fact else "Queued")
    mine = visible_text((await world.open_form("/csat @mira_k")).blocks[1])
    theirs = visible_text((await world.open_form("/csat @mira_k", fixtures.BEN)).blocks[1])

    assert mine.endswith(f"Your survey of  {fact} {advice}")
    assert theirs.endswith(f"<@{fixtures.ADA}>'s survey of  {fact} {for_others}")
    assert "asked on" not in mine + theirs


async def test_a_survey_that_waits_for_its_handle_to_be_resolved_denies_others(any_world: World) -> None:
    any_world.x.fail(Fault.RATE_LIMITED, Endpoint.LOOKUP)
    await submit_survey(any_world, "@Mira_K")
    any_world.notify_after.set()
    await any_world.wait_for_dm("Queued")
    any_world.x.recover()

    await any_world.workspace.run_command(fixtures.BEN, fixtures.SUPPORT, "/csat status @mira_k")
    status = await any_world.wait_for_message("waits for X", viewer=fixtures.BEN)
    await any_world.open_form("/csat @mira_k", fixtures.BEN)
    result = await any_world.workspace.submit_view(fixtures.BEN)

    assert "Can't be asked now." in visible_text(status)
    assert result.outcome is ActionOutcome.ERRORS
    assert "waits for X. Wait, or ask them to cancel it." in form_text(any_world, fixtures.BEN)
    assert any_world.states() == ["accepted"]


async def test_a_handle_that_is_not_resolved_is_denied_what_is_on_file_for_it(world: World) -> None:
    world.insert_rated([None], recipient="@Mira_K")
    with world.engine.begin() as connection:
        connection.execute(tables.surveys.update().values(account=world.x.account.id))
    world.x.fail(Fault.OVER_CAPACITY, Endpoint.LOOKUP)

    assert (await submit_survey(world, "@mira_k")).outcome is ActionOutcome.ERRORS
    assert world.states() == ["sent"]


@pytest.mark.parametrize(
    ("reason", "state", "sentence"),
    [
        (DenialReason.PENDING, State.ACCEPTED, "Another survey to this customer waits for X."),
        (DenialReason.PENDING, State.SENDING, "Another survey to this customer is on its way."),
        (DenialReason.COOLDOWN, State.UNCERTAIN, "Another survey to this customer may not have arrived."),
        (DenialReason.COOLDOWN, State.REFUSED, "Another survey to this customer may not have arrived."),
        (DenialReason.COOLDOWN, State.SENT, "This customer was asked recently."),
        (DenialReason.DAY, State.UNCERTAIN, "X allows one survey per customer in 24 hours."),
    ],
)
def test_the_sentence_of_a_denial_says_only_what_is_known(
    reason: DenialReason, state: State, sentence: str
) -> None:
    previous = previous_survey(HOUR).model_copy(update={"state": state})

    assert Denial(reason=reason, previous=previous).sentence() == sentence


async def test_the_cooldown_applies_to_handle_and_id_alike(world: World) -> None:
    await submit_survey(world)
    await wait_until_sent(world)

    assert (await submit_survey(world, world.x.customer("mira_k").id)).outcome is ActionOutcome.ERRORS


async def test_a_customer_can_be_asked_again_after_the_cooldown(world: World) -> None:
    await submit_survey(world)
    await wait_until_sent(world)
    await world.advance(days=7, minutes=1)

    assert (await submit_survey(world)).outcome is ActionOutcome.CLOSED
    await wait_until_sent(world, 2)


@pytest.mark.parametrize(
    ("channel", "reader_channel", "linked"),
    [
        (fixtures.SUPPORT, fixtures.LOUNGE, True),
        (fixtures.ESCALATIONS, fixtures.LOUNGE, False),
        (fixtures.ESCALATIONS, fixtures.ESCALATIONS, True),
    ],
)
async def test_the_previous_thread_is_linked_only_for_readers_with_access(
    world: World, channel: str, reader_channel: str, *, linked: bool
) -> None:
    message = await world.workspace.post_message(fixtures.ADA, channel, "@mira_k")
    await world.workspace.run_shortcut(fixtures.ADA, channel, message.ts, "send_survey")
    await world.wait_for_form()
    await world.workspace.submit_view(fixtures.ADA)
    await wait_until_sent(world)
    await world.submit_survey("/csat @mira_k", fixtures.CLEO, reader_channel)

    assert ("in this thread" in form_text(world, fixtures.CLEO)) is linked
    assert (f"archives/{channel}" in str(world.workspace.current_view(fixtures.CLEO))) is linked


async def test_a_refusal_releases_the_reservation(world: World) -> None:
    world.x.fail(Fault.LOOKS_AUTOMATED)
    await submit_survey(world)
    await world.wait_for_message("was not sent")
    world.x.recover()

    assert (await submit_survey(world)).outcome is ActionOutcome.CLOSED
    await wait_until_sent(world)


async def test_an_unknown_outcome_keeps_the_reservation(world: World) -> None:
    world.x.fail(Fault.GATEWAY_TIMEOUT)
    await submit_survey(world)
    await world.wait_for_dm("may not have arrived")

    assert (await submit_survey(world)).outcome is ActionOutcome.ERRORS


async def send_again_in_vain(world: World, recipient: str = "@mira_k") -> Message:
    """Send a survey that is uncertain, and again as X refuses it; return the message about that."""
    asked = await ask_about_uncertain_survey(world, recipient)
    world.x.fail(Fault.LOOKS_AUTOMATED, Endpoint.CREATE, times=1)
    await world.workspace.click(fixtures.ADA, SEND_AGAIN_ACTION, channel=asked.channel, ts=asked.ts)
    return await world.wait_for_message("was not sent again. The first one may have arrived.")


async def edit(world: World, refused: Message) -> str:
    """Open the form of a refused survey, and return what it says."""
    await world.workspace.click(fixtures.ADA, EDIT_ACTION, channel=refused.channel, ts=refused.ts)
    return visible_text((await world.wait_for_form()).blocks)


async def test_a_survey_that_was_sent_again_in_vain_denies_others_as_it_may_have_arrived(
    world: World,
) -> None:
    await send_again_in_vain(world)
    await world.workspace.run_command(fixtures.BEN, fixtures.SUPPORT, "/csat status @mira_k")
    status = await world.wait_for_message("Can't be asked", viewer=fixtures.BEN)
    form = visible_text((await world.open_form("/csat @mira_k", fixtures.BEN)).blocks[1])
    result = await world.workspace.submit_view(fixtures.BEN)

    assert "Another survey to this customer may not have arrived." in status.text
    assert form.startswith("Can't be asked until ")
    assert form.endswith("may have arrived, and was not sent again. Wait, or ask them to try again.")
    assert result.outcome is ActionOutcome.ERRORS
    assert world.states() == ["refused", "refused"]
    mine = visible_text((await world.open_form("/csat @mira_k")).blocks[1])
    assert mine.endswith(
        "may have arrived, and was not sent again. The message about it may let you try again."
    )


async def cancel_repetition(world: World) -> Message:
    """Send a survey that is uncertain, and again, and cancel that; return the message about it."""
    world.notify_after.set()
    asked = await ask_about_uncertain_survey(world, "@mira_k")
    world.x.fail(Fault.RATE_LIMITED, Endpoint.CREATE)
    await world.workspace.click(fixtures.ADA, SEND_AGAIN_ACTION, channel=asked.channel, ts=asked.ts)
    waiting = await world.wait_for_waiting_message()
    await world.workspace.click(fixtures.ADA, CANCEL_ACTION, channel=waiting.channel, ts=waiting.ts)
    await world.wait_until(lambda: world.states() == ["refused", "cancelled"])
    return await world.wait_for_dm("Canceled: the survey to @mira_k")


async def test_of_a_repetition_that_was_cancelled_it_is_said_that_the_first_one_may_have_arrived(
    world: World,
) -> None:
    cancelled = await cancel_repetition(world)

    assert "was not sent again. The first one may have arrived." in visible_text(cancelled)
    assert "Nothing was sent" not in visible_text(cancelled)


async def test_a_repetition_that_was_cancelled_can_be_edited_and_sent(world: World) -> None:
    cancelled = await cancel_repetition(world)
    world.x.recover()
    assert "Can't be asked" not in await edit(world, cancelled)
    assert (await world.workspace.submit_view(fixtures.ADA)).outcome is ActionOutcome.CLOSED
    await world.wait_for_message("sent a survey to @mira_k")

    assert world.states() == ["refused", "cancelled", "sent"]


async def test_a_survey_whose_repetition_was_cancelled_denies_others_as_it_may_have_arrived(
    world: World,
) -> None:
    await cancel_repetition(world)

    assert "Can't be asked until" in visible_text(await world.open_form("/csat @mira_k", fixtures.BEN))
    assert (await world.workspace.submit_view(fixtures.BEN)).outcome is ActionOutcome.ERRORS


@pytest.mark.parametrize("action_id", [ARRIVED_ACTION, SEND_AGAIN_ACTION, LEAVE_ACTION])
async def test_a_question_whose_survey_is_gone_never_means_another_one_with_its_id(
    world: World, action_id: str
) -> None:
    old = await ask_about_uncertain_survey(world, "@mira_k")
    await world.delete_surveys()
    await world.advance(minutes=1)
    await ask_about_uncertain_survey(world, "@sofie_l")
    await world.workspace.click(fixtures.ADA, action_id, channel=old.channel, ts=old.ts)
    await world.wait_until(lambda: GONE in visible_text(old))

    assert world.states() == ["uncertain"]


async def test_a_survey_that_is_gone_can_not_be_cancelled(world: World) -> None:
    world.x.fail(Fault.RATE_LIMITED, Endpoint.CREATE)
    await submit_survey(world)
    waiting = await world.wait_for_waiting_message()
    await world.delete_surveys()
    await world.workspace.click(fixtures.ADA, CANCEL_ACTION, channel=waiting.channel, ts=waiting.ts)

    await world.wait_until(lambda: GONE in visible_text(waiting))


async def test_a_survey_that_is_gone_can_not_be_edited(world: World) -> None:
    world.x.fail(Fault.LOOKS_AUTOMATED, Endpoint.CREATE)
    await submit_survey(world)
    refused = await world.wait_for_message("was not sent")
    await world.delete_surveys()
    await world.workspace.click(fixtures.ADA, EDIT_ACTION, channel=refused.channel, ts=refused.ts)

    await world.wait_for_message(GONE)


async def ask_about_uncertain_survey(world: World, recipient: str) -> Message:
    """Send a survey that is uncertain; return the question to its requester."""
    world.x.fail(Fault.GATEWAY_TIMEOUT, Endpoint.CREATE, times=1)
    await submit_survey(world, recipient)
    return await world.wait_for_dm(f"The survey to {recipient} may not have arrived")


@pytest.mark.parametrize("timeouts", [GENEROUS, WITHOUT_LOOK_UP], ids=["looked up", "not looked up"])
async def test_a_survey_that_was_sent_again_in_vain_can_be_edited_and_sent(world: World) -> None:
    refused = await send_again_in_vain(world, world.x.customer("mira_k").id)
    world.x.fail(Fault.LOOKS_AUTOMATED, Endpoint.CREATE, times=1)
    assert "Can't be asked" not in await edit(world, refused)
    await world.fill_in(recipient="@mira_k")  # which is resolved before or after it is accepted
    assert (await world.workspace.submit_view(fixtures.ADA)).outcome is ActionOutcome.CLOSED
    await world.wait_until(lambda: world.states() == ["refused", "refused", "refused"])
    refused = await world.wait_for_message("was not sent again. The first one may have arrived.")
    assert "Can't be asked" not in await edit(world, refused)
    assert (await world.workspace.submit_view(fixtures.ADA)).outcome is ActionOutcome.CLOSED
    await world.wait_for_message("sent a survey to @mira_k")

    assert world.states() == ["refused", "refused", "refused", "sent"]


async def test_that_a_repetition_was_refused_is_told_so_though_the_first_one_was_answered_meanwhile(
    world: World,
) -> None:
    world.x.fail(Fault.GATEWAY_TIMEOUT_AFTER, Endpoint.CREATE, times=1)
    await submit_survey(world)
    asked = await world.wait_for_dm("may not have arrived")
    await world.wait_until(world.is_outbox_empty)
    world.x.fail(Fault.LOOKS_AUTOMATED, Endpoint.CREATE, times=1)
    for method in ("chat.postMessage", "chat.update", "response_url", "chat.postEphemeral"):
        world.workspace.faults.fail(method, "503", times=1_000)
    await world.workspace.click(fixtures.ADA, SEND_AGAIN_ACTION, channel=asked.channel, ts=asked.ts)
    await world.wait_until(lambda: world.states() == ["refused", "refused"])
    with world.engine.begin() as connection:
        answered = {"state": State.ANSWERED, "reason": None}
        connection.execute(tables.surveys.update().where(tables.surveys.c.id == 1).values(answered))
    world.workspace.faults.failures.clear()
    await world.advance(minutes=20)

    await world.wait_for_message("was not sent again. The first one may have arrived.")


async def test_of_a_survey_that_was_edited_for_another_customer_nothing_is_said_to_have_arrived(
    world: World,
) -> None:
    refused = await send_again_in_vain(world)
    world.x.fail(Fault.LOOKS_AUTOMATED, Endpoint.CREATE, times=1)
    await edit(world, refused)
    await world.fill_in(recipient="@sofie_l")
    assert (await world.workspace.submit_view(fixtures.ADA)).outcome is ActionOutcome.CLOSED

    await world.wait_for_message("The survey to @sofie_l was not sent.")


async def test_the_edited_survey_is_denied_once_the_first_one_is_known_to_have_arrived(world: World) -> None:
    refused = await send_again_in_vain(world)
    first = tables.surveys.c.id == 1
    with world.engine.begin() as connection:
        connection.execute(tables.surveys.update().where(first).values(state=State.ANSWERED))

    assert "Can't be asked until " in await edit(world, refused)
    assert (await world.workspace.submit_view(fixtures.ADA)).outcome is ActionOutcome.ERRORS


@pytest.mark.parametrize("timeouts", [WITHOUT_LOOK_UP])
async def test_a_survey_resolved_after_submission_is_refused_with_the_same_reason(world: World) -> None:
    await submit_survey(world, world.x.customer("mira_k").id)
    await wait_until_sent(world)

    assert (await submit_survey(world)).outcome is ActionOutcome.CLOSED
    reply = await world.wait_for_message("was not sent")
    assert "This customer was asked recently. Try again after " in visible_text(reply)
    assert len(world.x.feedbacks) == 1


async def test_the_form_says_that_the_daily_limit_is_used_up_before_it_is_sent_and_then(
    tmp_path: Path, database_url: str
) -> None:
    told = "Can't be asked by X's feedback card until . The limit of surveys in 24 hours is used up."
    async with running_world(tmp_path, database_url=database_url, csat_daily_limit=1) as world:
        await world.send_survey()
        form = await world.open_form("/csat @sofie_l")
        assert visible_text(form.blocks[1]) == told

        await world.fill_in(recipient="@ada_travels")
        await world.workspace.press_enter(fixtures.ADA, "recipient")
        await world.wait_until(lambda: told in form_text(world))
        result = await world.workspace.submit_view(fixtures.ADA)

        assert result.outcome is ActionOutcome.ERRORS
        assert told in form_text(world)


async def test_status_says_that_the_daily_limit_is_used_up_also_by_a_survey_that_waits(
    tmp_path: Path, database_url: str
) -> None:
    async with running_world(tmp_path, database_url=database_url, csat_daily_limit=1) as world:
        world.x.fail(Fault.OVER_CAPACITY, Endpoint.CREATE)
        await world.submit_survey()
        status = await read_status(world, "@sofie_l", "Nobody has asked them yet.")

        assert (
            "Can't be asked by X's feedback card now. The limit of surveys in 24 hours is used up." in status
        )
        assert "You can ask them now." not in status


async def test_a_customer_who_was_asked_is_denied_for_that_though_the_daily_limit_is_used_up(
    tmp_path: Path,
) -> None:
    async with running_world(tmp_path, csat_daily_limit=1) as world:
        await world.send_survey()
        await submit_survey(world)

        assert f"<@{fixtures.ADA}> asked on " in form_text(world)
        status = await read_status(world, "@mira_k", "sent, no answer yet")
        assert "The limit of surveys" not in form_text(world) + status


@pytest.mark.parametrize(("daily", "freed_after"), [(3, 1), (2, 2), (1, 3)])
async def test_the_daily_limit_denies_a_survey_until_enough_of_those_that_count_have_ended(
    database: Database, daily: int, freed_after: int
) -> None:
    await submit_concurrently(database, ["mira", "sofie", "tomas"])
    surveys = tables.surveys

    def end_after_an_hour_each(connection: Connection) -> None:
        for number in (1, 2, 3):
            ended = surveys.update().where(surveys.c.id == number)
            connection.execute(ended.values(quota_until=NOON + number * HOUR))

    await database.run(end_after_an_hour_each)
    limits = Limits(daily={TransportName.X_CARD: daily})
    denials = [
        await database.read(find_quota_denial, "A1", TransportName.X_CARD, limits, NOON + hours * HOUR)
        for hours in (0, freed_after)
    ]

    expected = Denial(
        reason=DenialReason.QUOTA, transport=TransportName.X_CARD, retry_at=NOON + freed_after * HOUR
    )
    assert denials == [expected, None]


async def read_status(world: World, customer: str, known: str) -> str:
    """Return the reply to Ada's `/csat status` that has a text."""
    await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, f"/csat status {customer}")
    return visible_text(await world.wait_for_message(known))


async def test_status_shows_recent_surveys_and_when_the_next_is_possible(
    world: World,
) -> None:
    await submit_survey(world, "@mira_k")
    await wait_until_sent(world)
    await world.workspace.run_command(fixtures.BEN, fixtures.SUPPORT, "/csat status @mira_k")
    reply = await world.wait_for_message("Can't be asked until ", viewer=fixtures.BEN)

    assert reply.visible_to == fixtures.BEN
    assert "This customer was asked recently." in reply.text
    assert f"sent, no answer yet, asked by <@{fixtures.ADA}>" in visible_text(reply)


async def test_status_says_when_and_why_a_survey_was_not_sent(world: World) -> None:
    world.x.fail(Fault.LOOKS_AUTOMATED)
    await submit_survey(world)
    await world.wait_for_message("was not sent")
    await world.workspace.run_command(fixtures.BEN, fixtures.SUPPORT, "/csat status @mira_k")
    reply = visible_text(await world.wait_for_message("not sent, asked by", viewer=fixtures.BEN))

    assert f": not sent, asked by <@{fixtures.ADA}> · X thinks this message looks automated." in reply


@pytest.mark.parametrize(
    ("number", "told"),
    [(6, "Not listed: 1 earlier survey."), (30, "Not listed: at least 15 earlier surveys.")],
)
async def test_status_says_how_many_earlier_surveys_it_does_not_list(
    world: World, number: int, told: str
) -> None:
    await submit_survey(world)
    await wait_until_sent(world)
    surveys = tables.surveys
    [(account, key)] = world.rows(surveys.c.account, surveys.c.recipient_key)
    world.insert_rated([4] * (number - 1))
    with world.engine.begin() as connection:
        connection.execute(surveys.update().values(account=account, recipient_key=key))
    await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, "/csat status @mira_k")
    reply = visible_text(await world.wait_for_message("Can't be asked until "))

    assert reply.count("asked by") == 5
    assert reply.endswith(told)


async def test_status_of_an_id_says_that_x_was_not_asked(world: World) -> None:
    await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, "/csat status 783214")
    reply = visible_text(await world.wait_for_message("Nobody has asked them yet."))

    assert "No limit keeps you from asking them. X wasn't asked, as you named an ID." in reply
    assert "You can ask them now." not in reply


async def test_status_begins_with_the_last_try_if_x_refused_it_because_of_the_customer(world: World) -> None:
    customer = world.x.customer("quiet_quinn").id
    await submit_survey(world, customer)
    await world.wait_for_message("was not sent")
    await world.workspace.run_command(fixtures.BEN, fixtures.SUPPORT, f"/csat status {customer}")
    reply = visible_text(await world.wait_for_message("The last try failed: ", viewer=fixtures.BEN))

    assert "The last try failed: This customer can't be messaged" in reply
    assert reply.count("then send the survey.") == 1
    assert "No limit keeps you from trying again." in reply
    assert "You can ask them now." not in reply


async def test_status_says_of_a_survey_that_was_sent_again_that_it_was_not_confirmed(world: World) -> None:
    world.x.fail(Fault.BAD_GATEWAY, times=1)
    await submit_survey(world)
    message = await world.wait_for_dm("may not have arrived")
    await world.workspace.click(fixtures.ADA, "send_survey_again", channel=message.channel, ts=message.ts)
    await wait_until_sent(world)
    await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, "/csat status @mira_k")
    reply = visible_text(await world.wait_for_message("not confirmed, sent again, asked by"))

    assert "not sent" not in reply
    assert "may not have arrived" not in reply


async def test_status_says_whether_the_customer_probably_accepts_no_messages(world: World) -> None:
    await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, "/csat status @quiet_quinn")
    told = "Probably doesn't accept your direct messages; you can still try."

    assert "You can ask them now." not in visible_text(await world.wait_for_message(told))


async def test_status_says_that_a_survey_would_wait_while_the_account_is_paused(world: World) -> None:
    world.x.fail(Fault.WRONG_KEYS)
    await submit_survey(world)
    await world.wait_for_waiting_message()
    await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, "/csat status @sofie_l")

    await world.wait_for_message(
        "No limit stops you, but X isn't accepting surveys (it rejects this app's keys): a survey would wait."
    )


async def test_the_form_says_that_a_survey_would_wait_while_the_account_is_paused(world: World) -> None:
    told = "X isn't accepting surveys now: this one would wait."
    world.x.fail(Fault.WRONG_KEYS)
    await submit_survey(world)
    await world.wait_for_waiting_message()

    for command in ("/csat", "/csat nps @sofie_l"):
        assert told in visible_text((await world.open_form(command)).blocks)
        assert told in visible_text((await world.show_options()).blocks)
        await world.workspace.close_view(fixtures.ADA)
    for command in ("/csat @mira_k", "/csat @gus"):
        assert told not in visible_text((await world.open_form(command)).blocks)
        await world.workspace.close_view(fixtures.ADA)


@pytest.mark.parametrize("text", ["/csat status @sofie_l", "/csat status sofie_l"])
async def test_status_of_a_new_customer_says_that_nobody_has_asked_them(world: World, text: str) -> None:
    await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, text)

    assert "Nobody has asked them yet." in visible_text(await world.wait_for_message("You can ask them now."))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/csat status", "Add the customer"),
        ("/csat status what!", "I don't understand “what!”. Try /csat status @customer"),
        ("/csat status @nobody_here", "There is no such customer on X"),
    ],
)
async def test_status_explains_invalid_arguments(world: World, text: str, expected: str) -> None:
    await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, text)

    await world.wait_for_message(expected)


async def test_status_names_the_cause_if_x_refuses_the_app(world: World) -> None:
    world.x.fail(Fault.WRONG_KEYS, Endpoint.LOOKUP)
    await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, "/csat status @mira_k")

    await world.wait_for_message("X can't be asked about that handle: it rejects this app's keys.")
