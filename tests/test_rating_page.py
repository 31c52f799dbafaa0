"""The page on which a customer rates, through its own listener."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from html import unescape
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest
import sqlalchemy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from csat.db import customer_answers, follow_ups, tables
from csat.db.outbox import NotificationKind
from csat.db.tables import opt_outs
from csat.rating_page.address_buckets import CAPACITY
from csat.surveys.customer_survey import CustomerSurvey
from csat.surveys.opt_outs import How
from csat.surveys.states import State
from sandbox.slack import Message, fixtures
from tests.databases import SLOW_KINDS, Databases
from tests.factories import SUPERVISED
from tests.rating_page_kit import RatingPages, running_pages, visible_text
from tests.world import LOW_RATING_ALERT, World
from tests.world import visible_text as slack_text

PREVIEWS = (
    "Twitterbot/1.0",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "facebookexternalhit/1.1",
    "TelegramBot (like TwitterBot)",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15",
)


@pytest.fixture(name="pages", params=SLOW_KINDS)
async def _pages(
    databases: Databases, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[RatingPages]:
    """The app with its rating page, on each kind of database."""
    url = databases.make(request.param, tmp_path)
    async with running_pages(tmp_path, database_url=url, **SUPERVISED) as pages:
        yield pages


@pytest.fixture(name="page")
async def _page(tmp_path: Path) -> AsyncIterator[RatingPages]:
    """The app with its rating page, on SQLite."""
    async with running_pages(tmp_path) as pages:
        yield pages


async def test_a_customer_rates_then_comments_and_is_thanked(pages: RatingPages) -> None:
    survey_id = pages.insert_survey()
    path = pages.path(survey_id)

    shown = await pages.browser.get(path)
    asked = await pages.rate(path, 4)
    comment_step = await pages.browser.get(asked.next_request.url if asked.next_request else "")
    comment = {"action": (None, "comment"), "comment": (None, "Fast.\r\nThank you!")}
    thanked = await pages.browser.post(path, files=comment)
    thanks = await pages.browser.get(thanked.next_request.url if thanked.next_request else "")

    assert "How satisfied" in visible_text(shown.text) or "What is your overall" in visible_text(shown.text)
    assert (asked.status_code, asked.headers["location"]) == (303, "?step=comment")
    assert "We have your answer." in visible_text(comment_step.text)
    assert (thanked.status_code, thanked.headers["location"]) == (303, "?step=thanks")
    assert "Thank you!" in visible_text(thanks.text)
    survey = pages.survey(survey_id)
    assert (survey["state"], survey["rating"], survey["comment"]) == (State.ANSWERED, 4, "Fast.\nThank you!")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_programs_that_open_the_link_leave_no_trace(page: RatingPages, method: str) -> None:
    survey_id = page.insert_survey()
    before = page.survey(survey_id)

    for agent in PREVIEWS:
        headers = {"user-agent": agent, "sec-purpose": "prefetch"}
        for query in ("", "?s=1", "?step=comment", "?step=thanks", "?step=late", "?action=rate&rating=1"):
            response = await page.browser.request(method, page.path(survey_id) + query, headers=headers)
            assert response.status_code == 200

    assert page.survey(survey_id) == before
    assert not page.world.app_messages()


async def test_a_link_can_preselect_a_rating(page: RatingPages) -> None:
    path = page.path(page.insert_survey())

    shown = (await page.browser.get(f"{path}?s=4")).text

    assert 'value="4" required checked>' in shown
    assert shown.count(" checked") == 1


async def test_a_low_rating_alerts_supervisors_and_a_better_one_withdraws_it(pages: RatingPages) -> None:
    pages.world.workspace.invite_bot(fixtures.LEADS)
    survey_id = pages.insert_survey()
    path = pages.path(survey_id)

    await pages.rate(path, 1)
    await pages.world.wait_for_message(LOW_RATING_ALERT, fixtures.LEADS, fixtures.CLEO)
    await pages.world.wait_until(lambda: pages.world.count_sent_notifications(NotificationKind.LOW_RATING))
    assert pages.follow_ups() == [survey_id]
    await pages.rate(path, 5)
    await pages.world.wait_for_message("not low after all", fixtures.LEADS, fixtures.CLEO)
    assert pages.follow_ups() == []
    await pages.rate(path, 2)
    await pages.world.wait_for_message(LOW_RATING_ALERT, fixtures.LEADS, fixtures.CLEO)

    assert pages.follow_ups() == [survey_id]
    assert pages.world.count_messages(LOW_RATING_ALERT, fixtures.LEADS, fixtures.CLEO) == 1


async def take_on(world: World, alert: Message) -> str:
    """Assign a low rating to Cleo, and return what the alert says of it."""
    await world.workspace.click(fixtures.CLEO, "take_on_low_rating", channel=alert.channel, ts=alert.ts)
    return f"Assigned to <@{fixtures.CLEO}>"


async def close(world: World, alert: Message) -> str:
    """Close a low rating as Cleo, and return what the alert says of it."""
    await world.workspace.click(fixtures.CLEO, "close_low_rating", channel=alert.channel, ts=alert.ts)
    await world.wait_for_form(fixtures.CLEO)
    await world.fill_in(fixtures.CLEO, note="Called them.")
    await world.workspace.submit_view(fixtures.CLEO)
    return f"Closed by <@{fixtures.CLEO}>"


@pytest.mark.parametrize("follow_up", [take_on, close])
async def test_a_low_rating_that_is_followed_up_and_becomes_better_counts_only_if_it_is_low_again(
    pages: RatingPages, follow_up: Callable[[World, Message], Awaitable[str]]
) -> None:
    world = pages.world
    world.workspace.invite_bot(fixtures.LEADS)
    path = pages.path(pages.insert_survey())
    await pages.rate(path, 1)
    alert = await world.wait_for_message(LOW_RATING_ALERT, fixtures.LEADS, fixtures.CLEO)
    done = await follow_up(world, alert)
    await world.wait_for_message(done, fixtures.LEADS, fixtures.CLEO)
    await world.wait_until(world.is_outbox_empty)

    await pages.rate(path, 5)
    changed = await world.wait_for_message("not low any more", fixtures.LEADS, fixtures.CLEO)
    assert changed.ts == alert.ts
    assert done in slack_text(changed)
    assert re.findall(r"\w+_low_rating", str(changed.blocks)) == ["show_low_rating"]
    assert "gave a low rating" not in changed.text
    home = slack_text(await world.open_home(fixtures.CLEO))
    assert "Low ratings to follow up" not in home
    assert ("This rating is not low any more" in home) == (follow_up is close)
    await world.workspace.click(fixtures.CLEO, "show_low_rating", channel=alert.channel, ts=alert.ts)
    shown = await world.wait_for_form(fixtures.CLEO)
    assert shown.content["title"]["text"] == "Changed rating"
    for text in ("Rating: 5", "This rating is not low any more: the customer changed it.", done):
        assert text in slack_text(shown.blocks)

    await pages.rate(path, 2)
    again = await world.wait_for_message(LOW_RATING_ALERT, fixtures.LEADS, fixtures.CLEO)
    assert again.ts == alert.ts
    assert done in slack_text(again)
    assert ("Low ratings to follow up: 1" in slack_text(await world.open_home(fixtures.CLEO))) == (
        follow_up is take_on
    )


async def test_an_alert_that_was_on_its_way_when_the_rating_changed_is_withdrawn(pages: RatingPages) -> None:
    world = pages.world
    world.workspace.invite_bot(fixtures.LEADS)
    path = pages.path(pages.insert_survey())

    with world.workspace.faults.hold("chat.postMessage", times=1) as hold:
        await pages.rate(path, 1)
        await hold.arrived.wait()
        await pages.rate(path, 5)
    await world.wait_until(lambda: world.count_sent_notifications(NotificationKind.LOW_RATING))
    await world.advance(minutes=2)

    await world.wait_for_message("not low after all", fixtures.LEADS, fixtures.CLEO)
    assert world.count_messages(LOW_RATING_ALERT, fixtures.LEADS, fixtures.CLEO) == 0


async def test_an_alert_that_was_on_its_way_while_the_rating_changed_twice_is_posted_once(
    pages: RatingPages,
) -> None:
    world = pages.world
    world.workspace.invite_bot(fixtures.LEADS)
    path = pages.path(pages.insert_survey())

    with world.workspace.faults.hold("chat.postMessage", times=1) as hold:
        await pages.rate(path, 1)
        await hold.arrived.wait()
        await pages.rate(path, 5)
        await pages.rate(path, 2)
    await world.wait_until(lambda: world.count_sent_notifications(NotificationKind.LOW_RATING))
    await world.advance(minutes=2)
    await world.wait_until(world.is_outbox_empty)

    assert world.count_messages(LOW_RATING_ALERT, fixtures.LEADS, fixtures.CLEO) == 1


@pytest.mark.parametrize("is_taken", [False, True])
async def test_nobody_is_alerted_to_a_rating_that_became_better_before_the_alert(
    pages: RatingPages, *, is_taken: bool
) -> None:
    world = pages.world
    world.workspace.invite_bot(fixtures.LEADS)
    survey_id = pages.insert_survey()
    path = pages.path(survey_id)
    world.workspace.faults.fail("chat.postMessage", "ratelimited", retry_after=30)

    await pages.rate(path, 1)
    await world.wait_until(lambda: world.attempts("low_rating") == [1])
    if is_taken:
        with world.engine.begin() as connection:
            follow_ups.take(connection, survey_id, fixtures.TEAM, fixtures.CLEO, world.clock())
    await pages.rate(path, 5)
    await world.advance(minutes=2)
    await world.wait_until(world.is_outbox_empty)
    assert world.count_messages("low", fixtures.LEADS, fixtures.CLEO) == 0

    await pages.rate(path, 2)
    await world.wait_for_message(LOW_RATING_ALERT, fixtures.LEADS, fixtures.CLEO)
    assert pages.follow_ups() == [survey_id]


async def test_a_rating_can_be_changed_for_15_minutes(page: RatingPages) -> None:
    survey_id = page.insert_survey()
    path = page.path(survey_id)
    await page.rate(path, 1)

    page.world.clock.advance(minutes=14)
    await page.rate(path, 3)
    page.world.clock.advance(minutes=2)
    await page.rate(path, 5)

    assert page.survey(survey_id)["rating"] == 3


@pytest.mark.parametrize("comment", ["", "Slow."])
async def test_a_customer_whose_change_comes_too_late_reads_that_their_answer_stands(
    pages: RatingPages, comment: str
) -> None:
    path = pages.path(pages.insert_survey())
    await pages.rate(path, 1)
    await pages.post(path, action="comment", comment=comment)
    pages.world.clock.advance(minutes=16)

    late = await pages.post(path, action="rate", rating="5")

    assert late.status_code == HTTPStatus.OK
    assert "Your earlier answer stands. It's too late to change it." in visible_text(late.text)
    assert ("Would you like to tell us more?" in late.text) == (not comment)
    assert "We have your answer" not in late.text
    assert ">Change my answer<" not in late.text


async def test_a_comment_can_be_sent_below_the_news_that_a_change_came_too_late(page: RatingPages) -> None:
    survey_id = page.insert_survey()
    path = page.path(survey_id)
    await page.rate(path, 1)
    page.world.clock.advance(minutes=16)
    late = await page.post(path, action="rate", rating="5")

    thanked = await page.post(str(late.url), action="comment", comment="It works now.")

    assert "Thank you!" in visible_text(thanked.text)
    survey = page.survey(survey_id)
    assert (survey["rating"], survey["comment"]) == (1, "It works now.")


async def test_a_customer_who_goes_back_too_late_to_change_their_answer_reads_that_it_stands(
    page: RatingPages,
) -> None:
    path = page.path(page.insert_survey())
    await page.rate(path, 1)
    page.world.clock.advance(minutes=16)

    shown = await page.browser.get(f"{path}?step=rate")

    assert "Your earlier answer stands." in visible_text(shown.text)


async def test_a_change_that_comes_too_late_does_not_tell_which_answer_stands(page: RatingPages) -> None:
    path = page.path(page.insert_survey())
    await page.rate(path, 4)
    page.world.clock.advance(minutes=16)

    guesses = [await page.post(path, action="rate", rating=str(rating)) for rating in range(1, 6)]

    assert len({guess.text for guess in guesses}) == 1


@pytest.mark.parametrize("minutes", [0, 14])
async def test_nobody_reads_that_it_is_too_late_while_it_is_not(page: RatingPages, minutes: int) -> None:
    path = page.path(page.insert_survey())
    unanswered = await page.browser.get(f"{path}?step=late")
    await page.rate(path, 4)
    page.world.clock.advance(minutes=minutes)
    answered = await page.browser.get(f"{path}?step=late")

    for response in (unanswered, answered):
        assert "too late" not in response.text


@pytest.mark.parametrize("step", ["", "?step=rate", "?step=comment", "?step=thanks", "?step=late"])
async def test_nobody_who_opens_the_link_learns_how_it_was_answered(page: RatingPages, step: str) -> None:
    paths = [page.path(page.insert_survey()) for _ in range(2)]
    for path, rating in zip(paths, (1, 5), strict=True):
        await page.rate(path, rating)

    low, high = [(await page.browser.get(path + step)).text for path in paths]

    assert low == high


async def test_a_rating_is_final_once_a_comment_was_sent(page: RatingPages) -> None:
    survey_id = page.insert_survey()
    path = page.path(survey_id)
    await page.rate(path, 4)
    await page.post(path, action="comment", comment="Good.")

    await page.rate(path, 1)
    await page.post(path, action="comment", comment="Bad!")

    survey = page.survey(survey_id)
    assert (survey["rating"], survey["comment"]) == (4, "Good.")


async def test_a_customer_who_changes_their_answer_reads_that_the_first_one_holds_meanwhile(
    page: RatingPages,
) -> None:
    path = page.path(page.insert_survey())
    unanswered = await page.browser.get(path)
    await page.rate(path, 4)

    reopened = await page.browser.get(path)

    holds = "Your answer holds until you choose another one."
    assert [holds in visible_text(response.text) for response in (unanswered, reopened)] == [False, True]


async def test_a_customer_reads_before_they_comment_what_that_makes_final_and_then_what_was_taken(
    page: RatingPages,
) -> None:
    path = page.path(page.insert_survey())

    asked = await page.post(path, action="rate", rating="4")
    declined = await page.browser.get(f"{path}?step=thanks")
    thanked = await page.post(path, action="comment", comment="Good.")

    final = "Once you send a comment, neither it nor your answer can be changed."
    assert final in visible_text(asked.text)
    assert "We have your answer. You can close this page." in visible_text(declined.text)
    assert "We have your answer and your comment. You can close this page." in visible_text(thanked.text)


async def test_a_customer_who_has_answered_reads_that_also_once_the_survey_has_closed(
    page: RatingPages,
) -> None:
    path = page.path(page.insert_survey())
    await page.rate(path, 4)
    await page.world.advance(days=28)

    shown = await page.browser.get(path)

    assert "This survey has closed. We have your answer." in visible_text(shown.text)


async def test_a_customer_who_opts_out_before_answering_reads_that_they_still_can(page: RatingPages) -> None:
    path = page.path(page.insert_survey())

    told = await page.post(path, action="opt_out")
    answered = await page.post(path, action="rate", rating="4")

    still = "We won't ask you again. You can still answer this question, if you like."
    assert [still in visible_text(response.text) for response in (told, answered)] == [True, False]


async def test_a_comment_can_be_added_after_a_rating_has_become_final(page: RatingPages) -> None:
    survey_id = page.insert_survey()
    path = page.path(survey_id)
    await page.rate(path, 4)
    page.world.clock.advance(days=2)

    reopened = await page.browser.get(path)
    await page.post(path, action="comment", comment="Still good.")

    assert "Would you like to tell us more?" in reopened.text
    assert page.survey(survey_id)["comment"] == "Still good."


async def test_repeated_and_concurrent_posts_count_once(pages: RatingPages) -> None:
    pages.world.workspace.invite_bot(fixtures.LEADS)
    survey_id = pages.insert_survey()
    path = pages.path(survey_id)

    responses = await asyncio.gather(*(pages.rate(path, 2) for _ in range(10)))
    await pages.world.wait_until(pages.world.is_outbox_empty)

    assert {response.status_code for response in responses} == {303}
    assert pages.survey(survey_id)["rating"] == 2
    assert pages.world.count_messages(LOW_RATING_ALERT, fixtures.LEADS, fixtures.CLEO) == 1


@pytest.mark.parametrize("rating", ["", "0", "6", "-1", "4.0", "four", "\u0661", "999"])
async def test_a_rating_that_is_not_on_the_scale_is_asked_for_again(page: RatingPages, rating: str) -> None:
    survey_id = page.insert_survey()

    response = await page.rate(page.path(survey_id), rating)

    assert response.status_code == 422
    assert "Please choose a number first." in visible_text(response.text)
    assert page.survey(survey_id)["rating"] is None


async def test_an_nps_survey_takes_0_to_10(page: RatingPages) -> None:
    first, last = (page.insert_survey(metric="nps") for _ in range(2))

    await page.rate(page.path(first), 0)
    await page.rate(page.path(last), 10)

    assert (page.survey(first)["rating"], page.survey(last)["rating"]) == (0, 10)


async def test_a_survey_closes_28_days_after_it_was_sent(page: RatingPages) -> None:
    survey_id = page.insert_survey()
    path = page.path(survey_id)
    await page.world.advance(days=28)

    shown = await page.browser.get(path)
    posted = await page.rate(path, 5)

    for response in (shown, posted):
        assert response.status_code == 410
        assert "Thank you for stopping by." in visible_text(response.text)
    assert page.survey(survey_id)["rating"] is None


async def test_a_late_answer_to_an_expired_survey_counts(page: RatingPages) -> None:
    survey_id = page.insert_survey(state=State.EXPIRED)

    await page.rate(page.path(survey_id), 5)

    assert page.survey(survey_id)["state"] == State.ANSWERED


async def test_somebody_else_can_say_that_the_survey_is_not_for_them(pages: RatingPages) -> None:
    survey_id = pages.insert_survey()
    path = pages.path(survey_id)

    told = await pages.post(path, action="disown")
    await pages.rate(path, 1)
    await pages.post(path, action="comment", comment="Who are you?")

    assert "We are sorry for the mix-up." in visible_text(told.text)
    survey = pages.survey(survey_id)
    assert (survey["state"], survey["rating"], survey["comment"]) == (State.SENT, None, None)
    assert survey["disowned_at"]


async def test_an_answered_survey_can_not_be_disowned(page: RatingPages) -> None:
    survey_id = page.insert_survey()
    path = page.path(survey_id)
    await page.rate(path, 4)

    shown = await page.browser.get(path)
    await page.post(path, action="disown")

    assert "This isn't me" not in shown.text.replace("&#39;", "'")
    assert page.survey(survey_id)["disowned_at"] is None


@pytest.mark.parametrize("days", [0, 40])
async def test_a_customer_can_ask_not_to_be_asked_again(pages: RatingPages, days: int) -> None:
    path = pages.path(pages.insert_survey(recipient_key="mira"))
    await pages.world.advance(days=days)

    shown = await pages.browser.get(path)
    told = await pages.post(path, action="opt_out")
    again = await pages.post(path, action="opt_out")

    assert "We won't ask you again." not in shown.text.replace("&#39;", "'")
    for response in (told, again):
        assert "We won't ask you again." in visible_text(response.text)
    columns = (opt_outs.c.recipient_key, opt_outs.c.how, opt_outs.c.lifted_at)
    assert pages.world.rows(*columns) == [("mira", How.RATING_PAGE, None)]


async def test_a_customer_who_opted_out_can_still_answer(page: RatingPages) -> None:
    survey_id = page.insert_survey()
    path = page.path(survey_id)

    await page.post(path, action="opt_out")
    await page.rate(path, 2)

    assert page.survey(survey_id)["rating"] == 2


NOBODY = {"recipient_handle": None, "recipient_id": None}


async def test_all_that_is_unknown_looks_the_same(page: RatingPages) -> None:
    page.insert_survey()
    by_card = page.insert_survey(transport="x_card")
    cancelled, refused = page.insert_survey(state=State.CANCELLED), page.insert_survey(state=State.REFUSED)
    erased = page.insert_survey(**NOBODY)
    token = page.path(1)

    paths = [
        *(page.path(number) for number in (by_card, cancelled, refused, erased, 999)),
        token[:-1],
        token + "A",
        "/r/",
        "/r/x/y",
        "/",
        "/healthz",
        "/metrics",
        "/slack/events",
    ]
    responses = [await page.browser.get(path) for path in paths]

    assert {response.status_code for response in responses} == {404}
    assert len({response.text for response in responses}) == 1
    assert "There is nothing here." in responses[0].text


async def test_a_link_does_not_lead_to_a_later_survey_with_the_same_number(page: RatingPages) -> None:
    survey_id = page.insert_survey()
    path = page.path(survey_id)
    with page.world.engine.begin() as connection:
        connection.execute(sqlalchemy.delete(tables.surveys))
    page.world.clock.advance(days=8)

    assert page.insert_survey() == survey_id
    assert (await page.browser.get(path)).status_code == 404
    assert (await page.rate(path, 1)).status_code == 404
    assert (await page.rate(page.path(survey_id), 5)).status_code == 303


async def test_the_page_names_neither_the_customer_nor_the_agent(page: RatingPages) -> None:
    path = page.path(page.insert_survey())

    for step in ("", "?step=comment", "?step=thanks"):
        text = (await page.browser.get(path + step)).text
        for secret in ("grace", "343434343434", "ticket_5555", fixtures.ADA):
            assert secret not in text
        await page.rate(path, 4)


async def test_previews_of_all_surveys_are_the_same(page: RatingPages) -> None:
    paths = [page.path(page.insert_survey(display_name=name)) for name in ("Northwind", "Contoso")]

    heads = []
    for path in (*paths, "/r/unknown"):
        text = (await page.browser.get(path)).text
        heads.append([line for line in text.splitlines() if line.startswith("<meta")])

    assert heads[0] == heads[1] == heads[2]
    assert '<meta property="og:title" content="How did we do?">' in heads[0]
    assert '<meta property="og:description" content="Your answer takes half a minute.">' in heads[0]


PRIVATE = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex, nofollow",
}
POLICY = [
    "img-src 'self'",
    "frame-ancestors 'none'",
    "form-action 'self'",
    "default-src 'none'",
    "base-uri 'none'",
]


@pytest.mark.parametrize("url", ["https://northwind.example/privacy", ""])
async def test_the_page_leads_to_the_privacy_policy_if_there_is_one(page: RatingPages, url: str) -> None:
    path = page.path(page.insert_survey(privacy_url=url))
    text = (await page.browser.get(path)).text

    assert (f'href="{url}"' in text, "Privacy policy" in text) == (bool(url), bool(url))


async def test_every_response_is_private(page: RatingPages) -> None:
    path = page.path(page.insert_survey())
    responses = [
        await page.browser.get(path),
        await page.browser.head(path),
        await page.rate(path, 4),
        await page.rate(path, 99),
        await page.browser.get("/r/unknown"),
        await page.browser.get("/robots.txt"),
        await page.browser.get("/favicon.ico"),
        await page.browser.put(path),
    ]

    assert [response.status_code for response in responses] == [200, 200, 303, 422, 404, 200, 204, 405]
    for response in responses:
        assert PRIVATE.items() <= response.headers.items()
        assert "set-cookie" not in response.headers
        assert "server" not in response.headers
        if "html" in response.headers.get("content-type", ""):
            policy = response.headers["content-security-policy"].split("; ")
            style_source, *others = sorted(policy, reverse=True)
            assert style_source.startswith("style-src 'sha256-")
            assert others == POLICY
    assert "Disallow: /" in responses[5].text
    assert "Nothing was saved." in visible_text(responses[7].text)
    assert "GET" in responses[7].headers["allow"]


async def test_an_unexpected_error_is_a_private_page_too(
    page: RatingPages, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = page.path(page.insert_survey())
    monkeypatch.setattr(customer_answers, "rate", lambda *_: 1 / 0)
    response = await page.rate(path, 4)

    assert response.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
    assert "Please try again in a minute." in visible_text(response.text)
    assert PRIVATE.items() <= response.headers.items()
    assert "content-security-policy" in response.headers
    assert "ZeroDivisionError" in caplog.text
    assert path not in caplog.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "same-origin", "origin": "null"}, 303),
        ({"sec-fetch-site": "none"}, 303),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "null"}, 303),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "http://127.0.0.1"}, 403),
        ({}, 303),
    ],
)
async def test_forms_of_other_sites_are_refused(
    page: RatingPages, headers: dict[str, str], status: int
) -> None:
    survey_id = page.insert_survey()

    response = await page.rate(page.path(survey_id), 4, **headers)

    assert response.status_code == status
    assert page.survey(survey_id)["rating"] == (4 if status == 303 else None)


async def test_a_comment_that_is_too_long_is_kept_in_the_form(page: RatingPages) -> None:
    survey_id = page.insert_survey()
    path = page.path(survey_id)
    await page.rate(path, 4)

    response = await page.post(path, action="comment", comment="x" * 2_001)
    longest = {"action": (None, "comment"), "comment": (None, "語" * 2_000)}
    accepted = await page.browser.post(path, files=longest)

    assert response.status_code == 422
    assert "x" * 2_001 in response.text
    assert accepted.status_code == 303
    assert page.survey(survey_id)["comment"] == "語" * 2_000


@pytest.mark.parametrize("state", ["new", "answered", "disowned"])
async def test_what_is_not_asked_for_leads_to_what_is(page: RatingPages, state: str) -> None:
    survey_id = page.insert_survey()
    path = page.path(survey_id)
    if state == "answered":
        await page.rate(path, 4)
        await page.post(path, action="comment", comment="Good.")
    if state == "disowned":
        await page.post(path, action="disown")
    before = page.survey(survey_id)
    expected = {
        "new": ["What is your overall"],
        "answered": ["Thank you!", "Your earlier answer stands."],
        "disowned": ["Thank you for telling us."] * 2,
    }

    shown = [await page.post(path, action="comment", comment="x" * 2_001)]
    if state != "new":
        shown.append(await page.post(path, action="rate", rating="99"))

    for response, text in zip(shown, expected[state], strict=True):
        assert response.status_code == 200
        assert text in visible_text(response.text)
    assert page.survey(survey_id) == before


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"action=rate&rating=4&x=" + b"x" * 16_384, "application/x-www-form-urlencoded", 413),
        (b"&".join([b"rating=4"] * 50), "application/x-www-form-urlencoded", 400),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x", 400),
        (b"--x", "multipart/form-data", 400),
        (b'{"action": "rate", "rating": 4}', "application/json", 400),
        (b"action=delete", "application/x-www-form-urlencoded", 400),
        (b"", "", 400),
    ],
)
async def test_other_bodies_are_refused(
    page: RatingPages, content: bytes, content_type: str, status: int
) -> None:
    survey_id = page.insert_survey()

    response = await page.browser.post(
        page.path(survey_id), content=content, headers={"content-type": content_type}
    )

    assert response.status_code == status
    assert "Nothing was saved." in visible_text(response.text)
    assert page.survey(survey_id)["rating"] is None


async def test_wrong_tokens_and_posts_are_limited_by_address(page: RatingPages) -> None:
    path = page.path(page.insert_survey())
    here, there = {"x-forwarded-for": "192.0.2.1"}, {"x-forwarded-for": "192.0.2.2"}
    page.world.clock.stop()

    guesses = [await page.browser.get(f"/r/{number}", headers=here) for number in range(CAPACITY + 1)]
    posted_here = await page.rate(path, 4, **here)
    shown_here = await page.browser.get(path, headers=here)
    posted_there = await page.rate(path, 4, **there)
    page.world.clock.advance(minutes=1)
    posted_later = await page.rate(path, 4, **here)

    assert {guess.status_code for guess in guesses[:-1]} == {404}
    assert [guesses[-1].status_code, posted_here.status_code] == [429, 429]
    assert "retry-after" in posted_here.headers
    assert [shown_here.status_code, posted_there.status_code, posted_later.status_code] == [200, 303, 303]


async def test_one_ipv6_subscriber_has_one_bucket(page: RatingPages) -> None:
    page.world.clock.stop()
    guesses = [
        await page.browser.get("/r/x", headers={"x-forwarded-for": f"2001:db8::{number:x}"})
        for number in range(CAPACITY + 1)
    ]

    assert guesses[-1].status_code == 429


async def test_tokens_are_in_no_log(page: RatingPages, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="csat")
    caplog.set_level(logging.DEBUG, logger="uvicorn")
    path = page.path(page.insert_survey())
    token = path.rpartition("/")[2]

    await page.browser.get(path)
    await page.rate(path, 1)
    await page.rate(path, 99)
    await page.browser.post(path, content=b"x" * 20_000)
    await page.browser.get(path + "x")

    assert token not in caplog.text


async def test_an_unavailable_database_is_told(page: RatingPages) -> None:
    path = page.path(page.insert_survey())

    rename_surveys(page, "surveys", "away")
    shown = await page.browser.get(path)
    posted = await page.rate(path, 4)
    rename_surveys(page, "away", "surveys")
    again = await page.rate(path, 4)

    assert [shown.status_code, posted.status_code, again.status_code] == [503, 503, 303]
    assert "try again" in visible_text(posted.text)


async def test_a_comment_that_can_not_be_saved_now_is_kept_in_a_form_to_send_it_again(
    page: RatingPages,
) -> None:
    survey_id = page.insert_survey()
    path = page.path(survey_id)
    await page.rate(path, 4)
    comment = {"action": "comment", "comment": "Slow, & then <lost>."}
    page.world.clock.stop()

    rename_surveys(page, "surveys", "away")
    unsaved = await page.browser.post(path, data=comment)
    rename_surveys(page, "away", "surveys")
    for number in range(CAPACITY):
        await page.browser.get(f"/r/{number}")
    refused = await page.browser.post(path, data=comment)
    elsewhere = await page.browser.post(path, data=comment, headers={"sec-fetch-site": "cross-site"})
    page.world.clock.advance(minutes=1)
    await page.browser.post(path, data={"action": "comment", "comment": find_comment(refused.text)})

    assert [unsaved.status_code, refused.status_code, elsewhere.status_code] == [503, 429, 403]
    assert find_comment(unsaved.text) == find_comment(refused.text) == comment["comment"]
    assert "Send comment" in visible_text(unsaved.text)
    assert "lost" not in elsewhere.text
    assert page.survey(survey_id)["comment"] == comment["comment"]


def find_comment(html: str) -> str:
    """Return the text in the field for a comment; "" without that field."""
    field = re.search(r"<textarea[^>]*>(.*)</textarea>", html, re.DOTALL)
    return unescape(field[1]) if field else ""


def rename_surveys(page: RatingPages, before: str, after: str) -> None:
    """Take the table of surveys away, or bring it back."""
    with page.world.engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {before} RENAME TO {after}")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(path=st.text(max_size=60), body=st.binary(max_size=400), multipart=st.booleans())
async def test_no_request_breaks_the_page(page: RatingPages, path: str, body: bytes, multipart: bool) -> None:  # noqa: FBT001 - given
    content_type = "multipart/form-data; boundary=x" if multipart else "application/x-www-form-urlencoded"
    survey_path = page.path(page.insert_survey())
    page.world.clock.ahead += timedelta(minutes=1)

    got = await page.browser.get("/r/" + "".join(f"%{byte:02x}" for byte in path.encode()))
    posted = await page.browser.post(survey_path, content=body, headers={"content-type": content_type})

    assert got.status_code == 404
    assert posted.status_code in {303, 400, 422}


WORDS = st.text(max_size=30) | st.sampled_from(["4", "x" * 2_001, "\x00", "comment", "thanks", "de", "ar"])
ACTIONS = st.sampled_from(["rate", "comment", "disown", "opt_out"]) | WORDS
POSTS = st.lists(
    st.tuples(st.fixed_dictionaries({"action": ACTIONS, "rating": WORDS, "comment": WORDS}), WORDS, WORDS),
    max_size=5,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(posts=POSTS, metric=st.sampled_from(["csat", "nps"]))
async def test_any_forms_in_any_order_lead_to_a_page(
    page: RatingPages, posts: list[tuple[dict[str, str], str, str]], metric: str
) -> None:
    survey_id = page.insert_survey(metric=metric)
    path = page.path(survey_id)

    for fields, step, lang in posts:
        page.world.clock.advance(minutes=1)
        query = {"step": step, "lang": lang, "s": step}
        posted = await page.browser.post(path, params=query, data=fields)
        assert posted.status_code in {303, 400, 422}
        assert (await page.browser.get(path, params=query)).status_code == 200
        if posted.next_request:
            assert (await page.browser.send(posted.next_request)).status_code == 200

    survey = page.survey(survey_id)
    assert (survey["state"] == State.ANSWERED) is (survey["rating"] is not None)
    assert not (survey["disowned_at"] and survey["rating"])
    assert survey["rating"] is not None or survey["comment"] is None


async def test_a_customer_who_answers_settles_an_uncertain_survey_as_sent(pages: RatingPages) -> None:
    survey_id = pages.insert_survey(state=State.UNCERTAIN, reason="Uncertain", feedback_id=None)

    await pages.rate(pages.path(survey_id), 5)
    await pages.world.wait_for_message("They answered.")

    await pages.world.wait_until(pages.world.is_outbox_empty)
    assert pages.survey(survey_id)["state"] == State.ANSWERED
    assert pages.world.count_sent_notifications(NotificationKind.SENT) == 1


async def test_without_a_public_url_nothing_is_served(tmp_path: Path) -> None:
    async with running_pages(tmp_path, csat_public_url="") as pages:
        with pytest.raises(httpx.ConnectError):
            await pages.browser.get("/robots.txt")


@pytest.mark.parametrize(
    "fields", [{"action": "rate", "rating": "4"}, {"action": "comment", "comment": "Fast."}]
)
async def test_nobody_is_thanked_for_an_answer_that_is_not_stored(
    page: RatingPages, monkeypatch: pytest.MonkeyPatch, fields: dict[str, str]
) -> None:
    survey_id = page.insert_survey(
        **({"state": "answered", "rating": 4, "rated_at": page.world.clock()} if "comment" in fields else {})
    )
    path = page.path(survey_id)
    find = customer_answers.find

    def find_and_erase(connection: Connection, *survey: int) -> CustomerSurvey | None:
        found = find(connection, *survey)
        with page.world.engine.begin() as other:
            other.execute(sqlalchemy.update(tables.surveys).values(NOBODY))
        return found

    monkeypatch.setattr(customer_answers, "find", find_and_erase)
    response = await page.browser.post(path, data=fields)

    assert response.status_code == HTTPStatus.NOT_FOUND
