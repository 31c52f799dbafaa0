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
from tests.sandbox.slack_kit import (
    Json,
    call,
    modal,
    run_http_app,
    run_socket_mode_app,
    section,
    text_input,
    workspace,
)


def register_survey(app: AsyncApp, response: Json | None = None) -> None:
    """Register a command that opens a modal, and the response to its submission."""

    async def open_modal(ack: AsyncAck, body: Json, client: AsyncWebClient) -> None:
        await ack()
        blocks = [text_input("handle"), section(block_id="no_input")]
        await client.views_open(trigger_id=body["trigger_id"], view=modal(*blocks))

    async def submit(ack: AsyncAck) -> None:
        await ack(**(response or {}))

    app.command("/csat")(open_modal)
    app.view("form")(submit)


async def fill_in(slack: Workspace) -> None:
    """Open the modal as Ada and fill it in."""
    await slack.run_command(ADA, SUPPORT, "/csat")
    await slack.wait_until(lambda: slack.current_view(ADA))
    await slack.type_text(ADA, "handle", "@grace")


@pytest.mark.parametrize("run_app", [run_socket_mode_app, run_http_app])
async def test_a_modal_can_be_opened_and_submitted(run_app: Any) -> None:
    slack = workspace()
    async with run_app(slack, register_survey):
        await fill_in(slack)
        result = await slack.submit_view(ADA)

    payload = slack.deliveries[-1].payload
    assert (result.outcome, result.view) == (ActionOutcome.CLOSED, None)
    assert payload["view"]["state"]["values"]["handle"]["handle"]["value"] == "@grace"
    assert slack.deliveries[-1].response == {}


async def test_a_modal_stays_open_if_the_submission_is_not_acknowledged() -> None:
    slack = workspace()
    async with run_socket_mode_app(slack, register_survey):
        await fill_in(slack)
    result = await slack.submit_view(ADA)

    assert (result.outcome, result.failure) == (ActionOutcome.FAILED, CONNECTION_ERROR)
    assert result.view
    assert result.view.values["handle"]["handle"]["value"] == "@grace"


async def test_a_submission_that_is_not_acknowledged_failed_even_if_its_modal_was_replaced() -> None:
    async def replace(body: Json, client: AsyncWebClient) -> None:
        await client.views_open(trigger_id=body["trigger_id"], view=modal())
        raise RuntimeError

    def register(app: AsyncApp) -> None:
        register_survey(app)
        app.view("other")(replace)

    slack = workspace()
    async with run_http_app(slack, register):
        await fill_in(slack)
        view_id = slack.view_stack(ADA)[0].id
        await call(slack, "views.update", view_id=view_id, view=modal(callback_id="other"))
        result = await slack.submit_view(ADA)

    assert result.outcome is ActionOutcome.FAILED
    assert result.view
    assert result.view.id != view_id


@pytest.mark.parametrize(
    ("response", "outcome", "title"),
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
async def test_response_actions_are_applied(response: Json, outcome: ActionOutcome, title: str) -> None:
    slack = workspace()
    async with run_socket_mode_app(slack, lambda app: register_survey(app, response)):
        await fill_in(slack)
        result = await slack.submit_view(ADA)

    assert result.outcome is outcome
    assert result.errors == response.get("errors", {})
    assert result.view
    assert result.view.content["title"]["text"] == title


async def test_a_response_can_clear_the_stack() -> None:
    slack = workspace()
    async with run_socket_mode_app(slack, lambda app: register_survey(app, {"response_action": "clear"})):
        await fill_in(slack)
        result = await slack.submit_view(ADA)

    assert (result.outcome, result.view) == (ActionOutcome.CLEARED, None)


@pytest.mark.parametrize(
    ("response", "error"),
    [
        ({"response_action": "errors", "errors": {"unknown": "Who?"}}, "invalid_errors"),
        ({"response_action": "errors", "errors": {"no_input": "Who?"}}, "invalid_errors"),
        ({"response_action": "update", "view": modal(section(""))}, "invalid_arguments"),
        ({"text": "Thanks"}, "invalid_response_action"),
    ],
)
async def test_an_invalid_response_is_shown_as_a_connection_error(response: Json, error: str) -> None:
    slack = workspace()
    async with run_socket_mode_app(slack, lambda app: register_survey(app, response)):
        await fill_in(slack)
        result = await slack.submit_view(ADA)

    assert (result.outcome, result.failure) == (ActionOutcome.FAILED, CONNECTION_ERROR)
    assert slack.deliveries[-1].error == error


async def test_a_submission_can_be_corrected_in_the_same_view() -> None:
    responses: Iterator[Json] = iter([{"response_action": "errors", "errors": {"handle": "Who?"}}, {}])

    async def submit(ack: AsyncAck) -> None:
        await ack(**next(responses))

    def register(app: AsyncApp) -> None:
        register_survey(app)
        app.view("other")(submit)

    slack = workspace()
    async with run_socket_mode_app(slack, register):
        await fill_in(slack)
        view_id = slack.view_stack(ADA)[0].id
        await call(slack, "views.update", view_id=view_id, view=modal(callback_id="other"))
        first = await slack.submit_view(ADA)
        second = await slack.submit_view(ADA)

    view_ids = [delivery.payload["view"]["id"] for delivery in slack.deliveries[-2:]]
    assert (first.outcome, second.outcome) == (ActionOutcome.ERRORS, ActionOutcome.CLOSED)
    assert view_ids == [view_id, view_id]
