"""The definitions, vectors and rules of the figures that supervisors act upon."""

from itertools import product

import numpy as np
import pytest
import scipy  # which loads its parts when they are used
from hypothesis import assume, given
from hypothesis import strategies as st

from csat.reporting.confidence_intervals import (
    Interval,
    adjusted_wald_interval,
    csat_estimate,
    nps_estimate,
    wilson_interval,
)
from csat.reporting.scores import (
    HIGH_RATINGS,
    Ratings,
    SampleSize,
    Score,
    calculate_csat,
    calculate_nps,
    calculate_score,
    classify_sample,
    compare_scores,
    count_bands,
    distribution,
    percentage,
)
from csat.surveys.questions import SCALES, Metric
from csat.surveys.responses import is_low

NPS = Metric.NPS
CSAT = Metric.CSAT


def given_ratings(metric: Metric, minimum: int = 1) -> st.SearchStrategy[Ratings]:
    """Return a strategy for at least `minimum` ratings of a metric."""
    counts = st.integers(0, 3) | st.integers(0, 3_000)
    return st.dictionaries(st.sampled_from(SCALES[metric]), counts).filter(
        lambda ratings: sum(ratings.values()) >= minimum
    )


METRIC_AND_RATINGS = st.one_of([st.tuples(st.just(metric), given_ratings(metric)) for metric in Metric])
TWO_PERIODS = st.one_of(
    [
        st.tuples(st.just(metric), given_ratings(metric, minimum=5), given_ratings(metric, minimum=5))
        for metric in Metric
    ]
)
SHARE = st.integers(1, 2_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
NPS_SAMPLE = st.tuples(*[st.integers(0, 600)] * 3).filter(lambda parts: sum(parts) > 0)


def of(metric: Metric, ratings: Ratings) -> Score:
    """Return the score of ratings, of which there are some."""
    found = calculate_score(metric, ratings)
    assert found
    return found


def csat_of(satisfied: int, n: int) -> Score:
    """Return the score of `n` customers, some of them satisfied."""
    return of(CSAT, {5: satisfied, 1: n - satisfied})


def nps_of(promoters: int, passives: int, detractors: int) -> Score:
    """Return the score of some promoters, passives and detractors."""
    return of(NPS, {10: promoters, 8: passives, 3: detractors})


def rounded(interval: Interval) -> tuple[float, float]:
    """Return an interval with one decimal, like the reference figures."""
    return round(interval.low, 1), round(interval.high, 1)


@pytest.mark.parametrize(
    ("satisfied", "n", "low", "high"),
    [(13, 15, 62.1, 96.3), (9, 10, 59.6, 98.2), (45, 50, 78.6, 95.7), (90, 100, 82.6, 94.5), (4, 4, 51, 100)],
)
def test_a_csat_score_has_a_wilson_interval(satisfied: int, n: int, low: float, high: float) -> None:
    assert rounded(csat_of(satisfied, n).interval) == (low, high)
    assert wilson_interval(satisfied, n) == csat_of(satisfied, n).interval


@pytest.mark.parametrize(
    ("parts", "low", "high"),
    [
        ((5, 3, 2), -19.1, 65.2),
        ((15, 9, 6), 0.7, 53.9),
        ((50, 30, 20), 14.1, 44.2),
        ((200, 120, 80), 22.2, 37.4),
    ],
)
def test_an_nps_has_an_adjusted_wald_interval(parts: tuple[int, int, int], low: float, high: float) -> None:
    promoters, _, detractors = parts

    assert rounded(nps_of(*parts).interval) == (low, high)
    assert adjusted_wald_interval(promoters, detractors, sum(parts)) == nps_of(*parts).interval


def test_the_interval_of_0_or_100_percent_ends_exactly_there() -> None:
    everybody = [wilson_interval(n, n) for n in range(1, 3_000)]
    nobody = [wilson_interval(0, n) for n in range(1, 3_000)]

    assert {interval.high for interval in everybody} == {100}
    assert {interval.low for interval in nobody} == {0}


@given(SHARE)
def test_the_wilson_interval_agrees_with_scipy(share: tuple[int, int]) -> None:
    level = 1 - 2 * scipy.stats.norm.sf(1.96)

    expected = scipy.stats.binomtest(*share).proportion_ci(confidence_level=level, method="wilson")

    assert wilson_interval(*share) == pytest.approx((100 * expected.low, 100 * expected.high), abs=1e-9)


@given(NPS_SAMPLE)
def test_the_standard_error_of_an_nps_agrees_with_numpy(parts: tuple[int, int, int]) -> None:
    """Compare with a sample four times as large, which avoids fractions of a customer."""
    promoters, passives, detractors = parts
    counts = [4 * promoters + 3, 4 * passives + 6, 4 * detractors + 3]
    sample = np.repeat([1.0, 0.0, -1.0], counts)

    value, error = nps_estimate(promoters, detractors, sum(parts))

    assert value == pytest.approx(100 * sample.mean(), abs=1e-9)
    assert error == pytest.approx(100 * np.sqrt(sample.var() / (sum(parts) + 3)), abs=1e-9)


@given(SHARE)
def test_the_standard_error_of_a_share_agrees_with_numpy(share: tuple[int, int]) -> None:
    satisfied, n = share
    sample = np.repeat([1.0, 0.0], [satisfied + 1, n - satisfied + 1])

    value, error = csat_estimate(satisfied, n)

    assert value == pytest.approx(100 * sample.mean(), abs=1e-9)
    assert error == pytest.approx(100 * np.sqrt(sample.var() / (n + 2)), abs=1e-9)


@pytest.mark.parametrize(("rating", "value"), [(1, 0), (2, 0), (3, 0), (4, 100), (5, 100)])
def test_csat_counts_ratings_of_4_and_5(rating: int, value: int) -> None:
    assert of(CSAT, {rating: 7}).value == value


@pytest.mark.parametrize(
    ("rating", "value"), [*((low, -100) for low in range(7)), (7, 0), (8, 0), (9, 100), (10, 100)]
)
def test_nps_is_promoters_minus_detractors(rating: int, value: int) -> None:
    assert of(NPS, {rating: 7}).value == value


def test_a_score_counts_all_ratings() -> None:
    satisfaction = of(CSAT, {1: 2, 3: 1, 4: 3, 5: 4})
    loyalty = nps_of(5, 3, 2)

    assert (satisfaction.metric, satisfaction.n, satisfaction.value, satisfaction.mean) == (CSAT, 10, 70, 3.7)
    assert (loyalty.metric, loyalty.n, loyalty.value, loyalty.mean) == (NPS, 10, 30, None)


@pytest.mark.parametrize("metric", Metric)
def test_without_ratings_the_score_is_none_rather_than_0(metric: Metric) -> None:
    assert calculate_score(metric, {}) is None
    assert calculate_score(metric, {3: 0}) is None


@pytest.mark.parametrize(
    ("metric", "ratings"), [(CSAT, {0: 1}), (CSAT, {5: 3, 6: 0}), (NPS, {-1: 1}), (NPS, {11: 1})]
)
def test_the_error_for_an_invalid_rating_does_not_contain_the_rating(
    metric: Metric, ratings: Ratings
) -> None:
    scale = {CSAT: "CSAT is a whole number from 1 to 5.", NPS: "NPS is a whole number from 0 to 10."}

    with pytest.raises(ValueError, match=rf"^A rating of {scale[metric]}$"):
        calculate_score(metric, ratings)


@pytest.mark.parametrize("metric", Metric)
def test_a_negative_count_is_an_error(metric: Metric) -> None:
    with pytest.raises(ValueError, match="can't be negative"):
        calculate_score(metric, {4: 9, 5: -1})


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (-1, 4), (5, 4), (0, -1)])
def test_an_invalid_proportion_is_an_error(successes: int, n: int) -> None:
    for impossible in (
        lambda: wilson_interval(successes, n),
        lambda: csat_estimate(successes, n),
        lambda: adjusted_wald_interval(successes, 0, n),
        lambda: adjusted_wald_interval(0, successes, n),
    ):
        with pytest.raises(ValueError, match="A part must be between 0 and its whole"):
            impossible()


