"""The layout of charts."""

import pytest

from sandbox.page.chart_layout import HEIGHT, TOP, WIDTH, Pie, Plot, axis_steps, format_number

Series = dict[str, list[float]]


def plot(values: Series, categories: list[str] | None = None, kind: str = "bar") -> Plot:
    categories = categories or [f"w{number}" for number in range(len(next(iter(values.values()))))]
    series = [
        {
            "name": name,
            "data": [{"label": label, "value": value} for label, value in zip(categories, data, strict=True)],
        }
        for name, data in values.items()
    ]
    return Plot({"type": kind, "series": series, "axis_config": {"categories": categories}})


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 97], [0, 20, 40, 60, 80, 100]),
        ([1, 2, 3], [0, 1, 2, 3]),
        ([0], [0, 1]),
        ([0.2, 0.9], [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        ([-40, 60], [-40, -20, 0, 20, 40, 60]),
        ([-3], [-3, -2, -1, 0]),
        ([1108], [0, 250, 500, 750, 1000, 1250]),
        ([1e9], [0, 2e8, 4e8, 6e8, 8e8, 1e9]),
    ],
)
def test_axis_steps_are_round_and_include_zero_and_every_value(
    values: list[float], expected: list[float]
) -> None:
    assert axis_steps(values) == pytest.approx(expected)


@pytest.mark.parametrize(("value", "expected"), [(1200, "1,200"), (4.25, "4.25"), (4.5, "4.5"), (-7, "-7")])
def test_numbers_are_formatted_for_people(value: float, expected: str) -> None:
    assert format_number(value) == expected


def test_bars_start_at_zero_and_stay_within_the_plot() -> None:
    chart = plot({"up": [4, 0], "down": [-2, 1.5]})

    zero = chart.y(0)
    positive, empty, negative, _ = chart.bars
    assert positive.y + positive.height == pytest.approx(zero)
    assert empty.height == 0
    assert negative.y == pytest.approx(zero)
    assert all(bar.y >= TOP and bar.y + bar.height <= chart.bottom + 0.1 for bar in chart.bars)
    assert all(chart.left <= bar.x and bar.x + bar.width <= WIDTH for bar in chart.bars)


def test_curves_go_from_left_to_right() -> None:
    (curve,) = plot({"CSAT": [80, 90, 85]}, kind="line").curves

    assert [x for x, _ in curve.points] == sorted(x for x, _ in curve.points)
    assert curve.points[1][1] < curve.points[2][1] < curve.points[0][1]


@pytest.mark.parametrize(
    ("names", "label_count"),
    [
        (["1 very bad", "2", "3", "4", "5 very good indeed"], 5),
        ([f"Mar {day}" for day in range(20)], 10),
        (["x" * 20] * 20, 4),
        (["one and only"], 1),
    ],
)
def test_category_labels_never_overlap(names: list[str], label_count: int) -> None:
    chart = plot({"CSAT": [1] * len(names)}, names)

    assert len(chart.labels) == label_count
    assert chart.bottom < HEIGHT


def test_a_pie_is_divided_by_its_values() -> None:
    segments = [{"label": "yes", "value": 3}, {"label": "no", "value": 1}]
    pie = Pie({"type": "pie", "segments": segments})

    assert [piece.share for piece in pie.slices] == ["75%", "25%"]
    assert "A100 100 0 1 1 4.00 104.00" in pie.slices[0].path
    assert "A100 100 0 0 1 104.00 4.00" in pie.slices[1].path
    assert pie.table == [["Segment", "Value", "Share"], ["yes", "3", "75%"], ["no", "1", "25%"]]


def test_a_pie_with_one_segment_is_a_full_circle() -> None:
    (piece,) = Pie({"type": "pie", "segments": [{"label": "5", "value": 8}]}).slices

    assert piece.path == "M104.0 4A100 100 0 1 1 104.0 204A100 100 0 1 1 104.0 4Z"
