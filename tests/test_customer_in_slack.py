"""A customer in Slack gets a survey, answers it, or opts out."""

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import pytest
from sqlalchemy import Connection, delete, update

from blocks.survey_notifications import EDIT_ACTION
from blocks.uncertain_survey import SEND_AGAIN_ACTION
from cli.customer_messages import ErasureResult
from cli.forget import open_search_and_eraser
from csat.db import customer_answers, tables
from csat.slack_api.client import SlackClient
from csat.slack_api.errors import SlackUnavailable
from csat.surveys.customer_survey import CustomerSurvey
from csat.surveys.opt_outs import How
from csat.surveys.recipients import SlackPerson
from csat.surveys.states import State
from sandbox.slack import ActionOutcome, Delivery, Message, View, fixtures
from sandbox.slack.interactive_elements import interactive_elements
from tests.databases import Databases
from tests.factories import SUPERVISED
from tests.slack_survey_kit import INVITED, QUESTION, ask, buttons, insert_survey, invite, press, stored
from tests.unwritable import Problem, unwritable
from tests.world import HASTY, LOW_RATING_ALERT, World, is_app_idle, running_world, visible_text

SAM, NOOR, ADA, BEN = fixtures.SAM, fixtures.NOOR, fixtures.ADA, fixtures.BEN
THANKS = "Thank you for your feedback."
THANKS_IN_THREAD = "Thank you for letting us know."
STOPPED = "Noted: you won't be asked again."
CLOSED = "It's too late to answer this question. Thank you all the same."
NOT_YOURS = "This question is for somebody else, so only they can answer it."
NOT_CHANGED = "It's too late to change your answer: the one you gave before holds."
NOT_ON_FILE = "This question is no longer on file, so there's nothing to answer."
ERASED = "There was a question about our support here. It was deleted with your data."
AFTER_RATING = ["comment_on_rating", "change_rating", "stop_surveys"]


async def wait_for_text(world: World, message: Message, words: str) -> None:
    await world.wait_until(lambda: words in visible_text(message))


async def press_and_wait(world: World, message: Message, action_id: str, user: str = SAM) -> None:
    """Press a button, and wait until the app has done all that it does then."""
    await press(world, message, action_id, user)
    await world.wait_until(is_app_idle)


async def comment(world: World, text: str, user: str = SAM) -> ActionOutcome:
    """Type a comment into the open form, and submit it."""
    await world.wait_for_form(user)
    await world.workspace.type_text(user, "comment", text)
    return (await world.workspace.submit_view(user)).outcome


def newest_delivery(world: World, words: str) -> Delivery:
    """Return the newest request to the app that contains these words."""
    return next(each for each in reversed(world.workspace.deliveries) if words in str(each.payload))


async def test_the_customer_gets_the_question_with_a_button_for_each_rating(any_world: World) -> None:
    message = await ask(any_world, message="Thank you for your call.\nHow was it?")

    shown = visible_text(message)
    assert "Thank you for your call.\nHow was it?" in shown
    assert "What is your overall satisfaction with Northwind?" in shown
    assert "1: Very poor · 5: Very good" in shown
    assert "Privacy policy" in shown
    assert buttons(message) == [*(f"rate:{rating}" for rating in range(1, 6)), "stop_surveys"]
    assert any_world.states() == ["sent"]


