"""`python app.py opt-outs` and `forget`: the list of opt-outs on the command line."""

import asyncio
import csv
import os
import signal
import stat
from collections.abc import AsyncIterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import sqlalchemy
from sqlalchemy import select

from cli import opt_out_files as listing
from csat.db import opt_outs, tables
from csat.db.audit_log import AuditAction
from csat.db.database import Database
from csat.surveys.opt_outs import How
from sandbox.slack import Workspace, fixtures
from sandbox.x import Endpoint, FakeX, Fault
from tests.app_process import fake_environment, run_command, start_command, stop
from tests.databases import SLOW_KINDS, Databases
from tests.factories import NOON
from tests.timeouts import GENEROUS

GOOD = 'customer,reason,date\n@mira_k,"They wrote so, twice.",2025-11-03\n33\nhttps://x.com/sofie_l,,\n'


class Operator(NamedTuple):
    """Somebody with the command line, beside the fake Slack and X."""

    folder: Path
    workspace: Workspace
    x: FakeX
    environment: Mapping[str, str]

    async def run(self, *args: str) -> tuple[int, str]:
        """Run a command of app.py, and return its exit code and output."""
        return await run_command(self.folder, self.environment, *args)

    async def run_import(self, text: str, *options: str) -> tuple[int, str]:
        """Import a list."""
        (self.folder / "list.csv").write_text(text, "utf-8")
        return await self.run("opt-outs", "import", "list.csv", *options)

    def rows(self, table: sqlalchemy.Table = tables.opt_outs) -> list[Any]:
        """Return the opt-outs on file, or the rows of another table."""
        engine = sqlalchemy.create_engine(self.environment["DATABASE_URL"])
        with engine.connect() as connection:
            rows = list(connection.execute(select(table).order_by(table.c.id)))
        engine.dispose()
        return rows


@pytest.fixture(name="operator", params=SLOW_KINDS)
async def _operator(
    databases: Databases, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Operator]:
    url = databases.make(request.param, tmp_path)
    async with fake_environment(tmp_path) as (workspace, x, environment):
        Database(url, GENEROUS).close()
        yield Operator(tmp_path, workspace, x, {**environment, "DATABASE_URL": url})


async def test_without_apply_an_import_only_says_what_it_would_do(operator: Operator) -> None:
    code, output = await operator.run_import(GOOD)

    assert code == 0
    assert "3 customers, 0 of them on file already. 2 handles would be looked up on X" in output
    assert "Nothing was changed. To record them: python app.py opt-outs import list.csv --apply" in output
    assert operator.rows() == []
    assert operator.x.requests == []


async def test_without_apply_an_import_of_the_rest_of_a_list_names_the_command_for_that(
    operator: Operator,
) -> None:
    code, output = await operator.run_import("33\n34\n35\n", "--from-line", "2")

    assert code == 0
    assert output == (
        "2 customers, 0 of them on file already.\n"
        "Nothing was changed. To record them: python app.py opt-outs import list.csv --apply --from-line 2\n"
    )


async def test_an_import_records_each_customer_once(operator: Operator) -> None:
    first = await operator.run_import(GOOD, "--apply")
    again = await operator.run_import(GOOD, "--apply")

    assert (first[0], again[0]) == (0, 0)
    assert "Recorded 3 opt-outs; 0 were on file already." in first[1]
    assert "Recorded 0 opt-outs; 3 were on file already." in again[1]
    _, mira, _ = rows = operator.rows()
    assert [row.how for row in rows] == [How.FILE] * 3
    assert (mira.reason, mira.recorded_at.date().isoformat()) == ("They wrote so, twice.", "2025-11-03")
    assert (mira.team, mira.recorded_by) == ("", "operator")


