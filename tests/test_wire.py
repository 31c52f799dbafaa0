import contextlib
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csat.surveys.recipients import Recipient
from csat.surveys.survey import Receipt, Survey
from csat.x_api import errors, wire
from csat.x_api.errors import REFUSALS, Refused, RetryLater, Uncertain, XError
from tests.factories import CATALOGUE, make_draft, make_survey
from tests.strategies import JSON

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
PUBLISHED = {
    "created_at": "SatDec1517:58:20+00002015",
    "updated_at": "SatDec1517:59:22+00002015",
    "id": "123456789",
    "type": "nps",
    "test": False,
    "dm_id": "8989898989",
    "from_user_id": "1212121212121",
    "to_user_id": "343434343434",
    "privacy_url": "https://mybusiness.domain/privacy",
    "external_id": "ticket_5555",
    "question_variant_id": "3",
    "display_name": "MyBusinessName",
}
"""The example result in X's documentation of POST feedback/create."""
RECEIPT = Receipt(
    id="123456789",
    dm_id="8989898989",
    external_id="ticket_5555",
    to_user_id="343434343434",
    question_variant_id=3,
    created_at=datetime(2015, 12, 15, 17, 58, 20, tzinfo=UTC),
    updated_at=datetime(2015, 12, 15, 17, 59, 22, tzinfo=UTC),
)


def answer(**fields: object) -> bytes:
    return json.dumps(PUBLISHED | fields).encode()


def receipt(body: bytes) -> dict[str, Any]:
    return wire.decipher(200, {}, body).model_dump()


def refusal(code: int | None, message: str = "Words of X.") -> bytes:
    return json.dumps({"errors": [{"code": code, "message": message}]}).encode()


def error_of(status: int, body: bytes, headers: dict[str, str] | None = None) -> XError:
    with pytest.raises(XError) as raised:
        wire.decipher(status, headers or {}, body)
    return raised.value


# a survey on its way to X


def test_a_survey_is_sent_under_x_s_own_names() -> None:
    asked = make_survey(metric="nps", variant="3", test=True)

    assert wire.encode(asked) == {
        "type": "nps",
        "to_user_id": "343434343434",
        "message": "How did we do?",
        "privacy_url": "https://northwind.example/privacy",
        "external_id": "ticket_5555",
        "question_variant_id": "3",
        "display_name": "Northwind",
        "test": "true",
    }


def test_what_is_optional_and_empty_is_left_out() -> None:
    fields = wire.encode(make_survey(external_id="", display_name=""))

    assert fields.keys() == {"type", "to_user_id", "message", "privacy_url", "question_variant_id", "test"}
    assert fields["question_variant_id"] == "0"
    assert fields["test"] == "false"


@given(st.text(max_size=40), st.text(max_size=20), st.booleans())
def test_what_was_typed_is_sent_as_it_is(message: str, name: str, test: bool) -> None:  # noqa: FBT001
    asked = make_survey().model_copy(update={"message": message, "display_name": name, "test": test})

    fields = wire.encode(asked)

    assert fields.get("message", "") == message
    assert fields.get("display_name", "") == name
    assert fields["test"] == str(test).lower()


# an answer that is a receipt


def test_the_published_example_is_a_receipt() -> None:
    assert receipt(answer()) == RECEIPT.model_dump()


@pytest.mark.parametrize(
    "other",
    [
        {"created_at": "Sat Dec 15 17:58:20 +0000 2015"},
        {"created_at": "Tue Dec 15 17:58:20 +0000 2015"},
        {"created_at": " Tue  Dec 15 17:58:20 +0000 2015 "},
        {"created_at": "Tue Dec 15 18:58:20 +0100 2015"},
        {"created_at": "TueDec1512:28:20-05302015"},
        {"id": 123456789},
        {"dm_id": 8989898989, "to_user_id": 343434343434},
        {"question_variant_id": 3},
        {"question_variant_id": "03"},
        {"test": "false", "display_name": None, "more": {"of": ["it"]}},
    ],
)
def test_a_receipt_is_the_same_however_x_spells_it(other: dict[str, object]) -> None:
    assert receipt(answer(**other)) == RECEIPT.model_dump()


@pytest.mark.parametrize("missing", [{"external_id": None}, {"external_id": ""}])
def test_a_receipt_without_an_external_id_has_an_empty_one(missing: dict[str, object]) -> None:
    assert receipt(answer(**missing))["external_id"] == ""


