import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

import aiohttp
import httpx
import pytest
from aiohttp.client_reqrep import ConnectionKey
from cachetools import TTLCache

from csat.surveys.recipients import Recipient
from csat.x_api.client import XClient, open_http_client
from csat.x_api.errors import (
    InvalidCredentials,
    LookUpRefused,
    RecipientClosed,
    RecipientSuspended,
    RecipientUnknown,
    RetryLater,
    Uncertain,
    XError,
)
from tests.factories import make_survey
from tests.test_signing import EXAMPLE, keys
from tests.test_wire import RECEIPT, answer, refusal, user

Reply = Callable[[httpx.Request], httpx.Response]
Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

GRACE = Recipient(handle="Grace")
PLACE = ConnectionKey("x.test", 443, True, True, None, None, None)  # noqa: FBT003 - aiohttp's own


@contextlib.asynccontextmanager
async def answered_by(reply: Reply) -> AsyncIterator[XClient]:
    """Return a client of an X that answers each request so."""
    async with httpx.AsyncClient(base_url="https://x.test", transport=httpx.MockTransport(reply)) as http:
        yield XClient(http)


def always(status: int, body: bytes | str | dict[str, object] = b"") -> Reply:
    content = json.dumps(body) if isinstance(body, dict) else body
    return lambda _: httpx.Response(status, content=content)


def failing(error: Exception, cause: Exception | None = None) -> Reply:
    def fail(_: httpx.Request) -> httpx.Response:
        raise error from cause

    return fail


# sending