def test_more_promoters_and_detractors_than_customers_are_an_error() -> None:
    assert adjusted_wald_interval(2, 3, 5)
    with pytest.raises(ValueError, match="A part must be"):
        adjusted_wald_interval(3, 3, 5)


@given(METRIC_AND_RATINGS)
def test_a_score_and_its_interval_stay_on_the_scale(rated: tuple[Metric, Ratings]) -> None:
    metric, ratings = rated
    found = of(metric, ratings)
    lowest = 0 if metric is CSAT else -100

    assert lowest <= found.value <= 100
    assert lowest <= found.interval.low < found.interval.high <= 100
    assert found.mean is None or 1 <= found.mean <= 5


@given(METRIC_AND_RATINGS)
def test_an_interval_contains_its_score(rated: tuple[Metric, Ratings]) -> None:
    metric, ratings = rated
    found = of(metric, ratings)
    assume(metric is CSAT or found.n > 1)  # a single customer's NPS lies just outside, as Rocks has it

    assert found.interval.low <= found.value <= found.interval.high


@given(NPS_SAMPLE)
def test_swapping_promoters_and_detractors_negates_the_nps(parts: tuple[int, int, int]) -> None:
    there, back = nps_of(*parts), nps_of(*reversed(parts))

    assert there.value == -back.value
    assert there.interval == (-back.interval.high, -back.interval.low)


