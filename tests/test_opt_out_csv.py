"""Which lines of a list of opt-outs are read."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cli.opt_out_csv import LineProblem, ListedCustomer, read_list
from tests.factories import NOON

NOT_CLOSED = "A quotation mark isn't closed. Put the customer and the whole reason on one line."

GOOD = ('33,"They wrote so, ""twice"".",2025-11-03', "34", "35,ok")
"""Lines that are read, with the ids of three customers."""


@pytest.fixture(name="path", scope="module")
def _path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lists") / "list.csv"


def read(path: Path, lines: list[str], end: str = "\n") -> list[ListedCustomer | LineProblem]:
    path.write_bytes("".join(f"{line}{end}" for line in lines).encode())
    return list(read_list(path, NOON))


def ids(lines: list[ListedCustomer | LineProblem]) -> dict[int, str | None]:
    return {each.line: each.recipient.id for each in lines if isinstance(each, ListedCustomer)}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_quotation_mark_that_is_not_closed_costs_its_own_line_alone(path: Path, end: str) -> None:
    customers = read(path, ['33,"never again', "34,ok", '35,"also no', "36,x"], end)

    assert ids(customers) == {2: "34", 4: "36"}
    assert [each for each in customers if isinstance(each, LineProblem)] == [(1, NOT_CLOSED), (3, NOT_CLOSED)]


def test_a_reason_with_a_line_break_is_a_problem_of_the_line_on_which_it_begins(path: Path) -> None:
    first, second = read(path, ['33,"They wrote', 'so."'])

    assert first == (1, NOT_CLOSED)
    assert isinstance(second, LineProblem)


def test_a_line_that_is_too_long_to_be_read_costs_no_other_one(path: Path) -> None:
    customers = read(path, ["33", f"34,{'x' * 200_000}", "35"])

    assert ids(customers) == {1: "33", 3: "35"}
    assert len(customers) == 3


@given(bad=st.text(st.sampled_from('",@a1 \t;\\\0\x85\u2028')), index=st.integers(1, len(GOOD)))
@example(bad='36,"', index=1)
def test_whatever_a_line_says_all_others_are_read(path: Path, bad: str, index: int) -> None:
    listed = read(path, [*GOOD[:index], bad, *GOOD[index:]])

    others = [each for each in listed if each.line != index + 1]
    assert [getattr(each, "recipient", None) for each in others] == [
        getattr(each, "recipient", None) for each in read(path, list(GOOD))
    ]
    first = listed[0]
    assert isinstance(first, ListedCustomer)
    assert first.reason == 'They wrote so, "twice".'
