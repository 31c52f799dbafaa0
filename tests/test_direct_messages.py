"""X's direct messages: its answers as messages or errors."""

import contextlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csat.surveys.transport_errors import Refused, RetryLater, TransportError, Uncertain
from csat.x_api import refusals
from csat.x_api.client import XClient, open_http_client
from csat.x_api.direct_message_wire import PAGE_SIZE, Message, decipher_messages, decipher_sent
from csat.x_api.errors import (
    AccountRefused,
    DailyLimitReached,
    RateLimited,
    Unanswered,
    Unconfirmed,
    Unreadable,
    XBusy,
)
from sandbox.local_asgi_server import serve
from sandbox.x import Endpoint, FakeX, Fault
from tests.strategies import JSON
from tests.timeouts import GENEROUS
from tests.x_examples import EXAMPLE_MESSAGE, SENT_MESSAGE, error_json, make_credentials, problem_json

URL = "https://support.northwind.example/r/c2VjcmV0"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PAYER = "1749023417"
"""The id of the account that pays for the app, as in X's words."""

NO_CREDIT = {
    "title": "CreditsDepleted",
    "detail": f"Your enrolled account [{PAYER}] does not have any credits to fulfill this request.",
    "type": "https://api.twitter.com/2/problems/credits",
}
USAGE_CAP = {
    "account_id": int(PAYER),
    "product_name": "standard-basic",
    "title": "UsageCapExceeded",
    "period": "Monthly",
    "scope": "Product",
    "detail": "Usage cap exceeded: Monthly product cap",
    "type": "https://api.twitter.com/2/problems/usage-capped",
}
SPEND_CAP = {
    "title": "SpendCapReached",
    "detail": f"Your enrolled account [{PAYER}] has reached its billing cycle spend cap.",
    "type": "https://api.twitter.com/2/problems/credits",
}
NOT_ENROLLED = {
    "client_id": "12262375",
    "detail": "You must use keys and tokens from a Twitter developer App that is attached to a Project.",
    "title": "Client Forbidden",
    "required_enrollment": "Appropriate Level of API Access",
    "reason": "client-not-enrolled",
    "type": "https://api.twitter.com/2/problems/client-forbidden",
}
UNSUPPORTED = {
    "title": "Unsupported Authentication",
    "detail": "Authenticating with OAuth 1.0a User Context is forbidden for this endpoint.",
    "type": "https://api.twitter.com/2/problems/unsupported-authentication",
}
NO_PERMISSION = {
    "detail": "Your client app is not configured with the appropriate oauth1 app permissions.",
    "type": "https://api.twitter.com/2/problems/oauth1-permissions",
}
CLOSED = {"detail": "You do not have permission to DM one or more participants."}
NOT_PERMITTED = {"detail": "This operation is not permitted."}
VERIFIED_ONLY = {"detail": "Sender is not verified to send message requests"}
SUSPENDED = {
    "title": "Forbidden",
    "detail": "User has been suspended: [42].",
    "type": "https://api.twitter.com/2/problems/resource-not-found",
}
NOT_FOUND = SUSPENDED | {"title": "Not Found Error", "detail": "Could not find user with id: [42]."}


def sent_error(status: int, body: bytes, headers: dict[str, str] | None = None) -> TransportError:
    with pytest.raises(TransportError) as raised:
        decipher_sent(status, headers or {}, body)
    return raised.value


def test_the_example_in_the_documentation_of_x_is_a_sent_message() -> None:
    message = decipher_sent(201, {}, json.dumps(SENT_MESSAGE).encode())

    assert message == Message(id="1346889436626259968", created_at=None)


