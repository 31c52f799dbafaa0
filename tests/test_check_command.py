"""`app.py check` says what is wrong whatever Slack and X answer."""

import contextlib
import re
import sqlite3
from collections.abc import Mapping
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert, update

from cli import manifest
from cli.check import NO_OPERATORS, NO_SUPERVISORS, check
from cli.check_queue import REPAIRED_ADVICE
from cli.check_slack import EVERYBODY, OTHER_COMPANY, PRIVATE_CHANNEL
from cli.finding import Finding, warning
from csat.clock import utc_now
from csat.db import account_pauses, opt_outs, tables
from csat.db.database import Database
from csat.db.engines import describe
from csat.db.migrations import upgrade
from csat.db.recipient_keys import load_secret
from csat.settings import DEFAULT_QUESTIONS_FILE, Settings
from csat.surveys.opt_outs import How
from csat.surveys.states import State
from csat.timeouts import Timeouts
from csat.x_api.errors import AccountRefused
from csat.x_api.refusals import ClockSkew, InvalidCredentials, OutOfCredit, SenderLocked
from tests.app_process import run_command
from tests.bad_answers import UNREADABLE, Answer, answering_server, json_answer
from tests.databases import KINDS, Databases, migrate, read_schema, sqlite_in
from tests.factories import NOON, make_row
from tests.strategies import FEW_EXAMPLES
from tests.timeouts import GENEROUS, SHORT_LOCK
from tests.unwritable import Problem, unwritable
from tests.world import WITHOUT_X

AUTH_TEST = "/api/auth.test"
CHANNEL = "/api/conversations.info"
USER = "/api/users.info"
GROUP = "/api/usergroups.users.list"
SOCKET = "/api/apps.connections.open"
ME = "/2/users/me"
BRAND = "1810000000000000002"
"""The id of another account."""
PREVIOUS_REVISION = max(upgrade.known_revisions() - {upgrade.HEAD_REVISION})
WITH_SECRET: dict[str, Any] = {"csat_secret_key": "the former secret of X"}
OR_CANCEL = ", or let the requesters cancel"

ALL_SCOPES = ",".join(set[str]().union(*manifest.scopes(manifest.load())))
BOT = {"ok": True, "team": "Northwind", "team_id": "T1", "user": "csat", "url": "https://n.slack.com/"}
GOOD = {
    AUTH_TEST: json_answer(BOT, headers={"x-oauth-scopes": ALL_SCOPES}),
    CHANNEL: json_answer({"ok": True, "channel": {"id": "C042", "is_member": True}}),
    SOCKET: json_answer({"ok": True, "url": "wss://slack.invalid/?ticket=1"}),
    ME: json_answer({"data": {"id": "44196397", "username": "northwind", "name": "Northwind"}}),
}
COLLEAGUE = {"id": "U1A", "team_id": "T1"}
RESULTS = "Results channel C042"
PARTS = {AUTH_TEST: "Slack", CHANNEL: RESULTS, SOCKET: "Connection: Socket Mode", ME: "X"}

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ["ok", "error", "user", "team", "url", "channel", "data", "errors", "code", "message", "detail"]


def environment(url: str, folder: Path) -> dict[str, str]:
    return {
        "SLACK_BOT_TOKEN": "xoxb-1",
        "SLACK_APP_TOKEN": "xapp-1",
        "SLACK_API_URL": f"{url}/api",
        "X_API_KEY": "key",
        "X_API_SECRET": "secret",
        "X_ACCESS_TOKEN": "44196397-1",
        "X_ACCESS_TOKEN_SECRET": "secret",
        "X_API_URL": url,
        "DATABASE_URL": f"sqlite:///{folder / 'csat.db'}",
        "CSAT_RESULTS_CHANNEL": "C042",
    }


async def run_check(folder: Path, answers: Mapping[str, Answer], **others: Any) -> list[Finding]:
    """Return the findings; the others are settings, and `timeouts`."""
    timeouts = others.pop("timeouts", GENEROUS)
    async with answering_server({**GOOD, **answers}) as url:
        values: dict[str, Any] = {name.lower(): value for name, value in environment(url, folder).items()}
        values |= others
        return [finding async for finding in check(Settings(**values).with_timeouts(timeouts))]


async def check_database(folder: Path, url: str, timeouts: Timeouts = GENEROUS) -> Finding:
    return find(await run_check(folder, {}, timeouts=timeouts, database_url=url), "Database")


def find(findings: list[Finding], part: str) -> Finding:
    return next(finding for finding in findings if finding.message.startswith(part))


async def test_good_answers_are_ok(tmp_path: Path) -> None:
    findings = await run_check(tmp_path, {})

    assert [finding.message for finding in findings if not finding.ok] == []
    assert find(findings, "Slack token").message == "Slack token: csat in Northwind"
    assert find(findings, "X keys").message == "X keys: surveys are sent by @northwind"


async def test_the_questions_that_the_team_uses_are_counted_and_an_unknown_one_is_named(
    tmp_path: Path,
) -> None:
    found = find(await run_check(tmp_path, {}, csat_questions="csat: 14, 0"), "Questions")
    unknown = find(await run_check(tmp_path, {}, csat_questions="nps: 9"), "Questions")

    assert found == Finding(ok=True, message="Questions: 2 for CSAT, 6 for NPS")
    assert unknown.message.startswith("Questions: CSAT_QUESTIONS: there is no question 9 for NPS in ")
    assert not unknown.ok


