"""Opt-outs: who asked not to be surveyed is not, whoever asks and however it is known."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from csat.db import opt_outs, send_queue, submissions, tables
from csat.db.account_pauses import ensure_account
from csat.db.database import Database
from csat.db.recipient_keys import load_secret, make_recipient_key
from csat.surveys.limits import DAY, DenialReason, Denied, Limits
from csat.surveys.opt_outs import How
from csat.surveys.recipients import XAccount
from csat.surveys.transports import TransportName
from csat.timeouts import Timeouts
from sandbox.slack import ActionOutcome, ActionResult, Message, fixtures
from sandbox.slack.interactive_elements import interactive_elements
from sandbox.x import Endpoint, Fault
from tests.databases import SLOW_KINDS, Databases
from tests.factories import NO_LIMITS, NOON, RECIPIENT_KEY, SUPERVISED, make_origin, make_survey
from tests.timeouts import WITHOUT_LOOK_UP
from tests.world import World, field_value, running_world, visible_text

REASON = "They wrote that they want no surveys."
SENTENCE = "This customer asked not to be surveyed."
CLOSED_MESSAGES = "probably doesn't accept your direct messages"
OPTED_OUT: dict[str, Any] = {"how": How.AGENT, "team": "T1", "by": "U1", "reason": "They wrote so."}


@pytest.fixture(name="world", params=SLOW_KINDS)
async def _world(
    databases: Databases, tmp_path: Path, request: pytest.FixtureRequest, timeouts: Timeouts
) -> AsyncIterator[World]:
    """The app with a supervisor, on each kind of database."""
    url = databases.make(request.param, tmp_path)
    async with running_world(tmp_path, database_url=url, timeouts=timeouts, **SUPERVISED) as world:
        yield world


def opt_out(world: World, handle: str = "mira_k", **fields: Any) -> None:
    """Record that a customer has opted out, by themselves unless fields say otherwise."""
    values = {"how": How.RATING_PAGE, "team": "", "by": "", "reason": "", "now": world.clock(), **fields}
    with world.engine.begin() as connection:
        key = make_recipient_key(load_secret(connection, ""), world.x.customer(handle).id)
        opt_outs.record(connection, key, **values)


async def submit_reason(
    world: World, command: str, user: str = fixtures.ADA, reason: str = REASON
) -> ActionResult:
    """Run a command that asks for a reason, and submit the reason."""
    await world.open_form(command, user)
    await world.workspace.type_text(user, "reason", reason)
    return await world.workspace.submit_view(user)


async def run_command(world: World, command: str, reply: str, user: str = fixtures.ADA) -> str:
    """Run a command, and return its reply, which only the user sees, once it has this text."""
    await world.workspace.run_command(user, fixtures.SUPPORT, command)
    message = await world.wait_for_message(reply, viewer=user)
    assert message.visible_to == user
    return visible_text(message)


def form_text(world: World) -> str:
    view = world.workspace.current_view(fixtures.ADA)
    return visible_text(view) if view else ""


def buttons(message: Message) -> list[str]:
    return [button["action_id"] for block in message.blocks for button in interactive_elements(block)]


@pytest.mark.parametrize("is_test", [False, True])
@pytest.mark.parametrize("customer", ["@mira_k", "id"])
async def test_a_customer_who_opted_out_can_not_be_asked(
    world: World, customer: str, *, is_test: bool
) -> None:
    opt_out(world)
    typed = world.x.customer("mira_k").id if customer == "id" else customer
    result = await world.submit_survey(f"/csat {typed}", is_test=is_test)

    assert result.errors == {"recipient:0": "Nothing was sent."}
    assert f"Can't be asked. {SENTENCE} They chose this on the rating page on " in form_text(world)
    assert form_text(world).count(SENTENCE) == (2 if is_test else 1), "once more at the end of the long form"
    assert f"A supervisor can lift this with /csat unstop {typed}." in form_text(world)
    assert world.states() == []
    assert world.x.feedbacks == []


async def test_the_form_opens_with_the_opt_out_of_a_customer_who_was_asked_before(world: World) -> None:
    await world.send_survey()
    opt_out(world, how=How.AGENT, team=fixtures.TEAM, by=fixtures.BEN)
    await world.advance(days=400)

    for customer in ("@MIRA_K", world.x.customer("mira_k").id):
        form = await world.open_form(f"/csat {customer}")
        assert visible_text(form.blocks[1]).startswith(f"Can't be asked. {SENTENCE} Recorded on ")
        assert f"<@{fixtures.BEN}>" in visible_text(form.blocks[1])
        await world.workspace.close_view(fixtures.ADA)


async def test_another_workspace_is_told_neither_who_recorded_an_opt_out_nor_why(world: World) -> None:
    opt_out(world, how=How.AGENT, team="T0ELSEWHERE", by="U0SOMEBODY", reason=REASON)
    await world.submit_survey()

    assert "by somebody in another workspace." in form_text(world)
    status = await run_command(world, "/csat status @mira_k", "Can't be asked.")
    assert "by somebody in another workspace." in status
    for shown in (form_text(world), status):
        assert "U0SOMEBODY" not in shown
        assert REASON not in shown
    form = world.workspace.current_view(fixtures.ADA)
    assert form
    assert REASON not in form.private_metadata


@pytest.mark.parametrize("timeouts", [WITHOUT_LOOK_UP])
async def test_a_handle_that_x_resolves_only_later_is_refused_then(world: World) -> None:
    opt_out(world)
    await world.submit_survey()
    refused = await world.wait_for_message("was not sent")

    assert SENTENCE in visible_text(refused)
    assert "Edit and try again" not in visible_text(refused)
    assert world.x.feedbacks == []


@pytest.mark.parametrize("timeouts", [WITHOUT_LOOK_UP])
async def test_a_handle_that_x_does_not_resolve_is_known_by_an_earlier_survey_to_have_opted_out(
    world: World,
) -> None:
    asked = {"recipient_handle": "Mira_K", "recipient_id": world.x.customer("mira_k").id}
    world.insert_rated([None])
    opt_out(world)
    with world.engine.begin() as connection:
        key = connection.execute(select(tables.opt_outs.c.recipient_key)).scalar()
        connection.execute(
            tables.surveys.update().values(account=world.x.account.id, recipient_key=key, **asked)
        )
    await world.advance(days=400)
    result = await world.submit_survey("/csat @mira_k")

    assert result.errors == {"recipient:0": "Nothing was sent."}
    assert f"Can't be asked. {SENTENCE} They chose this on the rating page on " in form_text(world)
    assert len(world.states()) == 1


async def test_a_survey_that_waits_is_refused_as_soon_as_its_customer_opts_out(world: World) -> None:
    world.x.fail(Fault.RATE_LIMITED, Endpoint.CREATE)
    await world.submit_survey()
    waiting = await world.wait_for_waiting_message()
    opt_out(world)
    refused = await world.wait_for_message("was not sent")

    assert SENTENCE in visible_text(refused)
    assert world.states() == ["refused"]
    await world.wait_until(lambda: (dm := world.find_dm("was not sent")) and dm.ts == waiting.ts)


async def test_an_uncertain_survey_is_not_sent_again_to_a_customer_who_opted_out(world: World) -> None:
    world.x.fail(Fault.GATEWAY_TIMEOUT)
    await world.submit_survey()
    question = await world.wait_for_dm("may not have arrived")
    opt_out(world)
    world.x.recover()
    await world.workspace.click(fixtures.ADA, "send_survey_again", channel=question.channel, ts=question.ts)
    refused = await world.wait_for_dm("This customer asked not to be surveyed, so it can't be sent again.")

    assert refused.ts == question.ts
    assert buttons(refused) == ["survey_arrived"]
    assert world.states() == ["uncertain"]


async def test_an_uncertain_survey_of_a_customer_who_opted_out_is_not_offered_to_be_sent_again(
    world: World,
) -> None:
    world.x.fail(Fault.GATEWAY_TIMEOUT)
    with world.x.hold() as hold:
        await world.submit_survey()
        await hold.arrived.wait()
        opt_out(world)
    question = await world.wait_for_dm("may not have arrived")

    assert buttons(question) == ["survey_arrived", "leave_survey"]
    await world.workspace.click(fixtures.ADA, "leave_survey", channel=question.channel, ts=question.ts)
    assert buttons(await world.wait_for_dm("Left as it is.")) == ["survey_arrived"]


async def test_an_agent_stops_surveys_with_a_reason_that_colleagues_see(world: World) -> None:
    result = await submit_reason(world, "/csat stop @mira_k")
    assert result.outcome is ActionOutcome.CLOSED
    noted = await world.wait_for_message("Noted: @mira_k won't be asked again.")
    status = await run_command(world, "/csat status @mira_k", "Can't be asked.", fixtures.BEN)
    form = await world.open_form("/csat @mira_k", fixtures.BEN)
    denied = await world.workspace.submit_view(fixtures.BEN)

    assert noted.visible_to == fixtures.ADA
    for shown in (status, visible_text(form.blocks)):
        assert SENTENCE in shown
        assert f"<@{fixtures.ADA}>" in shown
        assert f"Reason: {REASON}" in shown
        assert "A supervisor can lift this with /csat unstop @mira_k." in shown
    assert denied.outcome is ActionOutcome.ERRORS
    (logged,) = world.rows(tables.audit.c.team, tables.audit.c.viewer, tables.audit.c.action)
    assert logged == (fixtures.TEAM, fixtures.ADA, "opt out")


@pytest.mark.parametrize("customer", ["@mira_k", "https://x.com/mira_k", "@gus,"])
async def test_what_follows_the_customer_is_the_reason_in_the_form(world: World, customer: str) -> None:
    form = await world.open_form(f"/csat stop {customer} sick of us & called @ben, 2 times")
    assert field_value(form, "reason") == "sick of us & called @ben, 2 times"
    await world.workspace.submit_view(fixtures.ADA)
    await world.wait_for_message("won't be asked again.")

    (recorded,) = world.rows(tables.opt_outs.c.reason)
    assert recorded == ("sick of us & called @ben, 2 times",)


async def test_a_longer_reason_than_can_be_saved_is_cut_in_the_form(world: World) -> None:
    form = await world.open_form(f"/csat stop @mira_k {'so ' * 90}")

    assert field_value(form, "reason") == "so " * 66 + "so"


async def test_a_supervisor_can_type_why_an_opt_out_is_lifted_after_the_customer_too(world: World) -> None:
    opt_out(world)
    form = await world.open_form("/csat unstop @mira_k they agreed", fixtures.CLEO)

    assert field_value(form, "reason") == "they agreed"


async def test_the_form_keeps_the_reason_for_an_opt_out_while_it_is_edited(world: World) -> None:
    opt_out(world, how=How.AGENT, team=fixtures.TEAM, by=fixtures.BEN, reason=REASON)
    await world.submit_survey()
    await world.show_options()

    assert f"Reason: {REASON}" in form_text(world)


async def test_closed_messages_are_no_matter_of_a_customer_who_opted_out(world: World) -> None:
    await submit_reason(world, "/csat stop @quiet_quinn")
    await world.open_form("/csat @quiet_quinn")

    for _ in range(2):
        denied = await world.workspace.submit_view(fixtures.ADA)
        assert denied.errors == {"recipient:0": "Nothing was sent."}
        assert SENTENCE in form_text(world)
        assert f"Reason: {REASON}" in form_text(world)
        assert CLOSED_MESSAGES not in form_text(world)


async def test_an_opt_out_takes_the_place_of_the_warning_about_closed_messages(world: World) -> None:
    await world.submit_survey("/csat @quiet_quinn")
    assert CLOSED_MESSAGES in form_text(world)
    opt_out(world, "quiet_quinn")
    denied = await world.workspace.submit_view(fixtures.ADA)

    assert denied.outcome is ActionOutcome.ERRORS
    assert SENTENCE in form_text(world)
    assert CLOSED_MESSAGES not in form_text(world)


async def test_a_stop_needs_a_reason_and_a_customer_who_is_on_x(world: World) -> None:
    result = await submit_reason(world, "/csat stop mira_k", reason=" ")

    assert result.errors == {"reason": "Write the reason."}
    assert world.rows(tables.opt_outs) == []
    await run_command(world, "/csat stop", "Add the customer: /csat stop @customer")
    await run_command(world, "/csat stop @nobody_here", "There is no such customer on X")


@pytest.mark.parametrize(
    ("command", "user", "outcome"),
    [("stop", fixtures.ADA, "Nothing was recorded."), ("unstop", fixtures.CLEO, "Nothing was lifted.")],
)
@pytest.mark.parametrize("handle", ["gone_gary", "nobody_here"])
async def test_a_handle_that_x_can_not_resolve_changes_nothing_and_the_reply_says_what_works(
    world: World, command: str, user: str, outcome: str, handle: str
) -> None:
    reply = await run_command(world, f"/csat {command} @{handle}", outcome, user)

    assert reply.endswith(f"{outcome} Their numeric ID works, as in /csat {command} 783214.")
    assert world.workspace.current_view(user) is None


async def test_surveys_are_stopped_for_a_handle_that_only_an_earlier_survey_knows(world: World) -> None:
    former = {"recipient_handle": "Gone_Gary", "recipient_id": world.x.customer("gone_gary").id}
    world.insert_rated([None])
    with world.engine.begin() as connection:
        connection.execute(tables.surveys.update().values(account=world.x.account.id, **former))
    await submit_reason(world, "/csat stop @gone_gary")
    await world.wait_for_message("Noted: @Gone_Gary won't be asked again.")
    denied = await world.submit_survey(f"/csat {former['recipient_id']}")

    assert denied.errors == {"recipient:0": "Nothing was sent."}
    await submit_reason(world, "/csat unstop @gone_gary", fixtures.CLEO)
    await world.wait_for_message("Lifted: @Gone_Gary can be asked again.", viewer=fixtures.CLEO)


@pytest.mark.parametrize("fault", [Fault.WRONG_KEYS, Fault.OVER_CAPACITY])
async def test_the_opt_out_of_who_had_a_handle_stays_while_x_can_not_be_asked_who_has_it(
    world: World, fault: Fault
) -> None:
    former = {"recipient_handle": "mira_k", "recipient_id": world.x.customer("gone_gary").id}
    world.insert_rated([None])
    with world.engine.begin() as connection:
        connection.execute(tables.surveys.update().values(account=world.x.account.id, **former))
    opt_out(world, "gone_gary")
    world.x.fail(fault, Endpoint.LOOKUP)
    reply = await run_command(world, "/csat unstop @mira_k", "Nothing was lifted.", fixtures.CLEO)

    assert reply.endswith("Nothing was lifted. Their numeric ID works, as in /csat unstop 783214.")
    assert world.workspace.current_view(fixtures.CLEO) is None


async def test_stopping_twice_says_who_was_first(world: World) -> None:
    await submit_reason(world, "/csat stop @mira_k")
    reply = await run_command(world, "/csat stop @MIRA_K", "has opted out already", fixtures.BEN)

    assert f"<@{fixtures.ADA}>" in reply
    assert REASON in reply


async def test_only_supervisors_lift_an_opt_out_with_a_reason(world: World) -> None:
    await submit_reason(world, "/csat stop @mira_k")
    await run_command(world, "/csat unstop @mira_k", "Only supervisors can lift an opt-out. Ask a supervisor")
    await run_command(world, "/csat unstop @sofie_l", "Nothing to lift", fixtures.CLEO)
    result = await submit_reason(world, "/csat unstop @mira_k", fixtures.CLEO, "They changed their mind.")
    assert result.outcome is ActionOutcome.CLOSED
    await world.wait_for_message("Lifted: @mira_k can be asked again.", viewer=fixtures.CLEO)

    await world.send_survey()
    (proof,) = world.rows(
        tables.opt_outs.c.reason, tables.opt_outs.c.lifted_by, tables.opt_outs.c.lift_reason
    )
    assert proof == (REASON, fixtures.CLEO, "They changed their mind.")


async def test_guests_can_not_stop_surveys(world: World) -> None:
    reply = await run_command(
        world, "/csat stop @mira_k", "Only people who can send surveys can stop them.", fixtures.GUS
    )

    assert "Guests can't send surveys." in reply
    assert world.workspace.current_view(fixtures.GUS) is None


def make_submission(view_id: str, key: str | None, account: str = "A1") -> submissions.Submission:
    survey = make_survey(recipient="@allowed")
    return submissions.Submission(view_id, survey, make_origin(), account, "one", key)


async def test_an_opt_out_holds_for_every_account_and_comes_before_the_limits(database: Database) -> None:
    await database.run(opt_outs.record, RECIPIENT_KEY, **OPTED_OUT, now=NOON)
    for account in ("A1", "A2"):
        await database.run(ensure_account, account)
        limits = Limits(daily=dict.fromkeys(TransportName, 0), allowlist=frozenset({"allowed"}))
        with pytest.raises(Denied) as denied:
            await database.run(
                submissions.accept, make_submission(account, RECIPIENT_KEY, account), limits, NOON
            )
        assert denied.value.denial.reason is DenialReason.OPTED_OUT


async def test_a_survey_that_was_being_accepted_during_the_opt_out_is_not_sent(database: Database) -> None:
    await database.run(ensure_account, "A1")
    waiting = make_submission("V1", None)
    survey = await database.run(submissions.accept, waiting, NO_LIMITS, NOON)
    stored = await database.run(
        send_queue.store_recipient,
        survey,
        "one",
        XAccount(handle="allowed", id="33"),
        RECIPIENT_KEY,
        NO_LIMITS,
        NOON,
    )
    assert stored
    await database.run(
        lambda connection: connection.execute(
            tables.opt_outs.insert().values(
                recipient_key=RECIPIENT_KEY,
                recorded_at=NOON,
                how=How.FILE,
                team="",
                recorded_by="",
                reason="",
            )
        )
    )

    with pytest.raises(Denied):
        await database.run(send_queue.begin_attempt, stored, "one", NOON)


async def test_recording_and_lifting_are_idempotent_and_audited_and_keep_the_proof(
    database: Database,
) -> None:
    lifted: dict[str, Any] = {"team": "T1", "by": "U2", "reason": "They changed their mind."}
    for expected in (True, False):
        assert await database.run(opt_outs.record, RECIPIENT_KEY, **OPTED_OUT, now=NOON) is expected
    found = await database.read(opt_outs.find, RECIPIENT_KEY)
    assert found
    assert (found.recorded_at, found.how, found.by) == (NOON, How.AGENT, "U1")
    for expected in (True, False):
        assert await database.run(opt_outs.lift, RECIPIENT_KEY, **lifted, now=NOON + DAY) is expected
    assert await database.read(opt_outs.find, RECIPIENT_KEY) is None
    again = NOON + timedelta(days=2)
    assert await database.run(opt_outs.record, RECIPIENT_KEY, **OPTED_OUT, now=again)

    def read(connection: Any) -> tuple[list[Any], list[Any]]:
        rows = connection.execute(tables.opt_outs.select().order_by(tables.opt_outs.c.id)).all()
        logged = connection.execute(tables.audit.select().order_by(tables.audit.c.id)).all()
        return rows, logged

    rows, logged = await database.read(read)
    assert [(row.reason, row.lifted_at, row.lifted_by, row.lift_reason) for row in rows] == [
        ("They wrote so.", NOON + DAY, "U2", "They changed their mind."),
        ("They wrote so.", None, None, None),
    ]
    assert [(row.viewer, row.action, row.detail) for row in logged] == [
        ("U1", "opt out", RECIPIENT_KEY),
        ("U2", "lift opt-out", RECIPIENT_KEY),
        ("U1", "opt out", RECIPIENT_KEY),
    ]
