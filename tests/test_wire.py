import contextlib
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csat.surveys.receipt import Receipt
from csat.surveys.recipients import XAccount
from csat.surveys.survey import Survey
from csat.surveys.transport_errors import Refused, TransportError, Uncertain
from csat.x_api import errors, refusals, wire
from csat.x_api.errors import Unanswered, Unconfirmed, XBusy
from csat.x_api.refusals import ACCOUNT_REFUSALS, REFUSALS
from tests.factories import CATALOGUE, make_draft, make_survey
from tests.strategies import JSON
from tests.x_examples import EXAMPLE_FEEDBACK, RECEIPT, error_json, feedback_json, user_json

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


def decipher_receipt(body: bytes) -> dict[str, Any]:
    return wire.decipher(200, {}, body).model_dump()


def decipher_error(status: int, body: bytes, headers: dict[str, str] | None = None) -> TransportError:
    with pytest.raises(TransportError) as raised:
        wire.decipher(status, headers or {}, body)
    return raised.value


# encoding


def test_a_survey_is_encoded_with_the_names_of_x() -> None:
    survey = make_survey(metric="nps", variant="3", test=True)

    assert wire.encode(survey) == {
        "type": "nps",
        "to_user_id": "343434343434",
        "message": "How did we do?",
        "privacy_url": "https://northwind.example/privacy",
        "external_id": "ticket_5555",
        "question_variant_id": "3",
        "display_name": "Northwind",
        "test": "true",
    }


def test_empty_optional_fields_are_left_out() -> None:
    fields = wire.encode(make_survey(external_id="", display_name=""))

    assert fields.keys() == {"type", "to_user_id", "message", "privacy_url", "question_variant_id", "test"}
    assert fields["question_variant_id"] == "0"
    assert fields["test"] == "false"


@given(st.text(max_size=40), st.text(max_size=20), st.booleans())
def test_text_is_encoded_unchanged(message: str, name: str, test: bool) -> None:  # noqa: FBT001
    survey = make_survey().model_copy(update={"message": message, "display_name": name, "test": test})

    fields = wire.encode(survey)

    assert fields.get("message", "") == message
    assert fields.get("display_name", "") == name
    assert fields["test"] == str(test).lower()


# receipts


def test_the_example_in_the_documentation_of_x_is_a_receipt() -> None:
    assert decipher_receipt(feedback_json()) == RECEIPT.model_dump()


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
def test_all_spellings_of_a_receipt_are_equal(other: dict[str, object]) -> None:
    assert decipher_receipt(feedback_json(**other)) == RECEIPT.model_dump()


def test_x_does_not_say_by_which_transport_a_survey_was_sent() -> None:
    assert decipher_receipt(feedback_json(transport="x_link"))["transport"] == "x_card"


@pytest.mark.parametrize("missing", [{"external_id": None}, {"external_id": ""}])
def test_a_receipt_without_an_external_id_has_an_empty_one(missing: dict[str, object]) -> None:
    assert decipher_receipt(feedback_json(**missing))["external_id"] == ""


@pytest.mark.parametrize("number", range(1, 13))
def test_every_month_is_parsed(number: int) -> None:
    assert wire.parse_date(f"Mon {MONTHS[number - 1]} 05 01:02:03 +0000 2026") == datetime(
        2026, number, 5, 1, 2, 3, tzinfo=UTC
    )


@given(
    st.datetimes(datetime(2006, 3, 21), datetime(2100, 1, 1)),  # noqa: DTZ001 - the offset is given apart
    st.integers(-14 * 60, 14 * 60),
    st.sampled_from(WEEKDAYS),
    st.sampled_from(["{} {} {} {} {} {}", "{}{}{}{}{}{}"]),
)
def test_any_date_is_parsed_with_and_without_spaces(
    at: datetime, minutes: int, weekday: str, spelling: str
) -> None:
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
def test_an_invalid_date_makes_the_outcome_uncertain(date: object) -> None:
    assert type(decipher_error(200, feedback_json(created_at=date))) is Unconfirmed


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>Over capacity</body></html>",
        feedback_json()[:-1],
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
        feedback_json(id=None),
        feedback_json(id=""),
        feedback_json(id="abc"),
        feedback_json(id="\u0661\u0662"),
        feedback_json(id=-1),
        feedback_json(id=1.5),
        feedback_json(id=True),
        feedback_json(id=["1"]),
        feedback_json(dm_id=None),
        feedback_json(to_user_id={}),
        feedback_json(question_variant_id="three"),
        feedback_json(question_variant_id=None),
        error_json(88),
    ],
)
@pytest.mark.parametrize("status", [200, 201, 204])
def test_an_unreadable_success_makes_the_outcome_uncertain(status: int, body: bytes) -> None:
    error = decipher_error(status, body)

    assert type(error) is Unconfirmed
    assert len(str(error)) < 2000


