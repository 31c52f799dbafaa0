"""A report's figures in text, where there are few or none."""

from datetime import date

import pytest

from blocks.digest import digest_message
from blocks.report_summary import (
    INTERVAL_CAVEAT,
    LATE_ANSWERS,
    LeftOut,
    caveats,
    own_left_out,
    summary_lines,
    summary_text,
)
from csat.reporting.report_model import FollowUpCounts, Report, Tally
from csat.surveys.follow_ups import OpenLowRatings
from tests import sample_messages as samples
from tests.plain_blocks import render_blocks, render_message

TOO_FEW = "Scores start at 5 answers: with fewer, each would be a quarter of the score or more."


def make_report(**values: object) -> Report:
    return samples.EMPTY_REPORT.model_copy(update={"data_begin": samples.LONG_AGO, **values})


def make_text(report: Report) -> str:
    return summary_text(report, own_left_out(report.excluded))


def make_tally(answers: int) -> Tally:
    return Tally(ratings={5: answers}, sent=10, open=10 - answers)


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        (0, "CSAT score: no answers yet."),
        (1, f"CSAT score: none, with 1 answer. {TOO_FEW}"),
        (4, f"CSAT score: none, with 4 answers. {TOO_FEW}"),
        (
            5,
            "CSAT score: 100% (95% interval 57 to 100) from 5 answers (few answers).",
        ),
    ],
)
def test_a_score_says_why_it_is_missing(answers: int, sentence: str) -> None:
    assert make_text(make_report(current=make_tally(answers))).startswith(sentence)


def test_few_answers_weigh_as_much_as_the_metric_lets_them() -> None:
    nps = samples.NPS_REPORT.model_copy(update={"current": Tally(ratings={10: 4}, sent=4)})

    weight = "with fewer, each promoter or detractor would be 25 points or more."
    assert make_text(nps).startswith(f"NPS: none, with 4 answers. Scores start at 5 answers: {weight}")


def test_a_score_without_answers_says_whose_surveys_are_left_out() -> None:
    assert make_text(make_report(excluded=3)).startswith(
        "CSAT score: no answers (your own surveys left out)."
    )


def test_answers_are_expected_only_while_surveys_are_open() -> None:
    expired = make_report(current=Tally(sent=3, expired=3))

    assert make_text(expired).startswith("CSAT score: no answers.")


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        (0, "Previous 7 days: no answers."),
        (3, "Previous 7 days: 3 answers, too few for a score."),
        (5, "Previous 7 days: 100% from 5 answers."),
    ],
)
def test_the_previous_score_says_why_it_is_missing(answers: int, sentence: str) -> None:
    assert sentence in make_text(make_report(previous=make_tally(answers)))


def test_there_is_no_share_of_nothing() -> None:
    text = make_text(make_report())

    assert "0 sent · 0 answers · 0 comments · 0 still open · 0 expired" in text


@pytest.mark.parametrize(
    ("answers", "expected"), [(4, ["", LATE_ANSWERS]), (5, [INTERVAL_CAVEAT, LATE_ANSWERS])]
)
def test_the_interval_is_explained_only_if_there_is_one(answers: int, expected: list[str]) -> None:
    report = make_report(current=make_tally(answers))

    assert caveats(report) == expected
    assert (INTERVAL_CAVEAT in render_message(*digest_message([report], OpenLowRatings()))) is (
        INTERVAL_CAVEAT in expected
    )


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
    assert (
        line
        in render_message(*digest_message([make_report(follow_up=counts)], OpenLowRatings())).splitlines()
    )


@pytest.mark.parametrize(
    ("tally", "sentence"),
    [
        (
            Tally(ratings={5: 6}, sent=20, open=10, finished=8, finished_rated=4),
            "Response rate: 50% (4 of the 8 surveys whose 14 days have passed); 10 still open.",
        ),
        (
            Tally(ratings={5: 6}, sent=20, expired=14, finished=20, finished_rated=6),
            "Response rate: 30% (6 of the 20 surveys whose 14 days have passed).",
        ),
        (Tally(), "Response rate: no surveys."),
        (
            Tally(ratings={5: 6}, sent=20, open=14),
            "Response rate: not known until 14 days have passed; 14 still open.",
        ),
    ],
)
def test_the_response_rate_says_what_it_counts(tally: Tally, sentence: str) -> None:
    assert sentence in make_text(make_report(current=tally))


