"""Messages to a customer in Slack are within Slack's limits, and tell nobody how they rated."""

import json
from datetime import timedelta
from typing import Any

import pytest
from slack_sdk.models.views import View

from blocks import slack_survey, slack_survey_modals
from csat.surveys.posted_survey_keys import make_key, parse_key
from csat.surveys.questions import SCALES, Metric
from csat.surveys.survey import Survey
from sandbox.slack.blockkit import validate_view
from sandbox.slack.interactive_elements import interactive_elements
from tests.block_kit_checks import HOSTILE, check_message
from tests.factories import CATALOGUE, NOON
from tests.sample_messages import ANSWER_FORM, ASKED, RATED, SLACK_SURVEY, make_asked
from tests.world import visible_text

KEY = make_key(2**53, NOON)
LONGEST = "m" * 2_500
RATING = "4"


def make(metric: Metric = Metric.CSAT, **fields: Any) -> Survey:
    """Return a survey in Slack."""
    return SLACK_SURVEY.model_copy(update={"metric": metric, **fields})


def action_ids(blocks: list[dict[str, Any]]) -> list[str]:
    return [element["action_id"] for block in blocks for element in interactive_elements(block)]


@pytest.mark.parametrize("metric", Metric)
@pytest.mark.parametrize("message", [*HOSTILE, LONGEST, "&" * 2_500])
@pytest.mark.parametrize("privacy_url", ["", f"https://northwind.example/{'p' * 1_900}"])
def test_a_survey_is_a_valid_message_with_literal_text(
    metric: Metric, message: str, privacy_url: str
) -> None:
    survey = make(metric, message=message, display_name="W" * 20, privacy_url=privacy_url)
    sent = slack_survey.survey_message(KEY, survey, CATALOGUE)
    blocks = check_message(sent)["blocks"]

    assert len(sent.text) < 4_000
    assert {element["value"] for block in blocks for element in interactive_elements(block)} == {KEY}
    check_message(slack_survey.invitation(KEY, survey))


@pytest.mark.parametrize("metric", Metric)
def test_each_rating_has_a_button_and_the_ends_of_the_scale_are_explained(metric: Metric) -> None:
    blocks = slack_survey.survey_message(KEY, make(metric), CATALOGUE).blocks
    ratings = [slack_survey.parse_rating(action_id) for action_id in action_ids(blocks)]

    assert ratings == [*SCALES[metric], None]
    buttons = [element for block in blocks for element in interactive_elements(block)]
    ends = (buttons[0], buttons[len(SCALES[metric]) - 1])
    assert [end["accessibility_label"].partition(": ")[2] for end in ends] == ["Very poor", "Very good"]


def test_a_question_that_has_left_the_catalogue_is_replaced() -> None:
    sent = slack_survey.survey_message(KEY, make(variant=999), CATALOGUE)

    assert "How would you rate your overall experience with Northwind?" in sent.text


@pytest.mark.parametrize("state", [state for state, fields in ASKED.items() if "response" in fields])
def test_no_message_shows_the_rating_that_was_given(state: str) -> None:
    asked = make_asked(**ASKED[state], survey=make(message="Hello.", privacy_url=""))
    message = slack_survey.direct_message(KEY, asked, CATALOGUE, NOON)

    for shown in (message, slack_survey.thread_message(KEY, asked, NOON)):
        assert RATING not in json.dumps([shown.text, check_message(shown)["blocks"]]).replace(KEY, "")


@pytest.mark.parametrize(
    ("state", "buttons"),
    {
        "rated": ["comment_on_rating", "change_rating", "stop_surveys"],
        "rated long ago": ["stop_surveys"],
        "commented": [],
        "too late": ["stop_surveys"],
        "opted out": [f"rate:{rating}" for rating in range(1, 6)],
        "rated and opted out": ["comment_on_rating", "change_rating"],
        "too late and opted out": [],
    }.items(),
)
def test_a_message_offers_what_can_still_be_done(state: str, buttons: list[str]) -> None:
    message = slack_survey.direct_message(KEY, make_asked(**ASKED[state]), CATALOGUE, NOON)

    assert action_ids(message.blocks) == buttons


@pytest.mark.parametrize("state", ASKED)
def test_a_thread_does_not_tell_that_somebody_opted_out(state: str) -> None:
    fields = {name: value for name, value in ASKED[state].items() if name != "has_opted_out"}
    told = slack_survey.thread_message(KEY, make_asked(**ASKED[state]), NOON)

    assert told == slack_survey.thread_message(KEY, make_asked(**fields), NOON)
    assert action_ids(told.blocks) == (["give_feedback"] if state == "opted out" else [])


def test_a_rating_can_be_changed_for_a_quarter_of_an_hour() -> None:
    message = slack_survey.direct_message(
        KEY, make_asked(response=RATED), CATALOGUE, NOON + timedelta(minutes=15)
    )

    assert action_ids(message.blocks) == ["comment_on_rating", "stop_surveys"]


def test_a_survey_without_an_answer_stays_the_question() -> None:
    message = slack_survey.direct_message(KEY, make_asked(), CATALOGUE, NOON)

    assert message == slack_survey.survey_message(KEY, SLACK_SURVEY, CATALOGUE)


def check_modal(view: dict[str, Any]) -> list[Any]:
    assert validate_view(json.loads(json.dumps(view)), "modal") == []
    assert View(**view).to_dict() == view
    return list(json.loads(json.dumps(view["blocks"])))


@pytest.mark.parametrize("metric", Metric)
@pytest.mark.parametrize("message", [*HOSTILE, LONGEST])
def test_the_modals_are_valid(metric: Metric, message: str) -> None:
    asked = make_asked(survey=make(metric, message=message, display_name="W" * 20))
    rated = asked.model_copy(update={"response": RATED})
    check_modal(slack_survey_modals.comment_modal(ANSWER_FORM, rated))
    check_modal(slack_survey_modals.feedback_modal(ANSWER_FORM, asked, CATALOGUE))
    check_modal(slack_survey_modals.sentence_modal(slack_survey.CLOSED))


def test_a_form_knows_its_survey_and_its_message_again() -> None:
    view = slack_survey_modals.comment_modal(ANSWER_FORM, make_asked(response=RATED))
    typed = {"values": {"comment": {"comment": {"type": "plain_text_input", "value": None}}}}

    assert slack_survey_modals.parse({**view, "state": typed}) == ANSWER_FORM


@pytest.mark.parametrize(
    ("metric", "saved"),
    [(Metric.CSAT, "Your answer is saved: 4 (Good)."), (Metric.NPS, "Your answer is saved: 4.")],
)
def test_the_form_for_a_comment_tells_its_customer_which_answer_is_saved(metric: Metric, saved: str) -> None:
    asked = make_asked(survey=make(metric), response=RATED)

    assert saved in visible_text(slack_survey_modals.comment_modal(ANSWER_FORM, asked)["blocks"])


def test_a_key_names_a_survey_by_its_number_and_its_second() -> None:
    assert parse_key(KEY) == (2**53, int(NOON.timestamp()))
    for other in ("", "7", "7:", "7:8:9", "x:1", "-1:5", "1" * 19 + ":1"):
        assert parse_key(other) == (0, 0)
