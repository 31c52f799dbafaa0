"""What X tells of a survey, read: never wrongly, and never with the customer's answer in an error."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csat.surveys.questions import SCALES, Metric
from csat.surveys.responses import Update
from csat.x_api.errors import InvalidFeedback, RetryLater, XError
from csat.x_api.feedback_events import decipher_events, decipher_feedback, parse_event
from tests.strategies import JSON

DATE = "Sat Dec 15 17:58:20 +0000 2015"
SECRET = "the answer of Mira"
MISSING = object()


def shown(**changes: Any) -> dict[str, Any]:
    """Return a feedback as X shows it, some of it changed; `MISSING` takes a field out."""
    whole = {
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
    return {name: value for name, value in whole.items() if value is not MISSING}


def scored(value: object, **others: object) -> dict[str, object]:
    return {"response": {"score": {"created_at": DATE, "value": value, **others}}}


def by_show(told: object) -> Update:
    return decipher_feedback(200, {}, json.dumps(told).encode())


def by_webhook(told: object) -> Update:
    event = {"event_type": "feedback.updated", "created_at": DATE, "feedback": told}
    return parse_event(json.dumps(event).encode())


def by_listing(told: object) -> Update:
    event = {"event_type": "feedback.updated", "created_at": DATE, "feedback": told}
    page = decipher_events(200, {}, json.dumps({"events": [event], "next_cursor": ""}).encode())
    for problem in page.invalid:
        raise problem
    return page.updates[0]


WAYS = (by_show, by_webhook, by_listing)


@pytest.mark.parametrize("read", WAYS)
def test_it_is_read_whole(read: Callable[[object], Update]) -> None:
    update = read(shown())
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
        (scored("5"), 5, None),
        ({"type": "nps", **scored(0)}, 0, None),
        ({"response": {"text": {"created_at": DATE, "value": "a\x00b\ud83d\ude00"}}}, None, "ab😀"),
        ({"response": {"text": {"created_at": DATE, "value": " \x07 "}}}, None, None),
        ({"id": 106, "question_variant_id": "0", "from_user_id": 1, **scored(1)}, 1, None),
        ({"created_at": "SatDec1517:58:20+00002015", **scored(2)}, 2, None),
    ],
)
def test_what_x_says_in_more_than_one_way_is_understood(
    changes: dict[str, object], rating: int | None, comment: str | None
) -> None:
    for read in WAYS:
        response = read(shown(**changes)).response
        assert (response.rating and response.rating.value) == rating
        assert (response.comment and response.comment.text) == comment


IMPOSSIBLE: dict[str, dict[str, object]] = {
    "0 for CSAT": scored(0),
    "6 for CSAT": scored(6),
    "11 for NPS": {"type": "nps", **scored(11)},
    "-1 for NPS": {"type": "nps", **scored(-1)},
    "text": scored(SECRET),
    "null": scored(None),
    "true": scored(value=True),
    "a fraction": scored(4.5),
    "a whole fraction": scored(4.0),
    "a list": scored([4]),
    "huge": scored(10**400),
    "no moment": scored(4, created_at=SECRET),
    "no score": {"response": {"score": 4}},
    "no response": {"response": SECRET},
    "a text that is none": {"response": {"text": {"created_at": DATE, "value": [SECRET]}}},
    "another metric": {"type": "ces"},
    "no metric": {"type": MISSING},
    "no account": {"from_user_id": MISSING},
    "an account that is none": {"from_user_id": SECRET},
    "no id": {"id": MISSING},
    "an id that is none": {"id": SECRET},
    "an endless id": {"id": "1" * 400},
    "a moment that is none": {"created_at": "Sat Feb 31 17:58:20 +0000 2015"},
    "a zone that is none": {"updated_at": "Sat Dec 15 17:58:20 +9900 2015"},
    "no recipient": {"to_user_id": None},
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_what_cannot_be_is_refused_by_its_id_without_the_answer(name: str) -> None:
    for read in WAYS:
        with pytest.raises(InvalidFeedback) as refused:
            read(shown(**IMPOSSIBLE[name]))

        said = str(refused.value)
        assert said.startswith("feedback 106: " if "id" not in IMPOSSIBLE[name] else "feedback without an id")
        assert SECRET not in said
        assert len(said) < 200


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"[" * 5_000, b"1" * 5_000, b'"\\ud800"', b"null", b"[]", b'{"feedback": 1}']
)
def test_an_event_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidFeedback):
        parse_event(body)


def test_one_event_that_cannot_be_does_not_take_its_page_along() -> None:
    events = [{"feedback": shown(id=str(number), **scored(number))} for number in range(4, 8)]
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
def test_a_page_that_is_none_is_asked_for_again(body: bytes) -> None:
    with pytest.raises(RetryLater):
        decipher_events(200, {}, body)


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 420, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("decipher", [decipher_feedback, decipher_events])
def test_an_answer_that_is_no_success_is_an_error_of_x(decipher: Callable[..., object], status: int) -> None:
    with pytest.raises(XError):
        decipher(status, {}, json.dumps(shown()).encode())


@given(told=JSON | st.dictionaries(st.sampled_from([*shown()]), JSON).map(lambda changes: shown(**changes)))
def test_nothing_but_an_error_of_x_comes_of_whatever_x_says(told: object) -> None:
    for read in WAYS:
        try:
            update = read(told)
        except XError:
            continue
        rating = update.response.rating
        assert rating is None or rating.value in SCALES[update.metric]


@given(st.binary(max_size=60) | JSON.map(lambda told: json.dumps(told).encode()))
def test_nothing_but_an_error_of_x_comes_of_whatever_bytes(body: bytes) -> None:
    for read in (parse_event, lambda bytes_: decipher_feedback(200, {}, bytes_)):
        with pytest.raises(XError):
            read(body)


@given(told=JSON, place=st.sampled_from(["score", "text"]))
def test_no_error_repeats_what_the_customer_answered(told: object, place: str) -> None:
    marked = {"created_at": SECRET, "value": [SECRET, told], SECRET: told}
    for read in WAYS:
        with pytest.raises(XError) as refused:
            read(shown(response={place: marked}))

        assert SECRET not in str(refused.value)
