"""The confirmation shows whether the customer answered, never the rating or the comment."""

from pathlib import Path

import pytest

from csat.db import tables
from sandbox.slack import fixtures
from tests.world import World, running_world, visible_text

ANSWERED = "They answered."
COMMENT = "between you and me"


@pytest.fixture(name="world")
def _world(any_world: World) -> World:
    return any_world


def count_updates(world: World) -> int:
    return sum(call.method == "chat.update" for call in world.workspace.api_calls)


async def answer(world: World, rating: int = 4) -> None:
    """Answer the newest survey and wait until the app has stored the response."""
    feedback_id = world.x.feedbacks[-1].id
    world.x.rate(feedback_id, rating)
    world.x.comment(feedback_id, COMMENT)
    await world.advance(minutes=1)
    await world.wait_until(lambda: world.states() == ["answered"])


async def test_the_confirmation_says_that_the_customer_answered_but_not_how(world: World) -> None:
    await world.send_survey()
    await answer(world)
    confirmation = await world.wait_for_message(ANSWERED)

    assert f"<@{fixtures.ADA}> sent a survey to @mira_k on X. They answered." in visible_text(confirmation)
    assert confirmation.text.endswith(ANSWERED)
    assert COMMENT not in str(world.app_messages())
    assert len(world.app_messages()) == 1


async def test_an_update_that_slack_fails_to_make_is_repeated(world: World) -> None:
    await world.send_survey()
    world.workspace.faults.fail("chat.update", "update_failed")
    await answer(world)
    await world.wait_until(lambda: world.attempts("answered") == [1])
    await world.advance(minutes=1)

    await world.wait_for_message(ANSWERED)


async def test_the_confirmation_is_updated_once_even_if_a_comment_follows_the_rating(world: World) -> None:
    sent = await world.send_survey()
    world.x.rate(sent.id, 5)
    await world.advance(minutes=1)
    await world.wait_for_message(ANSWERED)
    world.x.comment(sent.id, COMMENT)
    await world.advance(minutes=5)
    await world.wait_until(lambda: world.rows(tables.surveys.c.comment) == [(COMMENT,)])

    assert world.is_outbox_empty()
    assert count_updates(world) == 1


async def test_an_answer_that_arrives_before_the_confirmation_is_included_in_it(world: World) -> None:
    world.workspace.faults.fail("chat.postMessage", "ratelimited", retry_after=90)
    await world.submit_survey("/csat @mira_k")
    await world.wait_until(lambda: world.attempts("sent") == [1])
    await answer(world)
    await world.advance(minutes=2)

    assert ANSWERED in visible_text(await world.wait_for_message("@mira_k"))
    assert len(world.app_messages()) == 1


async def test_the_update_is_retried_while_slack_is_rate_limited(world: World) -> None:
    await world.send_survey()
    world.workspace.faults.fail("chat.update", "ratelimited", times=2, retry_after=30)
    await answer(world)
    for tries in (1, 2):
        await world.wait_until(lambda tries=tries: world.attempts("answered") == [tries])  # type: ignore[misc]
        await world.advance(minutes=1)

    await world.wait_for_message(ANSWERED)


async def test_a_deleted_confirmation_is_not_retried(world: World) -> None:
    await world.send_survey()
    world.workspace.faults.fail("chat.update", "message_not_found")
    await answer(world)
    await world.wait_until(world.is_outbox_empty)

    assert (count_updates(world), len(world.app_messages())) == (1, 1)


async def test_a_confirmation_sent_through_a_response_url_is_not_updated(world: World) -> None:
    await world.send_survey(channel=fixtures.LEADS)
    await answer(world)
    await world.wait_until(world.is_outbox_empty)

    assert count_updates(world) == 0
    assert world.find_message(ANSWERED, fixtures.LEADS) is None


async def test_status_says_that_the_customer_answered_but_not_how(tmp_path: Path) -> None:
    async with running_world(tmp_path) as world:
        await world.send_survey()
        await answer(world)
        await world.wait_for_message(ANSWERED)
        await world.workspace.run_command(fixtures.BEN, fixtures.SUPPORT, "/csat status @mira_k")
        status = await world.wait_for_message("answered, asked by", viewer=fixtures.BEN)

    assert COMMENT not in str(status)
