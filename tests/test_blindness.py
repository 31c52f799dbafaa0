"""Answers reach supervisors and nobody else: every byte that leaves the app is searched for them."""

from datetime import UTC, datetime, time, timedelta

import pytest

from blocks import low_rating
from blocks import response_modal as modal
from blocks.report_controls import ActionId
from cli.forget import open_eraser
from csat.db import tables
from csat.db.tables import metadata
from csat.surveys.questions import Metric
from csat.surveys.recipients import Recipient
from sandbox.slack import fixtures
from tests.blind import ASKED, EVERY_WAY, LOW, OWN, PAST, Stage

BUTTONS = (low_rating.SHOW_ACTION, low_rating.TAKE_ON_ACTION, low_rating.CLOSE_ACTION)


def shown(stage: Stage, person: str) -> set[str]:
    """Return which parts of answers somebody was rightly shown so far; nobody else was shown any."""
    assert stage.witness.testify() == []
    return {name for reader, name in stage.witness.shown if reader == person}


@pytest.mark.parametrize("stage", EVERY_WAY, indirect=True)
async def test_whoever_asked_and_their_colleagues_learn_that_it_was_answered(stage: Stage) -> None:
    for person in (fixtures.ADA, fixtures.GUS):
        await stage.world.open_home(person)
        for _, words, *_ in ASKED:
            handle = words.split()[-1]
            for question in (f"/csat status {handle}", f"/csat {handle}", "/csat report", "/csat export 30d"):
                await stage.world.workspace.run_command(person, fixtures.SUPPORT, question)

    assert shown(stage, fixtures.ADA) == set()


async def test_a_supervisor_is_shown_all_but_what_was_answered_to_their_own_surveys(stage: Stage) -> None:
    world = stage.world
    for alert in stage.alerts():
        await stage.press(fixtures.CLEO, low_rating.SHOW_ACTION, alert)
    await world.wait_for_message("You asked for this survey", fixtures.LEADS, fixtures.CLEO)
    await world.wait_until(lambda: stage.witness.reads(fixtures.CLEO, "views.open") == 3)
    assert {name for name in stage.names() if LOW in name} == shown(stage, fixtures.CLEO)
    await world.open_home(fixtures.CLEO)
    await world.choose_in_home(ActionId.METRIC, Metric.NPS)
    await world.choose_in_home(ActionId.PERIOD, "90")
    for word in ("report 90d", "export 90d"):
        await world.workspace.run_command(fixtures.CLEO, fixtures.SUPPORT, f"/csat {word}")
    files = world.workspace.files
    await world.wait_until(lambda: len(files) == 2 and all(file.is_complete for file in files.values()))

    assert shown(stage, fixtures.CLEO) == {
        name for name in stage.names() if not (OWN in name and "words" in name)
    }


async def test_no_button_opens_an_answer_for_an_agent(stage: Stage) -> None:
    """Pressed as they stand, or forged with the id of any survey, and by any way into the app."""
    world = stage.world
    for alert in stage.alerts():
        for action_id in BUTTONS:
            await stage.press(fixtures.ADA, action_id, alert)
    pressed = stage.newest(fixtures.ADA, low_rating.CLOSE_ACTION)
    for number in stage.survey_ids():
        for action_id in BUTTONS:
            action = {**pressed.payload["actions"][0], "action_id": action_id, "value": str(number)}
            await stage.forge(pressed, actions=[action])
    for action_id in ActionId:
        await stage.forge(pressed, actions=[{**pressed.payload["actions"][0], "action_id": action_id}])
    refused = len(stage.alerts()) * 3 + len(stage.survey_ids()) * 3
    await world.wait_until(
        lambda: world.count_messages("Only supervisors", fixtures.LEADS, fixtures.ADA) == refused
    )

    assert shown(stage, fixtures.ADA) == set()
    assert world.rows(tables.audit) == []


async def test_no_form_opens_an_answer_for_an_agent(stage: Stage) -> None:
    """A closing form of their own making, and the form of a survey with another one's id in it."""
    world = stage.world
    await world.submit_survey("/csat @mira_k")
    submitted = stage.newest(fixtures.ADA, "view_submission")
    note = {modal.NOTE_ID: {modal.NOTE_ID: {"type": "plain_text_input", "value": "Mine"}}}
    for number in ("", "x", *map(str, stage.survey_ids())):
        view = {**submitted.payload["view"], "private_metadata": number}
        await stage.forge(submitted, view=view)
        closing = {"callback_id": modal.CLOSE_CALLBACK_ID, "state": {"values": note}}
        forged = await stage.forge(submitted, view={**view, **closing})
        assert "Only supervisors" in str(forged.response) or number in {"", "x"}

    assert shown(stage, fixtures.ADA) == set()
    assert world.rows(tables.follow_ups, where=tables.follow_ups.c.note.is_not(None)) == []