@given(SHARE)
def test_the_interval_of_the_complement_is_mirrored(share: tuple[int, int]) -> None:
    satisfied, n = share
    low, high = wilson_interval(n - satisfied, n)

    assert wilson_interval(satisfied, n) == pytest.approx((100 - high, 100 - low), abs=1e-9)


@given(METRIC_AND_RATINGS)
def test_another_high_rating_never_lowers_a_score(rated: tuple[Metric, Ratings]) -> None:
    metric, ratings = rated
    found = of(metric, ratings)
    for good in HIGH_RATINGS[metric]:
        better = of(metric, {**ratings, good: ratings.get(good, 0) + 1})

        assert better.value > found.value or found.value == better.value == 100
        # the adjusted Wald interval also widens where opinions differ more
        assert metric is NPS or better.interval.low > found.interval.low
        assert metric is NPS or better.interval.high >= found.interval.high


@given(METRIC_AND_RATINGS, st.integers(2, 50))
def test_a_larger_sample_has_a_narrower_interval(rated: tuple[Metric, Ratings], times: int) -> None:
    metric, ratings = rated
    few, many = of(metric, ratings), of(metric, {rating: times * n for rating, n in ratings.items()})

    assert many.value == few.value
    assert many.interval.high - many.interval.low < few.interval.high - few.interval.low


def test_a_change_is_significant_if_its_interval_excludes_0() -> None:
    better, worse = csat_of(45, 50), csat_of(35, 50)
    change = compare_scores(better, worse)

    assert change
    assert change.difference == 20
    assert rounded(change.interval) == (4.0, 34.5)  # 46/52 - 36/52 +/- 1.96 x 7.78 points
    assert change.is_significant


def test_a_change_is_not_significant_if_its_interval_includes_0() -> None:
    change = compare_scores(csat_of(45, 50), csat_of(40, 50))

    assert change
    assert change.difference == 10
    assert not change.is_significant


def test_a_change_of_nps_uses_the_adjusted_standard_errors() -> None:
    change = compare_scores(nps_of(50, 30, 20), nps_of(30, 30, 40))

    assert change
    assert change.difference == 40
    assert rounded(change.interval) == (16.9, 60.8)  # 30/103 - -10/103 +/- 1.96 x 11.2 points
    assert change.is_significant


@pytest.mark.parametrize(
    ("now", "before"),
    [((5, 5), (4, 4)), ((5, 5), (0, 4)), ((4, 4), (1, 1)), ((4, 4), (0, 5)), ((1, 1), (0, 1))],
)
def test_a_score_with_too_few_ratings_has_no_change(now: tuple[int, int], before: tuple[int, int]) -> None:
    assert compare_scores(csat_of(*now), csat_of(*before)) is None


def test_without_a_score_there_is_no_change() -> None:
    assert compare_scores(csat_of(9, 10), None) is None
    assert compare_scores(None, csat_of(9, 10)) is None
    assert compare_scores(None, None) is None


def test_scores_of_different_metrics_can_not_be_compared() -> None:
    with pytest.raises(ValueError, match="different metrics"):
        compare_scores(csat_of(9, 10), nps_of(9, 0, 1))


@given(TWO_PERIODS)
def test_swapping_the_scores_negates_the_change(periods: tuple[Metric, Ratings, Ratings]) -> None:
    metric, first, second = periods
    there = compare_scores(of(metric, first), of(metric, second))
    back = compare_scores(of(metric, second), of(metric, first))

    assert there
    assert back
    assert there.difference == -back.difference
    assert there.interval == (-back.interval.high, -back.interval.low)
    assert there.is_significant == back.is_significant