REFUSALS: list[tuple[int, dict[str, Any], type[Refused]]] = [
    (402, NO_CREDIT, refusals.OutOfCredit),
    (402, NO_CREDIT | {"type": "https://api.x.com/2/problems/credits", "title": "?"}, refusals.OutOfCredit),
    (403, NO_CREDIT, refusals.OutOfCredit),
    (429, USAGE_CAP, refusals.OutOfCredit),
    (403, {"type": "https://api.x.com/2/problems/usage-capped"}, refusals.OutOfCredit),
    (403, SPEND_CAP, refusals.OutOfCredit),
    (403, {"detail": f"Your spending limit is reached, [{PAYER}]."}, refusals.OutOfCredit),
    (403, NOT_ENROLLED, refusals.AppNotEnrolled),
    (403, {"reason": "client-not-enrolled"}, refusals.AppNotEnrolled),
    (403, UNSUPPORTED, refusals.DirectMessagesNotAllowed),
    (403, {"title": "Unsupported Authentication"}, refusals.DirectMessagesNotAllowed),
    (403, NO_PERMISSION, refusals.DirectMessagesNotAllowed),
    (403, CLOSED, refusals.RecipientClosed),
    (403, VERIFIED_ONLY, refusals.TakesVerifiedOnly),
    (403, NOT_PERMITTED, refusals.OperationNotPermitted),
    (403, SUSPENDED, refusals.RecipientSuspended),
    (404, NOT_FOUND, refusals.RecipientUnknown),
    (401, {"title": "Unauthorized", "detail": "Unauthorized", "status": 401}, refusals.InvalidCredentials),
    (403, {"detail": "You are not permitted to perform this action."}, refusals.RefusedByX),
    (403, {"title": "Client Forbidden"}, refusals.RefusedByX),
    (400, {"title": "Invalid Request", "detail": "One or more parameters is invalid."}, refusals.RefusedByX),
    (404, {"title": "Not Found", "detail": "Not Found"}, refusals.RefusedByX),
]
"""X's answers to a direct message, and their meanings."""


@pytest.mark.parametrize(("status", "problem", "kind"), REFUSALS)
def test_each_problem_raises_its_refusal(status: int, problem: dict[str, Any], kind: type[Refused]) -> None:
    error = sent_error(status, json.dumps(problem).encode())
    among_errors = sent_error(status, json.dumps({"errors": [problem]}).encode())

    assert type(error) is type(among_errors) is kind
    assert str(error) == f"X answered {status}"


def test_code_476_means_that_the_customer_takes_messages_of_verified_accounts_only() -> None:
    error = sent_error(403, error_json(476, "Sender is not verified to send message requests"))

    assert type(error) is refusals.TakesVerifiedOnly


@pytest.mark.parametrize(
    ("status", "problem"), [row[:2] for row in REFUSALS if row[2] is refusals.OutOfCredit]
)
def test_the_id_of_the_account_that_pays_is_not_kept(status: int, problem: dict[str, Any]) -> None:
    error = sent_error(status, problem_json(**problem))

    assert PAYER not in error.detail + error.raw + error.api_message


@pytest.mark.parametrize("problem", [NO_CREDIT, NOT_ENROLLED, NO_PERMISSION])
def test_what_an_operator_has_to_fix_makes_the_surveys_of_the_account_wait(problem: dict[str, Any]) -> None:
    error = sent_error(403, problem_json(**problem))

    assert isinstance(error, AccountRefused)
    assert error.is_retryable
    assert not error.concerns_all_requests


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (CLOSED, "Ask them on X to write to you first"),
        (VERIFIED_ONLY, "your brand isn't"),
        (NOT_PERMITTED, "X limits your account"),
    ],
)
def test_the_agent_reads_what_to_do_about_a_refusal(problem: dict[str, Any], words: str) -> None:
    error = sent_error(403, problem_json(**problem))

    assert isinstance(error, Refused)
    assert words in error.sentence()
    assert not error.is_retryable


