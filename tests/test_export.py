"""The CSV export: one row per survey, safe in spreadsheets, with a manifest to verify it."""

import csv
import hashlib
import io
import itertools
import json
import re
import stat
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, update

from csat.db.database import Database
from csat.db.tables import surveys
from csat.reporting.export_files import PAGE_SIZE, LookUpNames, manifest_path, read_export, write_export
from csat.reporting.export_rows import COLUMNS, ExportRow, InvalidExport, Selection, escape_formula
from csat.reporting.periods import last_days
from csat.surveys.states import State
from csat.surveys.transports import TransportName
from demo.seed import Colleague, Team, insert_past
from tests.factories import NOON, no_names
from tests.strategies import TEXT

FORMULA_SIGNS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # noqa: RUF001
FORMULAS = st.text(st.sampled_from('=＝;\t\n" a'), max_size=8)  # noqa: RUF001

DOCUMENTATION = Path(__file__).parent.with_name("docs") / "export.md"
TEAM, ADA, CLEO = "T012AB3CD", "U07ADA", "U07CLEO"
SCENE = Team(
    id=TEAM,
    account="1718260345",
    channels=("C012AB3CD", "C034EF5GH"),
    threads=("1700000000.000100",),
    colleagues=(Colleague(ADA, 5, 1), Colleague(CLEO, 1, 0)),
    supervisor=CLEO,
    display_name="Northwind",
)
ALL = Selection(team=TEAM, period=last_days(400, NOON, ZoneInfo("UTC")))


@pytest.fixture(name="seeded_database")
async def _seeded_database(database: Database) -> Database:
    await database.run(insert_past, SCENE, NOON)
    return database


async def export_rows(
    database: Database,
    path: Path,
    selection: Selection = ALL,
    look_up_names: LookUpNames = no_names,
    page_size: int = PAGE_SIZE,
) -> list[ExportRow]:
    async for _ in write_export(database, selection, path, NOON, look_up_names, page_size):
        pass
    return list(read_export(path))


def update_survey(connection: Connection, /, survey_id: int, **values: object) -> None:
    connection.execute(update(surveys).where(surveys.c.id == survey_id).values(**values))


async def test_every_sent_survey_has_a_row(seeded_database: Database, tmp_path: Path) -> None:
    await seeded_database.run(update_survey, 1, state=State.REFUSED)
    await seeded_database.run(update_survey, 2, state=State.UNCERTAIN)

    rows = await export_rows(seeded_database, tmp_path / "all.csv")

    ids = {row.survey_id for row in rows}
    assert len(rows) == len(ids) > 1_000
    assert 1 not in ids
    assert 2 in ids


async def test_exports_are_reproducible_for_any_page_size(seeded_database: Database, tmp_path: Path) -> None:
    await export_rows(seeded_database, tmp_path / "one.csv")
    await export_rows(seeded_database, tmp_path / "two.csv", page_size=7)

    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


async def test_surveys_sent_at_the_same_time_are_all_exported(
    seeded_database: Database, tmp_path: Path
) -> None:
    expected = await export_rows(seeded_database, tmp_path / "before.csv")
    for row in expected[:10]:
        await seeded_database.run(update_survey, row.survey_id, sent_at=NOON, metric="csat")

    rows = await export_rows(seeded_database, tmp_path / "after.csv", page_size=9)

    assert sorted(row.survey_id for row in rows) == sorted(row.survey_id for row in expected)


async def test_only_selected_surveys_are_exported(seeded_database: Database, tmp_path: Path) -> None:
    period = last_days(50, NOON, ZoneInfo("Europe/Berlin")).previous()
    selection = Selection(team=TEAM, period=period, exclude_requester=CLEO)

    rows = await export_rows(seeded_database, tmp_path / "some.csv", selection)

    assert rows
    assert all(period.begin <= row.sent_at < period.end and row.requester == ADA for row in rows)
    assert (
        await export_rows(seeded_database, tmp_path / "none.csv", ALL.model_copy(update={"team": "T0OTHER"}))
        == []
    )


