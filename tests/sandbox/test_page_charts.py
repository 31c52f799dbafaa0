"""Charts: where their shapes stand."""

import pytest

from sandbox.page.charts import HEIGHT, TOP, WIDTH, Pie, Plot, steps, told

Series = dict[str, list[float]]


def plot(values: Series, names: list[str] | None = None, kind: str = "bar") -> Plot:
    names = names or [f"w{number}" for number in range(len(next(iter(values.values()))))]
    series = [
        {"name": name, "data": [{"label": at, "value": value} for at, value in zip(names, each, strict=True)]}
        for name, each in values.items()
    ]
    return Plot({"type": kind, "series": series, "axis_config": {"categories": names}})


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
def test_steps_are_round_and_span_zero_and_every_value(values: list[float], expected: list[float]) -> None:
    assert steps(values) == pytest.approx(expected)


@pytest.mark.parametrize(("value", "text"), [(1200, "1,200"), (4.25, "4.25"), (4.5, "4.5"), (-7, "-7")])
def test_numbers_are_written_as_people_do(value: float, text: str) -> None:
    assert told(value) == text


def test_bars_stand_on_zero_within_the_drawing() -> None:
    drawn = plot({"up": [4, 0], "down": [-2, 1.5]})

    zero = drawn.y(0)
    up, none, down, _ = drawn.bars
    assert up.y + up.height == pytest.approx(zero)
    assert none.height == 0
    assert down.y == pytest.approx(zero)
    assert all(bar.y >= TOP and bar.y + bar.height <= drawn.bottom + 0.1 for bar in drawn.bars)
    assert all(drawn.left <= bar.x and bar.x + bar.width <= WIDTH for bar in drawn.bars)


def test_curves_go_from_left_to_right() -> None:
    (curve,) = plot({"CSAT": [80, 90, 85]}, kind="line").curves

    assert [x for x, _ in curve.points] == sorted(x for x, _ in curve.points)
    assert curve.points[1][1] < curve.points[2][1] < curve.points[0][1]


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (["1 very bad", "2", "3", "4", "5 very good indeed"], 5),
        ([f"Mar {day}" for day in range(20)], 10),
        (["x" * 20] * 20, 4),
        (["one and only"], 1),
    ],
)
def test_names_below_never_run_into_one_another(names: list[str], shown: int) -> None:
    drawn = plot({"CSAT": [1] * len(names)}, names)

    assert len(drawn.labels) == shown
    assert drawn.bottom < HEIGHT


def test_a_pie_is_cut_where_its_values_say() -> None:
    segments = [{"label": "yes", "value": 3}, {"label": "no", "value": 1}]
    pie = Pie({"type": "pie", "segments": segments})

    assert [it.share for it in pie.slices] == ["75%", "25%"]
    assert "A100 100 0 1 1 4.00 104.00" in pie.slices[0].path
    assert "A100 100 0 0 1 104.00 4.00" in pie.slices[1].path
    assert pie.numbers == [["Part", "Value", "Share"], ["yes", "3", "75%"], ["no", "1", "25%"]]


def test_a_whole_pie_is_drawn_too() -> None:
    (whole,) = Pie({"type": "pie", "segments": [{"label": "5", "value": 8}]}).slices

    assert whole.path == "M104.0 4A100 100 0 1 1 104.0 204A100 100 0 1 1 104.0 4Z"
