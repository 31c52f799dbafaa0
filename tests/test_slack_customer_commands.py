"""`/csat status`, `stop` and `unstop` of a person in Slack, and what comes of their surveys."""

from pathlib import Path
from typing import Any

import pytest

from csat.db.tables import opt_outs, surveys
from handlers import slack_customers
from sandbox.slack import fixtures
from tests.world import World, running_world, visible_text

GUS = f"<@{fixtures.GUS}>"


async def run(world: World, command: str, user: str = fixtures.BEN) -> None:
    await world.workspace.run_command(user, fixtures.SUPPORT, command)


async def test_status_shows_who_asked_a_person_and_from_when_they_can_be_asked_again(
    tmp_path: Path, database_url: str
) -> None:
    async with running_world(tmp_path, database_url=database_url) as world:
        await run(world, "/csat status @gus")
        await world.wait_for_message("You can ask them now.", viewer=fixtures.BEN)
        await world.submit_survey("/csat @gus")
        await world.wait_for_message("sent a survey to Gus Lindqvist")
        await run(world, "/csat status @gus")
        reply = await world.wait_for_message("Can't be asked until", viewer=fixtures.BEN)
        assert visible_text(reply).startswith(GUS)
        assert f"sent, no answer yet, asked by <@{fixtures.ADA}>" in visible_text(reply)

        form = await world.open_form("/csat @gus", fixtures.BEN)
        assert "Can't be asked until" in visible_text(form)
        result = await world.workspace.submit_view(fixtures.BEN)
        assert result.errors == {"person:0": "Nothing was sent."}


@pytest.mark.parametrize("mention", ["@ben", "@helpdesk", "@rui"])
async def test_status_says_who_can_be_no_customer(world: World, mention: str) -> None:
    sentences = (slack_customers.ONESELF, slack_customers.AN_APP, slack_customers.STRANGER)
    await run(world, f"/csat status {mention}")

    reply = await world.wait_until(lambda: world.app_messages(viewer=fixtures.BEN))
    assert any(sentence in visible_text(reply[0]) for sentence in sentences)


async def test_status_shows_the_opt_out_of_a_person_who_can_be_no_customer(world: World) -> None:
    await run(world, "/csat stop @rui")
    await world.wait_for_form(fixtures.BEN)
    await world.workspace.type_text(fixtures.BEN, "reason", "He told me.")
    await world.workspace.submit_view(fixtures.BEN)
    await world.wait_for_message("won't be asked again", viewer=fixtures.BEN)
    await run(world, "/csat status @rui")

    reply = await world.wait_for_message("asked not to be surveyed", viewer=fixtures.BEN)
    assert "He told me." in visible_text(reply)
    assert slack_customers.STRANGER not in visible_text(reply)


async def test_a_person_who_wants_no_surveys_is_stopped_and_allowed_again(
    tmp_path: Path, database_url: str
) -> None:
    supervised: dict[str, Any] = {"csat_supervisors": frozenset({fixtures.CLEO})}
    async with running_world(tmp_path, database_url=database_url, **supervised) as world:
        await run(world, "/csat stop @gus")
        await world.wait_for_form(fixtures.BEN)
        await world.workspace.type_text(fixtures.BEN, "reason", "He told me.")
        await world.workspace.submit_view(fixtures.BEN)
        await world.wait_for_message(
            f"Noted: {GUS} won't be asked again. A supervisor can lift this with /csat unstop {GUS}.",
            viewer=fixtures.BEN,
        )
        form = await world.open_form("/csat @gus")
        assert "This customer asked not to be surveyed." in visible_text(form)
        assert f"/csat unstop {GUS}" in visible_text(form)
        await world.workspace.submit_view(fixtures.ADA)
        assert not world.rows(surveys.c.id)

        await run(world, "/csat stop @gus")
        await world.wait_for_message(f"{GUS} has opted out already", viewer=fixtures.BEN)
        await run(world, "/csat unstop @gus", fixtures.CLEO)
        await world.wait_for_form(fixtures.CLEO)
        await world.workspace.type_text(fixtures.CLEO, "reason", "He agreed.")
        await world.workspace.submit_view(fixtures.CLEO)
        await world.wait_for_message(f"Lifted: {GUS} can be asked again.", viewer=fixtures.CLEO)
        await run(world, "/csat unstop @gus", fixtures.CLEO)
        await world.wait_for_message(f"Nothing to lift: {GUS} has not opted out.", viewer=fixtures.CLEO)
        assert len(world.rows(opt_outs.c.recipient_key)) <= 1


async def test_a_refused_survey_is_edited_and_tried_again_for_the_same_person(world: World) -> None:
    await world.submit_survey("/csat @noor", channel=fixtures.PARTNERS, message="Kept as typed")
    refused = await world.wait_for_message("was not sent.", fixtures.PARTNERS)
    await world.workspace.click(fixtures.ADA, "edit_survey", channel=refused.channel, ts=refused.ts)
    form = await world.wait_for_form()

    field = next(block["element"] for block in form.blocks if block.get("block_id") == "person:0")
    assert field["initial_user"] == fixtures.NOOR
    assert "Kept as typed" in str(form.blocks)


async def test_home_says_why_a_survey_in_slack_waits_and_how_to_ask_there(tmp_path: Path) -> None:
    async with running_world(tmp_path, csat_transports="slack") as world:
        assert "choose the customer from Slack's list" in visible_text(await world.open_home())
        await world.open_form("/csat @gus")
        world.workspace.faults.fail("chat.postMessage", "ratelimited", retry_after=600)
        await world.workspace.submit_view(fixtures.ADA)
        await world.wait_for_waiting_message()
        home = visible_text(await world.open_home())

    assert f"{GUS} in " in home
    assert "queued · Slack is busy or can't be reached." in home
    assert "/csat @person asks a customer in Slack how you did." in home
    assert " X" not in home


async def test_status_says_that_a_person_could_not_be_messaged(world: World) -> None:
    await world.submit_survey("/csat @noor", channel=fixtures.PARTNERS)
    await world.wait_for_message("was not sent.", fixtures.PARTNERS)
    await run(world, "/csat status @noor")

    reply = await world.wait_for_message("The last try failed", viewer=fixtures.BEN)
    assert "Choose ⋮ > Send feedback survey on a message of theirs" in visible_text(reply)


@pytest.mark.parametrize("command", ["/csat status", "/csat stop"])
async def test_a_command_without_a_customer_asks_for_one_wherever_they_are(
    tmp_path: Path, command: str
) -> None:
    async with running_world(tmp_path, csat_transports="x_card,slack") as world:
        await run(world, command)

        await world.wait_for_message(f"Add the customer: {command} @customer", viewer=fixtures.BEN)