RESET = "1772712000"
LATER = datetime(2026, 3, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("window", "kind"),
    [
        ("x-rate-limit", RateLimited),
        ("x-user-limit-24hour", DailyLimitReached),
        ("x-app-limit-24hour", DailyLimitReached),
    ],
)
def test_a_rate_limit_says_when_it_resets(window: str, kind: type[RetryLater]) -> None:
    body = problem_json(title="Too Many Requests", detail="Too Many Requests", status=429)

    error = sent_error(429, body, {f"{window}-remaining": "0", f"{window}-reset": RESET})

    assert type(error) is kind
    assert isinstance(error, RetryLater)
    assert error.until == LATER


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (500, problem_json(**CLOSED), Unconfirmed),
        (500, problem_json(**NO_CREDIT), Unconfirmed),
        (502, b"<html>", Unconfirmed),
        (504, b"", Unanswered),
        (302, b"", Unconfirmed),
        (201, b"", Unconfirmed),
        (201, b"<html>", Unconfirmed),
        (201, b"{}", Unconfirmed),
        (201, b'{"data": {}}', Unconfirmed),
        (201, b'{"data": {"dm_event_id": null}}', Unconfirmed),
        (201, b'{"data": {"dm_event_id": "abc"}}', Unconfirmed),
        (201, problem_json(**CLOSED), Unconfirmed),
        (503, b"", XBusy),
    ],
)
def test_an_answer_that_confirms_nothing_is_uncertain_or_tried_again(
    status: int, body: bytes, kind: type[TransportError]
) -> None:
    assert type(sent_error(status, body)) is kind


def page_json(*messages: dict[str, object], **meta: object) -> bytes:
    return json.dumps(
        {"data": [EXAMPLE_MESSAGE | message for message in messages], "meta": {"result_count": 1, **meta}}
    ).encode()


LINK = {"entities": {"urls": [{"url": "https://t.co/abcdefghij", "expanded_url": URL}]}}


@pytest.mark.parametrize(
    ("message", "found"),
    [
        (LINK, True),
        (LINK | {"created_at": None}, True),
        (LINK | {"sender_id": "42"}, False),
        ({"entities": {"urls": [{"expanded_url": f"{URL}x"}]}}, False),
        ({"entities": {"urls": [{"url": URL}]}}, False),
        ({"entities": {}}, False),
        ({"text": URL}, False),
    ],
)
def test_only_our_own_message_with_the_link_is_found(message: dict[str, object], *, found: bool) -> None:
    page = decipher_messages(200, {}, page_json({"text": "Hi"}, message))

    assert bool(page.find("42", URL)) is found


def test_a_conversation_can_be_empty() -> None:
    page = decipher_messages(200, {}, b'{"meta": {"result_count": 0}}')

    assert page.find("42", URL) is None
    assert not page.reaches(NOON)
    assert page.meta.next_token == ""


def test_a_page_reaches_a_moment_with_a_message_before_it() -> None:
    page = decipher_messages(200, {}, page_json({}, {"created_at": "2026-03-02T11:59:59.999Z"}))

    assert page.reaches(NOON)
    assert not page.reaches(NOON - timedelta(seconds=1))


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"{}", page_json({"id": None}), page_json({"created_at": "2026-03-02T12:00:00"})],
)
def test_a_page_that_can_not_be_read_is_an_error_without_what_people_wrote(body: bytes) -> None:
    with pytest.raises(Unreadable) as raised:
        decipher_messages(200, {}, body)

    assert raised.value.detail == "X answered 200, unreadable"


BODIES = st.binary(max_size=60) | JSON.map(json.dumps).map(str.encode)


@given(st.integers(100, 599), BODIES)
def test_any_answer_to_a_message_is_an_x_error(status: int, body: bytes) -> None:
    error = sent_error(status, body)

    assert isinstance(error, Uncertain) or not 200 <= status < 300


@given(st.integers(400, 499), st.dictionaries(st.sampled_from(["type", "title", "detail", "errors"]), JSON))
def test_any_malformed_problem_is_an_x_error(status: int, problem: dict[str, object]) -> None:
    assert isinstance(sent_error(status, json.dumps(problem).encode()), TransportError)


@given(st.sampled_from([*EXAMPLE_MESSAGE, "entities"]), JSON)
def test_any_invalid_field_of_a_listed_message_is_a_page_or_unreadable(name: str, value: object) -> None:
    try:
        page = decipher_messages(200, {}, page_json({name: value}))
    except Unreadable:
        return
    page.find("42", URL)
    page.reaches(NOON)


