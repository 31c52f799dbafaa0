"""Feedback from X is parsed strictly, and errors never contain the customer's response."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csat.surveys.questions import SCALES, Metric
from csat.surveys.responses import Update
from csat.surveys.transport_errors import TransportError
from csat.x_api.errors import InvalidFeedback, Unreadable
from csat.x_api.feedback_wire import decipher_events, decipher_feedback, parse_event
from tests.strategies import JSON

DATE = "Sat Dec 15 17:58:20 +0000 2015"
SECRET = "the answer of Mira"
MISSING = object()


def feedback_json(**changes: Any) -> dict[str, Any]:
    """Return a feedback object as X returns it, with changes; `MISSING` removes a field."""
    fields = {
        "created_at": DATE,
        "updated_at": DATE,
        "id": "106",
        "type": "csat",
        "test": False,
        "dm_id": "107",
        "from_user_id": "1",
        "to_user_id": "2",
        "privacy_url": "https://northwind.example/privacy",
        "external_id": "ticket_5555",
        "question_variant_id": 0,
        "display_name": "Northwind",
        "response": {
            "score": {"created_at": DATE, "value": 4},
            "text": {"created_at": DATE, "value": SECRET},
        },
        **changes,
    }
    return {name: value for name, value in fields.items() if value is not MISSING}


def with_score(value: object, **others: object) -> dict[str, object]:
    return {"response": {"score": {"created_at": DATE, "value": value, **others}}}


def parse_shown(feedback: object) -> Update:
    return decipher_feedback(200, {}, json.dumps(feedback).encode())


def parse_pushed(feedback: object) -> Update:
    event = {"event_type": "feedback.updated", "created_at": DATE, "feedback": feedback}
    return parse_event(json.dumps(event).encode())


def parse_listed(feedback: object) -> Update:
    event = {"event_type": "feedback.updated", "created_at": DATE, "feedback": feedback}
    page = decipher_events(200, {}, json.dumps({"events": [event], "next_cursor": ""}).encode())
    for problem in page.invalid:
        raise problem
    return page.updates[0]


PARSERS = (parse_shown, parse_pushed, parse_listed)


@pytest.mark.parametrize("parse", PARSERS)
def test_every_field_is_parsed(parse: Callable[[object], Update]) -> None:
    update = parse(feedback_json())
    rating, comment = update.response.rating, update.response.comment

    assert (update.receipt.id, update.receipt.to_user_id, update.account) == ("106", "2", "1")
    assert (update.receipt.external_id, update.metric) == ("ticket_5555", Metric.CSAT)
    assert rating
    assert comment
    assert (rating.value, comment.text) == (4, SECRET)
    assert rating.given_at == comment.given_at == datetime(2015, 12, 15, 17, 58, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "rating", "comment"),
    [
        ({"response": MISSING}, None, None),
        ({"response": None}, None, None),
        ({"response": {}}, None, None),
        (with_score("5"), 5, None),
        ({"type": "nps", **with_score(0)}, 0, None),
        ({"response": {"text": {"created_at": DATE, "value": "a\x00b\ud83d\ude00"}}}, None, "ab😀"),
        ({"response": {"text": {"created_at": DATE, "value": " \x07 "}}}, None, None),
        ({"response": {"text": {"created_at": DATE, "value": "a\ud83d"}}}, None, "a\ufffd"),
        ({"id": 106, "question_variant_id": "0", "from_user_id": 1, **with_score(1)}, 1, None),
        ({"created_at": "SatDec1517:58:20+00002015", **with_score(2)}, 2, None),
    ],
)
def test_all_spellings_of_a_response_are_parsed(
    changes: dict[str, object], rating: int | None, comment: str | None
) -> None:
    for parse in PARSERS:
        response = parse(feedback_json(**changes)).response
        assert (response.rating and response.rating.value) == rating
        assert (response.comment and response.comment.text) == comment


INVALID: dict[str, dict[str, object]] = {
    "0 for CSAT": with_score(0),
    "6 for CSAT": with_score(6),
    "11 for NPS": {"type": "nps", **with_score(11)},
    "-1 for NPS": {"type": "nps", **with_score(-1)},
    "text": with_score(SECRET),
    "null": with_score(None),
    "true": with_score(value=True),
    "a fraction": with_score(4.5),
    "whole number as a float": with_score(4.0),
    "a list": with_score([4]),
    "huge": with_score(10**400),
    "no date": with_score(4, created_at=SECRET),
    "score is not an object": {"response": {"score": 4}},
    "response is not an object": {"response": SECRET},
    "an invalid text": {"response": {"text": {"created_at": DATE, "value": [SECRET]}}},
    "unknown metric": {"type": "ces"},
    "no metric": {"type": MISSING},
    "no account": {"from_user_id": MISSING},
    "an invalid account": {"from_user_id": SECRET},
    "no id": {"id": MISSING},
    "an invalid id": {"id": SECRET},
    "too long id": {"id": "1" * 400},
    "an invalid date": {"created_at": "Sat Feb 31 17:58:20 +0000 2015"},
    "an invalid time zone": {"updated_at": "Sat Dec 15 17:58:20 +9900 2015"},
    "no recipient": {"to_user_id": None},
}


@pytest.mark.parametrize("name", INVALID)
def test_invalid_feedback_is_reported_with_its_id_and_without_the_response(name: str) -> None:
    for parse in PARSERS:
        with pytest.raises(InvalidFeedback) as error_info:
            parse(feedback_json(**INVALID[name]))

        message = str(error_info.value)
        assert message.startswith("feedback 106: " if "id" not in INVALID[name] else "feedback without an id")
        assert SECRET not in message
        assert len(message) < 200


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"[" * 5_000, b"1" * 5_000, b'"\\ud800"', b"null", b"[]", b'{"feedback": 1}']
)
def test_a_malformed_event_is_invalid(body: bytes) -> None:
    with pytest.raises(InvalidFeedback):
        parse_event(body)


def test_an_invalid_event_does_not_invalidate_its_page() -> None:
    events = [{"feedback": feedback_json(id=str(number), **with_score(number))} for number in range(4, 8)]
    page = decipher_events(200, {}, json.dumps({"events": [*events, None, 7], "next_cursor": None}).encode())

    assert [update.receipt.id for update in page.updates] == ["4", "5"]
    assert [str(problem).partition(":")[0] for problem in page.invalid] == [
        "feedback 6",
        "feedback 7",
        "feedback without an id",
        "feedback without an id",
    ]
    assert page.next_cursor == ""


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"events": 7}', b'{"events": null}'])
def test_a_malformed_page_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        decipher_events(200, {}, body)


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 420, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("decipher", [decipher_feedback, decipher_events])
def test_a_response_other_than_2xx_is_an_x_error(decipher: Callable[..., object], status: int) -> None:
    with pytest.raises(TransportError):
        decipher(status, {}, json.dumps(feedback_json()).encode())


@given(
    feedback=JSON
    | st.dictionaries(st.sampled_from([*feedback_json()]), JSON).map(lambda changes: feedback_json(**changes))
)
def test_any_json_is_an_update_or_an_x_error(feedback: object) -> None:
    for parse in PARSERS:
        try:
            update = parse(feedback)
        except TransportError:
            continue
        rating = update.response.rating
        assert rating is None or rating.value in SCALES[update.metric]


@given(st.binary(max_size=60) | JSON.map(lambda feedback: json.dumps(feedback).encode()))
def test_any_bytes_are_an_x_error(body: bytes) -> None:
    for parse in (parse_event, lambda bytes_: decipher_feedback(200, {}, bytes_)):
        with pytest.raises(TransportError):
            parse(body)


@given(feedback=JSON, field=st.sampled_from(["score", "text"]))
def test_errors_never_contain_the_response(feedback: object, field: str) -> None:
    value = {"created_at": SECRET, "value": [SECRET, feedback], SECRET: feedback}
    for parse in PARSERS:
        with pytest.raises(TransportError) as error_info:
            parse(feedback_json(response={field: value}))

        assert SECRET not in str(error_info.value)