@pytest.mark.parametrize("is_own_file", [False, True])
async def test_only_the_settings_of_the_questions_that_are_set_are_to_be_unset(
    tmp_path: Path,
    is_own_file: bool,  # noqa: FBT001
) -> None:
    own_file = tmp_path / "questions.toml"
    own_file.write_text(DEFAULT_QUESTIONS_FILE.read_text("utf-8"), "utf-8")
    others = {"csat_questions_file": str(own_file)} if is_own_file else {}
    unknown = find(await run_check(tmp_path, {}, csat_questions="nps: 9", **others), "Questions")
    unreadable = find(await run_check(tmp_path, {}, csat_questions_file="/nowhere"), "Questions")

    both = "CSAT_QUESTIONS_FILE and CSAT_QUESTIONS"
    assert unknown.advice == f"Fix it, or unset {both if is_own_file else 'CSAT_QUESTIONS'}."
    assert unreadable.advice == "Fix it, or unset CSAT_QUESTIONS_FILE."


async def test_a_database_that_takes_writes_is_ready(tmp_path: Path, database_url: str) -> None:
    finding = await check_database(tmp_path, database_url)

    assert finding == Finding(ok=True, message=f"Database: ready ({describe(database_url)})")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("sqlite:////var/lib/csat.db", "SQLite, /var/lib/csat.db"),
        ("sqlite:///csat.db", f"SQLite, {Path.cwd()}/csat.db"),
        ("postgresql+psycopg://me:secret@db.example:5433/csat", "PostgreSQL, csat at db.example:5433"),
        (
            "postgresql+psycopg:///csat?host=/run/postgresql&password=secret",
            "PostgreSQL, csat at /run/postgresql",
        ),
        ("postgresql+psycopg:///csat", "PostgreSQL, csat at localhost"),
        ("postgresql+psycopg://db.example/csat", "PostgreSQL, csat at db.example"),
        ("postgresql+psycopg://me:1234/secret", "PostgreSQL at me"),
        ("postgresql+psycopg://me:se@cret@db.example/csat", "PostgreSQL"),
        ("postgresql+psycopg://me:a@secret/b@db.example/csat", "PostgreSQL"),
        ("postgresql+psycopg://me:a@secret/b?c@db.example/csat", "PostgreSQL"),
        ("postgresql+psycopg://me:a@secret:b@db.example/csat", "PostgreSQL"),
        ("sqlite:////srv/a@b@c.db", "SQLite, /srv/a@b@c.db"),
    ],
)
def test_a_database_is_named_without_its_password(url: str, name: str) -> None:
    assert describe(url) == name


async def test_a_postgresql_that_can_not_be_reached_is_told_with_its_own_advice(tmp_path: Path) -> None:
    finding = await check_database(tmp_path, "postgresql+psycopg://me:secret@127.0.0.1:9/csat")

    assert not finding.ok
    assert finding.message.startswith("Database (PostgreSQL, csat at 127.0.0.1:9): ")
    assert "that PostgreSQL runs and lets the app in" in finding.advice
    assert "secret" not in finding.message


@pytest.mark.parametrize("problem", Problem)
@pytest.mark.parametrize("revision", ["head", "0009"])
@pytest.mark.parametrize("kind", KINDS)
async def test_a_database_that_takes_no_writes_is_a_finding_whatever_its_revision(
    databases: Databases, tmp_path: Path, kind: str, revision: str, problem: Problem
) -> None:
    migrate(url := databases.empty(kind, tmp_path), revision)
    with unwritable(url, problem) as reason:
        finding = await check_database(tmp_path, url)

    assert not finding.ok
    assert reason in finding.message
    assert "disk is full" in finding.advice


@pytest.mark.parametrize("revision", ["0009", PREVIOUS_REVISION])
@pytest.mark.parametrize("kind", KINDS)
async def test_an_older_database_is_said_to_be_upgraded_later_and_is_left_as_it_is(
    databases: Databases, tmp_path: Path, kind: str, revision: str
) -> None:
    migrate(url := databases.empty(kind, tmp_path), revision)
    before = read_schema(url)
    finding = await check_database(tmp_path, url)

    assert finding.message == f"Database: will be upgraded at the next start ({describe(url)})"
    assert read_schema(url) == before


@pytest.mark.parametrize(("mode", "hints"), [(0o600, 0), (0o640, 1), (0o604, 1)])
async def test_a_database_file_that_others_can_read_is_told_with_what_to_do(
    tmp_path: Path, mode: int, hints: int
) -> None:
    url = sqlite_in(tmp_path)
    (file := tmp_path / "csat.db").chmod(mode)
    findings = await run_check(tmp_path, {}, database_url=url)

    hint = warning(f"Database file: others can read it; run chmod 600 {file}*")
    assert findings.count(hint) == hints


@pytest.mark.parametrize(("mode", "hints"), [(0o600, 0), (0o640, 1), (0o604, 1)])
async def test_an_env_file_that_others_can_read_is_told_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, hints: int
) -> None:
    monkeypatch.chdir(tmp_path)
    (file := tmp_path / ".env").touch()
    file.chmod(mode)
    findings = await run_check(tmp_path, {})

    hint = warning(f"Settings file: others can read it; run chmod 600 {file}")
    assert findings.count(hint) == hints


