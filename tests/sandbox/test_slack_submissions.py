from collections.abc import Iterator
from typing import Any

import pytest
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.slack import ActionOutcome, Workspace
from sandbox.slack.fixtures import (
    ADA,
    SUPPORT,
)
from sandbox.slack.response_actions import CONNECTION_ERROR
from tests.sandbox.test_slack_kit import (
    Json,
    call,
    connected,
    listening,
    modal,
    section,
    text_input,
    workspace,
)


def survey(app: AsyncApp, answer: Json | None = None) -> None:
    """Register an app that opens a form from a command and answers its submission."""

    async def open_form(ack: AsyncAck, body: Json, client: AsyncWebClient) -> None:
        await ack()
        blocks = [text_input("handle"), section(block_id="no_input")]
        await client.views_open(trigger_id=body["trigger_id"], view=modal(*blocks))

    async def submitted(ack: AsyncAck) -> None:
        await ack(**(answer or {}))

    app.command("/csat")(open_form)
    app.view("form")(submitted)


async def filled(slack: Workspace) -> None:
    """Let Ada open the form and fill it."""
    await slack.run_command(ADA, SUPPORT, "/csat")
    await slack.wait_until(lambda: slack.current_view(ADA))
    await slack.type_text(ADA, "handle", "@grace")


@pytest.mark.parametrize("way", [connected, listening])
async def test_a_command_opens_a_form_that_is_submitted(way: Any) -> None:
    slack = workspace()
    async with way(slack, survey):
        await filled(slack)
        seen = await slack.submit_view(ADA)

    told = slack.deliveries[-1].payload
    assert (seen.outcome, seen.view) == (ActionOutcome.CLOSED, None)
    assert told["view"]["state"]["values"]["handle"]["handle"]["value"] == "@grace"
    assert slack.deliveries[-1].response == {}


async def test_an_unacknowledged_form_stays_open() -> None:
    slack = workspace()
    async with connected(slack, survey):
        await filled(slack)
    seen = await slack.submit_view(ADA)

    assert (seen.outcome, seen.failure) == (ActionOutcome.FAILED, CONNECTION_ERROR)
    assert seen.view
    assert seen.view.values["handle"]["handle"]["value"] == "@grace"


@pytest.mark.parametrize(
    ("answer", "happened", "title"),
    [
        ({"response_action": "errors", "errors": {"handle": "Who?"}}, ActionOutcome.ERRORS, "Survey"),
        (
            {"response_action": "update", "view": modal(title={"type": "plain_text", "text": "Sent"})},
            ActionOutcome.UPDATED,
            "Sent",
        ),
        (
            {"response_action": "push", "view": modal(title={"type": "plain_text", "text": "Sure?"})},
            ActionOutcome.PUSHED,
            "Sure?",
        ),
    ],
)
async def test_a_submission_is_answered_with_an_action(
    answer: Json, happened: ActionOutcome, title: str
) -> None:
    slack = workspace()
    async with connected(slack, lambda app: survey(app, answer)):
        await filled(slack)
        seen = await slack.submit_view(ADA)

    assert seen.outcome is happened
    assert seen.errors == answer.get("errors", {})
    assert seen.view
    assert seen.view.content["title"]["text"] == title


async def test_a_submission_may_clear_the_stack() -> None:
    slack = workspace()
    async with connected(slack, lambda app: survey(app, {"response_action": "clear"})):
        await filled(slack)
        seen = await slack.submit_view(ADA)

    assert (seen.outcome, seen.view) == (ActionOutcome.CLEARED, None)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"response_action": "errors", "errors": {"unknown": "Who?"}}, "invalid_errors"),
        ({"response_action": "errors", "errors": {"no_input": "Who?"}}, "invalid_errors"),
        ({"response_action": "update", "view": modal(section(""))}, "invalid_arguments"),
        ({"text": "Thanks"}, "invalid_response_action"),
    ],
)
async def test_an_answer_that_makes_no_sense_is_trouble_connecting(answer: Json, error: str) -> None:
    slack = workspace()
    async with connected(slack, lambda app: survey(app, answer)):
        await filled(slack)
        seen = await slack.submit_view(ADA)

    assert (seen.outcome, seen.failure) == (ActionOutcome.FAILED, CONNECTION_ERROR)
    assert slack.deliveries[-1].error == error


async def test_a_submission_can_be_corrected_in_the_same_form() -> None:
    answers: Iterator[Json] = iter([{"response_action": "errors", "errors": {"handle": "Who?"}}, {}])

    async def submitted(ack: AsyncAck) -> None:
        await ack(**next(answers))

    def register(app: AsyncApp) -> None:
        survey(app)
        app.view("other")(submitted)

    slack = workspace()
    async with connected(slack, register):
        await filled(slack)
        first_id = slack.view_stack(ADA)[0].id
        await call(slack, "views.update", view_id=first_id, view=modal(callback_id="other"))
        first = await slack.submit_view(ADA)
        second = await slack.submit_view(ADA)

    views = [delivery.payload["view"]["id"] for delivery in slack.deliveries[-2:]]
    assert (first.outcome, second.outcome) == (ActionOutcome.ERRORS, ActionOutcome.CLOSED)
    assert views == [first_id, first_id]
