"""Sample surveys, reports and Homes for the page of texts."""

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from blocks.agent_home import OwnSurveys, SurveyStatus
from blocks.opt_outs import OptOutForm
from blocks.slack_survey_modals import AnswerForm
from blocks.supervisor_home import (
    MAX_CLOSED,
    LinkedComment,
    LinkedLowRating,
    SupervisorHome,
)
from blocks.survey_form import SurveyForm
from blocks.wait_reasons import OTHER_ACCOUNT
from csat.reporting.export_files import Manifest
from csat.reporting.export_rows import Selection
from csat.reporting.home_report_choices import CUSTOM_PERIOD, ReportQuery
from csat.reporting.periods import Period
from csat.reporting.report_model import (
    Bucket,
    Filters,
    FollowUpCounts,
    OwnCounts,
    RecentComment,
    Report,
    Tally,
)
from csat.slack_api.errors import TOKEN_ERRORS, NoResponse, SlackUnavailable
from csat.surveys.customer_survey import ANSWER_WINDOW, CustomerSurvey
from csat.surveys.follow_ups import FollowUp, NotedLowRating, OpenLowRatings, RevealedRating
from csat.surveys.limits import Denial, DenialReason, PreviousSurvey
from csat.surveys.opt_outs import How, OptOut
from csat.surveys.questions import Metric
from csat.surveys.recipients import SlackPerson, XAccount
from csat.surveys.responses import Comment, Rating, Response
from csat.surveys.states import State
from csat.surveys.transports import TransportName
from sandbox.slack import fixtures
from tests.factories import CATALOGUE, NOON, make_draft, make_origin, make_survey

LINK = "https://northwindair.slack.com/archives/C07SUPP0RT1/p1700000000000100"
ORIGIN = make_origin(team=fixtures.TEAM, requester=fixtures.ADA, channel=fixtures.SUPPORT)
COLLEAGUE = make_origin(team=fixtures.TEAM, requester=fixtures.BEN, channel=fixtures.SUPPORT)
ELSEWHERE = make_origin(team="T0ELSEWHERE")
SURVEY = make_survey(test=True)
PERSON = SlackPerson(team=fixtures.TEAM, user=fixtures.SAM)
LINK_SURVEY = make_survey(test=True, transport=TransportName.X_LINK)
NPS_SURVEY = make_survey(metric="nps", external_id="")
ERASED = SURVEY.with_recipient(XAccount()).model_copy(update={"external_id": ""})
SLACK_SURVEY = make_survey().model_copy(
    update={
        "transport": TransportName.SLACK,
        "recipient": PERSON,
    }
)
RATED = Response(rating=Rating(value=4, given_at=NOON))
COMMENTED = RATED.model_copy(update={"comment": Comment(text="Fast.", given_at=NOON)})
ASKED: dict[str, dict[str, Any]] = {
    "rated": {"response": RATED},
    "rated long ago": {"response": RATED, "asked_at": NOON - ANSWER_WINDOW},
    "commented": {"response": COMMENTED},
    "too late": {"asked_at": NOON - ANSWER_WINDOW},
    "opted out": {"has_opted_out": True},
    "rated and opted out": {"response": RATED, "has_opted_out": True},
    "too late and opted out": {"asked_at": NOON - ANSWER_WINDOW, "has_opted_out": True},
}
"""The states in which a message to a customer in Slack is not what it was at first."""
SURVEY_FORM = SurveyForm(CATALOGUE, make_draft(), tuple(TransportName), "https://csat.northwind.example/r/…")
"""The form of a team that has every transport."""
ANSWER_FORM = AnswerForm(key="7:0", channel="D07DIRECT01", ts="1700000000.000100")
WEEK = Period(first=date(2026, 3, 2), last=date(2026, 3, 8), zone=ZoneInfo("UTC"))
FILTERS = Filters(team="T1", metric=Metric.CSAT)