async def test_an_empty_postgresql_database_is_said_to_be_set_up_later_and_stays_empty(
    databases: Databases, tmp_path: Path
) -> None:
    finding = await check_database(tmp_path, url := databases.empty("postgresql", tmp_path))

    assert finding.message == f"Database: will be set up at the first start ({describe(url)})"
    assert read_schema(url) == ([], None)


async def test_a_missing_sqlite_file_is_said_to_be_set_up_later_and_is_not_created(tmp_path: Path) -> None:
    finding = await check_database(tmp_path, f"sqlite:///{tmp_path / 'csat.db'}")

    assert finding.message == f"Database: will be set up at the first start (SQLite, {tmp_path}/csat.db)"
    assert list_files(tmp_path) == []


async def test_a_missing_folder_of_the_sqlite_file_is_named_as_one(tmp_path: Path) -> None:
    finding = await check_database(tmp_path, f"sqlite:///{tmp_path}/nowhere/csat.db")

    assert (finding.ok, finding.advice) == (
        False,
        f"There is no folder {tmp_path}/nowhere. Create it, or check DATABASE_URL.",
    )


async def test_a_folder_in_the_place_of_the_sqlite_file_is_named_as_one(tmp_path: Path) -> None:
    finding = await check_database(tmp_path, f"sqlite:///{tmp_path}")

    assert not finding.ok
    assert finding.advice.startswith(f"{tmp_path} is a folder. ")


async def test_nobody_is_told_to_close_a_folder_that_stands_in_the_place_of_the_file(tmp_path: Path) -> None:
    (folder := tmp_path / "data").mkdir()
    folder.chmod(0o755)
    findings = await run_check(tmp_path, {}, database_url=f"sqlite:///{folder}")

    assert not [finding for finding in findings if f"chmod 600 {folder}" in finding.message]


@pytest.mark.parametrize("contents", [b"another file", b"SQLite format 3\0" + bytes(5000)])
async def test_a_file_that_is_no_database_is_named_as_that(tmp_path: Path, contents: bytes) -> None:
    (tmp_path / "csat.db").write_bytes(contents)
    finding = await check_database(tmp_path, f"sqlite:///{tmp_path / 'csat.db'}")

    assert not finding.ok
    assert finding.advice.startswith(f"{tmp_path / 'csat.db'} is damaged, or no database. ")
    assert "disk is full" not in finding.advice


async def test_a_missing_folder_of_the_sqlite_file_is_a_finding(tmp_path: Path) -> None:
    finding = await check_database(tmp_path, f"sqlite:///{tmp_path / 'data' / 'csat.db'}")

    assert not finding.ok
    assert f"no file can be written in {tmp_path / 'data'}: No such file or directory" in finding.message
    assert list_files(tmp_path) == []


async def test_a_newer_database_that_this_version_can_not_use_is_a_finding(
    tmp_path: Path, database_url: str
) -> None:
    engine = sqlalchemy.create_engine(database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("update alembic_version set version_num = '9999'")
        connection.exec_driver_sql("update compatibility set oldest_revision = '9999'")
    engine.dispose()
    finding = await check_database(tmp_path, database_url)

    assert not finding.ok
    assert "Update the app." in finding.message
    assert finding.advice.startswith("Use the version that upgraded the database")


async def test_the_file_of_another_program_is_a_finding(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'notes.db'}"
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("create table notes (note text)")
    engine.dispose()
    finding = await check_database(tmp_path, url)

    assert not finding.ok
    assert "the file is another program's, as it has a table named notes." in finding.message
    assert finding.advice == "This app needs a file of its own, which it creates."


def list_files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


@pytest.mark.parametrize("answer", UNREADABLE.values(), ids=UNREADABLE)
async def test_an_unreadable_answer_is_a_finding_with_advice(tmp_path: Path, answer: Answer) -> None:
    findings = await run_check(tmp_path, dict.fromkeys(PARTS, answer))
    slack, channel, socket, x = (find(findings, part) for part in PARTS.values())

    assert "not checked, " in channel.message
    assert (slack.ok, socket.ok, x.ok) == (False, False, False)
    assert slack.advice == socket.advice
    assert "heck SLACK_API_URL" in slack.advice
    assert "heck X_API_URL" in x.advice


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        (AUTH_TEST, {"ok": True}),
        (AUTH_TEST, {**BOT, "user": 5, "team": ["T1"]}),
        (AUTH_TEST, {"ok": False, "error": ["invalid_auth"]}),
        (AUTH_TEST, {"ok": False, "error": "\ud800"}),
        (AUTH_TEST, {"ok": False}),
        (AUTH_TEST, {}),
        (SOCKET, {"ok": True, "url": None}),
        (SOCKET, {"ok": False, "error": {}}),
        (ME, {}),
        (ME, {"data": []}),
        (ME, {"data": {"id": 5, "username": ["northwind"]}}),
        (ME, {"errors": "none"}),
        (ME, {"errors": [None]}),
    ],
    ids=str,
)
async def test_a_field_of_a_wrong_type_is_a_finding(
    tmp_path: Path, path: str, answer: dict[str, Any]
) -> None:
    findings = await run_check(tmp_path, {path: json_answer(answer)})

    assert not find(findings, PARTS[path]).ok
    assert "".join(finding.message + finding.advice for finding in findings).encode()