async def test_with_another_secret_than_the_app_s_no_opt_out_is_recorded_that_would_not_hold(
    operator: Operator,
) -> None:
    await operator.run_import("33\n", "--apply")
    engine = sqlalchemy.create_engine(operator.environment["DATABASE_URL"])
    with engine.begin() as connection:
        connection.execute(tables.opt_outs.delete())
    engine.dispose()
    other = operator._replace(
        environment={**operator.environment, "CSAT_SECRET_KEY": "another secret of the operator"}
    )
    code, output = await other.run_import("44\n", "--apply")

    assert code == 1
    assert "set CSAT_SECRET_KEY to the one that the app had before, or remove it if there was none" in output
    assert operator.rows() == []


async def test_customers_whom_x_need_not_look_up_are_recorded_while_x_rejects_the_keys(
    operator: Operator,
) -> None:
    operator.x.fail(Fault.WRONG_KEYS, Endpoint.SHOW)
    operator.x.fail(Fault.WRONG_KEYS, Endpoint.LOOKUP)
    code, output = await operator.run_import("@mira_k\n33\n@sofie_l\nT07N0RTHW1N/U07BEN9M3RT\n", "--apply")

    assert code == 1
    assert "Recorded 2 opt-outs" in output
    assert "To go on: python app.py opt-outs import list.csv --apply --from-line 1" in output
    assert len(operator.rows()) == 2


async def test_lines_with_problems_are_named_and_the_others_are_recorded(operator: Operator) -> None:
    long_reason = "x" * 201
    lines = (
        "@mira_k",
        "a b",
        f"33,{long_reason}",
        "34,,soon",
        "35,,9999-01-01",
        "36,a,2025-01-01,b",
        "@nobody_h",
    )
    code, output = await operator.run_import("\n".join(lines), "--apply")

    assert code == 1
    for problem in (
        "Line 2: X handles contain only letters",
        "Line 3: Shorten the reason to 200 characters; it has 201.",
        "Line 4: Write the date like 2026-11-03.",
        "Line 5: The date is in the future.",
        "Line 6: It has 4 cells. Put a reason with commas into quotes.",
        "Line 7: @nobody_h: There is no such customer on X",
        "Recorded 1 opt-out; 0 were on file already.",
    ):
        assert problem in output
    assert len(operator.rows()) == 1


async def test_a_quotation_mark_that_is_not_closed_loses_no_opt_out_but_its_own(operator: Operator) -> None:
    lines = ('@mira_k,"never again', "@sofie_l,ok", '@benitez_leo,"also no', "33,x")
    code, output = await operator.run_import("\n".join(lines), "--apply")

    assert code == 1
    assert "Line 1: A quotation mark isn't closed." in output
    assert "Line 3: A quotation mark isn't closed." in output
    assert "Recorded 2 opt-outs; 0 were on file already." in output
    assert [row.reason for row in operator.rows()] == ["x", "ok"]


@pytest.mark.parametrize("options", [(), ("--apply",)])
async def test_a_person_in_a_workspace_that_does_not_ask_them_is_a_problem_that_names_the_right_one(
    operator: Operator, options: tuple[str, ...]
) -> None:
    code, output = await operator.run_import(f"{fixtures.OTHER_TEAM}/{fixtures.SAM}\n", *options)

    assert code == 1
    assert (
        f"Line 1: {fixtures.OTHER_TEAM}/{fixtures.SAM}: this app doesn't ask anybody in the workspace "
        f"{fixtures.OTHER_TEAM}. Name the workspace that asks them, which is not the customer's own: "
        f"{fixtures.TEAM}/{fixtures.SAM}." in output
    )
    assert operator.rows() == []


@pytest.mark.parametrize("options", [(), ("--apply",)])
async def test_a_person_whom_slack_does_not_know_is_told_and_recorded_all_the_same(
    operator: Operator, options: tuple[str, ...]
) -> None:
    code, output = await operator.run_import(f"{fixtures.SAM}\nU0NEVERWAS1\n", *options)

    assert code == 1
    assert (
        f"Line 2: {fixtures.TEAM}/U0NEVERWAS1: Slack doesn't know this person. Is the ID mistyped? If they "
        "have only left, their opt-out holds once they are back: it is recorded with all others." in output
    )
    assert len(operator.rows()) == 2 * len(options)


