"""From the command to the confirmation, in Socket Mode and over HTTP."""

from sandbox.slack import ActionOutcome, fixtures
from tests.world import PRIVACY, World, visible_text


async def test_the_command_sends_a_card_on_x_and_confirms_in_the_channel(either_world: World) -> None:
    world = either_world
    await world.open_form("/csat nps @mira_k")
    await world.fill_in(external_id="ticket_5555", message="Thanks, Mira!")
    result = await world.workspace.submit_view(fixtures.ADA)

    feedback = await world.wait_for_feedback()
    confirmation = await world.wait_for_message("sent a survey")

    assert result.outcome is ActionOutcome.CLOSED
    assert (feedback.type, feedback.question_variant_id) == ("nps", "0")
    assert feedback.to_user_id == world.x.customer("mira_k").id
    assert feedback.message == "Thanks, Mira!"
    assert (feedback.privacy_url, feedback.display_name) == (PRIVACY, "Northwind")
    assert (feedback.external_id, feedback.test) == ("ticket_5555", False)
    for words in (f"<@{fixtures.ADA}>", "@mira_k", "NPS", "satisfaction with Northwind", "ticket_5555"):
        assert words in visible_text(confirmation)


async def test_the_shortcut_confirms_in_its_thread(either_world: World) -> None:
    world = either_world
    parent = await world.workspace.post_message(
        fixtures.BEN, fixtures.SUPPORT, "Ticket #5555: who talks to @mira_k?"
    )
    reply = await world.workspace.post_message(
        fixtures.ADA, fixtures.SUPPORT, "Me, case 77, @sofie_l too", thread_ts=parent.ts
    )

    await world.workspace.run_shortcut(fixtures.ADA, fixtures.SUPPORT, reply.ts, "send_survey")
    form = await world.wait_for_form()
    await world.workspace.submit_view(fixtures.ADA)
    feedback = await world.wait_for_feedback()
    confirmation = await world.wait_for_message("sent a survey")

    assert "@sofie_l" in str(form.blocks[0])
    assert feedback.external_id == "case_77"
    assert feedback.to_user_id == world.x.customer("sofie_l").id
    assert confirmation.thread_ts == parent.ts