@pytest.mark.parametrize("number", range(1, 13))
def test_every_month_is_known(number: int) -> None:
    assert wire.parse_date(f"Mon {MONTHS[number - 1]} 05 01:02:03 +0000 2026") == datetime(
        2026, number, 5, 1, 2, 3, tzinfo=UTC
    )


@given(
    st.datetimes(datetime(2006, 3, 21), datetime(2100, 1, 1)),  # noqa: DTZ001 - the offset is given apart
    st.integers(-14 * 60, 14 * 60),
    st.sampled_from(WEEKDAYS),
    st.sampled_from(["{} {} {} {} {} {}", "{}{}{}{}{}{}"]),
)
def test_any_date_is_read_in_either_spelling(at: datetime, minutes: int, weekday: str, spelling: str) -> None:
    moment = at.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes)))
    offset = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"
    day, time = f"{moment:%d}", f"{moment:%H:%M:%S}"
    written = spelling.format(weekday, MONTHS[moment.month - 1], day, time, offset, moment.year)

    assert wire.parse_date(written) == moment
    assert wire.parse_date(written).tzinfo is UTC


@pytest.mark.parametrize(
    "date",
    [
        "",
        "2015-12-15T17:58:20Z",
        "Tue Foo 15 17:58:20 +0000 2015",
        "Tue Dec 32 17:58:20 +0000 2015",
        "Tue Dec 15 25:58:20 +0000 2015",
        "Tue Dec 15 17:58:20 +9900 2015",
        "Sat Jan 01 00:00:00 +0100 0001",
        "Fri Dec 31 23:59:59 -0100 9999",
        "Tue Dec 15 17:58:20 +0000 2015" * 2,
        "Tue Dec \u0661\u0665 17:58:20 +0000 2015",
        1450202300,
        None,
        [],
    ],
)
def test_what_is_none_of_x_s_dates_leaves_us_uncertain(date: object) -> None:
    assert type(error_of(200, answer(created_at=date))) is Uncertain


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>Over capacity</body></html>",
        answer()[:-1],
        b"[]",
        b"[1, 2]",
        b"5",
        b"null",
        b"{}",
        b'"ok"',
        b"[" * 10_000,
        b'{"a":' * 10_000,
        b"\xff\xfe",
        b"9" * 10_000,
        answer(id=None),
        answer(id=""),
        answer(id="abc"),
        answer(id="\u0661\u0662"),
        answer(id=-1),
        answer(id=1.5),
        answer(id=True),
        answer(id=["1"]),
        answer(dm_id=None),
        answer(to_user_id={}),
        answer(question_variant_id="three"),
        answer(question_variant_id=None),
        refusal(88),
    ],
)
@pytest.mark.parametrize("status", [200, 201, 204])
def test_a_success_that_can_t_be_read_leaves_us_uncertain(status: int, body: bytes) -> None:
    error = error_of(status, body)

    assert type(error) is Uncertain
    assert len(str(error)) < 2000


@given(st.integers(100, 599), st.binary(max_size=60) | JSON.map(json.dumps).map(str.encode))
def test_any_answer_is_a_receipt_or_an_error_of_x(status: int, body: bytes) -> None:
    error = error_of(status, body)

    assert isinstance(error, Uncertain) or not 200 <= status < 300
    assert error.advice


@given(st.sampled_from([*PUBLISHED]), JSON)
def test_any_field_may_be_wrong(name: str, value: object) -> None:
    try:
        wire.decipher(200, {}, answer(**{name: value}))
    except Uncertain:
        assert name in Receipt.model_fields


@given(st.integers(400, 599), JSON, JSON)
def test_any_error_may_be_malformed(status: int, code: object, message: object) -> None:
    for errors_ in ([{"code": code, "message": message}], [message], message, {"code": code}):
        assert isinstance(error_of(status, json.dumps({"errors": errors_}).encode()), XError)


# an answer that is none

REFERENCE = [
    (401, 32, errors.InvalidCredentials),
    (403, 32, errors.InvalidCredentials),
    (401, 89, errors.InvalidCredentials),
    (403, 89, errors.InvalidCredentials),
    (401, 135, errors.ClockSkew),
    (401, 416, errors.NotAllowed),
    (403, 87, errors.NotAllowed),
    (403, 220, errors.NotAllowed),
    (403, 453, errors.NotAllowed),
    (403, 93, errors.NotAllowed),
    (403, 261, errors.NotAllowed),
    (400, 215, errors.NotSigned),
    (403, 38, errors.ParameterMissing),
    (403, 63, errors.RecipientSuspended),
    (404, 34, errors.RecipientUnknown),
    (404, 50, errors.RecipientUnknown),
    (404, 108, errors.RecipientUnknown),
    (403, 64, errors.SenderSuspended),
    (403, 326, errors.SenderLocked),
    (403, 150, errors.RecipientClosed),
    (403, 349, errors.RecipientClosed),
    (403, 151, errors.RecipientClosed),
    (403, 214, errors.RecipientClosed),
    (403, 226, errors.LooksAutomated),
    (403, 354, errors.MessageTooLong),
    (403, 999, errors.RefusedByX),
    (400, None, errors.RefusedByX),
    (410, 4000, errors.RefusedByX),
]