@pytest.mark.parametrize("channel", [None, [], "C042", 5, {}, {"is_member": [], "is_archived": "\ud800"}])
async def test_a_channel_of_a_wrong_type_is_not_reported_as_joined(tmp_path: Path, channel: object) -> None:
    findings = await run_check(tmp_path, {CHANNEL: json_answer({"ok": True, "channel": channel})})

    assert "the app is a member" not in find(findings, PARTS[CHANNEL]).message


@pytest.mark.parametrize(
    ("fields", "readers"),
    [
        ({}, None),
        ({"is_private": True, "is_org_shared": True}, None),
        ({"is_private": False}, EVERYBODY),
        ({"is_private": True, "is_ext_shared": True}, OTHER_COMPANY),
        ({"is_private": True, "is_pending_ext_shared": True}, OTHER_COMPANY),
        ({"is_private": False, "is_ext_shared": True}, OTHER_COMPANY),
    ],
    ids=str,
)
@pytest.mark.parametrize("is_member", [True, False])
async def test_a_results_channel_that_agents_or_another_company_read_is_a_finding(
    tmp_path: Path,
    fields: dict[str, bool],
    readers: str | None,
    is_member: bool,  # noqa: FBT001
) -> None:
    channel = {"ok": True, "channel": {"id": "C042", "is_member": is_member, **fields}}
    findings = await run_check(tmp_path, {CHANNEL: json_answer(channel)})

    readable = [finding for finding in findings if finding.message == f"{RESULTS}: {readers}"]
    assert len(readable) == (readers is not None)
    assert all(not finding.ok and finding.advice == PRIVATE_CHANNEL for finding in readable)
    assert find(findings, RESULTS).ok == is_member


@pytest.mark.parametrize("name", ["CSAT_AGENTS", "CSAT_SUPERVISORS", "CSAT_OPERATORS"])
@pytest.mark.parametrize(
    ("user", "ok", "expected"),
    [
        ({"ok": True, "user": COLLEAGUE}, True, "1 known to Slack"),
        ({"ok": True, "user": {**COLLEAGUE, "deleted": True}}, False, "deactivated: U1A"),
        ({"ok": True, "user": {**COLLEAGUE, "is_bot": True}}, False, "an app or bot, no person: U1A"),
        ({"ok": False, "error": "user_not_found"}, False, "no such user: U1A"),
        ({"ok": False, "error": "user_not_visible"}, False, "no such user: U1A"),
        (
            {"ok": False, "error": "ratelimited"},
            True,
            "1 not checked, there are too many requests at the moment (ratelimited)",
        ),
        ({"ok": False, "error": "brand_new"}, True, "1 not checked, Slack refused (brand_new)"),
    ],
    ids=str,
)
async def test_a_listed_user_whom_slack_does_not_know_is_named_with_the_setting(
    tmp_path: Path,
    name: str,
    user: dict[str, Any],
    ok: bool,  # noqa: FBT001
    expected: str,
) -> None:
    findings = await run_check(tmp_path, {USER: json_answer(user)}, **{name.lower(): "U1A"})

    finding = find(findings, name)
    assert (finding.ok, finding.message) == (ok, f"{name}: {expected}")
    assert ok or finding.advice == f"Correct these ids in {name}, or remove them, and restart the app."


async def test_somebody_of_another_company_who_can_neither_send_nor_see_answers_is_named(
    tmp_path: Path,
) -> None:
    names = ("CSAT_AGENTS", "CSAT_SUPERVISORS", "CSAT_OPERATORS")
    customer = json_answer({"ok": True, "user": {"id": "U1A", "team_id": "T2"}})
    findings = await run_check(tmp_path, {USER: customer}, **{name.lower(): "U1A" for name in names})

    assert [find(findings, name).message.removeprefix(f"{name}: ") for name in names] == [
        "of another workspace, and so without any access: U1A",
        "of another workspace, and so without any access: U1A",
        "1 known to Slack",
    ]


async def test_an_operator_of_another_company_who_shares_no_channel_with_the_app_can_not_be_told(
    tmp_path: Path,
) -> None:
    stranger = json_answer({"ok": True, "user": {"id": "U1A", "team_id": "T2", "is_stranger": True}})
    finding = find(await run_check(tmp_path, {USER: stranger}, csat_operators="U1A"), "CSAT_OPERATORS")

    assert (finding.ok, finding.message) == (
        False,
        "CSAT_OPERATORS: of another workspace, and in no channel with the app: U1A",
    )


async def test_a_listed_user_group_that_slack_does_not_know_is_named_beside_the_users(tmp_path: Path) -> None:
    answers = {
        USER: json_answer({"ok": True, "user": COLLEAGUE}),
        GROUP: json_answer({"ok": False, "error": "no_such_subteam"}),
    }
    findings = await run_check(tmp_path, answers, csat_supervisors="S2B, U1A, S1A")

    assert [(each.ok, each.message) for each in findings if "SUPERVISORS" in each.message] == [
        (False, "CSAT_SUPERVISORS: no such user group: S1A, S2B"),
        (True, "CSAT_SUPERVISORS: 1 known to Slack"),
    ]