TALLY = Tally(
    ratings={1: 3, 2: 1, 3: 4, 4: 12, 5: 20},
    sent=80,
    open=20,
    expired=20,
    finished=50,
    finished_rated=30,
    commented=9,
)
PREVIOUS_TALLY = Tally(ratings={1: 20, 5: 11}, sent=60, expired=29, finished=60, finished_rated=31)
LONG_AGO = date(2025, 12, 1)
FEW = Tally(ratings={4: 2, 5: 3}, sent=12, open=7)
TOO_FEW = Tally(ratings={5: 1}, sent=2, open=1)

QUIET_DAYS = tuple(Bucket(period=day, label=day.label, tally=TOO_FEW) for day in WEEK.buckets())

REPORT = Report(
    filters=FILTERS,
    period=WEEK,
    current=TALLY,
    previous=PREVIOUS_TALLY,
    data_begin=LONG_AGO,
    trend=tuple(
        Bucket(period=day, label=day.label, tally=tally)
        for day, tally in zip(WEEK.buckets(), (TALLY, FEW, FEW, TOO_FEW, TOO_FEW, TALLY, TALLY), strict=True)
    ),
    by_agent={fixtures.ADA: TALLY, fixtures.CLEO: FEW, fixtures.BEN: TOO_FEW},
    by_channel={fixtures.SUPPORT: TALLY, "D07DIRECT01": FEW},
    follow_up=FollowUpCounts(low=4, taken=3, closed=1),
    excluded=1,
)
NPS_REPORT = Report(
    filters=FILTERS.model_copy(update={"metric": Metric.NPS}),
    period=WEEK,
    current=Tally(ratings={9: 6, 10: 5, 3: 1}, sent=30, expired=18, finished=30, finished_rated=12),
    data_begin=date(2026, 2, 26),
    trend=QUIET_DAYS,
)
_PLAIN = Report(filters=FILTERS, period=WEEK, data_begin=LONG_AGO, trend=QUIET_DAYS)
SMALL_REPORT = _PLAIN.model_copy(update={"current": TOO_FEW, "previous": TOO_FEW})
SMALL_NPS_REPORT = NPS_REPORT.model_copy(update={"current": Tally(ratings={9: 4}, sent=4)})
TWO_DAYS = tuple(day.model_copy(update={"tally": FEW}) for day in QUIET_DAYS[:2])
SIMILAR_REPORT = _PLAIN.model_copy(
    update={"current": TALLY, "previous": TALLY, "trend": TWO_DAYS + QUIET_DAYS[2:]}
)
UNANSWERED_REPORT = _PLAIN.model_copy(update={"current": Tally(sent=3, open=3)})
LINK_REPORT = _PLAIN.model_copy(
    update={"filters": FILTERS.model_copy(update={"transport": TransportName.X_LINK})}
)
_BOTH = TALLY.model_copy(
    update={"sent_as": {TransportName.X_CARD: 50, TransportName.X_LINK: 30}, "disowned": 2}
)
_CARDS = TALLY.model_copy(update={"sent_as": {TransportName.X_CARD: 80}})
MIXED_REPORTS = tuple(
    _PLAIN.model_copy(update={"current": current, "previous": previous})
    for current, previous in ((_BOTH, _CARDS), (_CARDS, _BOTH), (_BOTH, _BOTH))
)
OWN_REPORT = _PLAIN.model_copy(update={"excluded": 3})
EMPTY_REPORT = Report(filters=FILTERS, period=WEEK)
EMPTY_REPORTS = (
    EMPTY_REPORT.model_copy(update={"sent_with_other_metric": 6}),
    EMPTY_REPORT.model_copy(update={"data_begin": date(2026, 4, 30)}),
)
REPORTS = (
    REPORT,
    NPS_REPORT,
    SIMILAR_REPORT,
    SMALL_REPORT,
    SMALL_NPS_REPORT,
    UNANSWERED_REPORT,
    OWN_REPORT,
    EMPTY_REPORT,
)

MANIFEST = Manifest(
    file="csat.csv",
    selection=Selection(team=fixtures.TEAM, period=WEEK, exclude_requester=fixtures.CLEO),
    rows=1_234,
    left_out=12,
    tests=1,
    sha256="",
    made_at=NOON,
)

