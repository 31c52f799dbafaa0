"""Every Home is within Slack's limits, even with the longest possible values."""

import json
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from blocks.agent_home import OwnSurveys, SurveyStatus, agent_home, unavailable_home
from blocks.supervisor_home import (
    MAX_CLOSED,
    MAX_LOW_RATINGS,
    LinkedComment,
    LinkedLowRating,
    SupervisorHome,
    supervisor_home,
)
from blocks.tables_and_charts import home_view
from csat.reporting.home_report_choices import CUSTOM_PERIOD, ReportQuery
from csat.reporting.periods import MAX_BUCKETS, Period
from csat.reporting.report_model import (
    MAX_COMMENTS,
    Bucket,
    Filters,
    FollowUpCounts,
    OwnCounts,
    RecentComment,
    Report,
    Tally,
)
from csat.surveys.follow_ups import MAX_NOTE_LENGTH, FollowUp, NotedLowRating
from csat.surveys.posted_survey_keys import make_key
from csat.surveys.questions import SCALES, Catalogue, Metric
from csat.surveys.states import State
from csat.surveys.survey import MAX_EXTERNAL_ID_LENGTH
from csat.surveys.transports import MAX_MESSAGE_LENGTH, TransportName
from sandbox.slack.blockkit import validate_view
from tests.factories import CATALOGUE, LONGEST_HANDLE, NOON, make_origin, make_survey

Json = dict[str, Any]

MAX_ANSWERS = 1_000_000
LONG_PERIOD = Period(
    first=date(2024, 3, 5), last=date(2026, 3, 4), zone=ZoneInfo("America/Argentina/ComodRivadavia")
)
LARGEST_CATALOGUE = Catalogue(
    questions={
        metric: {number: f"{number:03} {'W' * 70}<display_name>" for number in range(100)}
        for metric in Metric
    }
)
GROUP_COUNT = 150


def check_home(view: Json) -> Json:
    """Check that a Home is valid and return it as JSON."""
    rendered: Json = json.loads(json.dumps(view))
    assert validate_view(rendered, "home") == []
    assert len(json.dumps(rendered, ensure_ascii=False).encode()) < 250_000
    return rendered


def user_id(number: int) -> str:
    return f"U{number:010}"