# between the client and the fake X

ADA = "1820000000000000011"


@contextlib.asynccontextmanager
async def client_of(x: FakeX) -> AsyncIterator[XClient]:
    async with serve(x.app) as url, open_http_client(make_credentials(x.keys), url, GENEROUS) as http:
        yield XClient(http)


async def test_a_message_with_a_link_is_delivered_and_found_again() -> None:
    x = FakeX()
    async with client_of(x) as client:
        sent = await client.send_message(ADA, f"1 + 1 = 2 & 100 % “naïve” 🛫\n{URL}")
        found = await client.find_message(ADA, URL, datetime.now(UTC) - timedelta(minutes=5))
        other = await client.find_message(ADA, f"{URL}x", datetime.now(UTC) - timedelta(minutes=5))

    (message,) = x.messages.sent
    assert message.text == f"1 + 1 = 2 & 100 % “naïve” 🛫\n{URL}"
    assert sent == Message(id=message.id)
    assert found == Message(id=message.id, created_at=found.created_at if found else None)
    assert found.created_at
    assert abs(found.created_at - message.at) < timedelta(milliseconds=1)
    assert other is None


async def test_a_message_is_found_after_an_uncertain_delivery() -> None:
    x = FakeX()
    x.fail(Fault.GATEWAY_TIMEOUT_AFTER, Endpoint.SEND_MESSAGE)
    async with client_of(x) as client:
        with pytest.raises(Unanswered):
            await client.send_message(ADA, URL)
        found = await client.find_message(ADA, URL, datetime.now(UTC) - timedelta(minutes=5))

    assert found
    assert found.id == x.messages.sent[0].id


async def test_a_message_is_found_behind_later_ones() -> None:
    x = FakeX()
    x.send_message(ADA, URL)
    for number in range(2 * PAGE_SIZE):
        x.send_message(ADA, str(number))
    async with client_of(x) as client:
        assert await client.find_message(ADA, URL, datetime.now(UTC) - timedelta(minutes=5))


FAULTS: dict[Fault, type[TransportError]] = {
    Fault.WRONG_KEYS: refusals.InvalidCredentials,
    Fault.NO_CREDIT: refusals.OutOfCredit,
    Fault.USAGE_CAPPED: refusals.OutOfCredit,
    Fault.SPENDING_LIMIT: refusals.OutOfCredit,
    Fault.NOT_ENROLLED: refusals.AppNotEnrolled,
    Fault.UNSUPPORTED_AUTHENTICATION: refusals.DirectMessagesNotAllowed,
    Fault.NO_MESSAGE_PERMISSION: refusals.DirectMessagesNotAllowed,
    Fault.NOT_OPEN_TO_MESSAGES: refusals.RecipientClosed,
    Fault.OPERATION_NOT_PERMITTED: refusals.OperationNotPermitted,
    Fault.VERIFIED_ONLY: refusals.TakesVerifiedOnly,
    Fault.RATE_LIMITED: RateLimited,
    Fault.DAILY_LIMIT: DailyLimitReached,
    Fault.APP_DAILY_LIMIT: DailyLimitReached,
    Fault.OVER_CAPACITY: XBusy,
    Fault.INTERNAL_ERROR: Unconfirmed,
    Fault.GATEWAY_TIMEOUT: Unanswered,
    Fault.RESET_AFTER: Unanswered,
    Fault.IDS_MISSING: Unconfirmed,
    Fault.OVERSIZED: Unanswered,
    Fault.HTML: Unconfirmed,
}


@pytest.mark.parametrize(("fault", "kind"), FAULTS.items())
async def test_each_fault_of_x_raises_its_error(fault: Fault, kind: type[TransportError]) -> None:
    x = FakeX()
    x.fail(fault, Endpoint.SEND_MESSAGE)
    async with client_of(x) as client:
        with pytest.raises(TransportError) as raised:
            await client.send_message(ADA, URL)

    assert type(raised.value) is kind
