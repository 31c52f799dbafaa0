"""Messages to agents and channels about a survey in Slack don't mention X, and don't notify the customer."""

from pathlib import Path

from csat.surveys.states import State
from sandbox.slack import Message, fixtures
from tests.slack_survey_kit import insert_survey
from tests.world import World, running_world, visible_text

GUS = f"<@{fixtures.GUS}>"


def is_mentioned(user: str, message: Message) -> bool:
    return user in f"{message.text} {message.blocks}"


async def test_the_channel_reads_the_customer_s_name_and_nobody_is_notified(
    tmp_path: Path, database_url: str
) -> None:
    async with running_world(tmp_path, database_url=database_url) as world:
        await world.submit_survey("/csat @gus")
        confirmation = await world.wait_for_message("sent a survey to Gus Lindqvist.")

    assert not is_mentioned(fixtures.GUS, confirmation)
    assert " X" not in visible_text(confirmation)


async def test_a_channel_of_two_companies_reads_that_a_customer_was_asked(world: World) -> None:
    await world.submit_survey("/csat @sam", channel=fixtures.PARTNERS)
    confirmation = await world.wait_for_message("sent a survey to a customer.", fixtures.PARTNERS)

    assert not is_mentioned(fixtures.SAM, confirmation)
    assert "Sam" not in visible_text(confirmation)


async def test_a_customer_whose_name_slack_does_not_tell_is_a_person_in_slack(world: World) -> None:
    await world.open_form("/csat @gus")
    world.workspace.faults.fail("users.info", "user_not_found", times=9)
    world.workspace.users[fixtures.GUS].real_name = world.workspace.users[fixtures.GUS].name = ""
    await world.workspace.submit_view(fixtures.ADA)

    await world.wait_for_message("sent a survey to")


async def test_a_survey_that_waits_for_slack_says_so_and_can_be_canceled(world: World) -> None:
    await world.open_form("/csat @gus")
    world.workspace.faults.fail("chat.postMessage", "ratelimited", retry_after=600)
    await world.workspace.submit_view(fixtures.ADA)
    queued = await world.wait_for_waiting_message()
    assert "Slack is busy or can't be reached." in visible_text(queued)
    assert is_mentioned(fixtures.GUS, queued)

    await world.workspace.click(fixtures.ADA, "cancel_survey", channel=queued.channel, ts=queued.ts)
    await world.wait_for_dm(f"Canceled: the survey to {GUS}. Nothing was sent.")
    assert world.states() == ["cancelled"]


async def test_the_requester_is_told_how_else_to_ask_a_person_who_can_t_be_messaged(world: World) -> None:
    await world.submit_survey("/csat @noor", channel=fixtures.PARTNERS)
    refused = await world.wait_for_message("was not sent.", fixtures.PARTNERS)

    assert "Slack doesn't let this app message this person." in visible_text(refused)
    assert "Choose ⋮ > Send feedback survey on a message of theirs" in visible_text(refused)


async def test_a_survey_whose_instance_is_gone_is_no_matter_of_x(world: World) -> None:
    insert_survey(world, fixtures.GUS, state=State.SENDING, attempts=1, lease_until=world.clock())
    asked = visible_text(await world.wait_for_dm("no confirmation"))

    assert "We got no confirmation that the survey arrived, and haven't sent it again." in asked
    assert " X" not in asked