def make_largest_home(metric: Metric) -> SupervisorHome:
    """Return a Home in which every value and list has its maximum length."""
    tally = Tally(
        ratings=dict.fromkeys(SCALES[metric], MAX_ANSWERS),
        sent=20 * MAX_ANSWERS,
        open=MAX_ANSWERS,
        expired=MAX_ANSWERS,
        finished=19 * MAX_ANSWERS,
        finished_rated=4 * MAX_ANSWERS,
        commented=MAX_ANSWERS,
        disowned=MAX_ANSWERS,
        sent_as=dict.fromkeys(TransportName, 10 * MAX_ANSWERS),
    )
    choices = ReportQuery(
        days=CUSTOM_PERIOD,
        since=LONG_PERIOD.first,
        until=LONG_PERIOD.last,
        metric=metric,
        channel="C0123456789",
        agent=user_id(1),
        variant=98,
        transport=TransportName.X_LINK,
    )
    report = Report(
        filters=choices.filters("T1", user_id(0)),
        period=LONG_PERIOD,
        current=tally,
        previous=tally,
        trend=make_trend(*[tally] * MAX_BUCKETS),
        by_agent={user_id(number): tally for number in range(GROUP_COUNT)},
        by_channel={f"C{number:010}": tally for number in range(GROUP_COUNT)},
        follow_up=FollowUpCounts(low=MAX_ANSWERS, taken=MAX_ANSWERS, closed=MAX_ANSWERS),
        excluded=MAX_ANSWERS,
    )
    comment = RecentComment(
        survey_id=1,
        rating=SCALES[metric][-1],
        text="<!channel>" * (MAX_MESSAGE_LENGTH // 10),
        given_at=NOON,
        channel="C0123456789",
        thread="1700000000.000100",
        external_id="e" * MAX_EXTERNAL_ID_LENGTH,
    )
    link = "https://" + "n" * 80 + ".slack.com/archives/C0123456789/p1700000000000100"
    low = [LinkedLowRating(make_low_rating(number), link) for number in range(MAX_LOW_RATINGS)]
    closed = [LinkedLowRating(make_closed_rating(number), link) for number in range(MAX_CLOSED + 1)]
    return SupervisorHome(
        choices,
        report,
        [LinkedComment(comment, link)] * MAX_COMMENTS,
        low,
        MAX_ANSWERS,
        closed,
        make_own_surveys(),
    )


def with_report(home: SupervisorHome, **changes: object) -> SupervisorHome:
    """Return a Home with some fields of its report changed."""
    assert home.report
    return home._replace(report=home.report.model_copy(update=changes))


def make_trend(*tallies: Tally) -> tuple[Bucket, ...]:
    """Return the first points of a trend with these tallies."""
    parts = zip(LONG_PERIOD.buckets(), tallies, strict=False)
    return tuple(Bucket(period=part, label=part.label, tally=tally) for part, tally in parts)


def make_low_rating(number: int) -> NotedLowRating:
    follow_up = FollowUp(
        opened_at=NOON,
        taken_by=user_id(1),
        taken_at=NOON,
        closed_by=user_id(2),
        reopened_by=user_id(3),
        reopened_at=NOON,
    )
    survey = make_survey(external_id="e" * MAX_EXTERNAL_ID_LENGTH, test=True, display_name="W" * 20)
    origin = make_origin(channel="C0123456789")
    return NotedLowRating(
        survey_id=number,
        key=make_key(number, NOON),
        survey=survey,
        origin=origin,
        asked_at=NOON,
        ts="1.2",
        follow_up=follow_up,
        note="<!channel>\n" * (MAX_NOTE_LENGTH // 11),
    )


def make_closed_rating(number: int) -> NotedLowRating:
    rating = make_low_rating(number)
    closed = rating.follow_up.model_copy(update={"closed_at": NOON})
    return rating.model_copy(update={"follow_up": closed})


def make_own_surveys() -> OwnSurveys:
    survey = make_survey(
        recipient=f"@{LONGEST_HANDLE}",
        external_id="e" * MAX_EXTERNAL_ID_LENGTH,
        test=True,
        display_name="W" * 20,
    )
    sent = SurveyStatus(survey, "C0123456789", NOON, State.REFUSED, "This is why. " * 100)
    return OwnSurveys(
        [sent] * 10,
        OwnCounts(
            sent=dict.fromkeys(Metric, MAX_ANSWERS),
            states=dict.fromkeys(State, MAX_ANSWERS),
            disowned=MAX_ANSWERS,
            tests=MAX_ANSWERS,
        ),
    )


@pytest.mark.parametrize("metric", Metric)
@pytest.mark.parametrize("use_fallbacks", [False, True])
def test_a_supervisor_s_home_is_within_slack_s_limits(metric: Metric, use_fallbacks: bool) -> None:  # noqa: FBT001
    parts = list(supervisor_home(make_largest_home(metric), LARGEST_CATALOGUE))

    view = check_home(home_view(parts, use_fallbacks=use_fallbacks))

    assert json.dumps(view).count("show_low_rating") == MAX_LOW_RATINGS + MAX_CLOSED
    kinds = [block["type"] for block in view["blocks"]]
    assert kinds.count("data_visualization") == (0 if use_fallbacks else 2)
    assert kinds.count("data_table") == (0 if use_fallbacks else 1)


@pytest.mark.parametrize("metric", Metric)
def test_an_empty_supervisor_s_home_is_within_slack_s_limits(metric: Metric) -> None:
    period = Period(first=NOON.date(), last=NOON.date() + timedelta(days=6), zone=ZoneInfo("UTC"))
    report = Report(filters=Filters(team="T1", metric=metric), period=period)
    trend = tuple(Bucket(period=part, label=part.label, tally=Tally()) for part in period.buckets())
    filtered = report.model_copy(update={"trend": trend})

    check_home(home_view(supervisor_home(SupervisorHome(ReportQuery(metric=metric), report, []), CATALOGUE)))
    check_home(
        home_view(
            supervisor_home(
                SupervisorHome(ReportQuery(metric=metric, agent=user_id(1)), filtered, []), CATALOGUE
            )
        )
    )


@pytest.mark.parametrize("surveys", [make_own_surveys(), OwnSurveys([])])
def test_an_agent_s_home_is_within_slack_s_limits(surveys: OwnSurveys) -> None:
    for has_supervisors in (True, False):
        check_home(home_view(agent_home(surveys, has_supervisors=has_supervisors)))
        check_home(home_view(agent_home(surveys, "Busy.", "Guests can't.", has_supervisors=has_supervisors)))
    check_home(home_view(unavailable_home()))


def test_customer_text_is_shown_as_plain_text() -> None:
    view = check_home(home_view(supervisor_home(make_largest_home(Metric.CSAT), LARGEST_CATALOGUE)))

    assert "mrkdwn" not in json.dumps(view)
    assert "broadcast" not in json.dumps(view)


def test_a_table_row_with_few_answers_is_marked() -> None:
    home = make_largest_home(Metric.CSAT)
    rows = {user_id(1): Tally(ratings={5: 29}, sent=29), user_id(2): Tally(ratings={5: 30}, sent=30)}
    few = with_report(home, by_agent=rows, by_channel={})

    view = check_home(home_view(supervisor_home(few, LARGEST_CATALOGUE)))

    (table,) = [block for block in view["blocks"] if block["type"] == "data_table"]
    assert [row[3]["text"] for row in table["rows"][1:]] == ["30", "29, few answers"]


@pytest.mark.parametrize("metric", Metric)
def test_a_column_of_figures_has_numbers_with_texts_only_so_that_it_sorts(metric: Metric) -> None:
    home = make_largest_home(metric)
    unrated, rated = Tally(sent=1_200), Tally(ratings={1: 20, 2: 20}, sent=40)
    tallies = {"C0123456789": unrated, "C0123456788": Tally(), "C0123456787": rated}
    mixed = with_report(home, by_agent={}, by_channel=tallies)

    view = check_home(home_view(supervisor_home(mixed, LARGEST_CATALOGUE)))

    (table,) = [block for block in view["blocks"] if block["type"] == "data_table"]
    rows = table["rows"][1:]
    for column in (1, 3, 4, 5):
        assert {row[column]["type"] for row in rows} == {"raw_number"}
        assert all(row[column]["text"] for row in rows)
        assert rows[0][column]["value"] == max(row[column]["value"] for row in rows) or column == 4
    assert [row[4]["text"] for row in rows] == ["40", "1,200", "0"]
    assert [row[1]["text"] for row in rows][1:] == ["-", "-"]


def test_a_report_makes_sense_where_slack_drops_its_charts_and_table() -> None:
    home = make_largest_home(Metric.CSAT)
    agents = {
        user_id(number): Tally(ratings={5: 40 + number}, sent=100, finished=50, finished_rated=20 + number)
        for number in range(1, 8)
    }
    few = with_report(home, by_agent=agents, by_channel={})
    blocks = home_view(supervisor_home(few, LARGEST_CATALOGUE))["blocks"]

    left = json.dumps(
        [block for block in blocks if block["type"] not in {"data_table", "data_visualization"}]
    )

    assert "By agent and by channel" in left
    assert left.count("Score 100%") == 5, "of those with the most answers"
    assert "Answers 47 \\u00b7 Sent 100 \\u00b7 Response rate 54%" in left


def test_a_point_of_the_trend_with_few_answers_is_marked() -> None:
    home = make_largest_home(Metric.CSAT)
    trend = make_trend(*(Tally(ratings={5: number}, sent=number) for number in (4, 5, 29, 30)))
    few = with_report(home, trend=trend)

    view = check_home(home_view(supervisor_home(few, LARGEST_CATALOGUE)))

    curve = next(block for block in view["blocks"] if block.get("chart", {}).get("type") == "line")
    _, five, almost, enough = (part.label for part in trend)
    assert curve["chart"]["axis_config"]["categories"] == [f"{five} (few)", f"{almost} (few)", enough]


def test_a_trend_with_a_single_point_has_no_chart() -> None:
    home = make_largest_home(Metric.CSAT)
    few = Tally(ratings={5: 4}, sent=4)
    trend = make_trend(few, Tally(ratings={5: 9}, sent=9))
    single_point = with_report(home, trend=trend)

    view = check_home(home_view(supervisor_home(single_point, LARGEST_CATALOGUE)))

    assert [block["type"] for block in view["blocks"]].count("data_visualization") == 1
    assert f"Left out of the trend, with fewer than 5 answers: {trend[0].label}." in json.dumps(view)


@pytest.mark.parametrize(
    ("answers", "drawn"),
    [
        ([9, 9, 4, 9, 9, 9], slice(3, 6)),
        ([9, 9, 9, 4, 9, 9], slice(3)),
        ([9, 9, 9, 0, 9, 9, 9], slice(4, 7)),
    ],
)
def test_a_trend_with_gaps_has_a_chart_of_its_longest_part_without_one(
    answers: list[int], drawn: slice
) -> None:
    trend = make_trend(*(Tally(ratings={5: number}, sent=number) for number in answers))
    gap = with_report(make_largest_home(Metric.CSAT), trend=trend)
    labels = [part.label for part in trend]

    parts = list(supervisor_home(gap, LARGEST_CATALOGUE))
    view = check_home(home_view(parts))
    without_charts = json.dumps(check_home(home_view(parts, use_fallbacks=True)))

    curve = next(block for block in view["blocks"] if block.get("chart", {}).get("type") == "line")
    first, *_, last = run = labels[drawn]
    assert curve["chart"]["axis_config"]["categories"] == [f"{label} (few)" for label in run]
    sentence = f"The chart shows {first} to {last}, the longest part without a gap."
    assert sentence in json.dumps(view)
    assert "The chart shows" not in without_charts
    (left_out,) = (label for label, number in zip(labels, answers, strict=True) if number < 5)
    assert f"Left out of the trend, with fewer than 5 answers: {left_out}." in without_charts
    for label, number in zip(labels, answers, strict=True):
        assert (f"{label}: 100% ({number}, few answers)" in json.dumps(view)) == (label != left_out)


def test_a_trend_by_week_with_a_longer_first_part_is_called_one_by_week() -> None:
    days = Period(first=date(2026, 10, 31), last=date(2026, 11, 29), zone=ZoneInfo("UTC"))
    tally = Tally(ratings={5: 9}, sent=9)
    trend = tuple(Bucket(period=part, label=part.label, tally=tally) for part in days.buckets())
    home = with_report(make_largest_home(Metric.CSAT), trend=trend)

    view = json.dumps(check_home(home_view(supervisor_home(home, LARGEST_CATALOGUE))))

    assert "CSAT score by week: Oct 31-Nov 8: 100% (9, few answers)" in view


@pytest.mark.parametrize("answers", [[9, 4, 9], [9, 9, 0, 9, 9]])
def test_a_trend_without_three_points_in_a_row_has_no_chart_and_says_why(answers: list[int]) -> None:
    trend = make_trend(*(Tally(ratings={5: number}, sent=number) for number in answers))
    home = with_report(make_largest_home(Metric.CSAT), trend=trend)

    parts = list(supervisor_home(home, LARGEST_CATALOGUE))
    view = check_home(home_view(parts))

    assert [block["type"] for block in view["blocks"]].count("data_visualization") == 1
    assert (
        f"Left out of the trend, with fewer than 5 answers: {trend[answers.index(min(answers))].label}."
        in (json.dumps(view))
    )
    reason = "-day parts in a row with 5 answers or more."
    assert reason in json.dumps(view)
    assert reason not in json.dumps(home_view(parts, use_fallbacks=True))
    assert "The chart shows" not in json.dumps(view)


def test_a_trend_without_a_gap_does_not_say_what_its_chart_shows() -> None:
    enough, few = Tally(ratings={5: 9}, sent=9), Tally(ratings={5: 4}, sent=4)
    home = with_report(make_largest_home(Metric.CSAT), trend=make_trend(few, enough, enough, enough, few))

    assert "The chart shows" not in json.dumps(
        check_home(home_view(supervisor_home(home, LARGEST_CATALOGUE)))
    )
