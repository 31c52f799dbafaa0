"""The HTTP client of X's API."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, MutableMapping
from datetime import datetime
from typing import TypeVar

import aiohttp
import httpx
from cachetools import TTLCache

from csat.clock import Clock, utc_now
from csat.outgoing_request_timing import Observe, Timed, ignore
from csat.surveys.receipt import Receipt
from csat.surveys.recipients import Recipient
from csat.surveys.responses import Update
from csat.surveys.survey import Survey
from csat.surveys.transport_errors import Refused, Uncertain
from csat.timeouts import Timeouts
from csat.x_api import direct_message_wire, feedback_wire, wire
from csat.x_api.direct_message_wire import Message
from csat.x_api.error_explanations import explain
from csat.x_api.errors import AccountRefused, Unanswered, Unreadable, XBusy
from csat.x_api.refusals import (
    AppNotEnrolled,
    LookUpRefused,
    OutOfCredit,
    RecipientSuspended,
    RecipientUnknown,
)
from csat.x_api.signing import Credentials, OAuth1
from csat.x_api.size_limited_transport import ACCEPT_ENCODING, BoundedTransport

CONNECTION_LIMITS = httpx.Limits(max_connections=32, max_keepalive_connections=32)

CACHE_SIZE = 10_000
ACCOUNT_TTL_SECONDS = 24 * 3600.0
"""How long a handle is assumed to belong to the same account: each look-up costs money."""
RECEIVES_DM_TTL_SECONDS = 60.0

_CONNECTION_FAILED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
"""The only errors after which the request surely was not sent."""

_OF_ERRNO = (aiohttp.ClientOSError, aiohttp.ClientConnectorError)
"""Errors that say by their `errno` what has happened."""

T = TypeVar("T")
Decipher = Callable[[int, Mapping[str, str], bytes], T]
"""Returns what a response with a status, headers and a body holds; raises `TransportError`."""

log = logging.getLogger(__name__)


def open_http_client(
    credentials: Credentials, base_url: str, timeouts: Timeouts, clock: Clock = utc_now
) -> httpx.AsyncClient:
    """Return a client that signs its requests; call this inside the event loop, and close the client."""
    return httpx.AsyncClient(
        base_url=base_url,
        auth=OAuth1(credentials, clock),
        timeout=httpx.Timeout(timeouts.x_call, connect=timeouts.x_connect, pool=timeouts.x_free_connection),
        transport=BoundedTransport(limits=CONNECTION_LIMITS),
        headers={"User-Agent": "csat-slack", "Accept-Encoding": ACCEPT_ENCODING},
    )


class XClient:
    """The endpoints of X's API that the app uses; all failures are raised as a `TransportError`.

    Args:
        http: a client that signs its requests, with X's base URL.
        observe: observes each request, by the name of its method here.
        works_unenrolled: whether surveys can be sent although the app is not enrolled in the API that looks
            up handles and sends direct messages, as feedback cards can.
    """

    def __init__(
        self, http: httpx.AsyncClient, observe: Observe = ignore, *, works_unenrolled: bool = True
    ) -> None:
        self._http = http
        self._call_timeout = http.timeout.read  # that of httpx begins anew with each byte
        self._observe = observe
        self._works_unenrolled = works_unenrolled
        self._refusals: dict[str, type[AccountRefused]] = {}
        self._accounts: MutableMapping[str, wire.Account] = TTLCache(CACHE_SIZE, ACCOUNT_TTL_SECONDS)
        self.own_handle = ""
        """The handle of the account that sends the surveys, in lower case; "" until X has named it."""
        self._receives_dm: MutableMapping[str, bool | None] = TTLCache(CACHE_SIZE, RECEIVES_DM_TTL_SECONDS)

    async def create_feedback(self, survey: Survey) -> Receipt:
        """Send a survey (POST feedback/create); not idempotent.

        Raises:
            Refused: X will not deliver the survey.
            RetryLater: the survey was not delivered.
            Uncertain: the survey may have been delivered.
        """
        path, form = "/1.1/feedback/create.json", wire.encode(survey)
        return await self._post("create_feedback", path, wire.decipher, data=form)

    async def send_message(self, recipient_id: str, text: str) -> Message:
        """Send a direct message (POST /2/dm_conversations/with/:id/messages); not idempotent.

        Raises:
            Refused: X will not deliver the message.
            RetryLater: the message was not delivered.
            Uncertain: the message may have been delivered.
        """
        path = f"/2/dm_conversations/with/{recipient_id}/messages"
        return await self._post("send_message", path, direct_message_wire.decipher_sent, json={"text": text})

    async def find_message(self, recipient_id: str, url: str, since: datetime) -> Message | None:
        """Return the message to a recipient that links to `url`, if X lists it; raises `TransportError`.

        Reads the conversation (GET /2/dm_conversations/with/:id/dm_events) back to `since`, but only its last
        `PAGE_SIZE` * `MAX_PAGES` messages. None does not prove that there is no such message: X does not list
        those of encrypted conversations.
        """
        path, params = (
            f"/2/dm_conversations/with/{recipient_id}/dm_events",
            dict(direct_message_wire.LIST_PARAMS),
        )
        for _ in range(direct_message_wire.MAX_PAGES):
            page = await self._get_again("find_message", path, params, direct_message_wire.decipher_messages)
            if message := page.find(recipient_id, url):
                return message
            if page.reaches(since) or not page.meta.next_token:
                break
            params["pagination_token"] = page.meta.next_token
        return None

    async def look_up_user(self, recipient: Recipient) -> wire.Account:
        """Return the account of a handle (GET /2/users/by/username), from the cache if it is fresh.

        Raises:
            RecipientUnknown, RecipientSuspended: there is no such account, or it is suspended.
            AccountRefused: X refuses the app's surveys for the same reason.
            LookUpRefused: X does not let the app look up handles.
            RetryLater: X is busy or can't be reached.
        """
        handle = str(recipient.handle).lower()
        if account := self._accounts.get(handle):
            return account.model_copy(update={"receives_dm": self._receives_dm.get(handle)})
        path, params = f"/2/users/by/username/{handle}", {"user.fields": "receives_your_dm"}
        try:
            account = await self._get_user("look_up_user", path, params)
        except (RecipientUnknown, RecipientSuspended):
            raise
        except Refused as error:
            if isinstance(error, AccountRefused) and self._concerns_surveys(error):
                raise
            raise LookUpRefused(str(error), api_message=error.api_message, raw=error.raw) from error
        self._accounts[handle], self._receives_dm[handle] = account, account.receives_dm
        return account

    def _concerns_surveys(self, error: AccountRefused) -> bool:
        """Return True if X refuses surveys too for which it refuses a look-up."""
        needs_enrolment = isinstance(error, AppNotEnrolled) and not self._works_unenrolled
        return error.concerns_all_requests or isinstance(error, OutOfCredit) or needs_enrolment

    def find_known_id(self, recipient: Recipient) -> str | None:
        """Return a recipient's id without asking X, if it is part of it or in the cache."""
        account = self._accounts.get(str(recipient.handle).lower())
        return recipient.id or (account.id if account else None)

    async def show_feedback(self, feedback_id: str) -> Update:
        """Return the current state of a survey (GET feedback/show); raises `TransportError`."""
        path = f"/1.1/feedback/show/{feedback_id}.json"
        return await self._get("show_feedback", path, {}, feedback_wire.decipher_feedback)

    async def list_events(self, begin: datetime, end: datetime) -> AsyncIterator[feedback_wire.EventsPage]:
        """Yield the pages of feedback events in a period (GET feedback/events); raises `TransportError`.

        Args:
            begin: the first moment of the period.
            end: the last one, at least 24 hours ago.
        """
        milliseconds = {"from_time": begin, "to_time": end}
        params = {name: str(int(moment.timestamp() * 1000)) for name, moment in milliseconds.items()}
        while params:
            path = "/1.1/feedback/events.json"
            page = await self._get("list_events", path, params, feedback_wire.decipher_events)
            yield page
            params = {"cursor": page.next_cursor} if page.next_cursor else {}

    async def get_account(self, account_id: str) -> wire.Account:
        """Return the account with an id (GET /2/users/:id); raises `TransportError`."""
        return await self._get_user("get_account", f"/2/users/{account_id}", {})

    async def get_me(self) -> wire.Account:
        """Return the account that the credentials belong to (GET /2/users/me); raises `TransportError`."""
        account = await self._get_user("get_me", "/2/users/me", {})
        self.own_handle = account.handle.lower()
        return account

    async def _get_user(self, name: str, path: str, params: dict[str, str]) -> wire.Account:
        return await self._get_again(name, path, params, wire.decipher_user)

    async def _get_again(self, name: str, path: str, params: dict[str, str], decipher: Decipher[T]) -> T:
        """Send a GET request that can be repeated whatever happens to it, as it has no effect."""
        try:
            return await self._get(name, path, params, decipher)
        except Uncertain as error:
            raise XBusy(str(error), api_message=error.api_message, raw=error.raw) from error

    async def _get(self, name: str, path: str, params: dict[str, str], decipher: Decipher[T]) -> T:
        with self._observed(name):
            try:
                async with asyncio.timeout(self._call_timeout):
                    response = await self._http.get(path, params=params)
            except (httpx.HTTPError, aiohttp.ClientError, TimeoutError) as error:
                kind = Unreadable if isinstance(error, httpx.DecodingError) else XBusy
                raise kind(_name(error), raw=str(error)) from error
            return decipher(response.status_code, response.headers, response.content)

    async def _post(
        self,
        name: str,
        path: str,
        decipher: Decipher[T],
        *,
        data: Mapping[str, str] | None = None,
        json: Mapping[str, str] | None = None,
    ) -> T:
        with self._observed(name):
            try:
                async with asyncio.timeout(self._call_timeout):
                    response = await self._http.post(path, data=data, json=json)
            except (httpx.HTTPError, aiohttp.ClientError, TimeoutError) as error:
                kind = XBusy if isinstance(error.__cause__, _CONNECTION_FAILED) else Unanswered
                raise kind(_name(error), raw=str(error)) from error
            return decipher(response.status_code, response.headers, response.content)

    @contextlib.contextmanager
    def _observed(self, name: str) -> Iterator[None]:
        """Observe a request; log why X refuses those of the account, once until X accepts one again."""
        try:
            with Timed(self._observe, name):
                yield
        except AccountRefused as error:
            refused = "every request" if error.concerns_all_requests else name
            if self._refusals.get(refused) is not type(error):
                self._refusals[refused] = type(error)
                log.error("X refuses %s: %s. Run python app.py check", refused, explain(error))  # noqa: TRY400
            raise
        for accepted in (name, "every request"):
            self._refusals.pop(accepted, None)


def _name(error: Exception) -> str:
    """Return the name of an error, or of its cause if no connection was made or it broke.

    httpx_aiohttp calls those causes a `ConnectTimeout`.
    """
    cause = error.__cause__
    if isinstance(cause, aiohttp.ServerTimeoutError) or not isinstance(cause, aiohttp.ClientConnectionError):
        return type(error).__name__
    if isinstance(cause, aiohttp.ClientOSError) and type(cause) in _OF_ERRNO:
        return type(OSError(cause.errno, cause.strerror)).__name__  # the subclass of its errno
    return type(cause).__name__