async def test_a_supervisor_can_not_get_at_their_own_survey_by_another_s_button(stage: Stage) -> None:
    world = stage.world
    await stage.press(fixtures.CLEO, low_rating.SHOW_ACTION, stage.alerts()[0])
    await world.wait_for_form(fixtures.CLEO)
    pressed = stage.newest(fixtures.CLEO, low_rating.SHOW_ACTION)
    for number in stage.survey_ids(fixtures.CLEO):
        for action_id in BUTTONS:
            action = {**pressed.payload["actions"][0], "action_id": action_id, "value": str(number)}
            await stage.forge(pressed, actions=[action], trigger_id=stage.trigger(fixtures.CLEO))
    await world.open_home(fixtures.CLEO)
    await world.choose_in_home(ActionId.AGENT, fixtures.CLEO)

    assert not {name for name in shown(stage, fixtures.CLEO) if OWN in name and "words" in name}


async def test_whoever_ceased_to_supervise_keeps_no_result_and_gets_none(stage: Stage) -> None:
    world = stage.world
    await world.open_home(fixtures.BEN)
    await world.choose_in_home(ActionId.PERIOD, "90", fixtures.BEN)
    chosen = stage.newest(fixtures.BEN, ActionId.PERIOD)
    assert shown(stage, fixtures.BEN)
    await stage.regroup(fixtures.CLEO)
    stage.witness.shown.clear()
    await world.wait_until(lambda: "Your feedback surveys" in str(world.workspace.home_view(fixtures.BEN)))
    shown_before = stage.witness.reads(fixtures.BEN, "views.publish")
    for home_id in ActionId:
        await stage.forge(chosen, actions=[{**chosen.payload["actions"][0], "action_id": home_id}])
    for number in stage.survey_ids():
        for action_id in BUTTONS:
            action = {"action_id": action_id, "type": "button", "value": str(number), "block_id": "b"}
            await stage.forge(chosen, actions=[action])
    for word in ("report", "export 90d"):
        await world.workspace.run_command(fixtures.BEN, fixtures.SUPPORT, f"/csat {word}")
    again = shown_before + len(ActionId)
    await world.wait_until(lambda: stage.witness.reads(fixtures.BEN, "views.publish") >= again)

    assert shown(stage, fixtures.BEN) == set()


async def test_a_supervisor_s_note_that_quotes_the_customer_is_for_supervisors_too(stage: Stage) -> None:
    world, alert = stage.world, stage.alerts()[0]
    await stage.press(fixtures.CLEO, low_rating.CLOSE_ACTION, alert)
    await world.wait_for_form(fixtures.CLEO)
    await world.fill_in(fixtures.CLEO, note=f"They wrote: {stage.comment('a note', fixtures.ADA)}")
    await world.workspace.submit_view(fixtures.CLEO)
    await world.wait_for_message("Closed by", fixtures.LEADS, fixtures.CLEO)
    await world.open_home(fixtures.ADA)
    await stage.press(fixtures.ADA, low_rating.SHOW_ACTION, alert)
    await world.wait_for_message("Only supervisors", fixtures.LEADS, fixtures.ADA)
    assert shown(stage, fixtures.ADA) == set()
    await stage.press(fixtures.CLEO, low_rating.SHOW_ACTION, alert)

    await world.wait_until(lambda: "the words of a note" in shown(stage, fixtures.CLEO))


async def test_the_digest_has_sums_in_it_and_nobody_s_answer(stage: Stage) -> None:
    now = stage.world.clock()
    monday = datetime.combine(now.date() + timedelta(days=7 - now.weekday()), time(9), UTC)
    await stage.world.advance(seconds=(monday - now).total_seconds())
    await stage.world.wait_for_message("Last week: ", fixtures.LEADS, fixtures.ADA)

    assert shown(stage, fixtures.ADA) == set()


async def test_nothing_of_an_answer_is_left_once_its_customer_is_forgotten(stage: Stage) -> None:
    world = stage.world
    for _, words, *_ in ASKED:
        async with open_eraser(world.settings) as eraser:
            found, _ = await eraser.find(Recipient(handle=words.partition("@")[2]))
            assert (await eraser.erase(found)).remaining == 0
    await world.open_home(fixtures.CLEO)
    kept = str([world.rows(table) for table in metadata.sorted_tables])
    files = b"".join(file.read_bytes() for file in world.database_file.parent.glob("csat.db*"))
    kept += files.decode("latin-1")

    gone = [
        secret
        for secret in stage.witness.secrets
        if "the words of" in secret.name and PAST not in secret.name
    ]
    assert len(gone) == len(ASKED)
    assert [secret.name for secret in gone if secret.is_in(kept)] == []
    assert shown(stage, fixtures.ADA) == set()
