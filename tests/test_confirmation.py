"""Where the confirmation is posted, how it falls back, and that typed text cannot abuse it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sandbox.slack import fixtures
from sandbox.x import Fault
from tests.world import PACE, World, running_world, visible_text

HOSTILE_TEXT = "<!channel> <@U07BEN9M3RT> <https://evil.example|good> *b* _i_ ~s~ `c` &lt;!here&gt;"


async def send_survey(world: World, channel: str = fixtures.SUPPORT, **fields: Any) -> None:
    await world.submit_survey(channel=channel, **fields)


POSTS = ("chat.postMessage", "chat.postEphemeral", "response_url")


def posted_messages(world: World, *methods: str) -> list[dict[str, object]]:
    """Return the arguments of all posts, through the Web API or a response_url."""
    return [call.args for call in world.workspace.api_calls if call.method in (methods or POSTS)]


async def test_it_names_requester_recipient_and_question_and_marks_a_test(world: World) -> None:
    await world.open_form("/csat nps @mira_k")
    await world.workspace.select(fixtures.ADA, "variant", "2")
    await world.fill_in(external_id="ticket_5555")
    await world.show_options()
    await world.workspace.select(fixtures.ADA, "test", ["test"])
    await world.workspace.submit_view(fixtures.ADA)
    confirmation = visible_text(await world.wait_for_message("sent a survey"))

    for words in (
        f"<@{fixtures.ADA}> sent a survey to @mira_k on X.",
        "NPS · Overall, how satisfied were you with your recent Northwind experience?",
        "Case number: ticket_5555",
        "Test: left out of reports",
    ):
        assert words in confirmation


async def test_it_mentions_neither_test_nor_external_id_without_them(world: World) -> None:
    await send_survey(world)
    confirmation = visible_text(await world.wait_for_message("sent a survey"))

    assert "Case number" not in confirmation
    assert "Test" not in confirmation


async def test_without_membership_it_is_posted_through_the_response_url(world: World) -> None:
    await send_survey(world, fixtures.LEADS)
    confirmation = await world.wait_for_message("sent a survey", fixtures.LEADS)

    assert not confirmation.visible_to
    assert [call.status for call in world.workspace.api_calls if call.method == "response_url"] == [200]


async def test_a_response_url_posts_into_the_thread(world: World) -> None:
    message = await world.workspace.post_message(fixtures.CLEO, fixtures.LEADS, "@mira_k, case 9")
    await world.workspace.run_shortcut(fixtures.ADA, fixtures.LEADS, message.ts, "send_survey")
    await world.wait_for_form()
    await world.workspace.submit_view(fixtures.ADA)
    confirmation = await world.wait_for_message("sent a survey", fixtures.LEADS)

    assert confirmation.thread_ts == message.ts


async def test_the_last_fallback_is_a_direct_message_to_the_requester(world: World) -> None:
    world.workspace.faults.fail("response_url", "404", times=2)
    await send_survey(world, fixtures.LEADS)
    await world.wait_for_dm("sent a survey")

    assert world.find_message("sent a survey", fixtures.LEADS) is None


async def test_an_archived_channel_does_not_lose_it(world: World) -> None:
    await world.open_form("/csat @mira_k")
    world.workspace.archive_channel(fixtures.SUPPORT)
    world.workspace.faults.fail("response_url", "404", times=2)
    await world.workspace.submit_view(fixtures.ADA)

    await world.wait_for_dm("sent a survey")


async def test_an_expired_response_url_is_not_used(world: World) -> None:
    await world.open_form("/csat @mira_k", channel=fixtures.LEADS)
    await world.advance(minutes=31)
    await world.workspace.submit_view(fixtures.ADA)
    await world.wait_for_dm("sent a survey")

    assert not [call for call in world.workspace.api_calls if call.method == "response_url"]


async def test_a_response_url_outside_slack_is_never_called(world: World) -> None:
    await world.workspace.run_command(fixtures.ADA, fixtures.LEADS, "/csat help")
    await world.wait_for_message("asks a customer", fixtures.LEADS)
    used = len([call for call in world.workspace.api_calls if call.method == "response_url"])
    await world.forge(response_url="https://hooks.slack.com.evil.example/commands/1")
    await world.wait_for_dm("asks a customer")

    assert len([call for call in world.workspace.api_calls if call.method == "response_url"]) == used


async def test_it_is_retried_after_a_rate_limit(world: World) -> None:
    world.workspace.faults.fail("chat.postMessage", "ratelimited", retry_after=30)
    await send_survey(world)
    await world.wait_for_feedback()
    await world.wait_until(lambda: world.attempts("sent") == [1])
    assert world.find_message("sent a survey") is None

    await world.advance(seconds=40)
    await world.wait_for_message("sent a survey")
    assert len(world.app_messages()) == 1


async def test_it_waits_while_the_workspace_joins_an_organization(world: World) -> None:
    world.workspace.faults.fail("chat.postMessage", "team_added_to_org")
    await send_survey(world)
    await world.wait_until(lambda: world.attempts("sent") == [1])
    assert world.app_messages() == []

    await world.advance(minutes=1)
    await world.wait_for_message("sent a survey")
    assert posted_messages(world, "response_url") == []


async def test_it_is_retried_after_server_errors(world: World) -> None:
    world.workspace.faults.fail("chat.postMessage", "503", times=2)
    await send_survey(world)
    for tries in (1, 2):
        await world.wait_until(lambda tries=tries: world.attempts("sent") == [tries])  # type: ignore[misc]
        await world.advance(minutes=1)

    await world.wait_for_message("sent a survey")


async def test_a_slow_post_to_slack_does_not_delay_other_surveys(tmp_path: Path) -> None:
    async with running_world(tmp_path, pace=replace(PACE, concurrency=1)) as world:
        with world.workspace.faults.hold("chat.postMessage", after=False):
            for number, customer in enumerate(("@mira_k", "@sofie_l"), 1):
                await world.submit_survey(f"/csat {customer}")
                await world.wait_for_feedback(number)
            assert world.find_message("sent a survey") is None

        await world.wait_until(lambda: world.count_messages("sent a survey") == 2)


async def test_a_refused_ephemeral_message_becomes_a_direct_message(world: World) -> None:
    world.x.fail(Fault.LOOKS_AUTOMATED)
    world.workspace.faults.fail("chat.postEphemeral", "user_not_in_channel")
    world.workspace.faults.fail("response_url", "404")
    await send_survey(world)
    refusal = await world.wait_for_dm("was not sent")
    await world.workspace.click(fixtures.ADA, "edit_survey", channel=refusal.channel, ts=refusal.ts)
    await world.wait_for_form()
    world.x.recover()
    await world.workspace.submit_view(fixtures.ADA)

    await world.wait_for_message("sent a survey")


async def test_a_late_notification_is_a_direct_message(world: World) -> None:
    world.x.fail(Fault.OVER_CAPACITY, times=1)
    await send_survey(world)
    await world.wait_for_waiting_message()
    world.x.fail(Fault.LOOKS_AUTOMATED)
    await world.advance(minutes=20)

    await world.wait_for_dm("was not sent")


@pytest.mark.parametrize("fault", [None, Fault.LOOKS_AUTOMATED, Fault.OVER_CAPACITY])
async def test_links_are_never_unfurled(world: World, fault: Fault | None) -> None:
    if fault:
        world.x.fail(fault)
    world.notify_after.set()
    await send_survey(world)
    await world.wait_until(lambda: posted_messages(world))

    shown_to_all = posted_messages(world, "chat.postMessage", "response_url")
    assert all(post["unfurl_links"] in (False, "false", "0", 0) for post in shown_to_all)
    assert all(post["unfurl_media"] in (False, "false", "0", 0) for post in shown_to_all)


async def test_an_ephemeral_message_has_only_arguments_that_slack_knows(world: World) -> None:
    await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, "/csat help")
    await world.wait_for_message("opens the survey form")

    (ephemeral,) = posted_messages(world, "chat.postEphemeral")
    assert ephemeral.keys() <= {"channel", "user", "text", "blocks", "thread_ts"}


async def test_an_answer_to_a_message_without_replies_is_not_lost_in_its_empty_thread(world: World) -> None:
    message = await world.workspace.post_message(fixtures.BEN, fixtures.SUPPORT, "@mira_k is waiting")
    world.workspace.faults.fail("views.open", "expired_trigger_id")
    await world.workspace.run_shortcut(fixtures.ADA, fixtures.SUPPORT, message.ts, "send_survey")
    reply = await world.wait_for_message("Slack took too long")

    assert not reply.thread_ts


async def test_a_refusal_is_shown_in_the_channel_if_the_shortcut_was_used_there_on_a_message_with_replies(
    world: World,
) -> None:
    message = await world.workspace.post_message(fixtures.BEN, fixtures.SUPPORT, "@mira_k is waiting")
    await world.workspace.post_message(fixtures.CLEO, fixtures.SUPPORT, "On it.", thread_ts=message.ts)
    world.x.fail(Fault.LOOKS_AUTOMATED)
    await world.workspace.run_shortcut(fixtures.ADA, fixtures.SUPPORT, message.ts, "send_survey")
    await world.wait_for_form()
    await world.fill_in()
    await world.workspace.submit_view(fixtures.ADA)
    refusal = await world.wait_for_message("was not sent")

    assert not refusal.thread_ts


async def test_a_home_has_no_channel_for_an_ephemeral_message(tmp_path: Path) -> None:
    async with running_world(tmp_path, csat_supervisors=fixtures.CLEO) as world:
        world.insert_rated([1])
        world.workspace.faults.fail("views.open", "expired_trigger_id")
        await world.open_home(fixtures.CLEO)
        await world.workspace.click(fixtures.CLEO, "show_low_rating", home=True)
        await world.wait_for_dm("Slack took too long", fixtures.CLEO)

        assert posted_messages(world, "chat.postEphemeral") == []


@pytest.mark.parametrize("fault", [None, Fault.LOOKS_AUTOMATED, Fault.OVER_CAPACITY, Fault.HTML])
async def test_typed_text_can_not_mention_style_or_link(world: World, fault: Fault | None) -> None:
    if fault:
        world.x.fail(fault)
    world.notify_after.set()
    await send_survey(world, external_id=HOSTILE_TEXT, display_name="<!channel>", message=HOSTILE_TEXT)
    await world.wait_until(lambda: posted_messages(world))

    for post in posted_messages(world):
        rendered = str(post["blocks"])
        assert "'mrkdwn'" not in rendered
        assert '"mrkdwn"' not in rendered
        assert "<!" not in str(post["text"])
        assert "<http" not in str(post["text"])
        assert "evil.example|" not in str(post["text"]).replace("&lt;https://evil.example|good&gt;", "")


async def test_direction_marks_are_removed(world: World) -> None:
    await send_survey(world, message="\u202eevil\u202c fine")
    confirmation = await world.wait_for_message("sent a survey")

    assert "\u202e" not in visible_text(confirmation)
    assert "\u202e" not in confirmation.text