@given(TWO_PERIODS)
def test_a_significant_change_has_the_sign_of_its_interval(periods: tuple[Metric, Ratings, Ratings]) -> None:
    metric, first, second = periods
    change = compare_scores(of(metric, first), of(metric, second))
    limit = 100 if metric is CSAT else 200

    assert change
    assert -limit <= change.interval.low < change.interval.high <= limit
    assert not change.is_significant or change.difference * change.interval.low > 0
    assert not change.is_significant or change.difference * change.interval.high > 0


@given(METRIC_AND_RATINGS)
def test_equal_ratings_are_no_change(rated: tuple[Metric, Ratings]) -> None:
    change = compare_scores(of(*rated), of(*rated))

    assert change is None or (change.difference == 0 and not change.is_significant)


def test_a_change_is_limited_to_the_length_of_the_scale() -> None:
    satisfaction = compare_scores(csat_of(5, 5), csat_of(0, 5))
    loyalty = compare_scores(nps_of(5, 0, 0), nps_of(0, 0, 2_000))

    assert satisfaction
    assert loyalty
    assert satisfaction.interval.high == 100
    assert loyalty.interval.high == 200


@pytest.mark.parametrize(("now", "before"), list(product([5, 9, 15, 30], repeat=2)))
def test_about_one_in_twenty_random_differences_is_significant(now: int, before: int) -> None:
    """Weigh every outcome of two periods by its probability, if both have the same customers."""
    clear = np.array(
        [
            [
                bool((it := compare_scores(csat_of(a, now), csat_of(b, before))) and it.is_significant)
                for b in range(before + 1)
            ]
            for a in range(now + 1)
        ]
    )
    for satisfied in np.linspace(0.05, 0.95, 19):
        of_now = scipy.stats.binom.pmf(range(now + 1), now, satisfied)
        of_before = scipy.stats.binom.pmf(range(before + 1), before, satisfied)

        assert of_now @ clear @ of_before < 0.07


@given(METRIC_AND_RATINGS)
def test_a_distribution_covers_the_whole_scale(rated: tuple[Metric, Ratings]) -> None:
    metric, ratings = rated
    whole = distribution(metric, ratings)

    assert list(whole) == list(SCALES[metric])
    assert {rating: n for rating, n in whole.items() if n} == {
        rating: n for rating, n in ratings.items() if n
    }


@pytest.mark.parametrize("metric", Metric)
def test_every_rating_is_in_one_band_and_the_low_band_calls_for_a_follow_up(metric: Metric) -> None:
    for rating in SCALES[metric]:
        counted = count_bands(metric, {rating: 1})

        assert sum(counted) == 1
        assert counted.low == is_low(metric, rating)
        assert counted.high == (rating in HIGH_RATINGS[metric])


def test_each_metric_has_its_own_score() -> None:
    assert calculate_csat({5: 3}) == calculate_score(CSAT, {5: 3})
    assert calculate_nps({5: 3}) == calculate_score(NPS, {5: 3})
    assert calculate_csat({5: 3}) != calculate_nps({5: 3})


def test_a_percentage_of_0_is_none() -> None:
    assert percentage(1, 4) == 25
    assert percentage(0, 3) == 0
    assert percentage(0, 0) is None


@pytest.mark.parametrize(("part", "whole"), [(1, 0), (4, 3), (-1, 3)])
def test_a_part_larger_than_its_whole_is_an_error(part: int, whole: int) -> None:
    with pytest.raises(ValueError, match="A part must be between 0 and its whole"):
        percentage(part, whole)


@pytest.mark.parametrize(
    ("n", "expected"),
    [
        (0, SampleSize.TOO_FEW),
        (4, SampleSize.TOO_FEW),
        (5, SampleSize.FEW),
        (29, SampleSize.FEW),
        (30, SampleSize.ENOUGH),
        (10_000, SampleSize.ENOUGH),
    ],
)
def test_fewer_than_5_ratings_are_too_few_and_fewer_than_30_are_few(n: int, expected: SampleSize) -> None:
    assert classify_sample(n) is expected


def test_sample_sizes_have_labels() -> None:
    assert list(SampleSize) == ["too few answers", "few answers", ""]