async def test_the_manifest_describes_the_file(seeded_database: Database, tmp_path: Path) -> None:
    path = tmp_path / "all.csv"
    rows = await export_rows(seeded_database, path)

    manifest = json.loads(manifest_path(path).read_text(encoding="utf-8"))

    assert manifest["file"] == "all.csv"
    assert manifest["rows"] == len(rows)
    assert manifest["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert tuple(manifest["columns"]) == COLUMNS
    assert manifest["selection"]["team"] == TEAM


async def test_formulas_are_escaped_and_times_are_in_utc(seeded_database: Database, tmp_path: Path) -> None:
    attack = '=HYPERLINK("https://evil.example","Click")'
    await seeded_database.run(
        update_survey, 1, comment=attack, commented_at=NOON, recipient_handle="@cmd", external_id="+1\n-2"
    )
    await export_rows(seeded_database, tmp_path / "all.csv")

    with (tmp_path / "all.csv").open(encoding="utf-8-sig", newline="") as file:
        cells = next(row for row in csv.DictReader(file) if row["survey_id"] == "1")

    assert cells["comment"] == f"'{attack}"
    assert cells["recipient_handle"] == "'@cmd"
    assert cells["external_id"] == "'+1\n'-2"
    assert cells["commented_at"] == "2026-03-04T12:00:00.000000Z"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Thanks;=1+1", "Thanks;'=1+1"),
        ("a;b; =1+1", "a;b;' =1+1"),
        ("a\t@SUM(1)", "a\t'@SUM(1)"),
        ("one\r\n＋1", "one\r\n'＋1"),  # noqa: RUF001
        (" ＝1", "' ＝1"),  # noqa: RUF001
        ("\t=1", "'\t'=1"),
        (";;-1;", ";;'-1;"),
        ('a;"=1"', 'a;\'"=1"'),
        ("Fine; see you - bye @all", "Fine; see you - bye @all"),
        ("5 = 5", "5 = 5"),
    ],
)
def test_parts_of_a_text_that_could_become_cells_are_escaped(text: str, expected: str) -> None:
    assert escape_formula(text) == expected


@pytest.mark.parametrize(
    ("delimiter", "quoting"),
    [(",", csv.QUOTE_MINIMAL), *itertools.product(";\t", (csv.QUOTE_MINIMAL, csv.QUOTE_NONE))],
)
@given(texts=st.lists(TEXT | FORMULAS, min_size=1, max_size=3))
def test_no_cell_starts_a_formula_whatever_separates_the_cells(
    delimiter: str, quoting: Literal[0, 3], texts: list[str]
) -> None:
    file = io.StringIO(newline="")
    csv.writer(file).writerow(["1", *map(escape_formula, texts)])

    rows = csv.reader(io.StringIO(file.getvalue(), newline=""), delimiter=delimiter, quoting=quoting)

    assert not [cell for row in rows for cell in row if cell.lstrip().startswith(FORMULA_SIGNS)]


async def test_a_closed_low_rating_has_its_note(seeded_database: Database, tmp_path: Path) -> None:
    rows = await export_rows(seeded_database, tmp_path / "all.csv")

    assert {row.low_note for row in rows if row.low_closed_at} == {"Called the customer and put it right."}
    assert {row.low_note for row in rows if not row.low_closed_at} == {""}


async def test_agents_and_channels_have_their_names(seeded_database: Database, tmp_path: Path) -> None:
    asked: list[str] = []

    async def look_up(ids: Iterable[str]) -> dict[str, str]:
        asked.extend(ids)
        return {ADA: "Ada", CLEO: "=Cleo", SCENE.channels[0]: "support"}

    rows = await export_rows(seeded_database, tmp_path / "all.csv", look_up_names=look_up)

    assert {(row.requester, row.requester_name) for row in rows} == {(ADA, "Ada"), (CLEO, "'=Cleo")}
    assert {(row.channel, row.channel_name) for row in rows} == {
        (SCENE.channels[0], "support"),
        (SCENE.channels[1], ""),
    }
    assert {(row.low_taken_by_name, row.low_closed_by_name) for row in rows if row.low_closed_by} == {
        ("'=Cleo", "'=Cleo")
    }
    assert set(asked) == {ADA, CLEO, *SCENE.channels}


async def test_a_row_says_how_its_survey_was_sent_and_whether_it_was_meant_for_its_reader(
    seeded_database: Database, tmp_path: Path
) -> None:
    await seeded_database.run(update_survey, 7, transport=TransportName.X_LINK, disowned_at=NOON)

    rows = await export_rows(seeded_database, tmp_path / "all.csv")

    unusual = {(row.survey_id, row.disowned_at) for row in rows if row.transport is TransportName.X_LINK}
    assert unusual == {(7, NOON)}
    assert {row.disowned_at for row in rows if row.survey_id != 7} == {None}