async def test_settings_that_leave_answers_and_alerts_to_nobody_are_named(tmp_path: Path) -> None:
    lonely = {each.message for each in await run_check(tmp_path, {})}
    without_x = {each.message for each in await run_check(tmp_path, {}, **WITHOUT_X)}
    listed = {"csat_supervisors": "U1A", "csat_operators": "U1A"}
    answers = {USER: json_answer({"ok": True, "user": COLLEAGUE})}
    attended = {each.message for each in await run_check(tmp_path, answers, **listed)}

    assert lonely & {NO_SUPERVISORS, NO_OPERATORS} == {NO_SUPERVISORS, NO_OPERATORS}
    assert without_x & {NO_SUPERVISORS, NO_OPERATORS} == {NO_SUPERVISORS}
    assert attended & {NO_SUPERVISORS, NO_OPERATORS} == set()


@pytest.mark.parametrize("answer", UNREADABLE.values(), ids=UNREADABLE)
async def test_an_id_that_slack_can_not_be_asked_about_is_not_called_wrong(
    tmp_path: Path, answer: Answer
) -> None:
    findings = await run_check(tmp_path, {USER: answer, GROUP: answer}, csat_agents="U1A, S1A")

    agents = [finding for finding in findings if finding.message.startswith("CSAT_AGENTS")]
    assert [finding.ok for finding in agents] == [True]
    assert agents[0].message.startswith("CSAT_AGENTS: 2 not checked, ")


async def test_a_token_that_slack_refuses_for_any_reason_is_a_finding(tmp_path: Path) -> None:
    refused = json_answer({"ok": False, "error": "team_access_not_granted"})

    finding = find(await run_check(tmp_path, {AUTH_TEST: refused}), "Slack token")

    assert not finding.ok
    assert finding.message == (
        "Slack token: the token gives no access to this workspace (team_access_not_granted)"
    )
    assert "reinstall" in finding.advice


@pytest.mark.parametrize(
    ("path", "error", "expected"),
    [
        (AUTH_TEST, "token_revoked", "Slack token: the token was revoked (token_revoked)"),
        (AUTH_TEST, "brand_new_error", "Slack token: Slack refused (brand_new_error)"),
        (
            AUTH_TEST,
            "fatal_error",
            "Slack token: not checked, Slack has a problem at the moment (fatal_error)",
        ),
        (
            CHANNEL,
            "channel_not_found",
            f"{RESULTS}: there is no such channel, or it is private and without the app (channel_not_found)",
        ),
        (CHANNEL, "missing_scope", f"{RESULTS}: not checked, the token lacks a scope (missing_scope)"),
        (
            SOCKET,
            "not_allowed_token_type",
            "Connection: Socket Mode: this is the wrong kind of token (not_allowed_token_type)",
        ),
    ],
)
async def test_an_error_code_of_slack_is_said_in_words(
    tmp_path: Path, path: str, error: str, expected: str
) -> None:
    findings = await run_check(tmp_path, {path: json_answer({"ok": False, "error": error})})

    assert expected in [finding.message for finding in findings]


async def test_a_slack_that_can_not_be_reached_is_said_in_words(tmp_path: Path) -> None:
    findings = await run_check(tmp_path, {}, slack_api_url="http://127.0.0.1:9/api")

    finding = find(findings, "Slack token")
    assert finding.message == "Slack token: not checked, Slack can't be reached (ClientConnectorError)"
    assert finding.advice == "Check SLACK_API_URL and your network, then try again."


@pytest.mark.parametrize(
    "answer",
    [Answer(status=503), Answer(status=429), json_answer({"ok": False, "error": "ratelimited"})],
    ids=["503", "429", "ratelimited"],
)
async def test_a_slack_that_is_busy_is_to_be_waited_for(tmp_path: Path, answer: Answer) -> None:
    findings = await run_check(tmp_path, {AUTH_TEST: answer, SOCKET: answer})

    for part in ("Slack token", PARTS[SOCKET]):
        assert find(findings, part).advice.startswith("Wait some minutes, then try again.")


@pytest.mark.parametrize(
    ("answer", "expected", "advice"),
    [
        (
            Answer(status=401),
            "X keys: it rejects this app's keys (X answered 401)",
            "Compare the X_",
        ),
        (
            json_answer({"errors": [{"code": 326, "message": "locked"}]}, 403),
            "X keys: it has locked your brand's account (X answered 403, code 326)",
            "Log in to the account",
        ),
        (json_answer({"errors": [{"code": 99}]}, 403), "X keys: it refused (X answered 403, code 99)", ""),
        (Answer(status=404), "X: it isn't at this address (X answered 404)", "Check X_API_URL"),
        (Answer(status=503), "X: it is busy or has a problem at the moment (X answered 503)", "Wait some"),
        (Answer(status=429), "X: it accepts no more requests for now (X answered 429)", "Wait some"),
        (Answer(reset=True), "X: the connection broke (ServerDisconnectedError)", "and your network"),
    ],
)
async def test_an_error_of_x_is_said_in_words(
    tmp_path: Path, answer: Answer, expected: str, advice: str
) -> None:
    finding = find(await run_check(tmp_path, {ME: answer}), "X")

    assert finding.message == expected
    assert advice in finding.advice


async def test_an_x_that_can_not_be_reached_is_said_in_words(tmp_path: Path) -> None:
    finding = find(await run_check(tmp_path, {}, x_api_url="http://127.0.0.1:9"), "X")

    assert finding.message == "X: it can't be reached, as it refuses the connection (ConnectionRefusedError)"
    assert finding.advice == "Check X_API_URL and your network, then try again."


