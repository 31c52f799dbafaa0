"""Unexpected errors are logged without personal data and reported to the person with a reference."""

import re

import pytest

from sandbox.slack import fixtures
from sandbox.x import Fault
from tests.world import World, visible_text

WORDS = "Between you and me"


async def test_an_error_in_a_command_is_reported_to_the_person_only(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("handlers.commands.parse_command_args", lambda *_, **__: 1 / 0)
    await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, f"/csat {WORDS}")
    reply = await world.wait_for_message("Something went wrong")

    reference = re.search(r"reference (\w{6})", visible_text(reply))
    assert reference
    assert f"Reference {reference[1]}" in caplog.text
    assert WORDS not in caplog.text
    assert reply.visible_to == fixtures.ADA


async def test_an_error_in_a_button_is_reported(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.services.find_survey", lambda *_: 1 / 0)
    world.x.fail(Fault.LOOKS_AUTOMATED)
    await world.submit_survey("/csat @mira_k")
    reply = await world.wait_for_message("was not sent")
    await world.workspace.click(fixtures.ADA, "edit_survey", channel=fixtures.SUPPORT, ts=reply.ts)

    await world.wait_for_message("Something went wrong")


async def test_an_error_that_can_not_be_reported_is_logged(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("handlers.commands.parse_command_args", lambda *_, **__: 1 / 0)
    for method in ("chat.postEphemeral", "response_url", "chat.postMessage"):
        world.workspace.faults.fail(method, "500")
    await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, "/csat")

    await world.wait_until(lambda: "Nobody was told that /csat failed" in caplog.text)


async def test_a_slack_that_shows_neither_the_form_nor_why_is_no_unexpected_error(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.workspace.faults.fail("views.open", "500")
    for method in ("chat.postEphemeral", "response_url", "chat.postMessage"):
        world.workspace.faults.fail(method, "500", times=1)
    await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, "/csat")
    reply = await world.wait_for_message("Slack is busy")

    assert reply.visible_to == fixtures.ADA
    assert "/csat was not answered" in caplog.text
    assert "Reference" not in caplog.text


async def test_an_error_in_a_submission_keeps_the_form_open(world: World) -> None:
    await world.submit_survey("/csat @mira_k")
    await world.wait_for_feedback()
    delivery = next(d for d in world.workspace.deliveries if d.payload.get("type") == "view_submission")
    world.workspace.deliveries.append(delivery)
    forged = await world.forge(view={**delivery.payload["view"], "id": "V2", "private_metadata": "{}"})

    assert "Something went wrong" in str(forged.response)
    assert len(world.x.feedbacks) == 1


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("/csat help", "opens the survey form"),
        ("/csat", "Slack can't confirm right now"),
        ("/csat status @mira_k", "Slack can't confirm right now"),
    ],
)
async def test_people_are_answered_though_slack_does_not_accept_the_token(
    world: World, command: str, reply: str
) -> None:
    for method in ("users.info", "chat.postEphemeral", "chat.postMessage", "views.open"):
        world.workspace.faults.fail(method, "token_revoked", times=1000)
    await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, command)

    await world.wait_for_message(reply)
