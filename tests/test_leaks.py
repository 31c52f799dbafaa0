"""Answers reach supervisors only: everything that leaves the app is searched for them."""

from datetime import UTC, datetime, time, timedelta

import pytest

from blocks import low_rating
from blocks import low_rating_modals as modal
from blocks.home_report_controls import ActionId
from blocks.slack_survey import CHANGE_ACTION, COMMENT_ACTION, GIVE_FEEDBACK_ACTION, RATE_ACTION, STOP_ACTION
from blocks.slack_survey_modals import COMMENT_CALLBACK_ID, COMMENT_ID, FEEDBACK_CALLBACK_ID, RATING_ID
from cli.customer_messages import ErasureResult
from cli.forget import open_search_and_eraser
from csat.db import tables
from csat.db.tables import metadata
from csat.surveys.questions import Metric
from handlers.form_opening import SHORTCUT
from sandbox.slack import fixtures
from tests.canaries import CSAT
from tests.leak_env import ALL_MODES, LOW, OWN, PAST, SURVEYS, LeakEnv
from tests.slack_survey_kit import INVITED
from tests.world import is_app_idle

pytestmark = pytest.mark.unmeasured

BUTTONS = (low_rating.SHOW_ACTION, low_rating.TAKE_ON_ACTION, low_rating.CLOSE_ACTION)
CUSTOMER_BUTTONS = (
    f"{RATE_ACTION}:{CSAT[4]}",
    COMMENT_ACTION,
    CHANGE_ACTION,
    STOP_ACTION,
    GIVE_FEEDBACK_ACTION,
)
LATER_BUTTONS = (low_rating.TAKE_OVER_ACTION, low_rating.REOPEN_ACTION)
"""The buttons of a follow-up that was taken or closed."""


def check_shown(leak_env: LeakEnv, person: str) -> set[str]:
    """Check that nothing has leaked and return the names of the secrets shown to a user."""
    assert leak_env.detector.find_leaks() == []
    return {name for reader, name in leak_env.detector.shown if reader == person}


@pytest.mark.parametrize("leak_env", ALL_MODES, indirect=True)
async def test_agents_do_not_see_answers(leak_env: LeakEnv) -> None:
    for person in (fixtures.ADA, fixtures.GUS):
        await leak_env.world.open_home(person)
        for _, command, *_ in SURVEYS:
            handle = command.split()[-1]
            for text in (f"/csat status {handle}", f"/csat {handle}", "/csat report", "/csat export 30d"):
                await leak_env.world.workspace.run_command(person, fixtures.SUPPORT, text)

    assert check_shown(leak_env, fixtures.ADA) == set()


@pytest.mark.parametrize("leak_env", ["http, posted"], indirect=True)
async def test_a_link_reaches_nobody_but_its_customer(leak_env: LeakEnv) -> None:
    world = leak_env.world
    for person in (fixtures.ADA, fixtures.CLEO):
        await world.open_home(person)
        await world.workspace.run_command(person, fixtures.SUPPORT, "/csat status @mira_k")
    await world.x.messages.previewer.wait()
    await world.wait_until(lambda: leak_env.detector.count_calls(fixtures.CLEO, "chat.postEphemeral"))
    check_shown(leak_env, fixtures.ADA)
    tokens = [message.urls[0].rpartition("/")[2] for message in world.x.messages.sent]
    outputs = [
        output for output in leak_env.detector.outputs if not output.source.startswith("a request to X")
    ]

    assert len(set(tokens)) == len(SURVEYS)
    assert {output.source for output in outputs for token in tokens if token in output.text} == set()
    stored = str([world.rows(table) for table in metadata.sorted_tables])
    assert not [token for token in tokens if token in stored]


async def test_supervisors_see_all_answers_but_comments_on_their_own_surveys(leak_env: LeakEnv) -> None:
    world = leak_env.world
    for alert in leak_env.alerts():
        await leak_env.click(fixtures.CLEO, low_rating.SHOW_ACTION, alert)
    await world.wait_for_message("You asked for this survey", fixtures.LEADS, fixtures.CLEO)
    await world.wait_until(lambda: leak_env.detector.count_calls(fixtures.CLEO, "views.open") == 3)
    assert {name for name in leak_env.secret_names() if LOW in name} == check_shown(leak_env, fixtures.CLEO)
    await world.open_home(fixtures.CLEO)
    await world.choose_in_home(ActionId.METRIC, Metric.NPS)
    await world.choose_in_home(ActionId.PERIOD, "90")
    for args in ("report 90d", "export 90d"):
        await world.workspace.run_command(fixtures.CLEO, fixtures.SUPPORT, f"/csat {args}")
    files = world.workspace.files
    await world.wait_until(lambda: len(files) == 2 and all(file.is_complete for file in files.values()))

    assert check_shown(leak_env, fixtures.CLEO) == {
        name for name in leak_env.secret_names() if not (OWN in name and "comment" in name)
    }