async def test_the_log_names_neither_the_customer_nor_their_conversation(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    world.workspace.faults.fail("users.info", "internal_error")
    start = await world.workspace.post_message(SAM, fixtures.PARTNERS, "It works again.")
    await world.workspace.run_shortcut(ADA, fixtures.PARTNERS, start.ts, "send_survey")
    await world.wait_until(lambda: "Slack does not say who a customer is" in caplog.text)
    world.workspace.faults.clear()
    message = await ask(world)
    await press_and_wait(world, message, "rate:4")

    assert "Survey 1 was sent as a message in Slack" in caplog.text
    assert SAM not in caplog.text
    assert message.channel not in caplog.text


async def test_a_customer_who_is_asked_for_nps_has_eleven_buttons(world: World) -> None:
    insert_survey(world, metric="nps")
    message = await world.wait_for_dm("0: Very poor · 10: Very good", SAM)
    await press_and_wait(world, message, "rate:10")

    assert stored(world) == [("answered", 10, None)]


async def test_a_rating_is_stored_at_once_and_confirmed_to_the_requester(any_world: World) -> None:
    message = await ask(any_world)
    await press(any_world, message, "rate:4")

    await wait_for_text(any_world, message, THANKS)
    assert stored(any_world) == [("answered", 4, None)]
    assert buttons(message) == AFTER_RATING
    assert any_world.workspace.current_view(SAM)
    await any_world.wait_for_message("They answered.", fixtures.PARTNERS)


async def test_after_the_comment_no_buttons_are_left(any_world: World) -> None:
    message = await ask(any_world)
    await press(any_world, message, "rate:2")

    assert await comment(any_world, "  Slow.\r\nVery. ") is ActionOutcome.CLOSED
    await any_world.wait_until(lambda: buttons(message) == [])
    assert stored(any_world) == [("answered", 2, "Slow.\nVery.")]
    assert visible_text(message) == THANKS


async def test_thanks_that_slack_shows_late_bring_no_buttons_back(any_world: World) -> None:
    message = await ask(any_world)
    with any_world.workspace.faults.hold("chat.update", times=1, after=False) as hold:
        await press(any_world, message, "rate:2")
        await hold.arrived.wait()
        assert await comment(any_world, "Slow.") is ActionOutcome.CLOSED
        await any_world.wait_until(lambda: stored(any_world) == [("answered", 2, "Slow.")])
        for _ in range(20):
            await asyncio.sleep(0)
    await any_world.wait_until(is_app_idle)

    assert buttons(message) == []


async def test_a_comment_can_be_added_later(world: World) -> None:
    message = await ask(world)
    await press_and_wait(world, message, "rate:2")
    await world.workspace.close_view(SAM)
    await world.advance(days=20)
    await press(world, message, "comment_on_rating")
    await comment(world, "Slow.")

    await world.wait_until(lambda: buttons(message) == [])
    assert stored(world) == [("answered", 2, "Slow.")]


async def test_a_rating_can_be_changed_for_a_quarter_of_an_hour(any_world: World) -> None:
    message = await ask(any_world)
    await press_and_wait(any_world, message, "rate:2")
    await any_world.workspace.close_view(SAM)
    await press(any_world, message, "change_rating")
    await wait_for_text(any_world, message, QUESTION)
    await press_and_wait(any_world, message, "rate:5")
    assert stored(any_world) == [("answered", 5, None)]
    await any_world.wait_for_message("Your answer is saved: 5 (Very good).", message.channel, SAM)
    assert visible_text(message).startswith(THANKS)
    assert any_world.workspace.current_view(SAM) is None

    await any_world.advance(minutes=15)
    await press(any_world, message, "change_rating")
    await any_world.wait_until(lambda: buttons(message) == ["comment_on_rating", "stop_surveys"])
    assert stored(any_world) == [("answered", 5, None)]


async def test_a_customer_who_changes_an_answer_reads_that_the_first_one_holds_meanwhile(
    world: World,
) -> None:
    message = await ask(world)
    await press_and_wait(world, message, "rate:2")
    await world.workspace.close_view(SAM)
    await press(world, message, "change_rating")

    await wait_for_text(world, message, "Your answer holds until you choose another one.")


async def test_a_change_that_comes_too_late_is_not_thanked_for_alone(any_world: World) -> None:
    message = await ask(any_world)
    await press_and_wait(any_world, message, "rate:2")
    await any_world.workspace.close_view(SAM)
    await press(any_world, message, "change_rating")
    await wait_for_text(any_world, message, QUESTION)
    await any_world.advance(minutes=15)
    await press(any_world, message, "rate:5")

    await any_world.wait_for_message(NOT_CHANGED, message.channel, SAM)
    assert visible_text(message).startswith(THANKS)
    assert any_world.find_message("is saved", message.channel, SAM) is None
    assert stored(any_world) == [("answered", 2, None)]


async def test_a_customer_who_wants_to_change_an_answer_too_late_reads_that_it_holds(
    any_world: World,
) -> None:
    message = await ask(any_world)
    await press_and_wait(any_world, message, "rate:2")
    await any_world.workspace.close_view(SAM)
    await any_world.advance(minutes=15)
    await press(any_world, message, "change_rating")

    await any_world.wait_for_message(NOT_CHANGED, message.channel, SAM)
    await any_world.wait_until(lambda: buttons(message) == ["comment_on_rating", "stop_surveys"])


async def test_a_low_rating_alerts_supervisors_until_it_is_changed(tmp_path: Path) -> None:
    async with running_world(tmp_path, **SUPERVISED) as world:
        world.workspace.invite_bot(fixtures.LEADS)
        message = await ask(world)
        await press_and_wait(world, message, "rate:1")
        await world.workspace.close_view(SAM)
        alert = await world.wait_for_message(LOW_RATING_ALERT, fixtures.LEADS, fixtures.CLEO)
        await press(world, message, "change_rating")
        await wait_for_text(world, message, QUESTION)
        await press(world, message, "rate:5")

        await wait_for_text(world, alert, "This rating is not low after all")
        assert world.rows(tables.follow_ups) == []


def confirmation(surface: Message | View | None, action_id: str) -> dict[str, Any]:
    """Return what a button asks before it does anything."""
    assert surface
    elements = {each["action_id"]: each for block in surface.blocks for each in interactive_elements(block)}
    return dict(elements[action_id].get("confirm", {}))


async def test_the_button_to_opt_out_asks_back_and_says_what_will_happen(world: World) -> None:
    message, invited = await ask(world), await invite(world)
    await press(world, invited, "give_feedback", NOOR)
    form = await world.wait_for_form(NOOR)

    in_form = confirmation(form, "stop_surveys_in_form")
    asked_back = confirmation(message, "stop_surveys")
    assert asked_back == in_form
    assert "We will then never send you a survey again." in asked_back["text"]["text"]
    assert (asked_back["confirm"]["text"], asked_back["deny"]["text"]) == ("Don't ask me again", "Cancel")


async def test_who_opts_out_before_rating_can_still_rate_and_comment_and_the_report_has_it(
    tmp_path: Path,
) -> None:
    async with running_world(tmp_path, **SUPERVISED) as world:
        message = await ask(world)
        await press(world, message, "stop_surveys")
        await wait_for_text(world, message, f"{STOPPED} You can still answer this question.")
        assert buttons(message) == [f"rate:{rating}" for rating in range(1, 6)]
        await press(world, message, "rate:4")
        await comment(world, "Fast.")
        await world.wait_for_message("They answered.", fixtures.PARTNERS)
        await world.workspace.run_command(fixtures.CLEO, fixtures.PARTNERS, "/csat report slack")
        await world.wait_for_message("1 answer", fixtures.PARTNERS, fixtures.CLEO)

        assert stored(world) == [("answered", 4, "Fast.")]


async def test_who_opts_out_after_rating_can_still_comment_and_change_the_rating(any_world: World) -> None:
    message = await ask(any_world)
    await press_and_wait(any_world, message, "rate:2")
    await any_world.workspace.close_view(SAM)
    await press(any_world, message, "stop_surveys")
    await wait_for_text(any_world, message, f"{THANKS} {STOPPED}")
    assert buttons(message) == ["comment_on_rating", "change_rating"]
    await press(any_world, message, "change_rating")
    await wait_for_text(any_world, message, QUESTION)
    assert STOPPED in visible_text(message)
    await press_and_wait(any_world, message, "rate:5")
    await press(any_world, message, "comment_on_rating")
    await comment(any_world, "Fast.")

    await any_world.wait_until(lambda: buttons(message) == [])
    assert stored(any_world) == [("answered", 5, "Fast.")]


async def test_an_opt_out_holds_at_once(any_world: World) -> None:
    message = await ask(any_world)
    waiting = insert_survey(any_world, due_at=any_world.clock() + timedelta(hours=1))
    await press(any_world, message, "stop_surveys")

    await wait_for_text(any_world, message, STOPPED)
    columns = tables.opt_outs.c
    assert any_world.rows(columns.recipient_key, columns.how, columns.recorded_by) == [
        (f"the key of {SAM}", How.SLACK, "")
    ]
    assert any_world.rows(tables.surveys.c.state, where=tables.surveys.c.id == waiting) == [("refused",)]


async def test_an_opt_out_holds_in_each_message_to_the_person(any_world: World) -> None:
    first, second = await ask(any_world), await ask(any_world)
    await press_and_wait(any_world, first, "rate:3")
    await any_world.workspace.close_view(SAM)
    await press(any_world, first, "stop_surveys")
    await wait_for_text(any_world, first, f"{THANKS} {STOPPED}")
    await press(any_world, second, "rate:4")

    await wait_for_text(any_world, second, f"{THANKS} {STOPPED}")
    assert buttons(second) == ["comment_on_rating", "change_rating"]
    assert [rating for _, rating, _ in stored(any_world)] == [3, 4]


@pytest.mark.parametrize("action_id", ["rate:4", "stop_surveys"])
async def test_a_button_that_is_pressed_before_slack_has_confirmed_the_message_settles_it(
    any_world: World, action_id: str
) -> None:
    with any_world.workspace.faults.hold("chat.postMessage", times=1):
        insert_survey(any_world)
        message = await any_world.wait_for_dm(QUESTION, SAM)
        assert any_world.states() == ["sending"]
        await press(any_world, message, action_id)
        await any_world.wait_until(lambda: any_world.states() != ["sending"])
    await any_world.wait_until(any_world.is_outbox_empty)

    assert any_world.states() == ["answered" if action_id == "rate:4" else "sent"]
    assert any_world.count_messages("sent a survey to a customer", fixtures.PARTNERS) == 1
    assert any_world.rows(tables.attempts.c.outcome) == [("sent",)]
    assert any_world.rows(tables.surveys.c.feedback_id) == [(f"{message.channel}/{message.ts}",)]


async def test_an_answer_settles_an_uncertain_survey(any_world: World) -> None:
    any_world.workspace.faults.fail("chat.postMessage", "500", times=1, after=True)
    insert_survey(any_world)
    message = await any_world.wait_for_dm(QUESTION, SAM)
    await any_world.wait_until(lambda: any_world.states() == ["uncertain"])
    await press(any_world, message, "rate:5")

    await any_world.wait_for_message("They answered.", fixtures.PARTNERS)
    assert any_world.rows(tables.surveys.c.feedback_id) == [(f"{message.channel}/{message.ts}",)]


async def test_the_message_of_a_survey_that_was_sent_again_answers_its_successor(any_world: World) -> None:
    any_world.workspace.faults.fail("chat.postMessage", "500", times=1, after=True)
    insert_survey(any_world)
    old = await any_world.wait_for_dm(QUESTION, SAM)
    question = await any_world.wait_for_dm("may not have arrived")
    await press(any_world, question, "send_survey_again", ADA)
    await any_world.wait_until(lambda: any_world.states() == ["refused", "sent"])
    new = await any_world.wait_for_dm(QUESTION, SAM)
    assert new.ts != old.ts
    await press(any_world, old, "rate:4")

    for message in (old, new):
        await wait_for_text(any_world, message, THANKS)
    assert stored(any_world) == [("refused", None, None), ("answered", 4, None)]
    await comment(any_world, "Fast.")
    await any_world.wait_until(lambda: buttons(old) == buttons(new) == [])


async def test_a_message_that_arrived_is_answered_though_slack_refused_to_send_it_again(
    any_world: World,
) -> None:
    faults = any_world.workspace.faults
    faults.fail("chat.postMessage", "500", times=1, after=True)
    insert_survey(any_world)
    message = await any_world.wait_for_dm(QUESTION, SAM)
    question = await any_world.wait_for_dm("may not have arrived")
    await any_world.wait_until(any_world.is_outbox_empty)
    faults.fail("chat.postMessage", "messages_tab_disabled", times=1)
    await press(any_world, question, "send_survey_again", ADA)
    await any_world.wait_for_dm("The first one may have arrived.")
    await press(any_world, message, "rate:4")
    await any_world.wait_for_message("They answered.", fixtures.PARTNERS)
    await wait_for_text(any_world, message, THANKS)

    assert stored(any_world) == [("answered", 4, None), ("refused", None, None)]


async def test_two_presses_at_once_leave_the_last_one(any_world: World) -> None:
    message = await ask(any_world)
    presses = [f"rate:{rating}" for rating in (1, 5, 2, 4)]
    with any_world.workspace.faults.hold("chat.update", after=False):  # the buttons stay meanwhile
        for action_id in presses:
            await press(any_world, message, action_id)
    await any_world.wait_until(is_app_idle)

    assert stored(any_world) == [("answered", 4, None)]
    assert len(any_world.workspace.view_stack(SAM)) == 1


async def test_a_request_that_slack_repeats_after_a_change_does_not_undo_it(any_world: World) -> None:
    message = await ask(any_world)
    await press_and_wait(any_world, message, "rate:1")
    first = newest_delivery(any_world, "rate:1")
    await press_and_wait(any_world, message, "change_rating")
    await press_and_wait(any_world, message, "rate:5")
    await any_world.workspace.redeliver(first)
    await any_world.wait_until(is_app_idle)

    assert stored(any_world) == [("answered", 5, None)]
    assert buttons(message) == AFTER_RATING


async def test_a_press_that_slack_repeats_is_answered_once(any_world: World) -> None:
    message = await ask(any_world)
    await press_and_wait(any_world, message, "rate:2")
    await any_world.workspace.redeliver(newest_delivery(any_world, "rate:2"))
    await any_world.wait_until(is_app_idle)
    assert any_world.count_messages("Your answer is saved", message.channel, SAM) == 0
    await press_and_wait(any_world, message, "change_rating")
    await press_and_wait(any_world, message, "rate:5")
    for earlier in ("rate:2", "rate:5"):
        await any_world.workspace.redeliver(newest_delivery(any_world, earlier))
    await any_world.wait_until(is_app_idle)

    assert any_world.count_messages("Your answer is saved", message.channel, SAM) == 1


async def test_a_comment_that_is_submitted_twice_is_stored_once(any_world: World) -> None:
    message = await ask(any_world)
    await press(any_world, message, "rate:4")
    await comment(any_world, "Fast.")
    submission = newest_delivery(any_world, "view_submission")
    view = submission.payload["view"]
    other = {"values": {"comment": {"comment": {"type": "plain_text_input", "value": "Another."}}}}
    changed = replace(submission, payload={**submission.payload, "view": {**view, "state": other}})
    for again in (submission, changed):
        assert not (await any_world.workspace.redeliver(again)).response

    assert stored(any_world) == [("answered", 4, "Fast.")]


@pytest.mark.parametrize("text", ["  \n", "\x1b"])
async def test_an_empty_comment_is_not_taken(world: World, text: str) -> None:
    message = await ask(world)
    await press(world, message, "rate:4")

    assert await comment(world, text) is ActionOutcome.ERRORS
    assert stored(world) == [("answered", 4, None)]


async def test_a_rating_is_taken_for_28_days(any_world: World) -> None:
    message = await ask(any_world)
    await any_world.advance(days=28)
    await press(any_world, message, "rate:4")

    await wait_for_text(any_world, message, CLOSED)
    assert buttons(message) == ["stop_surveys"]
    assert [rating for _, rating, _ in stored(any_world)] == [None]
    assert any_world.workspace.current_view(SAM) is None
    await press(any_world, message, "stop_surveys")
    await wait_for_text(any_world, message, f"{CLOSED} {STOPPED}")


async def test_an_unanswered_survey_expires_and_a_late_rating_still_counts(
    databases: Databases, tmp_path: Path
) -> None:
    url = databases.make("postgresql", tmp_path)
    async with running_world(tmp_path, pace=HASTY, database_url=url) as world:
        message = await ask(world)
        await world.advance(days=14, minutes=11)
        await world.wait_for_message("No answer within two weeks.", fixtures.PARTNERS)
        assert world.states() == ["expired"]
        await press(world, message, "rate:4")

        await wait_for_text(world, message, THANKS)
        assert stored(world) == [("answered", 4, None)]


async def test_a_comment_form_that_stays_open_for_28_days_says_that_it_is_too_late(world: World) -> None:
    message = await ask(world)
    await press(world, message, "rate:4")
    await world.wait_for_form(SAM)
    await world.advance(days=28)

    assert await comment(world, "Fast.") is ActionOutcome.UPDATED
    assert CLOSED in visible_text(world.workspace.current_view(SAM))
    assert stored(world) == [("answered", 4, None)]


async def forget(world: World, user: str) -> None:
    """Erase a person in Slack while the app runs."""
    async with open_search_and_eraser(world.settings) as (search, eraser):
        found = await search.find(SlackPerson(team=fixtures.TEAM, user=user))
        await eraser.erase(found.survey_ids, result := ErasureResult())
    assert (result.remaining, result.advice) == (0, [])


async def test_erasing_a_customer_replaces_their_message_and_forgets_where_it_was(any_world: World) -> None:
    message = await ask(any_world)
    await press(any_world, message, "rate:4")
    await comment(any_world, "Fast.")
    await any_world.wait_until(lambda: any_world.is_outbox_empty() and is_app_idle())
    await forget(any_world, SAM)

    assert visible_text(message) == ERASED
    assert buttons(message) == []
    columns = tables.surveys.c
    assert any_world.rows(columns.recipient_id, columns.feedback_id, columns.rating, columns.comment) == [
        (None, None, 4, None)
    ]


async def test_a_button_that_is_pressed_after_the_erasure_changes_nothing(any_world: World) -> None:
    message = await ask(any_world)
    await any_world.wait_until(lambda: any_world.is_outbox_empty() and is_app_idle())
    any_world.workspace.faults.fail("chat.update", "message_not_found", times=2)
    await forget(any_world, SAM)
    await press(any_world, message, "rate:4")

    await any_world.wait_for_message(NOT_ON_FILE, message.channel, SAM)
    assert [rating for _, rating, _ in stored(any_world)] == [None]


async def assert_is_opted_out(world: World, handle: str) -> None:
    """Check that a person who has opted out in Slack can't be asked."""
    assert world.rows(tables.opt_outs.c.how, tables.opt_outs.c.recorded_by) == [(How.SLACK, "")]
    form = await world.open_form(f"/csat {handle}", fixtures.CLEO, fixtures.PARTNERS)
    assert "They chose this in Slack on" in visible_text(form)


async def test_an_opt_out_after_the_erasure_is_recorded(any_world: World) -> None:
    message = await ask(any_world)
    await any_world.wait_until(lambda: any_world.is_outbox_empty() and is_app_idle())
    any_world.workspace.faults.fail("chat.update", "message_not_found", times=2)
    await forget(any_world, SAM)
    await press(any_world, message, "stop_surveys")

    await wait_for_text(any_world, message, STOPPED)
    await assert_is_opted_out(any_world, "@sam")


async def lose_surveys(world: World) -> None:
    """Delete all surveys, as `prune` does, or a restore."""
    await world.wait_until(lambda: world.is_outbox_empty() and is_app_idle())
    with world.engine.begin() as connection:
        connection.execute(delete(tables.surveys))


async def test_an_opt_out_whose_survey_is_no_longer_on_file_is_that_of_the_person_who_pressed(
    any_world: World,
) -> None:
    message = await ask(any_world)
    await lose_surveys(any_world)
    await press(any_world, message, "stop_surveys")

    await wait_for_text(any_world, message, STOPPED)
    assert newest_delivery(any_world, "stop_surveys").payload["user"]["team_id"] == fixtures.OTHER_TEAM
    assert buttons(message) == []
    await assert_is_opted_out(any_world, "@sam")
    await any_world.workspace.close_view(fixtures.CLEO)
    form = await any_world.open_form("/csat @noor", fixtures.CLEO, fixtures.PARTNERS)
    assert "They chose this" not in visible_text(form)


async def test_an_opt_out_of_somebody_whom_the_app_can_not_name_is_not_confirmed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = await ask(world)
    await lose_surveys(world)
    with monkeypatch.context() as patch:
        patch.setattr(SlackClient, "team_id", AsyncMock(side_effect=SlackUnavailable("fatal_error")))
        await press(world, message, "stop_surveys")
        await world.wait_for_message("That wasn't saved, sorry.", message.channel, SAM)
    assert world.rows(tables.opt_outs) == []
    await press(world, message, "stop_surveys")

    await wait_for_text(world, message, STOPPED)


async def test_a_rating_is_stored_though_slack_neither_updates_the_message_nor_opens_the_form(
    any_world: World,
) -> None:
    message = await ask(any_world)
    any_world.workspace.faults.fail("chat.update", "ratelimited", times=100)
    any_world.workspace.faults.fail("views.open", "expired_trigger_id", times=1)
    await press_and_wait(any_world, message, "rate:4")
    assert stored(any_world) == [("answered", 4, None)]
    assert QUESTION in visible_text(message)
    any_world.workspace.faults.clear()
    await press(any_world, message, "rate:5")

    await any_world.wait_for_message("Your answer is saved: 5 (Very good).", message.channel, SAM)
    await wait_for_text(any_world, message, THANKS)
    assert stored(any_world) == [("answered", 5, None)]
    assert any_world.count_messages(THANKS, message.channel, SAM) == 1


async def test_a_customer_of_another_company_is_known_by_their_id_alone(world: World) -> None:
    message = await ask(world)
    await press(world, message, "rate:4")
    await comment(world, "Fast.")
    pressed, submitted = newest_delivery(world, "rate:4"), newest_delivery(world, "view_submission")

    assert pressed.payload["user"]["team_id"] == submitted.payload["team"]["id"] == fixtures.OTHER_TEAM
    assert stored(world) == [("answered", 4, "Fast.")]


async def test_nobody_else_can_answer_with_a_forged_button(any_world: World) -> None:
    message = await ask(any_world)
    await press_and_wait(any_world, message, "rate:4")
    pressed = newest_delivery(any_world, "rate:4")
    place = {"channel": {"id": fixtures.PARTNERS}, "user": {"id": BEN}}
    for action_id in ("rate:1", "comment_on_rating", "change_rating", "stop_surveys", "give_feedback"):
        action = {**pressed.payload["actions"][0], "action_id": action_id}
        await any_world.workspace.redeliver(
            replace(pressed, payload={**pressed.payload, **place, "actions": [action]})
        )
    await any_world.wait_until(is_app_idle)

    assert stored(any_world) == [("answered", 4, None)]
    assert any_world.rows(tables.opt_outs) == []
    assert any_world.workspace.current_view(BEN) is None


@pytest.mark.parametrize(
    "changes", [{"value": "1"}, {"value": "999:1"}, {"value": ""}, {"action_id": "rate:6"}]
)
async def test_a_button_of_no_survey_changes_nothing(world: World, changes: dict[str, str]) -> None:
    message = await ask(world)
    await press_and_wait(world, message, "rate:4")
    pressed = newest_delivery(world, "rate:4")
    action = {**pressed.payload["actions"][0], "action_id": "rate:5", "action_ts": "9999999999.0", **changes}
    await world.workspace.redeliver(replace(pressed, payload={**pressed.payload, "actions": [action]}))

    await world.wait_for_message(NOT_ON_FILE, message.channel, SAM)
    assert stored(world) == [("answered", 4, None)]


async def answer_invitation(
    world: World,
    message: Message,
    user: str = NOOR,
    rating: str = "",
    text: str = "",
) -> ActionOutcome:
    """Fill in the form of an invitation, and submit it."""
    await press(world, message, "give_feedback", user)
    await world.wait_for_form(user)
    if rating:
        await world.workspace.select(user, "rating", rating)
    if text:
        await world.workspace.type_text(user, "comment", text)
    return (await world.workspace.submit_view(user)).outcome


async def test_a_person_whom_slack_does_not_let_the_app_message_is_invited_in_the_thread(
    any_world: World,
) -> None:
    message = await invite(any_world)
    assert (
        visible_text(message)
        == f"<@{NOOR}>, how did we do? Only you can answer, and your answer isn't shown here.Give feedback"
    )
    assert message.is_reply
    await press(any_world, message, "give_feedback", NOOR)
    form = await any_world.wait_for_form(NOOR)
    assert "Once you send your answer, it can't be changed." in visible_text(form)
    await any_world.workspace.close_view(NOOR)
    assert await answer_invitation(any_world, message, rating="2", text="Slow.") is ActionOutcome.CLOSED

    await wait_for_text(any_world, message, THANKS_IN_THREAD)
    assert buttons(message) == []
    assert stored(any_world) == [("answered", 2, "Slow.")]


async def test_nobody_is_named_in_a_channel_that_they_are_not_in(world: World) -> None:
    world.workspace.faults.fail("chat.postMessage", "restricted_action", times=1)
    (start, *_) = world.workspace.messages(fixtures.PARTNERS, ADA)
    insert_survey(
        world, fixtures.GUS, thread=start.ts, in_thread=True, accepted_at=world.clock() - timedelta(hours=1)
    )
    refusal = await world.wait_for_dm("was not sent.")

    assert "choose ⋮ > Send feedback survey on a message of theirs" in visible_text(refusal)
    assert world.states() == ["refused"]
    assert world.count_messages(INVITED, fixtures.PARTNERS) == 0


@pytest.mark.parametrize("error", ["missing_scope", "channel_not_found"])
async def test_a_person_is_invited_where_slack_does_not_say_who_is_in_the_channel(
    world: World, error: str
) -> None:
    world.workspace.faults.fail("conversations.members", error, times=1)
    await invite(world)


async def test_nobody_but_the_invited_person_can_answer_in_the_thread(any_world: World) -> None:
    message = await invite(any_world)
    for user in (ADA, SAM):
        await press(any_world, message, "give_feedback", user)
        await any_world.wait_for_message(NOT_YOURS, fixtures.PARTNERS, user)
        assert any_world.workspace.current_view(user) is None

    assert any_world.find_message(NOT_YOURS, fixtures.PARTNERS, NOOR) is None
    await press(any_world, message, "give_feedback", NOOR)
    await any_world.wait_for_form(NOOR)
    await any_world.workspace.select(NOOR, "rating", "1")
    await any_world.workspace.submit_view(NOOR)
    submitted = newest_delivery(any_world, "view_submission")
    forged = {**submitted.payload, "user": {"id": ADA}}
    response = (await any_world.workspace.redeliver(replace(submitted, payload=forged))).response
    assert NOT_YOURS in str(response)
    assert [rating for _, rating, _ in stored(any_world)] == [1]


async def opt_out_in_form(world: World, user: str = NOOR) -> None:
    """Press the button to opt out in the form of an invitation."""
    await world.wait_for_form(user)
    await world.workspace.click(user, "stop_surveys_in_form")
    await world.wait_until(is_app_idle)


async def test_an_invited_person_can_opt_out_without_a_rating_and_the_thread_does_not_tell(
    any_world: World,
) -> None:
    message = await invite(any_world)
    invitation = visible_text(message)
    await press(any_world, message, "give_feedback", NOOR)
    await opt_out_in_form(any_world)

    assert STOPPED in visible_text(any_world.workspace.current_view(NOOR))
    assert any_world.rows(tables.opt_outs.c.how) == [(How.SLACK,)]
    assert [rating for _, rating, _ in stored(any_world)] == [None]
    assert visible_text(message) == invitation


async def test_an_opt_out_in_a_form_whose_survey_is_no_longer_on_file_is_recorded_too(
    any_world: World,
) -> None:
    message = await invite(any_world)
    invitation = visible_text(message)
    await press(any_world, message, "give_feedback", NOOR)
    await any_world.wait_for_form(NOOR)
    await lose_surveys(any_world)
    await opt_out_in_form(any_world)

    await any_world.wait_until(lambda: STOPPED in visible_text(any_world.workspace.current_view(NOOR)))
    assert visible_text(message) == invitation
    await assert_is_opted_out(any_world, "@noor")


async def test_who_opts_out_in_the_form_of_an_invitation_can_close_it_and_still_rate_later(
    any_world: World,
) -> None:
    message = await invite(any_world)
    await press(any_world, message, "give_feedback", NOOR)
    await opt_out_in_form(any_world)
    await any_world.workspace.close_view(NOOR)

    assert await answer_invitation(any_world, message, rating="4") is ActionOutcome.CLOSED
    await wait_for_text(any_world, message, THANKS_IN_THREAD)
    assert stored(any_world) == [("answered", 4, None)]


async def test_an_invited_person_who_opts_out_can_still_send_what_they_had_chosen(any_world: World) -> None:
    message = await invite(any_world)
    await press(any_world, message, "give_feedback", NOOR)
    await any_world.wait_for_form(NOOR)
    await any_world.workspace.select(NOOR, "rating", "3")
    await opt_out_in_form(any_world)
    await any_world.wait_until(lambda: STOPPED in visible_text(any_world.workspace.current_view(NOOR)))
    assert (await any_world.workspace.submit_view(NOOR)).outcome is ActionOutcome.CLOSED

    assert stored(any_world) == [("answered", 3, None)]


async def test_an_opt_out_in_a_form_that_the_database_does_not_take_is_not_confirmed(world: World) -> None:
    message = await invite(world)
    await press_and_wait(world, message, "give_feedback", NOOR)
    with unwritable(world.database_url, Problem.READ_ONLY):
        await opt_out_in_form(world)

    await world.wait_until(
        lambda: "That wasn't saved, sorry." in visible_text(world.workspace.current_view(NOOR))
    )
    assert world.rows(tables.opt_outs) == []


async def test_the_rating_is_what_an_invitation_asks_for_and_is_not_called_optional(world: World) -> None:
    message = await invite(world)
    assert await answer_invitation(world, message, text="Slow.") is ActionOutcome.ERRORS
    form = await world.wait_for_form(NOOR)
    optional = [block["block_id"] for block in form.blocks if block.get("optional")]
    assert optional == ["comment"]
    await world.workspace.select(NOOR, "rating", "3")

    assert (await world.workspace.submit_view(NOOR)).outcome is ActionOutcome.CLOSED
    assert stored(world) == [("answered", 3, "Slow.")]
    submission = newest_delivery(world, "view_submission")
    without_rating = {"values": {"comment": {"comment": {"type": "plain_text_input", "value": "Fast."}}}}
    view = {**submission.payload["view"], "state": without_rating}
    payload = {**submission.payload, "view": view}
    forged = await world.workspace.redeliver(replace(submission, payload=payload))
    assert "Choose an answer." in str(forged.response)


async def test_an_invitation_to_nps_offers_all_ratings(world: World) -> None:
    message = await invite(world, metric="nps")

    assert await answer_invitation(world, message, rating="10") is ActionOutcome.CLOSED
    assert stored(world) == [("answered", 10, None)]


async def test_an_invitation_that_slack_has_not_updated_yet_leads_to_no_second_answer(
    any_world: World,
) -> None:
    message = await invite(any_world)
    await press_and_wait(any_world, message, "give_feedback", NOOR)
    any_world.workspace.faults.fail("chat.update", "ratelimited", times=100)
    await any_world.workspace.select(NOOR, "rating", "2")
    await any_world.workspace.submit_view(NOOR)
    await any_world.wait_until(is_app_idle)
    any_world.workspace.faults.clear()
    first = newest_delivery(any_world, "view_submission")
    assert INVITED in visible_text(message)

    await press(any_world, message, "give_feedback", NOOR)
    await wait_for_text(any_world, message, THANKS_IN_THREAD)
    assert not (await any_world.workspace.redeliver(first)).response
    assert any_world.workspace.current_view(NOOR) is None
    assert stored(any_world) == [("answered", 2, None)]


async def test_an_answer_from_a_second_form_of_an_invitation_is_not_stored_and_its_sender_is_told(
    any_world: World,
) -> None:
    message = await invite(any_world)
    assert await answer_invitation(any_world, message, rating="1") is ActionOutcome.CLOSED
    first = newest_delivery(any_world, "view_submission")
    view = first.payload["view"]
    typed = {
        "rating": {"rating": {"type": "radio_buttons", "selected_option": {"value": "5"}}},
        "comment": {"comment": {"type": "plain_text_input", "value": "Everything was perfect."}},
    }
    payload = {**first.payload, "view": {**view, "id": "V0SECOND01", "state": {"values": typed}}}
    second = await any_world.workspace.redeliver(replace(first, payload=payload))

    assert f"{NOT_CHANGED} {THANKS}" in str(second.response)
    assert stored(any_world) == [("answered", 1, None)]


async def test_an_invitation_closes_after_28_days(any_world: World) -> None:
    message = await invite(any_world)
    await press(any_world, message, "give_feedback", NOOR)
    await any_world.wait_for_form(NOOR)
    await any_world.workspace.select(NOOR, "rating", "2")
    await any_world.advance(days=28)
    assert (await any_world.workspace.submit_view(NOOR)).outcome is ActionOutcome.UPDATED
    assert CLOSED in visible_text(any_world.workspace.current_view(NOOR))
    await press(any_world, message, "give_feedback", NOOR)

    await wait_for_text(any_world, message, CLOSED)
    assert buttons(message) == []
    assert [rating for _, rating, _ in stored(any_world)] == [None]


async def test_an_opt_out_with_a_rating_that_comes_too_late_is_recorded_and_confirmed(
    any_world: World,
) -> None:
    message = await invite(any_world)
    await press(any_world, message, "give_feedback", NOOR)
    await any_world.wait_for_form(NOOR)
    await any_world.workspace.select(NOOR, "rating", "2")
    await opt_out_in_form(any_world)
    await any_world.advance(days=28)
    assert (await any_world.workspace.submit_view(NOOR)).outcome is ActionOutcome.UPDATED

    assert f"{CLOSED} {STOPPED}" in visible_text(any_world.workspace.current_view(NOOR))
    assert any_world.rows(tables.opt_outs.c.how) == [(How.SLACK,)]


async def test_an_invitation_to_an_erased_customer_is_replaced(any_world: World) -> None:
    message = await invite(any_world)
    await any_world.wait_until(lambda: any_world.is_outbox_empty() and is_app_idle())
    await forget(any_world, NOOR)

    assert visible_text(message) == ERASED


@pytest.mark.parametrize("error", ["502", "503"])
async def test_an_answer_to_an_invitation_settles_it_if_slack_has_not_confirmed_it(
    any_world: World, error: str
) -> None:
    any_world.workspace.faults.fail("chat.postMessage", error, times=1, after=True)
    message = await invite(any_world)
    await any_world.wait_until(lambda: any_world.states() == ["uncertain"])
    await answer_invitation(any_world, message, rating="5")

    await wait_for_text(any_world, message, THANKS_IN_THREAD)
    assert stored(any_world) == [("answered", 5, None)]


@pytest.mark.parametrize("error", ["502", "503"])
async def test_an_unconfirmed_survey_is_found_however_late_it_is_looked_for(
    any_world: World, error: str
) -> None:
    any_world.workspace.faults.fail("chat.postMessage", error, times=1, after=True)
    await ask(any_world)
    assert any_world.states() == ["uncertain"]
    await any_world.advance(hours=1)

    await any_world.wait_until(lambda: any_world.states() != ["uncertain"])
    assert any_world.states() == ["sent"]


async def test_that_the_second_message_did_not_arrive_says_nothing_of_the_first(any_world: World) -> None:
    faults = any_world.workspace.faults
    faults.fail("chat.postMessage", "502", times=1, after=True)
    await ask(any_world)
    asked = await any_world.wait_for_dm("may not have arrived")
    faults.fail("chat.postMessage", "502", times=1)
    await any_world.workspace.click(fixtures.ADA, SEND_AGAIN_ACTION, channel=asked.channel, ts=asked.ts)
    await any_world.wait_until(lambda: any_world.states() == ["refused", "uncertain"])
    await any_world.advance(minutes=2)
    told = visible_text(await any_world.wait_for_dm("was not sent again. The first one may have arrived."))

    assert "Slack has no record of the last one. Check whether an earlier one arrived" in told
    assert "so it did not arrive" not in told


async def test_that_an_edited_survey_did_not_arrive_says_nothing_of_the_first_one(any_world: World) -> None:
    faults = any_world.workspace.faults
    faults.fail("chat.postMessage", "502", times=1, after=True)
    await any_world.submit_survey("/csat @sam", channel=fixtures.PARTNERS)
    asked = await any_world.wait_for_dm("may not have arrived")
    faults.fail("chat.postMessage", "502", times=1)
    await any_world.workspace.click(fixtures.ADA, SEND_AGAIN_ACTION, channel=asked.channel, ts=asked.ts)
    await any_world.wait_until(lambda: any_world.states() == ["refused", "uncertain"])
    await any_world.advance(minutes=2)
    refused = await any_world.wait_for_dm("was not sent again. The first one may have arrived.")
    await any_world.wait_until(any_world.is_outbox_empty)
    await any_world.workspace.click(fixtures.ADA, EDIT_ACTION, channel=refused.channel, ts=refused.ts)
    await any_world.wait_for_form()
    faults.fail("chat.postMessage", "502", times=1)
    await any_world.workspace.submit_view(fixtures.ADA)
    await any_world.wait_until(lambda: any_world.states() == ["refused", "refused", "uncertain"])
    await any_world.advance(minutes=2)
    await any_world.wait_until(lambda: any_world.states() == ["refused"] * 3 and any_world.is_outbox_empty())
    told = [
        visible_text(message)
        for channel in any_world.workspace.channels
        for message in any_world.app_messages(channel, fixtures.ADA)
    ]

    assert not [text for text in told if "so it did not arrive" in text]


async def test_an_unconfirmed_survey_is_found_though_the_clock_is_ahead_of_slack_s(any_world: World) -> None:
    any_world.workspace.faults.fail("chat.postMessage", "502", times=1, after=True)
    await ask(any_world)
    with any_world.engine.begin() as connection:
        connection.execute(update(tables.attempts).values(started_at=any_world.clock() + timedelta(hours=1)))
    await any_world.advance(minutes=2)

    await any_world.wait_until(lambda: any_world.states() != ["uncertain"])
    assert any_world.states() == ["sent"]


async def test_surveys_are_sent_even_if_slack_does_not_say_where_they_are(any_world: World) -> None:
    any_world.workspace.faults.garble("chat.postMessage", b'{"ok": true}', times=100)
    messages = [await ask(any_world, user) for user in (SAM, fixtures.GUS)]
    await any_world.wait_until(any_world.is_outbox_empty)
    assert any_world.states() == ["sent", "sent"]
    await press(any_world, messages[0], "rate:4")

    await wait_for_text(any_world, messages[0], THANKS)
    assert stored(any_world) == [("answered", 4, None), ("sent", None, None)]
    assert any_world.rows(tables.surveys.c.feedback_id) == [
        (f"{messages[0].channel}/{messages[0].ts}",),
        (None,),
    ]


async def test_an_unconfirmed_invitation_stays_uncertain_as_the_app_can_not_look_for_it(world: World) -> None:
    world.workspace.faults.fail("chat.postMessage", "502", times=1, after=True)
    await invite(world)
    await world.wait_until(lambda: world.states() == ["uncertain"])
    await world.advance(minutes=2)
    await world.wait_until(lambda: world.rows(tables.surveys.c.reconcile_at) == [(None,)])

    assert world.states() == ["uncertain"]


async def test_an_invitation_whose_instance_was_killed_stays_uncertain_and_can_be_answered(
    any_world: World,
) -> None:
    any_world.workspace.faults.fail("chat.postMessage", "messages_tab_disabled", times=1)
    message = await invite(any_world, SAM)
    await any_world.wait_until(lambda: any_world.states() == ["sent"])
    killed = {"state": State.SENDING, "feedback_id": None, "lease_until": any_world.clock()}
    with any_world.engine.begin() as connection:
        connection.execute(update(tables.surveys).values(**killed))
    await any_world.wait_until(lambda: any_world.states() == ["uncertain"])
    await any_world.advance(minutes=2)
    await any_world.wait_until(lambda: any_world.rows(tables.surveys.c.reconcile_at) == [(None,)])
    assert any_world.states() == ["uncertain"]
    await answer_invitation(any_world, message, SAM, rating="5")

    assert stored(any_world) == [("answered", 5, None)]


async def test_nobody_looks_long_for_a_message_to_a_person_whom_the_app_may_not_message(world: World) -> None:
    await invite(world)
    await world.wait_until(lambda: world.states() == ["sent"])
    killed = {"state": State.SENDING, "feedback_id": None, "lease_until": world.clock()}
    with world.engine.begin() as connection:
        connection.execute(update(tables.surveys).values(**killed))
    await world.wait_until(lambda: world.states() == ["uncertain"])
    await world.advance(minutes=2)

    await world.wait_until(lambda: world.rows(tables.surveys.c.reconcile_at) == [(None,)])
    assert world.states() == ["uncertain"]


async def test_what_the_database_does_not_take_is_not_thanked_for(any_world: World) -> None:
    first, second = await ask(any_world), await ask(any_world)
    await press_and_wait(any_world, first, "rate:4")
    with unwritable(any_world.database_url, Problem.READ_ONLY):
        for action_id in ("rate:5", "stop_surveys"):
            await press_and_wait(any_world, second, action_id)
        assert await comment(any_world, "Fast.") is ActionOutcome.ERRORS
    any_world.engine.dispose()  # its connections were ended

    assert any_world.count_messages("That wasn't saved, sorry.", second.channel, SAM) == 2
    assert QUESTION in visible_text(second)
    assert stored(any_world) == [("answered", 4, None), ("sent", None, None)]
    assert any_world.rows(tables.opt_outs) == []


@pytest.mark.parametrize(("action_id", "words"), [("rate:4", NOT_ON_FILE), ("stop_surveys", STOPPED)])
async def test_nobody_is_thanked_for_an_answer_that_an_erasure_has_overtaken_but_an_opt_out_holds(
    world: World, monkeypatch: pytest.MonkeyPatch, action_id: str, words: str
) -> None:
    message = await ask(world)
    find = customer_answers.find

    def find_and_erase(connection: Connection, *survey: int) -> CustomerSurvey | None:
        found = find(connection, *survey)
        with world.engine.begin() as other:
            other.execute(update(tables.surveys).values(recipient_id=None))
        return found

    monkeypatch.setattr(customer_answers, "find", find_and_erase)
    await press(world, message, action_id)

    await world.wait_for_message(words, message.channel, SAM)
    assert (QUESTION in visible_text(message)) is (words == NOT_ON_FILE)
    assert len(world.rows(tables.opt_outs)) == (words == STOPPED)


async def test_a_requester_is_told_to_invite_the_app_where_it_can_not_post_in_the_thread(
    world: World,
) -> None:
    world.workspace.faults.fail("chat.postMessage", "channel_not_found", times=2)
    insert_survey(world, NOOR, thread="1700000000.000100")
    refusal = await world.wait_for_message("was not sent", fixtures.PARTNERS)

    assert "Invite the app to the channel, and try again." in visible_text(refusal)
    assert world.states() == ["refused"]


async def test_who_has_opted_out_in_slack_can_not_be_asked_again(any_world: World) -> None:
    await any_world.submit_survey("/csat @sam", channel=fixtures.PARTNERS)
    message = await any_world.wait_for_dm(QUESTION, SAM)
    await press_and_wait(any_world, message, "stop_surveys")
    await any_world.advance(days=30)
    form = await any_world.open_form("/csat @sam", fixtures.CLEO, fixtures.PARTNERS)

    assert "They chose this in Slack on" in visible_text(form)
    assert (await any_world.workspace.submit_view(fixtures.CLEO)).outcome is ActionOutcome.ERRORS
    await any_world.workspace.run_command(ADA, fixtures.PARTNERS, "/csat status @sam")
    await any_world.wait_for_message("They chose this in Slack on", fixtures.PARTNERS, ADA)


async def test_the_answer_to_an_invitation_by_the_shortcut_reaches_the_report(tmp_path: Path) -> None:
    async with running_world(tmp_path, **SUPERVISED) as world:
        start = await world.workspace.post_message(NOOR, fixtures.PARTNERS, "Thank you, it works again.")
        await world.workspace.run_shortcut(ADA, fixtures.PARTNERS, start.ts, "send_survey")
        await world.wait_for_form(ADA)
        await world.workspace.submit_view(ADA)
        message = await world.wait_for_message(INVITED, fixtures.PARTNERS, NOOR)
        assert message.thread_ts == start.ts
        await answer_invitation(world, message, rating="5", text="Fast.")
        await world.wait_for_message("They answered.", fixtures.PARTNERS)
        await world.workspace.run_command(fixtures.CLEO, fixtures.PARTNERS, "/csat report slack")

        await world.wait_for_message("1 answer", fixtures.PARTNERS, fixtures.CLEO)
