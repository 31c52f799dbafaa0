"""People of other organizations, in a channel that is shared with them (Slack Connect)."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from csat.db import tables
from sandbox.slack import Message, fixtures
from tests.world import LOW_RATING_ALERT, World, running_world, visible_text

SHOW, TAKE_ON = "show_low_rating", "take_on_low_rating"


@pytest.fixture(name="world")
async def _world(tmp_path: Path) -> AsyncIterator[World]:
    """The app whose results channel is shared, with Sam of the other organization as a "supervisor"."""
    async with running_world(
        tmp_path,
        csat_results_channel=fixtures.PARTNERS,
        csat_supervisors=f"{fixtures.CLEO},{fixtures.SAM}",
    ) as world:
        yield world


@pytest.mark.parametrize("is_private", [False, True])
@pytest.mark.parametrize("is_pending", [False, True])
async def test_the_confirmation_in_their_channel_tells_neither_customer_nor_case(
    world: World,
    is_pending: bool,  # noqa: FBT001
    is_private: bool,  # noqa: FBT001
) -> None:
    channel = world.workspace.channels[fixtures.PARTNERS]
    channel.is_private = is_private
    channel.is_ext_shared, channel.is_pending_ext_shared = not is_pending, is_pending
    feedback = await world.send_survey(channel=fixtures.PARTNERS, external_id="zendesk_777 for priya")
    confirmation = await world.wait_for_message("sent a survey", fixtures.PARTNERS, fixtures.SAM)
    assert f"<@{fixtures.ADA}> sent a survey to a customer on X." in visible_text(confirmation)
    assert not re.search("mira_k|priya", str((confirmation.blocks, confirmation.text)))

    world.x.respond(feedback.id, 5, None)
    await world.advance(hours=2)
    answered = await world.wait_for_message("They answered.", fixtures.PARTNERS, fixtures.SAM)
    assert answered.ts == confirmation.ts
    assert not re.search("mira_k|priya", str((answered.blocks, answered.text)))


async def test_a_confirmation_waits_until_slack_says_whose_channel_it_is(world: World) -> None:
    world.workspace.faults.fail("conversations.info", "ratelimited", retry_after=1)
    await world.submit_survey(channel=fixtures.PARTNERS)
    await world.wait_until(lambda: world.attempts("sent") == [1])
    await world.advance(minutes=1)
    confirmation = await world.wait_for_message("sent a survey", fixtures.PARTNERS, fixtures.SAM)

    assert "mira_k" not in str((confirmation.blocks, confirmation.text))


async def test_a_confirmation_names_nobody_in_a_private_channel_without_the_app(world: World) -> None:
    channel = world.workspace.channels[fixtures.PARTNERS]
    channel.is_private = channel.is_ext_shared = True
    world.workspace.remove_bot(channel.id)
    await world.send_survey(channel=channel.id, external_id="zendesk_777 for priya")
    confirmation = await world.wait_for_message("sent a survey", channel.id, fixtures.SAM)

    assert not re.search("mira_k|priya", str((confirmation.blocks, confirmation.text)))


async def test_a_confirmation_names_the_customer_without_the_scope_to_ask_who_reads_it(world: World) -> None:
    world.workspace.faults.fail("conversations.info", "missing_scope")
    await world.send_survey(channel=fixtures.ESCALATIONS)
    confirmation = await world.wait_for_message("sent a survey", fixtures.ESCALATIONS)

    assert "@mira_k" in visible_text(confirmation)


async def post_alert(world: World) -> Message:
    """Let a customer rate low, and return the alert in the shared channel."""
    feedback = await world.send_survey()
    world.x.respond(feedback.id, 1, None)
    await world.advance(hours=2)
    return await world.wait_for_message(LOW_RATING_ALERT, fixtures.PARTNERS, fixtures.CLEO)


async def test_a_low_rating_in_their_channel_leads_them_neither_to_the_customer_nor_to_the_case(
    world: World,
) -> None:
    feedback = await world.send_survey(external_id="zendesk_777 for priya")
    world.x.respond(feedback.id, 1, None)
    await world.advance(hours=2)
    alert = await world.wait_for_message(LOW_RATING_ALERT, fixtures.PARTNERS, fixtures.CLEO)
    await world.workspace.click(fixtures.CLEO, TAKE_ON, channel=alert.channel, ts=alert.ts)
    assigned = await world.wait_for_message("Assigned to", fixtures.PARTNERS, fixtures.SAM)

    assert assigned.ts == alert.ts
    for message in (alert, assigned):
        assert not re.search("mira_k|priya|zendesk|/archives/", str((message.blocks, message.text)))


async def test_a_low_rating_waits_until_slack_says_whose_channel_it_is(world: World) -> None:
    feedback = await world.send_survey(external_id="zendesk_777")
    world.workspace.faults.fail("conversations.info", "ratelimited", retry_after=1)
    world.x.respond(feedback.id, 1, None)
    await world.advance(hours=2)
    await world.wait_until(lambda: world.attempts("low_rating") == [1])
    await world.advance(minutes=1)
    alert = await world.wait_for_message(LOW_RATING_ALERT, fixtures.PARTNERS, fixtures.CLEO)

    assert "zendesk" not in str((alert.blocks, alert.text))


@pytest.mark.parametrize("is_stranger", [True, False])
async def test_they_can_press_a_button_but_see_no_answer(world: World, is_stranger: bool) -> None:  # noqa: FBT001
    world.workspace.users[fixtures.SAM].is_stranger = is_stranger
    alert = await post_alert(world)
    await world.workspace.click(fixtures.SAM, SHOW, channel=alert.channel, ts=alert.ts)
    refusal = await world.wait_for_message("Only supervisors", fixtures.PARTNERS, fixtures.SAM)

    assert refusal.visible_to == fixtures.SAM
    assert world.workspace.current_view(fixtures.SAM) is None
    assert world.rows(tables.audit) == []


async def test_one_who_is_no_stranger_is_answered_in_a_direct_message(world: World) -> None:
    alert = await post_alert(world)
    world.workspace.faults.fail("chat.postEphemeral", "user_not_in_channel")
    world.workspace.faults.fail("response_url", "404")
    await world.workspace.click(fixtures.SAM, SHOW, channel=alert.channel, ts=alert.ts)

    await world.wait_for_dm("Only supervisors", fixtures.SAM)


async def test_a_stranger_who_can_not_be_reached_is_no_unexpected_error(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.workspace.users[fixtures.SAM].is_stranger = True
    alert = await post_alert(world)
    world.workspace.faults.fail("chat.postEphemeral", "user_not_in_channel")
    world.workspace.faults.fail("response_url", "404")
    await world.workspace.click(fixtures.SAM, SHOW, channel=alert.channel, ts=alert.ts)
    await world.wait_until(lambda: f"{fixtures.SAM} can't be reached: channel_not_found" in caplog.text)

    assert "Reference" not in caplog.text
