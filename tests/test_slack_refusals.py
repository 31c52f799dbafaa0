"""A requester and an operator read why Slack refuses a survey, if the reason is not the customer's."""

from datetime import timedelta

import pytest

from sandbox.slack import fixtures
from tests.slack_survey_kit import INVITED, QUESTION, insert_survey, invite
from tests.world import World, visible_text

POST = "chat.postMessage"
NOT_THEIR_FAULT = "That's not up to the customer."


async def read_refusal(world: World, error: str) -> str:
    """Ask a person in Slack whose message fails with an error, and return what the requester reads."""
    await world.open_form("/csat @gus")
    world.workspace.faults.fail(POST, error)
    await world.workspace.submit_view(fixtures.ADA)
    return visible_text(await world.wait_for_message("was not sent."))


def ask_in_thread(world: World, user: str = fixtures.SAM) -> None:
    """Insert a survey that was asked for an hour ago in a thread of the channel with the customer."""
    start = world.workspace.messages(fixtures.PARTNERS, fixtures.ADA)[0]
    asked_at = world.clock() - timedelta(hours=1)
    insert_survey(world, user, thread=start.ts, in_thread=True, accepted_at=asked_at)


@pytest.mark.parametrize("error", ["restricted_action", "no_permission", "ekm_access_denied"])
async def test_a_setting_that_keeps_the_app_from_writing_is_told_with_who_can_change_it(
    world: World, error: str, caplog: pytest.LogCaptureFixture
) -> None:
    refusal = await read_refusal(world, error)

    assert "A setting in Slack doesn't let this app write this message." in refusal
    assert NOT_THEIR_FAULT in refusal
    assert "Ask an admin of your workspace, or of the customer's if that is another one" in refusal
    assert "Edit and try again" in refusal
    assert f"was not sent: {error}. Have an admin of the workspace allow it" in caplog.text


async def test_a_messages_tab_that_is_off_is_told_to_the_requester_and_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    refusal = await read_refusal(world, "messages_tab_disabled")

    assert "This app can't write direct messages, as its Messages tab is off." in refusal
    assert NOT_THEIR_FAULT in refusal
    assert "Ask an admin of this app to turn it on" in refusal
    assert "was not sent: messages_tab_disabled. Turn on the Messages tab" in caplog.text


@pytest.mark.parametrize("error", ["msg_too_long", "msg_blocks_too_long"])
async def test_a_message_that_is_too_long_for_slack_is_to_be_shortened(
    world: World, error: str, caplog: pytest.LogCaptureFixture
) -> None:
    refusal = await read_refusal(world, error)

    assert "Slack says that the message is too long. Shorten it and try again." in refusal
    assert "shorten CSAT_MESSAGE" in refusal
    assert f"was not sent: {error}. If it is the form's own message, shorten CSAT_MESSAGE" in caplog.text


async def test_a_refusal_that_the_app_does_not_know_names_slack_s_error_and_blames_nobody(
    world: World,
) -> None:
    refusal = await read_refusal(world, "invalid_blocks")

    assert "Slack refused the message (invalid_blocks)." in refusal
    assert "message this person" not in refusal


async def test_the_status_of_a_customer_does_not_blame_them_for_a_setting(world: World) -> None:
    await read_refusal(world, "restricted_action")
    await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, "/csat status @gus")

    status = visible_text(await world.wait_for_message("asked by", fixtures.SUPPORT))
    assert "The last try failed" not in status


async def test_a_message_that_is_too_long_does_not_become_an_invitation_for_all_to_see(world: World) -> None:
    world.workspace.faults.fail(POST, "msg_too_long")
    ask_in_thread(world)

    assert "is too long" in visible_text(await world.wait_for_dm("was not sent."))
    assert world.count_messages(INVITED, fixtures.PARTNERS) == 0


async def test_the_log_says_what_to_fix_where_only_an_invitation_could_be_posted(
    any_world: World, caplog: pytest.LogCaptureFixture
) -> None:
    any_world.workspace.faults.fail(POST, "messages_tab_disabled")
    await invite(any_world, fixtures.SAM)

    assert "Survey 1 is asked in the thread: messages_tab_disabled. Turn on the Messages tab" in caplog.text


async def test_who_can_be_messaged_neither_in_private_nor_in_the_thread_is_not_blamed_for_a_setting(
    world: World,
) -> None:
    world.workspace.faults.fail(POST, "restricted_action", times=2)
    ask_in_thread(world)

    assert NOT_THEIR_FAULT in visible_text(await world.wait_for_dm("was not sent."))


async def test_a_thread_that_is_closed_is_no_reason_to_invite_the_app(world: World) -> None:
    world.workspace.archive_channel(fixtures.PARTNERS)
    ask_in_thread(world, fixtures.NOOR)
    refusal = visible_text(await world.wait_for_dm("was not sent."))

    assert "nor post in that thread, which is closed or gone" in refusal
    assert "Invite the app" not in refusal


async def test_a_survey_waits_for_an_admin_while_slack_rejects_the_app(world: World) -> None:
    await world.open_form("/csat @gus")
    world.workspace.faults.fail(POST, "missing_scope")
    await world.workspace.submit_view(fixtures.ADA)
    queued = visible_text(await world.wait_for_waiting_message())

    assert "Slack rejects this app's messages, which an admin of it has to fix." in queued
    assert "is busy" not in queued
    await world.advance(minutes=10)
    await world.wait_for_dm(QUESTION, fixtures.GUS)