async def test_no_button_reveals_an_answer_to_an_agent(leak_env: LeakEnv) -> None:
    """Neither clicked nor forged with the id of any survey or through another action."""
    world = leak_env.world
    for alert in leak_env.alerts():
        for action_id in BUTTONS:
            await leak_env.click(fixtures.ADA, action_id, alert)
    delivery = leak_env.newest_delivery(fixtures.ADA, low_rating.CLOSE_ACTION)
    for survey_id in leak_env.survey_ids():
        for action_id in BUTTONS + LATER_BUTTONS:
            action = {**delivery.payload["actions"][0], "action_id": action_id, "value": str(survey_id)}
            await leak_env.redeliver(delivery, actions=[action])
    for action_id in ActionId:
        await leak_env.redeliver(
            delivery, actions=[{**delivery.payload["actions"][0], "action_id": action_id}]
        )
    expected_refusals = len(leak_env.alerts()) * 3 + len(leak_env.survey_ids()) * 5
    await world.wait_until(
        lambda: world.count_messages("Only supervisors", fixtures.LEADS, fixtures.ADA) == expected_refusals
    )

    assert check_shown(leak_env, fixtures.ADA) == set()
    assert world.rows(tables.audit) == []


async def test_no_form_reveals_an_answer_to_an_agent(leak_env: LeakEnv) -> None:
    """Neither a forged closing form nor a survey form with another survey's id."""
    world = leak_env.world
    await world.submit_survey("/csat @mira_k")
    submitted = leak_env.newest_delivery(fixtures.ADA, "view_submission")
    note = {modal.NOTE_ID: {modal.NOTE_ID: {"type": "plain_text_input", "value": "Mine"}}}
    for survey_id in ("", "x", *map(str, leak_env.survey_ids())):
        view = {**submitted.payload["view"], "private_metadata": survey_id}
        await leak_env.redeliver(submitted, view=view)
        closing = {"callback_id": modal.CLOSE_CALLBACK_ID, "state": {"values": note}}
        forged = await leak_env.redeliver(submitted, view={**view, **closing})
        assert "Only supervisors" in str(forged.response) or survey_id in {"", "x"}

    assert check_shown(leak_env, fixtures.ADA) == set()
    assert world.rows(tables.follow_ups, where=tables.follow_ups.c.note.is_not(None)) == []


async def test_supervisors_cannot_see_comments_on_their_own_surveys_with_forged_buttons(
    leak_env: LeakEnv,
) -> None:
    world = leak_env.world
    await leak_env.click(fixtures.CLEO, low_rating.SHOW_ACTION, leak_env.alerts()[0])
    await world.wait_for_form(fixtures.CLEO)
    delivery = leak_env.newest_delivery(fixtures.CLEO, low_rating.SHOW_ACTION)
    for survey_id in leak_env.survey_ids(fixtures.CLEO):
        for action_id in BUTTONS + LATER_BUTTONS:
            action = {**delivery.payload["actions"][0], "action_id": action_id, "value": str(survey_id)}
            await leak_env.redeliver(
                delivery, actions=[action], trigger_id=leak_env.issue_trigger(fixtures.CLEO)
            )
    await world.open_home(fixtures.CLEO)
    await world.choose_in_home(ActionId.AGENT, fixtures.CLEO)

    assert not {name for name in check_shown(leak_env, fixtures.CLEO) if OWN in name and "comment" in name}