async def test_a_survey_is_posted_as_a_form_and_answered_with_a_receipt() -> None:
    requests = []

    def reply(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, content=answer())

    async with answered_by(reply) as x:
        receipt = await x.create_feedback(make_survey())

    assert receipt.model_dump() == RECEIPT.model_dump()
    assert [(request.method, request.url.path) for request in requests] == [
        ("POST", "/1.1/feedback/create.json")
    ]
    assert requests[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert b"type=csat&to_user_id=343434343434&message=How+did+we+do%3F" in requests[0].content


OUTCOMES: dict[str, tuple[Reply, type[XError]]] = {
    "refused": (always(403, refusal(349)), RecipientClosed),
    "too many": (always(429, refusal(88)), RetryLater),
    "an error of X": (always(500, refusal(131)), Uncertain),
    "a page": (always(200, "<html>"), Uncertain),
    "sent elsewhere": (
        lambda _: httpx.Response(302, headers={"location": "https://elsewhere.test"}),
        Uncertain,
    ),
    "sent nowhere": (lambda _: httpx.Response(302, headers={"location": "http://[bad"}), Uncertain),
    "no answer": (failing(httpx.ReadTimeout("slow")), Uncertain),
    "not written": (failing(httpx.WriteTimeout("slow")), Uncertain),
    "cut off": (failing(httpx.ReadError("cut")), Uncertain),
    "gibberish": (failing(httpx.RemoteProtocolError("gibberish")), Uncertain),
    "slow": (failing(httpx.ConnectTimeout("slow")), Uncertain),
    "no connection": (failing(httpx.ConnectError("no")), Uncertain),
    "out of time": (failing(TimeoutError()), Uncertain),
    "a cut answer": (failing(aiohttp.ClientPayloadError("cut")), Uncertain),
    "closed after hearing": (
        failing(httpx.ConnectTimeout("x"), aiohttp.ServerDisconnectedError()),
        Uncertain,
    ),
    "reset": (failing(httpx.ConnectTimeout("x"), aiohttp.ClientOSError(104, "reset")), Uncertain),
    "an answer that stops": (failing(httpx.ReadTimeout("x"), aiohttp.SocketTimeoutError()), Uncertain),
    "refused by the port": (
        failing(httpx.ConnectError("x"), aiohttp.ClientConnectorError(PLACE, OSError(111, "refused"))),
        RetryLater,
    ),
    "no such host": (
        failing(httpx.ConnectError("x"), aiohttp.ClientConnectorDNSError(PLACE, OSError(-2, "?"))),
        RetryLater,
    ),
    "no free connection": (failing(httpx.ConnectTimeout("x"), aiohttp.ConnectionTimeoutError()), RetryLater),
}


@pytest.mark.parametrize(("reply", "kind"), OUTCOMES.values(), ids=OUTCOMES)
async def test_what_becomes_of_a_survey_is_known_or_said_to_be_unknown(
    reply: Reply, kind: type[XError]
) -> None:
    async with answered_by(reply) as x:
        with pytest.raises(XError) as error:
            await x.create_feedback(make_survey())

    assert type(error.value) is kind


@contextlib.asynccontextmanager
async def listening(converse: Conversation) -> AsyncIterator[str]:
    """Serve one conversation per connection, and yield where."""
    ended = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended.append(end := asyncio.Event())
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await converse(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        end.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for end in ended:
            await end.wait()


async def heard(reader: asyncio.StreamReader) -> None:
    """Read one request with its body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    await reader.readexactly(int(head.partition("content-length: ")[2].partition("\r\n")[0]))


async def close_at_once(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def close_after_hearing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await heard(reader)


async def answer_by_half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await heard(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + answer())
    await writer.drain()


async def answer_gibberish(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await heard(reader)
    writer.write(b"\x00\x01\x02 nonsense\r\n\r\n")
    await writer.drain()


async def answer_badly_packed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await heard(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope")
    await writer.drain()


async def never_answer(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await heard(reader)
    await reader.read()


@pytest.mark.parametrize(
    "converse",
    [close_at_once, close_after_hearing, answer_by_half, answer_gibberish, answer_badly_packed, never_answer],
)
async def test_a_survey_that_left_without_an_answer_is_uncertain(
    converse: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    if converse is never_answer:
        monkeypatch.setattr("csat.x_api.client.CALL_TIMEOUT_SECONDS", 0.1)

    async with listening(converse) as url, open_http_client(keys(EXAMPLE), url) as http:
        with pytest.raises(Uncertain):
            await XClient(http).create_feedback(make_survey())


async def test_a_survey_that_could_not_leave_waits() -> None:
    async with listening(close_at_once) as url:
        pass

    async with open_http_client(keys(EXAMPLE), url) as http:
        with pytest.raises(RetryLater):
            await XClient(http).create_feedback(make_survey())


async def test_a_survey_is_sent_once_even_where_the_connection_breaks() -> None:
    times = 0

    async def count(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        nonlocal times
        await heard(reader)
        times += 1

    async with listening(count) as url, open_http_client(keys(EXAMPLE), url) as http:
        with pytest.raises(Uncertain):
            await XClient(http).create_feedback(make_survey())

    assert times == 1


# looking people up


class Directory:
    """X's user look-up, which counts how often it is asked."""

    def __init__(self, status: int = 200, body: bytes = user(receives_your_dm=True)) -> None:
        self.asked: list[str] = []
        self.status = status
        self.body = body

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.url.path}?{request.url.query.decode()}")
        return httpx.Response(self.status, content=self.body)


async def test_a_handle_is_looked_up_with_the_hint() -> None:
    directory = Directory()
    async with answered_by(directory) as x:
        account = await x.look_up_user(GRACE)

    assert directory.asked == ["/2/users/by/username/grace?user.fields=receives_your_dm"]
    assert (account.id, account.handle, account.receives_dm) == ("42", "Grace", True)


async def test_the_id_is_remembered_for_a_day_and_the_hint_for_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    monkeypatch.setattr("csat.x_api.client.TTLCache", partial(TTLCache, timer=lambda: now))
    directory = Directory()

    async with answered_by(directory) as x:
        first = await x.look_up_user(GRACE)
        now = 59
        soon = await x.look_up_user(Recipient(handle="GRACE"))
        now = 61
        later = await x.look_up_user(GRACE)
        now = 86_399
        same_day = await x.look_up_user(GRACE)
        asked = len(directory.asked)
        now = 86_401
        next_day = await x.look_up_user(GRACE)

    hints = [account.receives_dm for account in (first, soon, later, same_day, next_day)]
    assert hints == [True, True, None, None, True]
    assert {account.id for account in (first, soon, later, same_day, next_day)} == {"42"}
    assert (asked, len(directory.asked)) == (1, 2)


async def test_who_is_not_found_is_not_remembered() -> None:
    directory = Directory(404)
    async with answered_by(directory) as x:
        with pytest.raises(RecipientUnknown):
            await x.look_up_user(GRACE)
        directory.status = 200

        assert (await x.look_up_user(GRACE)).id == "42"


LOOK_UPS: dict[str, tuple[Reply, type[XError]]] = {
    "wrong keys": (always(401, {"title": "Unauthorized", "detail": "Unauthorized"}), LookUpRefused),
    "no credit": (always(402, {"title": "CreditsDepleted", "detail": "No credits"}), LookUpRefused),
    "not enrolled": (always(403, {"title": "Client Forbidden"}), LookUpRefused),
    "not allowed": (always(403, refusal(453)), LookUpRefused),
    "suspended, by code": (always(403, refusal(63)), RecipientSuspended),
    "not found": (always(404), RecipientUnknown),
    "not found, by words": (always(200, {"errors": [{"detail": "Could not find user"}]}), RecipientUnknown),
    "suspended, by words": (
        always(200, {"errors": [{"detail": "User has been suspended: [grace]."}]}),
        RecipientSuspended,
    ),
    "a page": (always(200, "<html>"), RetryLater),
    "too many": (always(429), RetryLater),
    "an error of X": (always(500), RetryLater),
    "over capacity": (always(503), RetryLater),
    "sent elsewhere": (always(302), RetryLater),
    "no answer": (failing(httpx.ReadTimeout("slow")), RetryLater),
    "no connection": (failing(httpx.ConnectError("no")), RetryLater),
    "out of time": (failing(TimeoutError()), RetryLater),
    "a cut answer": (failing(aiohttp.ClientPayloadError("cut")), RetryLater),
}


@pytest.mark.parametrize(("reply", "kind"), LOOK_UPS.values(), ids=LOOK_UPS)
async def test_a_look_up_that_fails_is_refused_or_asked_again(reply: Reply, kind: type[XError]) -> None:
    async with answered_by(reply) as x:
        with pytest.raises(XError) as error:
            await x.look_up_user(GRACE)

    assert type(error.value) is kind


async def test_x_s_words_are_kept_when_it_refuses_to_look_up() -> None:
    async with answered_by(always(402, {"detail": "No credits left."})) as x:
        with pytest.raises(LookUpRefused) as error:
            await x.look_up_user(GRACE)

    assert error.value.api_message == "No credits left."
    assert "numeric id" in error.value.sentence()


async def test_the_keys_tell_whose_account_they_are() -> None:
    directory = Directory(body=user(username="Northwind"))
    async with answered_by(directory) as x:
        account = await x.get_me()

    assert directory.asked == ["/2/users/me?"]
    assert account.handle == "Northwind"


async def test_keys_that_are_wrong_are_told_as_such() -> None:
    async with answered_by(always(401, {"title": "Unauthorized"})) as x:
        with pytest.raises(InvalidCredentials):
            await x.get_me()