async def test_problems_are_listed_in_the_order_of_the_lines(operator: Operator) -> None:
    others = f"{fixtures.OTHER_TEAM}/{fixtures.SAM}"
    _, output = await operator.run_import(f"a b\nU0NEVERWAS1\n34,,soon\n{others}\nc d\n")

    lines = [line.partition(":")[0] for line in output.splitlines() if line.startswith("Line ")]
    assert lines == ["Line 1", "Line 2", "Line 3", "Line 4", "Line 5"]


async def test_while_slack_is_busy_people_are_recorded_without_asking_whether_it_knows_them(
    operator: Operator,
) -> None:
    operator.workspace.faults.fail("users.info", "ratelimited", times=100)
    code, output = await operator.run_import(f"{fixtures.SAM}\nU0NEVERWAS1\n", "--apply")

    assert code == 0
    assert "Whether Slack knows 2 of the people was not checked: there are too many requests" in output
    assert len(operator.rows()) == 2


async def test_a_customer_who_is_listed_twice_counts_once_and_is_looked_up_once(operator: Operator) -> None:
    text = "@mira_k\n@Mira_K,again\n33\n33\n"
    _, output = await operator.run_import(text)
    code, recorded = await operator.run_import(text, "--apply")

    assert "2 customers, 0 of them on file already. 1 handle would be looked up on X" in output
    assert code == 0
    assert "Recorded 2 opt-outs; 0 were on file already." in recorded
    assert len(operator.x.requests) == 1


@pytest.mark.parametrize("first", ["customer;reason;date", "@mira_k;They wrote so", "@mira_k\tso"])
async def test_a_file_with_another_separator_is_refused_with_its_name(operator: Operator, first: str) -> None:
    code, output = await operator.run_import(f"{first}\n33\n", "--apply")

    separator = "tabs" if "\t" in first else "semicolons"
    assert (code, output) == (
        1,
        f"The import stopped: list.csv has {separator} between its cells. Save it with commas.\n",
    )
    assert operator.rows() == []


@pytest.mark.parametrize("first", ["handle,reason,date", "Username", "Name,Date", '"Reason","user_id"'])
async def test_a_header_that_does_not_name_the_customer_is_refused_with_the_names_that_are_known(
    operator: Operator, first: str
) -> None:
    code, output = await operator.run_import(f"{first}\n@mira_k\n", "--apply")

    assert code == 1
    assert output == (
        "The import stopped: the first line of list.csv looks like a header. Call its columns customer, "
        "reason and date, or write an @ before a handle.\n"
    )
    assert operator.rows() == []


async def test_the_columns_may_have_another_order(operator: Operator) -> None:
    code, _ = await operator.run_import("date,customer\n2025-11-03,33\n", "--apply")

    assert (code, len(operator.rows())) == (0, 1)


async def test_a_first_line_that_names_nobody_may_be_a_header_and_gets_its_names(operator: Operator) -> None:
    code, output = await operator.run_import("Twitter handle,Why\n@mira_k\na b\n", "--apply")

    assert code == 1
    header, other = (line for line in output.splitlines() if line.startswith("Line "))
    assert header.endswith(" If this is a header, call its columns customer, reason and date.")
    assert "header" not in other
    assert len(operator.rows()) == 1