async def test_an_x_whose_host_is_unknown_is_said_in_words(tmp_path: Path) -> None:
    finding = find(await run_check(tmp_path, {}, x_api_url="http://x.invalid"), "X")

    assert finding.message == "X: it can't be reached, its host name is not known (ClientConnectorDNSError)"


async def test_what_can_not_be_checked_of_a_connection_over_http_is_said(tmp_path: Path) -> None:
    findings = await run_check(tmp_path, {}, slack_app_token=None, slack_signing_secret="secret")

    message = find(findings, "Connection: HTTP").message
    assert "SLACK_SIGNING_SECRET can't be checked from here" in message


@pytest.mark.parametrize(
    ("connection", "command"),
    [
        ({}, "python app.py manifest at"),
        (
            {"slack_app_token": None, "slack_signing_secret": "secret"},
            "python app.py manifest --url https://csat.your-company.example (with your own address) at",
        ),
    ],
    ids=["socket mode", "http"],
)
async def test_a_missing_scope_is_told_with_the_manifest_that_keeps_the_connection(
    tmp_path: Path, connection: dict[str, Any], command: str
) -> None:
    bare = json_answer(BOT, headers={"x-oauth-scopes": "commands"})
    findings = await run_check(tmp_path, {AUTH_TEST: bare}, **connection)

    assert f"Paste the output of {command} api.slack.com/apps" in find(findings, "Slack scopes").advice


async def test_a_busy_slack_is_not_taken_for_a_wrong_app_token(tmp_path: Path) -> None:
    busy = json_answer({"ok": False, "error": "ratelimited"}, 429, {"retry-after": "30"})

    finding = find(await run_check(tmp_path, {SOCKET: busy}), PARTS[SOCKET])

    assert not finding.ok
    assert "connections:write" not in finding.advice


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (json_answer({"data": {"id": BRAND, "username": "contoso"}}), f"@contoso (id {BRAND})"),
        (Answer(status=503), f"the X account {BRAND}"),
    ],
)
async def test_surveys_that_wait_for_another_account_are_counted(
    tmp_path: Path, database_url: str, answer: Answer, name: str
) -> None:
    with contextlib.closing(Database(database_url, GENEROUS)) as database:
        await database.run(insert_waiting, {BRAND: 12, "44196397": 3, "T1": 1, "T2": 2})

    findings = await run_check(tmp_path, {f"/2/users/{BRAND}": answer}, database_url=database_url)

    assert [finding.message for finding in findings if finding.message.startswith("Queue")] == [
        "Queue: 3 surveys wait to be sent on X",
        "Queue: 1 survey waits to be sent in Slack",
        f"Queue: 12 surveys wait for {name}: start an instance with its keys{OR_CANCEL}",
        f"Queue: 2 surveys wait for the workspace T2: start an instance with its token{OR_CANCEL}",
    ]


async def test_surveys_that_may_have_arrived_are_counted_without_those_that_were_erased(
    tmp_path: Path, database_url: str
) -> None:
    usual = {"account": "44196397", "state": State.UNCERTAIN, "reconcile_at": None}
    erased = {"recipient_id": None, "recipient_handle": None}
    values: list[dict[str, Any]] = [
        {"reconcile_at": NOON},
        {"reconcile_at": NOON, "account": "T1"},
        {},
        erased,
    ]
    rows = [make_row(**{**usual, **value}) for value in values]
    with contextlib.closing(Database(database_url, GENEROUS)) as database:
        await database.run(lambda connection: connection.execute(insert(tables.surveys), rows))

    findings = await run_check(tmp_path, {}, database_url=database_url)

    assert find(findings, "Uncertain") == Finding(
        ok=True,
        message="Uncertain: 3 surveys may or may not have arrived: the app still looks for 2, and leaves 1 "
        "to those who asked for them",
    )


async def test_whose_surveys_wait_in_slack_is_left_open_while_slack_does_not_tell_the_workspace(
    tmp_path: Path, database_url: str
) -> None:
    with contextlib.closing(Database(database_url, GENEROUS)) as database:
        await database.run(insert_waiting, {"T1": 1})

    revoked = json_answer({"ok": False, "error": "token_revoked"})
    findings = await run_check(
        tmp_path, {AUTH_TEST: revoked}, database_url=database_url, **WITHOUT_X, **WITH_SECRET
    )

    assert find(findings, "Queue").message == (
        "Queue: 1 survey waits for the workspace T1: it may be this app's, which Slack doesn't tell"
    )


async def test_cards_and_links_that_can_still_be_answered_are_counted_without_keys_and_rating_page(
    tmp_path: Path, database_url: str
) -> None:
    with contextlib.closing(Database(database_url, GENEROUS)) as database:
        await database.run(insert_asked, {"x_card": BRAND, "x_link": BRAND, "slack": "T1"})
        link = tables.surveys.c.transport == "x_link"
        await database.run(
            lambda connection: connection.execute(
                update(tables.surveys).where(link).values(accepted_at=utc_now() - timedelta(days=27))
            )
        )

    findings = await run_check(tmp_path, {}, database_url=database_url, **WITHOUT_X, **WITH_SECRET)

    assert [finding for finding in findings if finding.message.startswith("Answers")] == [
        warning(
            f"Answers: 1 feedback card of the X account {BRAND} can still be answered: only an "
            "instance with its keys fetches the answers",
        ),
        warning(
            "Answers: 1 link can still be opened, but without CSAT_PUBLIC_URL there is no rating page: "
            "set it until they expire"
        ),
    ]


