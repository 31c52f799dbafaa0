"""What a customer in Slack sees of a survey, and does with it."""

from sandbox.slack import ActionOutcome, Message, fixtures
from tests.slack_survey_kit import ask, buttons, press, stored
from tests.world import World, visible_text

SAM, NOOR, ADA = fixtures.SAM, fixtures.NOOR, fixtures.ADA
THANKS = "Thank you for your feedback."
AFTER_RATING = ["comment_on_rating", "change_rating", "stop_surveys"]


async def wait_for_text(world: World, message: Message, words: str) -> None:
    await world.wait_until(lambda: words in visible_text(message))


async def test_the_customer_gets_the_question_with_a_button_for_each_rating(any_world: World) -> None:
    message = await ask(any_world, message="Thank you for your call.\nHow was it?")

    shown = visible_text(message)
    assert "Thank you for your call.\nHow was it?" in shown
    assert "What is your overall satisfaction with Northwind?" in shown
    assert "1: Very poor · 5: Very good" in shown
    assert "Privacy policy" in shown
    assert buttons(message) == [*(f"rate:{rating}" for rating in range(1, 6)), "stop_surveys"]
    assert any_world.states() == ["sent"]


async def test_a_rating_is_stored_at_once_and_thanked_for(any_world: World) -> None:
    message = await ask(any_world)
    await press(any_world, message, "rate:4")

    await wait_for_text(any_world, message, THANKS)
    assert stored(any_world) == [("answered", 4, None)]
    assert buttons(message) == AFTER_RATING
    assert any_world.workspace.current_view(SAM)


async def test_after_the_comment_no_buttons_are_left(any_world: World) -> None:
    message = await ask(any_world)
    await press(any_world, message, "rate:2")
    await any_world.wait_for_form(SAM)
    await any_world.workspace.type_text(SAM, "comment", "  Slow.\r\nVery. ")
    result = await any_world.workspace.submit_view(SAM)

    assert result.outcome is ActionOutcome.CLOSED
    await any_world.wait_until(lambda: buttons(message) == [])
    assert stored(any_world) == [("answered", 2, "Slow.\nVery.")]
    assert visible_text(message) == THANKS