async def test_an_import_that_x_stops_says_how_to_go_on(operator: Operator) -> None:
    operator.x.fail(Fault.WRONG_KEYS, Endpoint.LOOKUP)
    code, output = await operator.run_import("33\n@mira_k\n34\n", "--apply")
    operator.x.recover()
    go_on = "--apply --from-line 2"

    assert code == 1
    assert "Recorded 2 opt-outs" in output
    assert f"To go on: python app.py opt-outs import list.csv {go_on}" in output
    assert "The import stopped: X can't be asked who has a handle: it rejects this app's keys" in output
    code, output = await operator.run_import("33\n@mira_k\n34\n", *go_on.split())
    assert (code, len(operator.rows())) == (0, 3)
    assert "Recorded 1 opt-out; 1 were on file already." in output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_an_import_that_a_signal_stops_says_how_to_go_on(
    operator: Operator, number: signal.Signals
) -> None:
    (operator.folder / "list.csv").write_text("33\n@mira_k\n", "utf-8")
    command = ("opt-outs", "import", "list.csv", "--apply")
    with operator.x.hold(Endpoint.LOOKUP) as hold:
        process = await start_command(operator.folder, operator.environment, *command)
        await hold.arrived.wait()
        code, output = await stop(process, number)

    assert code == 128 + number
    assert output.endswith(
        "Recorded 1 opt-out; 0 were on file already.\n"
        "To go on: python app.py opt-outs import list.csv --apply --from-line 2\n"
    )


async def test_an_import_that_a_signal_stops_before_it_records_says_that_nothing_was_recorded(
    operator: Operator,
) -> None:
    (operator.folder / "list.csv").write_text(f"{fixtures.SAM}\n", "utf-8")
    with operator.workspace.faults.hold("auth.test") as hold:
        command = ("opt-outs", "import", "list.csv", "--apply")
        process = await start_command(operator.folder, operator.environment, *command)
        await hold.arrived.wait()
        code, output = await stop(process, signal.SIGINT)

    assert (code, output) == (
        128 + signal.SIGINT,
        "Stopped before anybody was recorded. Run this command again.\n",
    )


async def test_an_import_waits_while_x_is_busy(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = []

    async def recover(seconds: float) -> None:
        waits.append(seconds)
        operator.x.recover()

    monkeypatch.setattr(listing, "Importer", partial(listing.Importer, sleep=recover))
    operator.x.fail(Fault.RATE_LIMITED, Endpoint.LOOKUP)
    code, _ = await operator.run_import("@mira_k\n", "--apply")

    assert (code, len(waits), len(operator.rows())) == (0, 1, 1)


async def test_a_list_can_be_read_from_a_pipe(operator: Operator) -> None:
    pipe = operator.folder / "list.csv"
    os.mkfifo(pipe)
    _, (code, output) = await asyncio.gather(
        asyncio.to_thread(pipe.write_text, GOOD, "utf-8"),
        operator.run("opt-outs", "import", "list.csv", "--apply"),
    )

    assert (code, len(operator.rows())) == (0, 3), output


async def test_a_file_that_can_not_be_read_is_refused(operator: Operator) -> None:
    code, output = await operator.run("opt-outs", "import", "list.csv")

    assert (code, output) == (
        1,
        "The import stopped: list.csv can't be read: No such file or directory.\n",
    )


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"\xff\xfe3\x003\x00", 1),
        ("@mira_k\r\n33,Fran\xe7ais\r\n".encode("latin-1"), 2),
        ("\ufeff@mira_k\n33,ok\n".encode() + b"\xe9", 3),
    ],
)
async def test_a_file_in_another_encoding_is_refused_with_the_line_and_what_to_do(
    operator: Operator, content: bytes, line: int
) -> None:
    (operator.folder / "list.csv").write_bytes(content)
    code, output = await operator.run("opt-outs", "import", "list.csv", "--apply")

    assert (code, output) == (
        1,
        f"The import stopped: line {line} of list.csv isn't in UTF-8. Save the file as CSV UTF-8.\n",
    )
    assert operator.rows() == []


@pytest.mark.parametrize(
    ("text", "options", "where"),
    [
        ("", (), ""),
        ("", ("--apply",), ""),
        ("customer,reason\n\n", (), ""),
        ("33\n34\n", ("--from-line", "3"), " from line 3 on"),
    ],
)
async def test_a_file_that_lists_nobody_is_refused(
    operator: Operator, text: str, options: tuple[str, ...], where: str
) -> None:
    code, output = await operator.run_import(text, *options)

    assert code == 1
    assert output == f"The import stopped: list.csv lists nobody{where}. Is it the right file?\n"