TOKEN_FAILURES = [SlackUnavailable(code) for code in sorted(TOKEN_ERRORS)]
NAMES_FAILURES = [
    None,
    *TOKEN_FAILURES,
    *map(
        SlackUnavailable,
        (
            "ratelimited",
            "internal_error",
            "team_added_to_org",
            "ClientConnectorError",
            "ClientConnectorDNSError",
            "ClientConnectorCertificateError",
            "ConnectionTimeoutError",
        ),
    ),
    *map(NoResponse, ("ServerDisconnectedError", "TimeoutError", "HTTP 200, unreadable")),
]
"""Why Slack tells no names for an export; `None` if it only keeps some to itself."""

PREVIOUS = [
    PreviousSurvey(
        survey_id=number,
        state=state,
        asked_at=NOON - timedelta(days=number),
        sent_at=None if state in (State.ACCEPTED, State.SENDING) else NOON - timedelta(days=number),
        test=state is State.EXPIRED,
        transport=TransportName.X_CARD,
        team=fixtures.TEAM,
        requester=fixtures.ADA,
        channel=fixtures.SUPPORT,
        thread="1700000000.000100",
        advice="X says the message is too long." if state is State.REFUSED else "",
    )
    for number, state in enumerate(State)
]
REFUSED = next(previous for previous in PREVIOUS if previous.state is State.REFUSED)
OPT_OUTS = [
    OptOut(
        recorded_at=NOON,
        how=How.AGENT,
        team=fixtures.TEAM,
        by=fixtures.BEN,
        reason="They wrote that they want no surveys.",
    ),
    OptOut(recorded_at=NOON, how=How.AGENT, team="T0ELSEWHERE", by="U0SOMEBODY", reason="They said so."),
    OptOut(recorded_at=NOON, how=How.RATING_PAGE, team="", by="", reason=""),
    OptOut(recorded_at=NOON, how=How.SLACK, team="", by="", reason=""),
    OptOut(recorded_at=NOON, how=How.FILE, team="", by="operator", reason="On the list of our help desk."),
]
OPT_OUT_FORM = OptOutForm(recipient=XAccount(handle="grace", id="343434343434"), origin=ORIGIN)
USED_UP = Denial(
    reason=DenialReason.QUOTA, transport=TransportName.X_CARD, retry_at=NOON + timedelta(hours=1)
)
DENIALS = [
    Denial(reason=DenialReason.PENDING, previous=PREVIOUS[0]),
    Denial(reason=DenialReason.DAY, previous=PREVIOUS[2], retry_at=NOON + timedelta(hours=5)),
    Denial(reason=DenialReason.COOLDOWN, previous=PREVIOUS[-1], retry_at=NOON + timedelta(days=3)),
    *(
        Denial(reason=DenialReason.COOLDOWN, previous=previous, retry_at=NOON + timedelta(days=3))
        for previous in PREVIOUS
        if previous.state is State.UNCERTAIN
    ),
    Denial(
        reason=DenialReason.COOLDOWN,
        previous=REFUSED.model_copy(update={"is_replaced": True}),
        retry_at=NOON + timedelta(days=3),
    ),
    Denial(reason=DenialReason.PENDING, previous=PREVIOUS[1]),
    *(USED_UP.model_copy(update={"transport": transport}) for transport in TransportName),
    Denial(reason=DenialReason.TRANSPORT_OFF),
    *(Denial(reason=DenialReason.OPTED_OUT, opt_out=opt_out) for opt_out in OPT_OUTS),
]

OPEN = FollowUp(opened_at=NOON)
TAKEN = FollowUp(opened_at=NOON, taken_by=fixtures.CLEO, taken_at=NOON)
CLOSED_AT_ONCE = FollowUp(opened_at=NOON, closed_by=fixtures.CLEO, closed_at=NOON)
CLOSED = TAKEN.model_copy(update={"closed_by": fixtures.CLEO, "closed_at": NOON})