async def test_an_older_file_has_surveys_sent_as_a_card(seeded_database: Database, tmp_path: Path) -> None:
    expected = await export_rows(seeded_database, tmp_path / "new.csv")
    with (tmp_path / "new.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    older = [name for name in COLUMNS if name not in {"transport", "disowned_at"}]
    with (tmp_path / "old.csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, older, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)

    assert list(read_export(tmp_path / "old.csv")) == expected


NUMBERS = (
    "1820000000000000022",
    "1700000000.000100",
    "007",
    "12",
    "3-4",
    "2026-03-04",
    "1e5",
    "10:30",
    "'12",
)


@pytest.mark.parametrize("text", NUMBERS)
def test_a_text_that_a_spreadsheet_takes_for_a_number_or_a_date_is_marked_as_text(text: str) -> None:
    row = make_export_row(external_id=text)
    cells = dict(zip(COLUMNS, row.to_cells(), strict=True))

    assert cells["external_id"] == f"'{text}"
    assert cells["recipient_id"] == "'33"
    assert cells["survey_id"] == "1"
    assert cells["rating"] == "0"
    assert ExportRow.from_cells(cells) == row


@given(TEXT)
def test_any_text_is_read_back_as_it_was_but_for_formulas(text: str) -> None:
    row = make_export_row(external_id=text)

    cells = dict(zip(COLUMNS, row.to_cells(), strict=True))

    assert ExportRow.from_cells(cells).external_id == escape_formula(text)


async def test_an_interrupted_export_leaves_no_files(seeded_database: Database, tmp_path: Path) -> None:
    pages = write_export(seeded_database, ALL, tmp_path / "all.csv", NOON, no_names, page_size=100)
    await anext(pages)

    await pages.aclose()

    assert not (tmp_path / "all.csv").exists()
    assert not (tmp_path / "all.csv.part").exists()


async def test_only_the_owner_can_read_an_export(seeded_database: Database, tmp_path: Path) -> None:
    await export_rows(seeded_database, path := tmp_path / "all.csv")

    assert [stat.S_IMODE(file.stat().st_mode) for file in (path, manifest_path(path))] == [0o600, 0o600]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no column"),
        ("a,b\n1,2\n", "no column"),
        (",".join(COLUMNS) + "\n1,2\n", "line 2"),
        (",".join(COLUMNS) + "\n" + "x," * (len(COLUMNS) - 1) + "\n", "line 2"),
    ],
)
def test_a_file_that_is_not_an_export_is_rejected(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "other.csv").write_text(text, encoding="utf-8")

    with pytest.raises(InvalidExport, match=problem):
        list(read_export(tmp_path / "other.csv"))


def make_export_row(**fields: object) -> ExportRow:
    defaults = {
        "survey_id": 1,
        "feedback_id": "9",
        "state": State.ANSWERED,
        "metric": "nps",
        "variant": 3,
        "test": False,
        "team": TEAM,
        "channel": "C1",
        "channel_name": "support",
        "thread": "",
        "requester": ADA,
        "requester_name": "Ada",
        "account": "17",
        "transport": TransportName.X_LINK,
        "recipient_id": "33",
        "recipient_handle": "grace",
        "external_id": "",
        "accepted_at": NOON,
        "sent_at": datetime(2026, 3, 4, 12, 0, 0, 123, UTC),
        "rating": 0,
        "rated_at": NOON,
        "comment": "Fine, “thanks”",
        "commented_at": None,
        "disowned_at": NOON,
        "low_taken_by": "",
        "low_taken_by_name": "",
        "low_taken_at": None,
        "low_closed_by": "",
        "low_closed_by_name": "",
        "low_closed_at": None,
        "low_note": "Called them.\nTwice.",
    }
    return ExportRow.model_validate({**defaults, **fields})


def test_a_row_is_read_back_unchanged() -> None:
    row = make_export_row()

    assert ExportRow.from_cells(dict(zip(COLUMNS, row.to_cells(), strict=True))) == row


def test_every_column_is_documented() -> None:
    documented = re.findall(r"^\| `(\w+)` \|", DOCUMENTATION.read_text(encoding="utf-8"), re.MULTILINE)

    assert tuple(documented) == COLUMNS