async def test_an_export_can_not_be_imported(operator: Operator) -> None:
    await operator.run_import(GOOD, "--apply")
    await operator.run("opt-outs", "export", "out.csv")
    code, output = await operator.run("opt-outs", "import", "out.csv", "--apply")

    assert code == 1
    assert output == (
        "The import stopped: out.csv is an export of opt-outs, which can't be imported, as it has only keyed "
        "hashes of the customers. Import the list with their handles or IDs.\n"
    )


@pytest.mark.parametrize("rounded", ["1.82E+18", '"1,82E+18"', "1.82e+18", "2E+18", "'1.82E+18"])
async def test_an_id_that_a_spreadsheet_has_rounded_is_told_as_such(operator: Operator, rounded: str) -> None:
    code, output = await operator.run_import(f"{rounded}\n33\n", "--apply")

    assert code == 1
    assert output.startswith(
        "Line 1: A spreadsheet has rounded this ID, so it can't be restored from this. Copy it again "
        "from its source, into a column that is formatted as text.\n"
    )
    assert len(operator.rows()) == 1


async def test_the_apostrophe_of_a_spreadsheet_is_no_part_of_an_id(operator: Operator) -> None:
    code, output = await operator.run_import("'1820000000000000011\n1820000000000000011\n")

    assert (code, output.partition(",")[0]) == (0, "1 customer")


async def test_an_export_leaves_a_file_that_exists_as_it_is(operator: Operator) -> None:
    await operator.run_import(GOOD, "--apply")
    code, output = await operator.run("opt-outs", "export", "list.csv")

    assert (code, output) == (
        1,
        "The export stopped: list.csv can't be written: there is one already, so choose another name.\n",
    )
    assert (operator.folder / "list.csv").read_text("utf-8") == GOOD
    assert AuditAction.EXPORT_OPT_OUTS not in [row.action for row in operator.rows(tables.audit)]


async def test_an_export_holds_the_proof_but_names_no_customer(operator: Operator) -> None:
    await operator.run_import(GOOD, "--apply")
    key = operator.rows()[0].recipient_key
    database = Database(operator.environment["DATABASE_URL"], GENEROUS)
    lifted = {"team": "T1", "by": "U2", "reason": "=They agreed."}
    await database.run(opt_outs.lift, key, **lifted, now=NOON)
    database.close()
    code, output = await operator.run("opt-outs", "export", "out.csv")
    path = operator.folder / "out.csv"
    text = path.read_text("utf-8-sig")
    rows = list(csv.DictReader(text.splitlines()))

    assert (code, stat.S_IMODE(path.stat().st_mode)) == (0, 0o600)
    assert "Exported 3 opt-outs to out.csv" in output
    assert (rows[0]["recipient_key"].lstrip("'"), rows[0]["how"], rows[0]["recorded_by"]) == (
        key,
        "file",
        "operator",
    )
    assert (rows[0]["lifted_by"], rows[0]["lift_reason"]) == ("U2", "'=They agreed.")
    for name in ("mira_k", "sofie_l", operator.x.customer("mira_k").id):
        assert name not in text


async def test_an_import_of_people_in_slack_says_to_check_a_token_that_slack_refuses(
    operator: Operator,
) -> None:
    refused = operator._replace(environment={**operator.environment, "SLACK_BOT_TOKEN": "xoxb-refused"})
    code, output = await refused.run_import(f"{fixtures.SAM}\n")

    assert code == 1
    assert output.endswith("Slack does not accept the token (invalid_auth). Check SLACK_BOT_TOKEN.\n")


async def test_forgetting_a_customer_keeps_their_opt_out_and_says_so(operator: Operator) -> None:
    await operator.run_import("@mira_k\n", "--apply")
    code, output = await operator.run("forget", "@mira_k", "--yes")

    assert code == 0
    assert "They asked not to be surveyed: that stays on file, as a keyed hash" in output
    assert len(operator.rows()) == 1