@given(st.integers(100, 599), st.binary(max_size=60) | JSON.map(json.dumps).map(str.encode))
def test_any_response_is_a_receipt_or_an_x_error(status: int, body: bytes) -> None:
    error = decipher_error(status, body)

    assert isinstance(error, Uncertain) or not 200 <= status < 300
    assert error.advice


@given(st.sampled_from([*EXAMPLE_FEEDBACK]), JSON)
def test_any_invalid_field_is_a_receipt_or_uncertain(name: str, value: object) -> None:
    try:
        wire.decipher(200, {}, feedback_json(**{name: value}))
    except Uncertain:
        assert name in Receipt.model_fields


@given(st.integers(400, 599), JSON, JSON)
def test_any_malformed_error_is_an_x_error(status: int, code: object, message: object) -> None:
    for errors_ in ([{"code": code, "message": message}], [message], message, {"code": code}):
        assert isinstance(decipher_error(status, json.dumps({"errors": errors_}).encode()), TransportError)


# errors

EXPECTED_KINDS = [
    (401, 32, refusals.InvalidCredentials),
    (403, 32, refusals.InvalidCredentials),
    (401, 89, refusals.InvalidCredentials),
    (403, 89, refusals.InvalidCredentials),
    (401, 135, refusals.ClockSkew),
    (401, 416, refusals.AppSuspended),
    (403, 87, refusals.NotAllowed),
    (403, 220, refusals.NotAllowed),
    (403, 453, refusals.NotAllowed),
    (403, 93, refusals.NotAllowed),
    (403, 261, refusals.NotAllowed),
    (400, 215, refusals.NotSigned),
    (403, 38, refusals.ParameterMissing),
    (403, 63, refusals.RecipientSuspended),
    (404, 34, refusals.RecipientUnknown),
    (404, 50, refusals.RecipientUnknown),
    (404, 108, refusals.RecipientUnknown),
    (403, 64, refusals.SenderSuspended),
    (403, 326, refusals.SenderLocked),
    (403, 150, refusals.RecipientClosed),
    (403, 349, refusals.RecipientClosed),
    (403, 151, refusals.MessageRejected),
    (403, 214, refusals.RecipientClosed),
    (403, 226, refusals.LooksAutomated),
    (403, 476, refusals.TakesVerifiedOnly),
    (403, 354, refusals.MessageTooLong),
    (403, 999, refusals.RefusedByX),
    (400, None, refusals.RefusedByX),
    (410, 4000, refusals.RefusedByX),
]


@pytest.mark.parametrize(("status", "code", "kind"), EXPECTED_KINDS)
def test_each_error_code_raises_its_refusal(status: int, code: int | None, kind: type[Refused]) -> None:
    error = decipher_error(status, error_json(code))

    assert type(error) is kind
    assert error.api_message == "Words of X."
    assert f"{status}" in str(error)
    assert code is None or f"code {code}" in str(error)


def test_a_recipient_who_does_not_follow_is_not_mistaken_for_a_locked_sender() -> None:
    body = error_json(326, "You cannot send messages to users who are not following you.")

    assert type(decipher_error(403, body)) is refusals.RecipientDoesNotFollow


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"title": "Unauthorized", "detail": "Unauthorized"}'])
def test_a_401_without_a_code_means_invalid_credentials(body: bytes) -> None:
    assert type(decipher_error(401, body)) is refusals.InvalidCredentials


def test_every_code_has_one_meaning() -> None:
    plain = [code for row in REFUSALS if row.message_pattern is None for code in row.codes]

    assert len(plain) == len(set(plain))
    assert set(plain) == {code for _, code, kind in EXPECTED_KINDS if kind is not refusals.RefusedByX}


def test_every_error_has_its_own_advice() -> None:
    sentences = [
        *(kind().sentence() for kind in REFUSALS),
        XBusy.advice,
        Unanswered.advice,
        Unconfirmed.advice,
    ]

    assert len(set(sentences)) == len(REFUSALS) + 3
    assert all(sentence.endswith(".") and len(sentence) < 250 for sentence in sentences)


def test_every_error_of_the_account_has_its_own_fix_for_operators() -> None:
    fixes = [kind.fix for kind in ACCOUNT_REFUSALS.values()]

    assert len(set(fixes)) == len(fixes)
    assert all(fix.endswith(".") and "admin" not in fix for fix in fixes)


def test_the_docstring_draws_the_whole_tree_of_errors() -> None:
    kinds: list[type[TransportError]] = [
        TransportError,
        Refused,
        errors.XRefusal,
        errors.AccountRefused,
        XBusy,
        errors.RateLimited,
        errors.Unreadable,
        Unanswered,
        Unconfirmed,
        errors.InvalidFeedback,
        *REFUSALS,
    ]

    assert {kind.__name__ for kind in kinds} <= set(str(errors.__doc__).split())


