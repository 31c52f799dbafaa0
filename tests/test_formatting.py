from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csat.reporting.confidence_intervals import Interval
from csat.reporting.formatting import (
    format_change,
    format_interval,
    format_mean,
    format_percent,
    format_points,
    format_score,
    format_value,
    round_half_up,
)
from csat.reporting.scores import Change, Score, calculate_csat, calculate_nps, compare_scores
from csat.surveys.questions import Metric


def csat_score(satisfied: int, n: int) -> Score | None:
    """Return the score of `n` customers, some of them satisfied."""
    return calculate_csat({5: satisfied, 1: n - satisfied})


@pytest.mark.parametrize(
    ("metric", "value", "expected"),
    [
        (Metric.CSAT, 86.7, "87%"),
        (Metric.CSAT, 100.0, "100%"),
        (Metric.CSAT, 0.0, "0%"),
        (Metric.CSAT, None, "-"),
        (Metric.NPS, 38.2, "+38"),
        (Metric.NPS, -6.0, "-6"),
        (Metric.NPS, 0.0, "0"),
        (Metric.NPS, -0.4, "0"),
        (Metric.NPS, -100.0, "-100"),
        (Metric.NPS, None, "-"),
    ],
)
def test_csat_is_a_percentage_and_nps_a_signed_number(
    metric: Metric, value: float | None, expected: str
) -> None:
    assert format_value(metric, value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.5, 1), (1.5, 2), (2.5, 3), (-0.5, -1), (-2.5, -3), (2.49, 2), (-2.49, -2), (0.49999999999999994, 0)],
)
def test_halves_are_rounded_away_from_zero(value: float, expected: int) -> None:
    assert round_half_up(value) == expected


@given(st.tuples(*[st.integers(0, 5_000)] * 3).filter(lambda parts: sum(parts) > 0))
def test_the_exact_score_is_rounded(parts: tuple[int, int, int]) -> None:
    promoters, passives, detractors = parts
    score = calculate_nps({10: promoters, 7: passives, 0: detractors})
    exact = abs(Fraction(100 * (promoters - detractors), sum(parts)))
    rounded = floor(exact + Fraction(1, 2))

    assert score
    assert round_half_up(score.value) == (rounded if promoters > detractors else -rounded)


@pytest.mark.parametrize(
    ("mean", "expected"), [(4.25, "4.3"), (4.35, "4.4"), (4.349, "4.3"), (5.0, "5.0"), (None, "-")]
)
def test_a_mean_has_one_decimal(mean: float | None, expected: str) -> None:
    assert format_mean(mean) == expected


def test_no_value_is_not_0() -> None:
    assert format_percent(None) == format_points(None) == "-"
    assert format_percent(0.0) == "0%"


def test_an_interval_is_formatted_from_low_to_high() -> None:
    assert format_interval(Metric.CSAT, Interval(62.1, 96.3)) == "62 to 96"
    assert format_interval(Metric.NPS, Interval(-19.1, 65.2)) == "-19 to +65"
    assert format_interval(Metric.NPS, Interval(0.4, 30.0)) == "0 to +30"


def test_a_score_with_too_few_ratings_is_not_shown() -> None:
    assert format_score(None) == "-"
    assert format_score(csat_score(4, 4)) == "-"
    assert format_score(csat_score(4, 5)) == "80%"
    assert format_score(calculate_nps({10: 5})) == "+100"


@pytest.mark.parametrize(
    ("difference", "low", "high", "expected"),
    [
        (12.4, 3.0, 21.0, "up 12 points (95% interval 3 to 21)"),
        (-12.4, -21.0, -3.0, "down 12 points (95% interval 3 to 21)"),
        (1.2, 0.1, 2.0, "up 1 point (95% interval less than 1 to 2)"),
        (0.3, 0.1, 1.5, "up less than 1 point (95% interval less than 1 to 2)"),
        (-0.3, -1.5, -0.1, "down less than 1 point (95% interval less than 1 to 2)"),
        (12.4, 0.0, 25.0, "no clear change"),
        (-12.4, -25.0, 0.0, "no clear change"),
        (0.0, -10.0, 10.0, "no clear change"),
    ],
)
def test_only_a_significant_change_is_shown(
    difference: float, low: float, high: float, expected: str
) -> None:
    assert format_change(Change(difference=difference, interval=Interval(low, high))) == expected


def test_without_two_scores_no_change_is_shown() -> None:
    assert format_change(None) == "-"
    assert format_change(compare_scores(csat_score(9, 9), csat_score(3, 4))) == "-"