@pytest.mark.parametrize(
    ("data_begin", "sentence"),
    [
        (date(2026, 2, 23), "Previous 7 days: 100% from 9 answers."),
        (date(2026, 2, 24), "Previous 7 days: not compared, as this data begins on Feb 24, 2026."),
        (date(2026, 3, 4), "Previous 7 days: not compared, as this data begins on Mar 4, 2026."),
        (None, "Previous 7 days: no surveys."),
    ],
)
def test_a_period_before_that_was_not_observed_whole_is_not_compared(
    data_begin: date | None, sentence: str
) -> None:
    assert sentence in make_text(make_report(previous=make_tally(9), data_begin=data_begin))


def make_sent(**sent_as: int) -> Tally:
    """Return a tally whose answers are enough for a score."""
    return Tally(ratings={5: 9}, sent=sum(sent_as.values()), sent_as=sent_as)


@pytest.mark.parametrize(
    ("current", "previous", "comparison"),
    [
        (make_sent(x_card=9), make_sent(x_card=10), "100% from 9 answers; no clear change"),
        (make_sent(x_link=9), make_sent(x_link=10), "100% from 9 answers; no clear change"),
        (
            make_sent(x_link=9),
            make_sent(x_card=10),
            "not compared, as some were sent as X's feedback card",
        ),
        (
            make_sent(x_card=9),
            make_sent(x_card=5, x_link=5),
            "not compared, as some were sent as a link in a direct message",
        ),
        (
            make_sent(x_card=5, x_link=4),
            make_sent(x_card=10),
            "not compared, as none were sent as a link in a direct message",
        ),
        (
            make_sent(x_card=8, x_link=1),
            make_sent(x_card=1, x_link=9),
            "100% from 9 answers; not compared, as surveys were sent in several ways",
        ),
        (make_sent(x_card=8, x_link=1), Tally(), "no answers"),
    ],
)
def test_no_change_is_claimed_over_several_ways_of_sending(
    current: Tally, previous: Tally, comparison: str
) -> None:
    report = make_report(current=current, previous=previous)

    assert f"Previous 7 days: {comparison}." in make_text(report)
    assert f"Previous 7 days: {comparison}." in render_message(*digest_message([report], OpenLowRatings()))


@pytest.mark.parametrize(
    ("current", "previous", "line"),
    [
        (
            make_sent(x_card=1_200, x_link=4),
            Tally(),
            "X's feedback card: 1,200 · as a link in a direct message: 4",
        ),
        (make_sent(x_link=4), make_sent(x_card=4), "a link in a direct message: 4"),
        (make_sent(x_link=4), make_sent(x_link=4), ""),
        (Tally(), make_sent(x_card=4, x_link=4), ""),
    ],
)
def test_a_report_over_several_ways_of_sending_says_how_many_there_were_of_each(
    current: Tally, previous: Tally, line: str
) -> None:
    report = make_report(current=current, previous=previous)

    lines = render_message(*digest_message([report], OpenLowRatings())).splitlines()

    assert [each for each in lines if each.startswith("Sent as ")] == [f"Sent as {line}"] * bool(line)
    assert (f"Sent as {line}." in make_text(report)) is bool(line)


@pytest.mark.parametrize(
    ("number", "end"),
    [
        (0, "10 expired."),
        (2, "10 expired · 2 said that the survey wasn't meant for them."),
    ],
)
def test_surveys_that_were_not_meant_for_their_readers_are_counted_if_there_are_any(
    number: int, end: str
) -> None:
    assert end in make_text(make_report(current=Tally(sent=10, expired=10, disowned=number)))


@pytest.mark.parametrize(
    ("left_out", "beside_surveys", "beside_low_ratings"),
    [
        (own_left_out(0), "80 sent · ", "4 low ratings: "),
        (
            own_left_out(3),
            "80 sent (3 of your own surveys left out) · ",
            "4 low ratings (your own surveys left out): ",
        ),
        (
            LeftOut("Cleo's own surveys", None),
            "80 sent (Cleo's own surveys left out) · ",
            "4 low ratings (Cleo's own surveys left out): ",
        ),
    ],
)
def test_totals_say_beside_the_number_what_they_leave_out(
    left_out: LeftOut, beside_surveys: str, beside_low_ratings: str
) -> None:
    lines = render_blocks([block.to_dict() for block in summary_lines(samples.REPORT, left_out)])

    assert beside_surveys in lines
    assert beside_low_ratings in lines


def test_nothing_is_left_out_silently_where_there_are_no_low_ratings() -> None:
    lines = summary_lines(make_report(current=make_tally(5)), own_left_out(1))

    assert "No low ratings (your own surveys left out)" in render_blocks([block.to_dict() for block in lines])