@pytest.mark.parametrize(("status", "code", "kind"), REFERENCE)
def test_every_refusal_has_its_own_kind(status: int, code: int | None, kind: type[Refused]) -> None:
    error = error_of(status, refusal(code))

    assert type(error) is kind
    assert error.api_message == "Words of X."
    assert f"{status}" in str(error)
    assert f"{code}" in str(error)


def test_an_account_that_does_not_follow_is_not_taken_for_a_locked_one() -> None:
    body = refusal(326, "You cannot send messages to users who are not following you.")

    assert type(error_of(403, body)) is errors.RecipientDoesNotFollow


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"title": "Unauthorized", "detail": "Unauthorized"}'])
def test_an_unauthorized_request_without_a_code_is_told_as_one(body: bytes) -> None:
    assert type(error_of(401, body)) is errors.InvalidCredentials


def test_every_code_means_one_thing() -> None:
    plain = [code for row in REFUSALS if row.message_pattern is None for code in row.codes]

    assert len(plain) == len(set(plain))
    assert set(plain) == {code for _, code, kind in REFERENCE if kind is not errors.RefusedByX}


def test_every_outcome_has_a_sentence_of_its_own() -> None:
    kinds: list[type[XError]] = [*REFUSALS, RetryLater, Uncertain]
    sentences = [kind.advice for kind in kinds]

    assert len(set(sentences)) == len(kinds)
    assert all(sentence.endswith(".") and len(sentence) < 250 for sentence in sentences)


def test_the_tree_of_errors_is_drawn_whole() -> None:
    kinds: list[type[XError]] = [XError, Refused, RetryLater, Uncertain, *REFUSALS]

    assert {kind.__name__ for kind in kinds} <= set(str(errors.__doc__).split())


@pytest.mark.parametrize(
    ("status", "code"), [(403, 151), (403, 349), (403, 38), (403, 999), (400, None), (403, 214)]
)
def test_x_s_own_words_are_passed_on_where_they_tell_more(status: int, code: int | None) -> None:
    error = error_of(status, refusal(code, "Because of this."))

    assert isinstance(error, Refused)
    assert error.sentence() == f"{error.advice} X says: “Because of this.”"


def test_x_s_words_are_left_out_where_there_are_none() -> None:
    error = error_of(400, b"<html>")

    assert isinstance(error, Refused)
    assert error.sentence() == error.advice


def test_x_s_words_are_not_passed_on_for_ever() -> None:
    error = error_of(403, refusal(999, "w" * 10_000))

    assert len(error.api_message) == wire.MAX_MESSAGE_LENGTH
    assert len(str(error)) < 2 * wire.MAX_MESSAGE_LENGTH


RESETS = {
    "x-rate-limit-remaining": "0",
    "x-rate-limit-reset": "1772625600",
    "x-app-limit-24hour-remaining": "3",
    "x-app-limit-24hour-reset": "1772712000",
}
LATER = datetime(2026, 3, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "until"),
    [
        ({}, None),
        (RESETS, datetime(2026, 3, 4, 12, tzinfo=UTC)),
        (RESETS | {"x-app-limit-24hour-remaining": "0"}, LATER),
        (RESETS | {"x-rate-limit-remaining": "1"}, None),
        (RESETS | {"x-rate-limit-remaining": " 0 "}, datetime(2026, 3, 4, 12, tzinfo=UTC)),
        ({"x-user-limit-24hour-remaining": "0", "x-user-limit-24hour-reset": "1772712000"}, LATER),
        ({"x-rate-limit-remaining": "0"}, None),
        ({"x-rate-limit-remaining": "0", "x-rate-limit-reset": ""}, None),
        ({"x-rate-limit-remaining": "0", "x-rate-limit-reset": "soon"}, None),
        ({"x-rate-limit-remaining": "0", "x-rate-limit-reset": "-1"}, None),
        ({"x-rate-limit-remaining": "0", "x-rate-limit-reset": "1.5"}, None),
        ({"x-rate-limit-remaining": "0", "x-rate-limit-reset": "9" * 5000}, None),
    ],
)
@pytest.mark.parametrize(("status", "code"), [(429, 88), (420, None), (503, 130), (429, 32)])
def test_a_busy_x_is_waited_for_until_the_exhausted_window_opens(
    status: int, code: int | None, headers: dict[str, str], until: datetime | None
) -> None:
    error = error_of(status, refusal(code), headers)

    assert type(error) is RetryLater
    assert error.until == until