@pytest.mark.parametrize("leak_env", ["socket mode, pressed", "http, pressed"], indirect=True)
async def test_nobody_else_gets_at_an_answer_in_slack(leak_env: LeakEnv) -> None:
    """Neither with the buttons of the customer's message nor with their forms."""
    world = leak_env.world
    before = world.rows(tables.surveys)
    customer = leak_env.person(SURVEYS[0][1])
    pressed = leak_env.newest_delivery(customer, f"{RATE_ACTION}:")
    submitted = leak_env.newest_delivery(customer, "view_submission")
    others = [leak_env.person(SURVEYS[1][1]), fixtures.ADA, fixtures.CLEO, ""]
    for user in others:
        who = {"id": user, "team_id": fixtures.TEAM}
        for action_id in CUSTOMER_BUTTONS:
            action = {**pressed.payload["actions"][0], "action_id": action_id}
            await leak_env.redeliver(
                pressed, user=who, actions=[action], trigger_id=leak_env.issue_trigger(user)
            )
        for callback_id in (COMMENT_CALLBACK_ID, FEEDBACK_CALLBACK_ID):
            view = {**submitted.payload["view"], "callback_id": callback_id}
            forged = await leak_env.redeliver(submitted, user=who, view=view)
            assert "for somebody else" in str(forged.response)
    await world.wait_until(lambda: leak_env.detector.count_calls(fixtures.ADA, "chat.postEphemeral"))
    await world.wait_until(is_app_idle)

    assert check_shown(leak_env, fixtures.ADA) == set()
    assert check_shown(leak_env, fixtures.CLEO) == set()
    assert world.rows(tables.surveys) == before


@pytest.mark.parametrize("leak_env", ["http, pressed"], indirect=True)
async def test_the_thread_of_an_invited_customer_never_shows_an_answer(leak_env: LeakEnv) -> None:
    world, noor = leak_env.world, fixtures.NOOR
    start = next(each for each in world.workspace.messages(fixtures.PARTNERS, noor) if each.user == noor)
    await world.workspace.run_shortcut(fixtures.ADA, fixtures.PARTNERS, start.ts, SHORTCUT)
    await world.wait_for_form()
    await world.workspace.submit_view(fixtures.ADA)
    invitation = await world.wait_for_message(INVITED, fixtures.PARTNERS, noor)
    await leak_env.click(fixtures.ADA, GIVE_FEEDBACK_ACTION, invitation)
    await world.wait_for_message("for somebody else", fixtures.PARTNERS)
    await leak_env.click(noor, GIVE_FEEDBACK_ACTION, invitation)
    await world.wait_for_form(noor)
    await world.workspace.select(noor, RATING_ID, str(leak_env.secret_rating("an invited", CSAT[2])))
    comment = leak_env.secret_comment("an invited customer", fixtures.ADA, noor)
    await world.workspace.type_text(noor, COMMENT_ID, comment)
    await world.workspace.submit_view(noor)
    await world.wait_for_message("Thank you for letting us know.", fixtures.PARTNERS)
    await world.wait_for_message("They answered.", fixtures.PARTNERS)

    assert world.rows(tables.surveys.c.rating)[-1] == (CSAT[2],)
    assert check_shown(leak_env, fixtures.ADA) == set()
    assert check_shown(leak_env, fixtures.SAM) == set()


async def test_removed_supervisors_lose_access_to_all_results(leak_env: LeakEnv) -> None:
    world = leak_env.world
    await world.open_home(fixtures.BEN)
    await world.choose_in_home(ActionId.PERIOD, "90", fixtures.BEN)
    delivery = leak_env.newest_delivery(fixtures.BEN, ActionId.PERIOD)
    assert check_shown(leak_env, fixtures.BEN)
    await leak_env.set_supervisors(fixtures.CLEO)
    leak_env.detector.shown.clear()
    await world.wait_until(lambda: "Your feedback surveys" in str(world.workspace.home_view(fixtures.BEN)))
    reads_before = leak_env.detector.count_calls(fixtures.BEN, "views.publish")
    for home_id in ActionId:
        await leak_env.redeliver(delivery, actions=[{**delivery.payload["actions"][0], "action_id": home_id}])
    for survey_id in leak_env.survey_ids():
        for action_id in BUTTONS:
            action = {"action_id": action_id, "type": "button", "value": str(survey_id), "block_id": "b"}
            await leak_env.redeliver(delivery, actions=[action])
    for args in ("report", "export 90d"):
        await world.workspace.run_command(fixtures.BEN, fixtures.SUPPORT, f"/csat {args}")
    expected_reads = reads_before + len(ActionId)
    await world.wait_until(
        lambda: leak_env.detector.count_calls(fixtures.BEN, "views.publish") >= expected_reads
    )

    assert check_shown(leak_env, fixtures.BEN) == set()