REOPENED = CLOSED.model_copy(
    update={"closed_at": None, "reopened_by": fixtures.BEN, "reopened_at": NOON + timedelta(days=1)}
)


def make_rating(follow_up: FollowUp) -> RevealedRating:
    """Return a low rating with its response."""
    return RevealedRating(
        survey_id=7,
        key="7",
        survey=SURVEY,
        origin=ORIGIN,
        asked_at=NOON - timedelta(days=1),
        follow_up=follow_up,
        rating=1,
        comment="Nobody helped me.",
        note="Called them and rebooked the flight.",
    )


LOW_RATING = make_rating(OPEN)
CHANGED_RATING = make_rating(CLOSED).model_copy(update={"rating": 5, "is_low": False})
WAITING = OpenLowRatings(number=12, unassigned=5, oldest=NOON - timedelta(days=40))
CLOSED_RATING = NotedLowRating(
    survey_id=7,
    key="7",
    survey=SURVEY,
    origin=ORIGIN,
    asked_at=NOON - timedelta(days=1),
    follow_up=CLOSED,
    note="Called them and rebooked the flight.",
)
CLOSED_ERASED = CLOSED_RATING.model_copy(update={"survey": ERASED, "note": None})
UNANSWERED = LOW_RATING.model_copy(update={"survey": ERASED, "rating": None, "comment": None, "note": None})

OWN = OwnSurveys(
    [
        *[SurveyStatus(SURVEY, fixtures.SUPPORT, NOON, state) for state in State],
        SurveyStatus(SURVEY, fixtures.SUPPORT, NOON, State.SENT, is_disowned=True),
        SurveyStatus(SURVEY, fixtures.SUPPORT, NOON, State.ACCEPTED, OTHER_ACCOUNT),
        SurveyStatus(ERASED, "D07DIRECT01", NOON, State.REFUSED, "X says the message is too long."),
    ],
    OwnCounts(sent={Metric.CSAT: 4, Metric.NPS: 2}, states=dict.fromkeys(State, 2), disowned=1, tests=2),
)
NOT_AN_AGENT = "Guests can't send surveys. Ask a teammate, or an admin of this app."
NO_SURVEYS = OwnSurveys([])

_COMMENT = RecentComment(
    survey_id=7,
    rating=2,
    text="It took three weeks.",
    given_at=NOON,
    channel=fixtures.SUPPORT,
    thread="",
    external_id="ticket_5555",
)
_QUERY = ReportQuery(
    days=CUSTOM_PERIOD,
    since=WEEK.first,
    until=WEEK.last,
    channel=fixtures.SUPPORT,
    agent=fixtures.ADA,
    variant=1,
)
SUPERVISOR_HOME = SupervisorHome(
    _QUERY,
    REPORT.model_copy(update={"filters": _QUERY.filters(FILTERS.team, fixtures.CLEO)}),
    [LinkedComment(_COMMENT, LINK), LinkedComment(_COMMENT.model_copy(update={"rating": None}), "")],
    [
        LinkedLowRating(LOW_RATING, LINK),
        LinkedLowRating(UNANSWERED, ""),
        LinkedLowRating(make_rating(REOPENED), LINK),
    ],
    12,
    [LinkedLowRating(CLOSED_ERASED, ""), *[LinkedLowRating(CLOSED_RATING, LINK)] * MAX_CLOSED],
    OWN,
)
HOME_WITHOUT_REPORT = SUPERVISOR_HOME._replace(
    report=None, comments=[], problem="The last day is in the future. Choose today or an earlier day."
)
EMPTY_HOME = SupervisorHome(ReportQuery(), EMPTY_REPORT, [])


def make_asked(**fields: Any) -> CustomerSurvey:
    """Return a survey in Slack as its customer sees it."""
    defaults: dict[str, Any] = {
        "id": 7,
        "survey": SLACK_SURVEY,
        "origin": ORIGIN,
        "accepted_at": NOON,
        "asked_at": NOON,
        "receipt_id": "",
        "response": Response(),
        "disowned_at": None,
        "has_opted_out": False,
    }
    return CustomerSurvey(**{**defaults, **fields})