@pytest.mark.parametrize(
    ("status", "code"), [(403, 151), (403, 349), (403, 38), (403, 999), (400, None), (403, 214)]
)
def test_the_api_message_is_quoted_where_it_helps(status: int, code: int | None) -> None:
    error = decipher_error(status, error_json(code, "Because of this."))

    assert isinstance(error, Refused)
    assert error.sentence() == f"{error.advice} X says: “Because of this.”"


def test_without_an_api_message_only_the_advice_is_shown() -> None:
    error = decipher_error(400, b"<html>")

    assert isinstance(error, Refused)
    assert error.sentence() == error.advice


def test_a_long_api_message_is_cut() -> None:
    error = decipher_error(403, error_json(999, "w" * 10_000))

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
def test_a_rate_limit_error_says_when_the_exhausted_window_resets(
    status: int, code: int | None, headers: dict[str, str], until: datetime | None
) -> None:
    error = decipher_error(status, error_json(code), headers)

    limited = errors.DailyLimitReached if until == LATER else errors.RateLimited
    assert type(error) is (XBusy if status == 503 else limited)
    assert error.until == until


@given(st.integers(100, 599), st.text("0123456789-. ", max_size=14))
def test_an_invalid_reset_is_ignored(status: int, reset: str) -> None:
    headers = {"x-rate-limit-remaining": "0", "x-rate-limit-reset": reset}

    assert isinstance(decipher_error(status, b"", headers), TransportError)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, error_json(131)),
        (500, error_json(32)),
        (500, b""),
        (502, b"<html>Bad gateway</html>"),
        (504, b""),
        (301, b""),
        (100, b""),
    ],
)
def test_a_server_error_makes_the_outcome_uncertain(status: int, body: bytes) -> None:
    assert type(decipher_error(status, body)) is (Unanswered if status == 504 else Unconfirmed)


# users


def decipher_user_error(status: int, body: bytes) -> TransportError:
    with pytest.raises(TransportError) as raised:
        wire.decipher_user(status, {}, body)
    return raised.value


@pytest.mark.parametrize(
    ("fields", "receives"),
    [({}, None), ({"receives_your_dm": True}, True), ({"receives_your_dm": False}, False)],
)
def test_a_user_has_an_id_a_handle_and_perhaps_a_hint(
    fields: dict[str, object],
    receives: bool | None,  # noqa: FBT001
) -> None:
    account = wire.decipher_user(200, {}, user_json(**fields))

    assert account == wire.Account(id="42", handle="Grace", receives_dm=receives)
    assert account.recipient == XAccount(handle="Grace", id="42")


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
        (200, {"errors": [NOT_FOUND]}, refusals.RecipientUnknown),
        (200, {"errors": [SUSPENDED]}, refusals.RecipientSuspended),
        (200, {"data": None, "errors": [SUSPENDED]}, refusals.RecipientSuspended),
        (404, {"errors": [{"code": 50, "message": "User not found."}]}, refusals.RecipientUnknown),
        (404, {"title": "Not Found Error", "detail": "Not found"}, refusals.RecipientUnknown),
        (404, "<html>", refusals.RecipientUnknown),
        (403, {"errors": [{"code": 63, "message": "User has been suspended."}]}, refusals.RecipientSuspended),
        (401, {"title": "Unauthorized"}, refusals.InvalidCredentials),
        (402, {"title": "CreditsDepleted"}, refusals.OutOfCredit),
        (403, {"title": "Client Forbidden"}, refusals.RefusedByX),
        (429, {"title": "Too Many Requests"}, errors.RateLimited),
        (503, {}, XBusy),
        (500, {}, Unconfirmed),
        (200, {}, XBusy),
        (200, [], errors.Unreadable),
        (200, {"data": {}}, errors.Unreadable),
        (200, {"data": {"id": "x", "username": "grace"}}, errors.Unreadable),
        (200, {"data": []}, errors.Unreadable),
        (200, {"errors": []}, XBusy),
        (200, {"errors": "none"}, errors.Unreadable),
    ],
)
def test_a_look_up_without_a_user_raises_its_error(
    status: int, body: object, kind: type[TransportError]
) -> None:
    assert type(decipher_user_error(status, json.dumps(body).encode())) is kind


@given(st.integers(100, 599), JSON, JSON)
def test_any_response_to_a_look_up_is_an_account_or_an_x_error(
    status: int, data: object, problems: object
) -> None:
    for body in (data, {"data": data, "errors": problems}, {"data": {"id": data, "username": problems}}):
        with contextlib.suppress(TransportError):
            assert wire.decipher_user(status, {}, json.dumps(body).encode()).id.isdecimal()


def test_a_survey_without_a_recipient_id_is_encoded_without_one() -> None:
    survey = Survey.from_draft(make_draft(recipient="@grace"), CATALOGUE)

    assert "to_user_id" not in wire.encode(survey)