async def test_follow_up_notes_are_visible_to_supervisors_only(leak_env: LeakEnv) -> None:
    world, alert = leak_env.world, leak_env.alerts()[0]
    await leak_env.click(fixtures.CLEO, low_rating.CLOSE_ACTION, alert)
    await world.wait_for_form(fixtures.CLEO)
    await world.fill_in(fixtures.CLEO, note=f"They wrote: {leak_env.secret_comment('a note', fixtures.ADA)}")
    await world.workspace.submit_view(fixtures.CLEO)
    await world.wait_for_message("Closed by", fixtures.LEADS, fixtures.CLEO)
    await world.open_home(fixtures.ADA)
    await leak_env.click(fixtures.ADA, low_rating.SHOW_ACTION, alert)
    await world.wait_for_message("Only supervisors", fixtures.LEADS, fixtures.ADA)
    assert check_shown(leak_env, fixtures.ADA) == set()
    await world.open_home(fixtures.CLEO)
    assert "the comment of a note" in check_shown(leak_env, fixtures.CLEO)
    leak_env.detector.shown.clear()
    await leak_env.click(fixtures.CLEO, low_rating.SHOW_ACTION, alert)

    await world.wait_until(lambda: "the comment of a note" in check_shown(leak_env, fixtures.CLEO))


async def test_a_note_on_a_supervisor_s_own_survey_is_visible_to_other_supervisors_only(
    leak_env: LeakEnv,
) -> None:
    world = leak_env.world
    button = f"'value': '{leak_env.survey_ids(fixtures.CLEO)[0]}:"
    own = next(alert for alert in leak_env.alerts() if button in str(alert.blocks))
    await leak_env.click(fixtures.BEN, low_rating.CLOSE_ACTION, own)
    await world.wait_for_form(fixtures.BEN)
    note = leak_env.secret_comment("a note on an own survey", fixtures.CLEO)
    await world.fill_in(fixtures.BEN, note=note)
    await world.workspace.submit_view(fixtures.BEN)
    await world.wait_for_message("Closed by", fixtures.LEADS, fixtures.CLEO)
    for person in (fixtures.ADA, fixtures.CLEO, fixtures.BEN):
        await world.open_home(person)
        await world.workspace.run_command(person, fixtures.SUPPORT, "/csat export 90d")
    files = world.workspace.files
    await world.wait_until(lambda: len(files) == 4 and all(file.is_complete for file in files.values()))

    assert "the comment of a note on an own survey" in check_shown(leak_env, fixtures.BEN)
    assert "the comment of a note on an own survey" not in check_shown(leak_env, fixtures.CLEO)


async def test_the_digest_contains_no_single_answer(leak_env: LeakEnv) -> None:
    now = leak_env.world.clock()
    monday = datetime.combine(now.date() + timedelta(days=7 - now.weekday()), time(9), UTC)
    await leak_env.world.advance(seconds=(monday - now).total_seconds())
    await leak_env.world.wait_for_message("Last week: ", fixtures.LEADS, fixtures.ADA)

    assert check_shown(leak_env, fixtures.ADA) == set()


@pytest.mark.parametrize(
    "leak_env",
    [
        pytest.param("socket mode, pushed", marks=pytest.mark.slow),
        "http, pushed",
        "http, posted",
        "socket mode, pressed",
    ],
    indirect=True,
)
async def test_erasing_a_customer_removes_their_comments(leak_env: LeakEnv) -> None:
    world = leak_env.world
    for _, command, *_ in SURVEYS:
        async with open_search_and_eraser(world.settings) as (search, eraser):
            found = await search.find(leak_env.recipient(command))
            await eraser.erase(found.survey_ids, result := ErasureResult())
            assert result.remaining == 0
    await world.open_home(fixtures.CLEO)
    stored = str([world.rows(table) for table in metadata.sorted_tables])
    files = b"".join(file.read_bytes() for file in world.database_file.parent.glob("csat.db*"))
    stored += files.decode("latin-1")

    erased = [
        secret
        for secret in leak_env.detector.secrets
        if "the comment of" in secret.name and PAST not in secret.name
    ]
    assert len(erased) == len(SURVEYS)
    assert [secret.name for secret in erased if secret.is_in(stored)] == []
    assert check_shown(leak_env, fixtures.ADA) == set()
