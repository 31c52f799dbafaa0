"""A report's figures in text, where there are few or none."""

import pytest

from blocks.digest import digest_message
from blocks.report_summary import INTERVAL_CAVEAT, LATE_ANSWERS, caveats, summary_text
from csat.reporting.report_model import FollowUpCounts, Report, Tally
from tests import text_samples as samples
from tests.plain_blocks import render_message


def make_report(**values: object) -> Report:
    return samples.EMPTY_REPORT.model_copy(update=values)


def make_tally(answers: int) -> Tally:
    return Tally(ratings={5: answers}, sent=10, open=10 - answers)


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        (0, "CSAT score: no answers yet."),
        (1, "CSAT score: none, with 1 answer. Scores start at 5, so that single ratings stay private."),
        (4, "CSAT score: none, with 4 answers. Scores start at 5, so that single ratings stay private."),
        (
            5,
            "CSAT score: 100% (95% interval 57 to 100) from 5 answers (few answers).",
        ),
    ],
)
def test_a_score_says_why_it_is_missing(answers: int, sentence: str) -> None:
    assert summary_text(make_report(current=make_tally(answers))).startswith(sentence)


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        (0, "Previous 7 days: no answers."),
        (3, "Previous 7 days: 3 answers, too few for a score."),
        (5, "Previous 7 days: 100% from 5 answers."),
    ],
)
def test_the_previous_score_says_why_it_is_missing(answers: int, sentence: str) -> None:
    assert sentence in summary_text(make_report(previous=make_tally(answers)))


def test_there_is_no_share_of_nothing() -> None:
    text = summary_text(make_report())

    assert "0 sent · 0 answers · 0 comments · 0 still open · 0 expired" in text


@pytest.mark.parametrize(
    ("answers", "expected"), [(4, ["", LATE_ANSWERS]), (5, [INTERVAL_CAVEAT, LATE_ANSWERS])]
)
def test_the_interval_is_explained_only_if_there_is_one(answers: int, expected: list[str]) -> None:
    report = make_report(current=make_tally(answers))

    assert caveats(report)[:2] == expected
    assert (INTERVAL_CAVEAT in render_message(*digest_message([report]))) is (INTERVAL_CAVEAT in expected)


@pytest.mark.parametrize(
    ("counts", "line"),
    [
        (FollowUpCounts(), "No low ratings"),
        (FollowUpCounts(low=1), "1 low rating: 1 unassigned"),
        (FollowUpCounts(low=6, taken=5, closed=5), "6 low ratings: 5 closed, 1 unassigned"),
        (FollowUpCounts(low=6, taken=4, closed=1), "6 low ratings: 1 closed, 3 assigned, 2 unassigned"),
    ],
)
def test_every_low_rating_is_in_one_state(counts: FollowUpCounts, line: str) -> None:
    assert line in render_message(*digest_message([make_report(follow_up=counts)])).splitlines()