async def test_a_database_that_another_program_holds_is_to_be_waited_for(tmp_path: Path) -> None:
    url = sqlite_in(tmp_path)
    with contextlib.closing(sqlite3.connect(tmp_path / "csat.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        finding = await check_database(tmp_path, url, SHORT_LOCK)

    assert not finding.ok
    assert finding.message.endswith("database is locked")
    assert finding.advice.startswith("Another program keeps it locked")


@pytest.mark.parametrize("revision", ["head", "0007"])
@pytest.mark.parametrize("kind", KINDS)
async def test_a_database_whose_keys_need_the_former_secret_of_x_is_a_finding_before_the_start_fails(
    databases: Databases, tmp_path: Path, kind: str, revision: str
) -> None:
    migrate(url := databases.empty(kind, tmp_path), revision)
    insert_known_customer(url)
    async with answering_server(GOOD) as slack:
        values = {name.lower(): text for name, text in environment(slack, tmp_path).items()}
        values |= {"database_url": url}
        without_x: dict[str, Any] = {**values, **WITHOUT_X}
        needy = [each async for each in check(Settings(**without_x).with_timeouts(GENEROUS))]
        helped = [each async for each in check(Settings(**without_x, **WITH_SECRET).with_timeouts(GENEROUS))]

    assert [finding for finding in needy if not finding.ok] == [
        Finding(
            ok=False,
            message="Database: it knows customers by an X_API_SECRET that is missing",
            advice="Set CSAT_SECRET_KEY to the X_API_SECRET that the app had before.",
        )
    ]
    assert [finding for finding in helped if not finding.ok] == []


@pytest.mark.parametrize("kind", KINDS)
async def test_another_secret_than_that_of_the_opt_outs_is_a_finding_before_the_start_fails(
    databases: Databases, tmp_path: Path, kind: str
) -> None:
    url = databases.make(kind, tmp_path)
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        load_secret(connection, None, "the secret of the opt-outs")
        opt_out: dict[str, Any] = {"how": How.FILE, "team": "", "by": "", "reason": "", "now": NOON}
        opt_outs.record(connection, "a keyed hash", **opt_out)
    engine.dispose()
    async with answering_server(GOOD) as slack:
        values = {name.lower(): text for name, text in environment(slack, tmp_path).items()}
        values |= {"database_url": url}
        findings = [each async for each in check(Settings(**values, **WITH_SECRET).with_timeouts(GENEROUS))]

    (failed,) = [finding for finding in findings if not finding.ok]
    assert failed.message == "Database: it knows who opted out by another secret than this one"
    assert failed.advice.startswith("Set CSAT_SECRET_KEY to the one that the app had before")


async def test_each_optional_scope_that_is_not_granted_is_named_with_what_does_not_work(
    tmp_path: Path,
) -> None:
    required, optional = manifest.scopes(manifest.load())
    old_install = json_answer(BOT, headers={"x-oauth-scopes": ",".join(required)})
    findings = await run_check(tmp_path, {AUTH_TEST: old_install})

    lines = [finding.message for finding in findings if finding.message.startswith("Slack scope ")]
    assert all(finding.ok for finding in findings)
    assert [line.split()[2].rstrip(":") for line in lines] == sorted(optional)
    assert "Slack scope files:write: not granted (optional); without it, there is no /csat export" in lines
    assert "its requester has to look whether it arrived" in find(findings, "Slack scope im:history").message


async def test_surveys_that_wait_for_x_are_counted_without_its_keys(
    tmp_path: Path, database_url: str
) -> None:
    with contextlib.closing(Database(database_url, GENEROUS)) as database:
        await database.run(insert_waiting, {BRAND: 1, "T1": 0})

    findings = await run_check(
        tmp_path, {ME: Answer(status=500)}, database_url=database_url, **WITHOUT_X, **WITH_SECRET
    )

    assert [finding for finding in findings if not finding.ok] == []
    assert find(findings, "X").message == "X: no keys, so surveys go to people in Slack alone"
    assert find(findings, "Transports").message == "Transports: slack (Message in Slack)"
    assert [finding.message for finding in findings if finding.message.startswith("Queue")] == [
        "Queue: 0 surveys wait to be sent in Slack",
        f"Queue: 1 survey waits for the X account {BRAND}: start an instance with its keys{OR_CANCEL}",
    ]


@pytest.mark.parametrize(
    ("cause", "me", "advice"),
    [
        (InvalidCredentials, GOOD[ME], REPAIRED_ADVICE),
        (InvalidCredentials, Answer(status=401), f"{InvalidCredentials.fix} Then run python app.py resume."),
        (OutOfCredit, GOOD[ME], f"{OutOfCredit.fix} Then run python app.py resume."),
    ],
    ids=["repaired keys", "wrong keys", "keys that say nothing about credit"],
)
async def test_a_paused_account_is_a_finding_with_the_next_step(
    tmp_path: Path, database_url: str, cause: type[AccountRefused], me: Answer, advice: str
) -> None:
    await pause(database_url, cause)
    with contextlib.closing(Database(database_url, GENEROUS)) as database:
        await database.run(insert_waiting, {"44196397": 1})

    findings = await run_check(tmp_path, {ME: me}, database_url=database_url)

    assert find(findings, "Queue") == Finding(
        ok=False,
        message=f"Queue: the account is paused, as X refused it ({cause.reason}); 1 survey waits to be "
        "sent on X",
        advice=advice,
    )


@pytest.mark.parametrize("paused", [None, InvalidCredentials, ClockSkew])
async def test_a_wrong_clock_is_named_with_both_times_and_no_key_is_blamed(
    tmp_path: Path, database_url: str, paused: type[AccountRefused] | None
) -> None:
    if paused:
        await pause(database_url, paused)
    an_hour_ago = utc_now() - timedelta(hours=1)
    refused = Answer(status=401, headers={"date": format_datetime(an_hour_ago, usegmt=True)})
    findings = await run_check(tmp_path, {ME: refused}, database_url=database_url)

    clock, keys = find(findings, "Clock"), find(findings, "X keys")
    assert re.fullmatch(r"Clock: it is [\d-]+ [\d:]+ UTC on this machine, and .*", clock.message)
    assert clock.message.endswith(f" and {an_hour_ago:%Y-%m-%d %H:%M:%S} UTC at X")
    assert keys.message == f"X keys: {ClockSkew.reason} (X answered 401)"
    assert (clock.ok, clock.advice, keys.advice) == (False, ClockSkew.fix, ClockSkew.fix)
    assert "keys" not in "".join(finding.advice for finding in findings)


@pytest.mark.parametrize("date", ["", "yesterday", "Sun, 99 Nov 2026 25:00:00 GMT", None])
async def test_a_clock_that_can_not_be_compared_is_not_called_wrong(tmp_path: Path, date: str | None) -> None:
    answer = Answer(status=401, headers={} if date is None else {"date": date})

    findings = await run_check(tmp_path, {ME: answer})

    assert not [finding for finding in findings if finding.message.startswith("Clock")]
    assert "date -u" in find(findings, "X keys").advice


async def test_a_refusal_without_a_reason_has_that_of_the_pause(tmp_path: Path, database_url: str) -> None:
    await pause(database_url, SenderLocked)
    findings = await run_check(tmp_path, {ME: Answer(status=401)}, database_url=database_url)

    keys = find(findings, "X keys")
    assert (keys.message, keys.advice) == (
        f"X keys: {SenderLocked.reason} (X answered 401)",
        SenderLocked.fix,
    )


async def test_a_403_without_a_reason_is_told_with_its_likely_causes(tmp_path: Path) -> None:
    advice = find(await run_check(tmp_path, {ME: Answer(status=403)}), "X keys").advice

    assert all(cause in advice for cause in ("date -u", "log in at x.com", "the app is suspended"))


async def pause(url: str, cause: type[AccountRefused]) -> None:
    """Pause the account, as the app does when X refuses it."""
    with contextlib.closing(Database(url, GENEROUS)) as database:
        await database.run(account_pauses.ensure_account, "44196397")
        await database.run(
            account_pauses.pause, "44196397", cause.__name__, cause.fix, NOON, concerns_all_requests=True
        )


def insert_known_customer(url: str) -> None:
    """Insert a survey into a database of any revision."""
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        columns = {column["name"] for column in sqlalchemy.inspect(connection).get_columns("surveys")}
        row = {name: value for name, value in make_row().items() if name in columns}
        connection.execute(insert(tables.surveys), row)
    engine.dispose()


def insert_asked(connection: Connection, accounts: Mapping[str, str]) -> None:
    """Insert a sent survey of each transport, by the account it has."""
    rows = [
        make_row(transport=transport, account=account, poll_at=NOON)
        for transport, account in accounts.items()
    ]
    connection.execute(insert(tables.surveys), rows)


def insert_waiting(connection: Connection, counts: Mapping[str, int]) -> None:
    """Insert so many surveys of each account that wait, and one that was sent."""
    for account, count in counts.items():
        waiting = [make_row(account=account, state=State.ACCEPTED, sent_at=None) for _ in range(count)]
        connection.execute(insert(tables.surveys), [*waiting, make_row(account=account)])


@settings(max_examples=FEW_EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([200, 400]), st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, ANY_JSON)))
async def test_no_json_object_ends_the_check(tmp_path: Path, status: int, answer: dict[str, Any]) -> None:
    findings = await run_check(tmp_path, dict.fromkeys(PARTS, json_answer(answer, status)))

    assert all(find(findings, part) for part in PARTS.values())


async def test_the_command_prints_no_traceback(tmp_path: Path) -> None:
    async with answering_server({**GOOD, AUTH_TEST: UNREADABLE["a list"]}) as url:
        code, printed = await run_command(tmp_path, environment(url, tmp_path), "check")

    assert code == 1
    assert (
        "FAIL  Slack token: not checked, Slack sent no response that can be read (HTTP 200, unreadable)"
        in printed
    )
    assert "ok    X keys: surveys are sent by @northwind" in printed


async def test_the_command_prints_names_that_its_output_can_not_encode(tmp_path: Path) -> None:
    half_a_smiley = json_answer({**BOT, "user": "csat \ud83d"}, headers={"x-oauth-scopes": ALL_SCOPES})
    async with answering_server({**GOOD, AUTH_TEST: half_a_smiley}) as url:
        code, printed = await run_command(tmp_path, environment(url, tmp_path), "check")

    assert code == 0
    assert r"ok    Slack token: csat \ud83d in Northwind" in printed
