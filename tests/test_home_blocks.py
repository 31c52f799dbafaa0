"""Each Home is within Slack's limits, also with the longest values that can occur."""

import json
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from blocks import charts
from blocks.agent_home import OwnSurveys, SurveyStatus, agent_home, unavailable_home
from blocks.supervisor_home import (
    MAX_LOW_RATINGS,
    LinkedComment,
    LinkedLowRating,
    SupervisorHome,
    supervisor_home,
)
from csat.reporting.periods import Period
from csat.reporting.report_query import CUSTOM_PERIOD, ReportQuery
from csat.reporting.reports import MAX_COMMENTS, Bucket, Filters, FollowUpCounts, RecentComment, Report, Tally
from csat.surveys.follow_ups import FollowUp, LowRating
from csat.surveys.questions import SCALES, Catalogue, Metric
from csat.surveys.states import State
from csat.surveys.survey import MAX_EXTERNAL_ID_LENGTH, MAX_MESSAGE_LENGTH
from sandbox.slack.blockkit import validate_view
from tests.factories import CATALOGUE, LONGEST_HANDLE, NOON, make_origin, make_survey

Json = dict[str, Any]

MOST_ANSWERS = 1_000_000
YEARS = Period(
    first=date(2024, 3, 5), last=date(2026, 3, 4), zone=ZoneInfo("America/Argentina/ComodRivadavia")
)
LONGEST = Catalogue(
    csat={number: f"{number:03} {'W' * 70}<display_name>" for number in range(100)},
    nps={number: f"{number:03} {'W' * 70}<display_name>" for number in range(100)},
)
MANY = 150


def checked(view: Json) -> Json:
    """Return a Home that Slack takes."""
    rendered: Json = json.loads(json.dumps(view))
    assert validate_view(rendered, "home") == []
    assert len(json.dumps(rendered, ensure_ascii=False).encode()) < 250_000
    return rendered


def user(number: int) -> str:
    return f"U{number:010}"


def full(metric: Metric) -> SupervisorHome:
    """Return a Home in which everything is as long and as often as it can be."""
    every = Tally(
        ratings=dict.fromkeys(SCALES[metric], MOST_ANSWERS),
        sent=20 * MOST_ANSWERS,
        open=MOST_ANSWERS,
        expired=MOST_ANSWERS,
        commented=MOST_ANSWERS,
    )
    choices = ReportQuery(days=CUSTOM_PERIOD, metric=metric, channel="C0123456789", agent=user(1), variant=98)
    report = Report(
        filters=choices.filters("T1", user(0)),
        period=YEARS,
        current=every,
        previous=every,
        trend=tuple(Bucket(period=part, label=part.label, tally=every) for part in YEARS.buckets()),
        by_agent={user(number): every for number in range(MANY)},
        by_channel={f"C{number:010}": every for number in range(MANY)},
        follow_up=FollowUpCounts(low=MOST_ANSWERS, taken=MOST_ANSWERS, closed=MOST_ANSWERS),
        excluded=MOST_ANSWERS,
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
    low = [LinkedLowRating(low_rating(number), link) for number in range(MAX_LOW_RATINGS + 1)]
    return SupervisorHome(
        choices, report, [LinkedComment(comment, link)] * MAX_COMMENTS, low, own(), "That is no period. " * 10
    )


def low_rating(number: int) -> LowRating:
    taken = FollowUp(opened_at=NOON, taken_by=user(1), taken_at=NOON)
    asked = make_survey(external_id="e" * MAX_EXTERNAL_ID_LENGTH, test=True, display_name="W" * 20)
    where = make_origin(channel="C0123456789")
    return LowRating(survey_id=number, survey=asked, origin=where, asked_at=NOON, ts="1.2", follow_up=taken)


def own() -> OwnSurveys:
    asked = make_survey(
        recipient=f"@{LONGEST_HANDLE}",
        external_id="e" * MAX_EXTERNAL_ID_LENGTH,
        test=True,
        display_name="W" * 20,
    )
    sent = SurveyStatus(asked, "C0123456789", NOON, State.REFUSED, "This is why. " * 100)
    return OwnSurveys([sent] * 10, dict.fromkeys(State, MOST_ANSWERS))


@pytest.mark.parametrize("metric", Metric)
@pytest.mark.parametrize("use_fallbacks", [False, True])
def test_a_supervisor_s_home_is_within_slack_s_limits(metric: Metric, use_fallbacks: bool) -> None:  # noqa: FBT001
    parts = list(supervisor_home(full(metric), LONGEST))

    view = checked(charts.home_view(parts, use_fallbacks=use_fallbacks))

    assert json.dumps(view).count("show_low_rating") == MAX_LOW_RATINGS
    kinds = [block["type"] for block in view["blocks"]]
    assert kinds.count("data_visualization") == (0 if use_fallbacks else 2)
    assert kinds.count("data_table") == (0 if use_fallbacks else 1)


@pytest.mark.parametrize("metric", Metric)
def test_a_supervisor_s_home_without_anything_is_within_slack_s_limits(metric: Metric) -> None:
    period = Period(first=NOON.date(), last=NOON.date() + timedelta(days=6), zone=ZoneInfo("UTC"))
    report = Report(filters=Filters(team="T1", metric=metric), period=period)
    trend = tuple(Bucket(period=part, label=part.label, tally=Tally()) for part in period.buckets())
    filtered = report.model_copy(update={"trend": trend})

    checked(
        charts.home_view(supervisor_home(SupervisorHome(ReportQuery(metric=metric), report, []), CATALOGUE))
    )
    checked(
        charts.home_view(
            supervisor_home(
                SupervisorHome(ReportQuery(metric=metric, agent=user(1)), filtered, []), CATALOGUE
            )
        )
    )


@pytest.mark.parametrize("shown", [own(), OwnSurveys([], dict.fromkeys(State, 0))])
def test_an_agent_s_home_is_within_slack_s_limits(shown: OwnSurveys) -> None:
    for has_supervisors in (True, False):
        checked(charts.home_view(agent_home(shown, has_supervisors=has_supervisors)))
    checked(charts.home_view(unavailable_home()))


def test_nothing_that_a_customer_wrote_is_more_than_text() -> None:
    view = checked(charts.home_view(supervisor_home(full(Metric.CSAT), LONGEST)))

    assert "mrkdwn" not in json.dumps(view)
    assert "broadcast" not in json.dumps(view)


def test_a_row_of_few_answers_says_so() -> None:
    page = full(Metric.CSAT)
    rows = {user(1): Tally(ratings={5: 29}, sent=29), user(2): Tally(ratings={5: 30}, sent=30)}
    few = page._replace(report=page.report.model_copy(update={"by_agent": rows, "by_channel": {}}))

    view = checked(charts.home_view(supervisor_home(few, CATALOGUE)))

    (table,) = [block for block in view["blocks"] if block["type"] == "data_table"]
    assert [row[3]["text"] for row in table["rows"][1:]] == ["30", "29, few answers"]


def test_a_trend_of_a_single_point_is_no_chart() -> None:
    page = full(Metric.CSAT)
    few = Tally(ratings={5: 4}, sent=4)
    trend = (Bucket(period=YEARS, label=YEARS.label, tally=few), page.report.trend[-1])
    alone = page._replace(report=page.report.model_copy(update={"trend": trend}))

    view = checked(charts.home_view(supervisor_home(alone, CATALOGUE)))

    assert [block["type"] for block in view["blocks"]].count("data_visualization") == 1
    assert "with fewer than 5 answers left out" in json.dumps(view)
