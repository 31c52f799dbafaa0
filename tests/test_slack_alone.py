"""A team without the keys of X: the app has surveys in Slack alone."""

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from blocks.uncertain_survey import NOT_FOUND_OUT
from cli import forget, opt_out_files
from cli.named_customers import parse_customer
from csat.db import tables
from csat.db.database import Database
from sandbox.slack import fixtures
from tests.app_process import fake_environment, run_command
from tests.local_client import local_client
from tests.slack_survey_kit import QUESTION, ask, insert_survey, press
from tests.timeouts import GENEROUS
from tests.world import HASTY, WITHOUT_X, idle_world, running_app, running_world, visible_text


async def test_the_app_runs_healthily_and_never_asks_x(tmp_path: Path, database_url: str) -> None:
    async with (
        running_world(tmp_path, database_url=database_url, **WITHOUT_X) as world,
        local_client() as http,
    ):
        await world.open_home(fixtures.ADA)
        response = await http.get(f"{world.url}/readyz")

        assert response.json() == {"ok": True, "reasons": [], "degraded": []}
        assert world.rows(tables.accounts.c.id) == []
        assert world.x.requests == []


async def test_the_log_says_which_transports_the_app_has(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with idle_world(tmp_path, **WITHOUT_X) as world, running_app(world):
        pass

    assert "Transports: slack; there are no keys of X" in caplog.messages


async def test_x_has_no_webhook_there(tmp_path: Path) -> None:
    async with running_world(tmp_path, **WITHOUT_X) as world, local_client() as http:
        response = await http.post(f"{world.url}/x/feedback", json={}, auth=("x", "secret"))

    assert response.status_code == 404


async def test_a_colleague_is_asked_and_answers_and_a_supervisor_reads_it_without_a_word_about_x(
    tmp_path: Path, database_url: str
) -> None:
    people = {"csat_agents": fixtures.ADA, "csat_supervisors": fixtures.CLEO}
    settings: dict[str, Any] = {"csat_privacy_url": "", "database_url": database_url, **people, **WITHOUT_X}
    async with running_world(tmp_path, **settings) as world:
        await world.submit_survey("/csat @ben")
        question = await world.wait_for_dm(QUESTION, fixtures.BEN)
        await press(world, question, "rate:5", fixtures.BEN)
        confirmation = await world.wait_for_message("They answered.")
        await world.workspace.run_command(fixtures.CLEO, fixtures.SUPPORT, "/csat report")
        report = await world.wait_for_message("CSAT", viewer=fixtures.CLEO)
        homes = [await world.open_home(person) for person in (fixtures.ADA, fixtures.CLEO)]

        for shown in (question, confirmation, report, *homes):
            assert not re.search(r"\bX\b", visible_text(shown)), visible_text(shown)
        assert world.x.requests == []


def without_x(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith("X_")}


async def test_a_person_is_forgotten_by_their_member_id(
    tmp_path: Path, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running_world(tmp_path, database_url=database_url, **WITHOUT_X) as world:
        await ask(world)
        await world.wait_until(world.is_outbox_empty)
        await forget.run(world.settings, parse_customer(fixtures.SAM), yes=True)

        assert world.rows(tables.surveys.c.recipient_id) == [(None,)]
    printed = capsys.readouterr().out
    assert printed.startswith(f"1 survey on file for {fixtures.TEAM}/{fixtures.SAM}.")
    assert "Erased 1 survey" in printed


async def test_opt_outs_of_people_in_slack_are_imported_and_handles_are_not_looked_up(
    tmp_path: Path,
) -> None:
    async with fake_environment(tmp_path) as (_, x, environment):
        Database(environment["DATABASE_URL"], GENEROUS).close()
        slack_alone = without_x(environment)
        (tmp_path / "list.csv").write_text(f"{fixtures.SAM},By mail.\n@mira_k\n", "utf-8")
        command = ("opt-outs", "import", "list.csv")
        _, said = await run_command(tmp_path, slack_alone, *command)
        first = await run_command(tmp_path, slack_alone, *command, "--apply")
        again = await run_command(tmp_path, slack_alone, *command, "--apply")

    assert (
        "2 customers, 0 of them on file already. 1 handle can't be looked up without the keys of X." in said
    )
    problem = (
        "Line 2: @mira_k: Without the keys of X, this app can't look up handles. List the numeric ID "
        "instead; of a person in Slack, the member ID (U...)."
    )
    assert [problem in printed for _, printed in (first, again)] == [True, True]
    assert "Recorded 1 opt-out; 0 were on file already." in first[1]
    assert "Recorded 0 opt-outs; 1 were on file already." in again[1]
    assert (first[0], again[0], x.requests) == (1, 1, [])


@pytest.mark.parametrize("listed", [fixtures.SAM, f"{fixtures.TEAM}/{fixtures.SAM}"])
async def test_the_imported_opt_out_of_another_company_s_person_holds(
    tmp_path: Path, database_url: str, listed: str
) -> None:
    (file := tmp_path / "list.csv").write_text(f"{listed}\n", "utf-8")
    async with running_world(tmp_path, database_url=database_url, **WITHOUT_X) as world:
        await opt_out_files.import_file(world.settings, file, apply=True, from_line=1)
        await world.workspace.run_command(fixtures.ADA, fixtures.PARTNERS, "/csat status @sam")

        await world.wait_for_message("Can't be asked.", fixtures.PARTNERS)


async def test_forgetting_a_handle_says_that_x_could_not_be_asked_who_has_it(tmp_path: Path) -> None:
    async with fake_environment(tmp_path) as (_, x, environment):
        Database(environment["DATABASE_URL"], GENEROUS).close()
        code, printed = await run_command(tmp_path, without_x(environment), "forget", "@mira_k", "--yes")

    assert (code, x.requests) == (1, [])
    assert printed.startswith("0 surveys on file for @mira_k.")
    assert "Without the keys of X this app can't ask X who has this handle." in printed
    assert "A person in Slack is named by their member ID (U...)." in printed


async def test_resume_and_check_have_nothing_to_complain_of(tmp_path: Path) -> None:
    async with fake_environment(tmp_path) as (_, x, environment):
        Database(environment["DATABASE_URL"], GENEROUS).close()
        slack_alone = without_x(environment)
        resumed = await run_command(tmp_path, slack_alone, "resume")
        code, checked = await run_command(tmp_path, slack_alone, "check")

    assert resumed == (0, "Nothing to resume: there are no keys of X, and nothing pauses surveys in Slack.\n")
    assert (code, "FAIL" in checked) == (0, False)
    assert "ok    X: no keys, so surveys go to people in Slack alone" in checked
    assert "ok    Queue: 0 surveys wait to be sent in Slack" in checked
    assert x.requests == []


async def test_an_app_without_the_scopes_to_look_for_a_survey_lets_its_requester_settle_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running_world(tmp_path, pace=HASTY, **WITHOUT_X) as world:
        faults = world.workspace.faults
        faults.fail("chat.postMessage", "500", times=1, after=True)
        faults.fail("conversations.open", "missing_scope", times=100)
        insert_survey(world)
        asked = await world.wait_for_dm("may not have arrived")
        await world.advance(minutes=2)
        await world.wait_until(lambda: world.rows(tables.surveys.c.reconcile_at) == [(None,)])
        assert world.states() == ["uncertain"]
        assert "Survey 1 can't be looked for: missing_scope" in caplog.text

        left = await world.wait_for_dm(NOT_FOUND_OUT)
        assert left.ts == asked.ts
        await press(world, left, "survey_arrived", fixtures.ADA)
        await world.wait_until(lambda: world.states() == ["sent"])


async def test_home_says_why_a_survey_in_slack_waits(tmp_path: Path) -> None:
    ended_at = tables.attempts.c.ended_at
    async with running_world(tmp_path, **WITHOUT_X) as world:
        world.workspace.faults.fail("chat.postMessage", "ratelimited", times=1, retry_after=600)
        await world.submit_survey("/csat @ben")
        await world.wait_until(lambda: world.rows(ended_at, where=ended_at.is_not(None)))
        home = visible_text(await world.open_home(fixtures.ADA))

    assert "Slack is busy or can't be reached." in home
    assert "account" not in home
