import asyncio
import contextlib
import gzip
import json
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import aiohttp
import httpx
import pytest
from aiohttp.client_reqrep import ConnectionKey
from cachetools import TTLCache

from csat.surveys.recipients import XAccount
from csat.surveys.transport_errors import TransportError
from csat.x_api.client import XClient, open_http_client
from csat.x_api.direct_message_wire import Message
from csat.x_api.errors import RateLimited, Unanswered, Unconfirmed, Unreadable, XBusy
from csat.x_api.refusals import (
    InvalidCredentials,
    LookUpRefused,
    OutOfCredit,
    RecipientClosed,
    RecipientSuspended,
    RecipientUnknown,
    RefusedByX,
)
from tests.factories import make_survey
from tests.timeouts import GENEROUS, WAIT_SECONDS
from tests.x_examples import (
    EXAMPLE_KEYS,
    RECEIPT,
    SENT_MESSAGE,
    error_json,
    feedback_json,
    make_credentials,
    message_json,
    user_json,
)

Responder = Callable[[httpx.Request], httpx.Response]
ConnectionHandler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

GRACE = XAccount(handle="Grace")
CONNECTION_KEY = ConnectionKey("x.test", 443, True, True, None, None, None)  # noqa: FBT003 - aiohttp's own


@contextlib.asynccontextmanager
async def client_with(respond: Responder) -> AsyncIterator[XClient]:
    """Yield a client whose requests get these responses."""
    async with httpx.AsyncClient(base_url="https://x.test", transport=httpx.MockTransport(respond)) as http:
        yield XClient(http)


def respond_with(status: int, body: bytes | str | Mapping[str, object] = b"") -> Responder:
    content = json.dumps(body) if isinstance(body, Mapping) else body
    return lambda _: httpx.Response(status, content=content)


def fail_with(error: Exception, cause: Exception | None = None) -> Responder:
    def fail(_: httpx.Request) -> httpx.Response:
        raise error from cause

    return fail


# feedback/create