@given(st.integers(100, 599), st.text("0123456789-. ", max_size=14))
def test_any_reset_is_read_or_ignored(status: int, reset: str) -> None:
    headers = {"x-rate-limit-remaining": "0", "x-rate-limit-reset": reset}

    assert isinstance(error_of(status, b"", headers), XError)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, refusal(131)),
        (500, refusal(32)),
        (500, b""),
        (502, b"<html>Bad gateway</html>"),
        (504, b""),
        (301, b""),
        (100, b""),
    ],
)
def test_an_x_that_fails_leaves_us_uncertain(status: int, body: bytes) -> None:
    assert type(error_of(status, body)) is Uncertain


# who somebody is


def user(**fields: object) -> bytes:
    return json.dumps({"data": {"id": "42", "name": "Grace", "username": "Grace", **fields}}).encode()


def look_up_error(status: int, body: bytes) -> XError:
    with pytest.raises(XError) as raised:
        wire.decipher_user(status, {}, body)
    return raised.value


@pytest.mark.parametrize(
    ("fields", "receives"),
    [({}, None), ({"receives_your_dm": True}, True), ({"receives_your_dm": False}, False)],
)
def test_an_account_has_an_id_a_handle_and_perhaps_a_hint(
    fields: dict[str, object],
    receives: bool | None,  # noqa: FBT001
) -> None:
    account = wire.decipher_user(200, {}, user(**fields))

    assert account == wire.Account(id="42", handle="Grace", receives_dm=receives)
    assert account.recipient == Recipient(handle="Grace", id="42")


NOT_FOUND = {
    "value": "grace",
    "detail": "Could not find user with username: [grace].",
    "title": "Not Found Error",
    "type": "https://api.twitter.com/2/problems/resource-not-found",
}
SUSPENDED = NOT_FOUND | {"detail": "User has been suspended: [grace].", "title": "Forbidden"}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, {"errors": [NOT_FOUND]}, errors.RecipientUnknown),
        (200, {"errors": [SUSPENDED]}, errors.RecipientSuspended),
        (200, {"data": None, "errors": [SUSPENDED]}, errors.RecipientSuspended),
        (404, {"errors": [{"code": 50, "message": "User not found."}]}, errors.RecipientUnknown),
        (404, {"title": "Not Found Error", "detail": "Not found"}, errors.RecipientUnknown),
        (404, "<html>", errors.RecipientUnknown),
        (403, {"errors": [{"code": 63, "message": "User has been suspended."}]}, errors.RecipientSuspended),
        (401, {"title": "Unauthorized"}, errors.InvalidCredentials),
        (402, {"title": "CreditsDepleted"}, errors.RefusedByX),
        (403, {"title": "Client Forbidden"}, errors.RefusedByX),
        (429, {"title": "Too Many Requests"}, RetryLater),
        (503, {}, RetryLater),
        (500, {}, Uncertain),
        (200, {}, RetryLater),
        (200, [], RetryLater),
        (200, {"data": {}}, RetryLater),
        (200, {"data": {"id": "x", "username": "grace"}}, RetryLater),
        (200, {"data": []}, RetryLater),
        (200, {"errors": []}, RetryLater),
        (200, {"errors": "none"}, RetryLater),
    ],
)
def test_a_look_up_that_finds_nobody_says_why(status: int, body: object, kind: type[XError]) -> None:
    assert type(look_up_error(status, json.dumps(body).encode())) is kind


@given(st.integers(100, 599), JSON, JSON)
def test_any_answer_to_a_look_up_is_an_account_or_an_error_of_x(
    status: int, data: object, problems: object
) -> None:
    for body in (data, {"data": data, "errors": problems}, {"data": {"id": data, "username": problems}}):
        with contextlib.suppress(XError):
            assert wire.decipher_user(status, {}, json.dumps(body).encode()).id.isdecimal()


def test_a_survey_to_nobody_known_has_no_recipient_on_the_wire() -> None:
    asked = Survey.from_draft(make_draft(recipient="@grace"), CATALOGUE)

    assert "to_user_id" not in wire.encode(asked)