async def test_a_survey_is_posted_as_a_form_and_returns_a_receipt() -> None:
    requests = []

    def respond(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, content=feedback_json())

    async with client_with(respond) as x:
        receipt = await x.create_feedback(make_survey())

    assert receipt.model_dump() == RECEIPT.model_dump()
    assert [(request.method, request.url.path) for request in requests] == [
        ("POST", "/1.1/feedback/create.json")
    ]
    assert requests[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert b"type=csat&to_user_id=343434343434&message=How+did+we+do%3F" in requests[0].content


CREATE_ERRORS: dict[str, tuple[Responder, type[TransportError]]] = {
    "refused": (respond_with(403, error_json(349)), RecipientClosed),
    "rate limit": (respond_with(429, error_json(88)), RateLimited),
    "server error": (respond_with(500, error_json(131)), Unconfirmed),
    "an HTML page": (respond_with(200, "<html>"), Unconfirmed),
    "redirect": (
        lambda _: httpx.Response(302, headers={"location": "https://elsewhere.test"}),
        Unconfirmed,
    ),
    "invalid redirect": (lambda _: httpx.Response(302, headers={"location": "http://[bad"}), Unconfirmed),
    "read timeout": (fail_with(httpx.ReadTimeout("slow")), Unanswered),
    "write timeout": (fail_with(httpx.WriteTimeout("slow")), Unanswered),
    "read error": (fail_with(httpx.ReadError("cut")), Unanswered),
    "gibberish": (fail_with(httpx.RemoteProtocolError("gibberish")), Unanswered),
    "connect timeout": (fail_with(httpx.ConnectTimeout("slow")), Unanswered),
    "connect error": (fail_with(httpx.ConnectError("no")), Unanswered),
    "call timeout": (fail_with(TimeoutError()), Unanswered),
    "truncated response": (fail_with(aiohttp.ClientPayloadError("cut")), Unanswered),
    "disconnected after the request": (
        fail_with(httpx.ConnectTimeout("x"), aiohttp.ServerDisconnectedError()),
        Unanswered,
    ),
    "connection reset": (
        fail_with(httpx.ConnectTimeout("x"), aiohttp.ClientOSError(104, "reset")),
        Unanswered,
    ),
    "stalled response": (fail_with(httpx.ReadTimeout("x"), aiohttp.SocketTimeoutError()), Unanswered),
    "connection refused": (
        fail_with(
            httpx.ConnectError("x"), aiohttp.ClientConnectorError(CONNECTION_KEY, OSError(111, "refused"))
        ),
        XBusy,
    ),
    "unknown host": (
        fail_with(httpx.ConnectError("x"), aiohttp.ClientConnectorDNSError(CONNECTION_KEY, OSError(-2, "?"))),
        XBusy,
    ),
    "connection pool timeout": (
        fail_with(httpx.ConnectTimeout("x"), aiohttp.ConnectionTimeoutError()),
        XBusy,
    ),
}


async def create_feedback(x: XClient) -> None:
    await x.create_feedback(make_survey())


async def send_message(x: XClient) -> None:
    await x.send_message("42", "How did we do?")


@pytest.mark.parametrize("send", [create_feedback, send_message])
@pytest.mark.parametrize(("respond", "kind"), CREATE_ERRORS.values(), ids=CREATE_ERRORS)
async def test_each_failure_to_send_raises_its_error(
    respond: Responder, kind: type[TransportError], send: Callable[[XClient], Awaitable[None]]
) -> None:
    async with client_with(respond) as x:
        with pytest.raises(TransportError) as error:
            await send(x)

    assert type(error.value) is kind


@contextlib.asynccontextmanager
async def tcp_server(handler: ConnectionHandler) -> AsyncIterator[str]:
    """Run a TCP server, and yield its URL."""
    ended = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended.append(end := asyncio.Event())
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await handler(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        end.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for end in ended:
            await end.wait()


async def read_request(reader: asyncio.StreamReader) -> None:
    """Read one request with its body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    await reader.readexactly(int(head.partition("content-length: ")[2].partition("\r\n")[0]))


async def close_immediately(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def close_after_request(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await read_request(reader)


async def send_half_a_response(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + feedback_json())
    await writer.drain()


async def send_gibberish(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"\x00\x01\x02 nonsense\r\n\r\n")
    await writer.drain()


async def send_invalid_gzip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope")
    await writer.drain()


async def send_nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await read_request(reader)
    await reader.read()


async def send_without_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while not reader.at_eof():
        writer.write(b" ")
        await writer.drain()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.05)


@pytest.mark.parametrize(
    "handler",
    [
        close_immediately,
        close_after_request,
        send_half_a_response,
        send_gibberish,
        send_invalid_gzip,
        send_nothing,
        send_without_end,
    ],
)
async def test_a_request_without_a_response_is_uncertain(handler: ConnectionHandler) -> None:
    timeouts = replace(GENEROUS, x_call=1) if handler in {send_nothing, send_without_end} else GENEROUS

    async with (
        tcp_server(handler) as url,
        open_http_client(make_credentials(EXAMPLE_KEYS), url, timeouts) as http,
    ):
        with pytest.raises(Unanswered):
            await asyncio.wait_for(XClient(http).create_feedback(make_survey()), WAIT_SECONDS)


async def test_a_request_that_was_not_sent_can_be_retried() -> None:
    async with tcp_server(close_immediately) as url:
        pass

    async with open_http_client(make_credentials(EXAMPLE_KEYS), url, GENEROUS) as http:
        with pytest.raises(XBusy):
            await XClient(http).create_feedback(make_survey())


@pytest.mark.parametrize("send", [create_feedback, send_message])
async def test_nothing_is_resent_after_the_connection_breaks(
    send: Callable[[XClient], Awaitable[None]],
) -> None:
    times = 0

    async def count(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        nonlocal times
        await read_request(reader)
        times += 1

    async with (
        tcp_server(count) as url,
        open_http_client(make_credentials(EXAMPLE_KEYS), url, GENEROUS) as http,
    ):
        with pytest.raises(Unanswered):
            await send(XClient(http))

    assert times == 1


@pytest.mark.parametrize(
    ("body", "encoding", "problem"),
    [
        (b" " * 2**21, "identity", "more than 1,048,576 bytes"),
        (gzip.compress(b" " * 10_000_000), "gzip", "more than 1,048,576 bytes"),
        (b"nope", "gzip", "incorrect header check"),
        (b"nope", "br", "'br' was not asked for"),
    ],
    ids=["large", "gzip bomb", "not gzip", "unknown encoding"],
)
async def test_a_response_that_can_not_be_unpacked_within_1_mb_is_an_error(
    body: bytes, encoding: str, problem: str
) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n"

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head.encode() + body)
        await writer.drain()

    tracemalloc.start()
    async with (
        tcp_server(respond) as url,
        open_http_client(make_credentials(EXAMPLE_KEYS), url, GENEROUS) as http,
    ):
        with pytest.raises(Unreadable) as error:
            await XClient(http).get_me()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert problem in error.value.detail
    assert peak < 20_000_000


async def test_a_compressed_response_is_unpacked() -> None:
    body = gzip.compress(user_json(username="Northwind"))
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head.encode() + body)
        await writer.drain()

    async with (
        tcp_server(respond) as url,
        open_http_client(make_credentials(EXAMPLE_KEYS), url, GENEROUS) as http,
    ):
        assert (await XClient(http).get_me()).handle == "Northwind"


# direct messages

URL = "https://support.northwind.example/r/c2VjcmV0"
SENT_AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


def conversation(messages: int, *, with_link: int | None = None, page_size: int = 10) -> Responder:
    """Return X's list of a conversation, with one message per minute before noon."""

    def respond(request: httpx.Request) -> httpx.Response:
        start = int(request.url.params.get("pagination_token", "0"))
        numbers = range(start, min(start + page_size, messages))
        listed = [
            json.loads(
                message_json(
                    id=str(1000 + number),
                    created_at=f"{SENT_AT - timedelta(minutes=number):%Y-%m-%dT%H:%M:%S.000Z}",
                    entities={"urls": [{"expanded_url": URL}]} if number == with_link else {},
                )
            )
            for number in numbers
        ]
        meta: dict[str, object] = {"result_count": len(listed)}
        if numbers.stop < messages:
            meta["next_token"] = str(numbers.stop)
        return httpx.Response(200, json={"data": listed, "meta": meta} if listed else {"meta": meta})

    return respond


class Recorded:
    """A responder that records its requests."""

    def __init__(self, respond: Responder) -> None:
        self.requests: list[httpx.Request] = []
        self._respond = respond

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self._respond(request)


async def test_a_message_is_posted_as_json_and_returns_its_id() -> None:
    respond = Recorded(respond_with(201, SENT_MESSAGE))
    async with client_with(respond) as x:
        message = await x.send_message("42", "How did we do? 🛫")

    (request,) = respond.requests
    assert message == Message(id="1346889436626259968")
    assert (request.method, request.url.path) == ("POST", "/2/dm_conversations/with/42/messages")
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.content) == {"text": "How did we do? 🛫"}


async def test_our_own_link_is_found_in_the_conversation() -> None:
    respond = Recorded(conversation(5, with_link=3))
    async with client_with(respond) as x:
        message = await x.find_message("42", URL, SENT_AT - timedelta(hours=1))

    (request,) = respond.requests
    assert message == Message(id="1003", created_at=SENT_AT - timedelta(minutes=3))
    assert (request.method, request.url.path) == ("GET", "/2/dm_conversations/with/42/dm_events")
    assert dict(request.url.params) == {
        "dm_event.fields": "created_at,entities,sender_id",
        "event_types": "MessageCreate",
        "max_results": "10",
    }


@pytest.mark.parametrize(
    ("messages", "minutes", "pages"),
    [(0, 60, 1), (10, 60, 1), (15, 60, 2), (25, 8, 1), (25, 9, 2), (100, 15, 2), (100, 600, 3)],
)
async def test_the_conversation_is_read_back_to_a_moment_within_bounds(
    messages: int, minutes: int, pages: int
) -> None:
    respond = Recorded(conversation(messages))
    async with client_with(respond) as x:
        message = await x.find_message("42", URL, SENT_AT - timedelta(minutes=minutes))

    assert message is None
    assert len(respond.requests) == pages


async def test_a_link_on_the_last_page_that_is_read_is_found() -> None:
    async with client_with(conversation(100, with_link=29)) as x:
        message = await x.find_message("42", URL, SENT_AT - timedelta(hours=9))

    assert message
    assert message.id == "1029"


FIND_ERRORS: dict[str, tuple[Responder, type[TransportError]]] = {
    "not found": (respond_with(404, {"title": "Not Found", "type": "about:blank"}), RefusedByX),
    "rate limit": (respond_with(429, {"title": "Too Many Requests"}), RateLimited),
    "server error": (respond_with(500), XBusy),
    "gateway timeout": (respond_with(504, "<html>"), XBusy),
    "redirect": (respond_with(302), XBusy),
    "errors without data": (respond_with(200, {"errors": [{"detail": "?"}]}), Unreadable),
    "read timeout": (fail_with(httpx.ReadTimeout("slow")), XBusy),
    "call timeout": (fail_with(TimeoutError()), XBusy),
}


@pytest.mark.parametrize(("respond", "kind"), FIND_ERRORS.values(), ids=FIND_ERRORS)
async def test_each_failure_to_read_a_conversation_raises_its_error(
    respond: Responder, kind: type[TransportError]
) -> None:
    async with client_with(respond) as x:
        with pytest.raises(TransportError) as error:
            await x.find_message("42", URL, SENT_AT)

    assert type(error.value) is kind


# user look-up


class FakeDirectory:
    """X's user look-up, which records its requests."""

    def __init__(self, status: int = 200, body: bytes = user_json(receives_your_dm=True)) -> None:
        self.requests: list[str] = []
        self.status = status
        self.body = body

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(f"{request.url.path}?{request.url.query.decode()}")
        return httpx.Response(self.status, content=self.body)


async def test_looking_up_a_handle_asks_for_the_direct_message_hint() -> None:
    directory = FakeDirectory()
    async with client_with(directory) as x:
        account = await x.look_up_user(GRACE)

    assert directory.requests == ["/2/users/by/username/grace?user.fields=receives_your_dm"]
    assert (account.id, account.handle, account.receives_dm) == ("42", "Grace", True)


async def test_the_id_is_cached_for_a_day_and_the_hint_for_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    monkeypatch.setattr("csat.x_api.client.TTLCache", partial(TTLCache, timer=lambda: now))
    directory = FakeDirectory()

    async with client_with(directory) as x:
        first = await x.look_up_user(GRACE)
        now = 59
        soon = await x.look_up_user(XAccount(handle="GRACE"))
        now = 61
        later = await x.look_up_user(GRACE)
        now = 86_399
        same_day = await x.look_up_user(GRACE)
        requests_on_the_first_day = len(directory.requests)
        now = 86_401
        next_day = await x.look_up_user(GRACE)

    hints = [account.receives_dm for account in (first, soon, later, same_day, next_day)]
    assert hints == [True, True, None, None, True]
    assert {account.id for account in (first, soon, later, same_day, next_day)} == {"42"}
    assert (requests_on_the_first_day, len(directory.requests)) == (1, 2)


async def test_an_unknown_handle_is_not_cached() -> None:
    directory = FakeDirectory(404)
    async with client_with(directory) as x:
        with pytest.raises(RecipientUnknown):
            await x.look_up_user(GRACE)
        directory.status = 200

        assert (await x.look_up_user(GRACE)).id == "42"


LOOK_UP_ERRORS: dict[str, tuple[Responder, type[TransportError]]] = {
    "wrong keys": (
        respond_with(401, {"title": "Unauthorized", "detail": "Unauthorized"}),
        InvalidCredentials,
    ),
    "no credit": (respond_with(402, {"title": "CreditsDepleted", "detail": "No credits"}), OutOfCredit),
    "not enrolled": (respond_with(403, {"title": "Client Forbidden"}), LookUpRefused),
    "not allowed": (respond_with(403, error_json(453)), LookUpRefused),
    "suspended, by code": (respond_with(403, error_json(63)), RecipientSuspended),
    "not found": (respond_with(404), RecipientUnknown),
    "not found, by message": (
        respond_with(200, {"errors": [{"detail": "Could not find user"}]}),
        RecipientUnknown,
    ),
    "suspended, by message": (
        respond_with(200, {"errors": [{"detail": "User has been suspended: [grace]."}]}),
        RecipientSuspended,
    ),
    "an HTML page": (respond_with(200, "<html>"), Unreadable),
    "rate limit": (respond_with(429), RateLimited),
    "server error": (respond_with(500), XBusy),
    "over capacity": (respond_with(503), XBusy),
    "redirect": (respond_with(302), XBusy),
    "read timeout": (fail_with(httpx.ReadTimeout("slow")), XBusy),
    "connect error": (fail_with(httpx.ConnectError("no")), XBusy),
    "call timeout": (fail_with(TimeoutError()), XBusy),
    "truncated response": (fail_with(aiohttp.ClientPayloadError("cut")), XBusy),
}


@pytest.mark.parametrize(("respond", "kind"), LOOK_UP_ERRORS.values(), ids=LOOK_UP_ERRORS)
async def test_each_failure_to_look_up_a_handle_raises_its_error(
    respond: Responder, kind: type[TransportError]
) -> None:
    async with client_with(respond) as x:
        with pytest.raises(TransportError) as error:
            await x.look_up_user(GRACE)

    assert type(error.value) is kind


async def test_a_refused_look_up_keeps_the_api_message() -> None:
    async with client_with(respond_with(403, {"detail": "Client Forbidden."})) as x:
        with pytest.raises(LookUpRefused) as error:
            await x.look_up_user(GRACE)

    assert error.value.api_message == "Client Forbidden."
    assert "numeric ID" in error.value.sentence()


async def test_get_me_returns_the_account_of_the_credentials() -> None:
    directory = FakeDirectory(body=user_json(username="Northwind"))
    async with client_with(directory) as x:
        account = await x.get_me()

    assert directory.requests == ["/2/users/me?"]
    assert account.handle == "Northwind"


async def test_get_me_raises_invalid_credentials() -> None:
    async with client_with(respond_with(401, {"title": "Unauthorized"})) as x:
        with pytest.raises(InvalidCredentials):
            await x.get_me()
