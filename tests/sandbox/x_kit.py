"""A client of the fake X that signs with oauthlib, and a clock set by the test."""

import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import urlencode

import httpx
from oauthlib.oauth1 import Client

from sandbox.x import FakeX, Keys

BASE_URL = "https://api.x.test"
NOON = datetime(2026, 3, 2, 12, 0, 0, tzinfo=UTC)

PARAMS = {
    "type": "csat",
    "to_user_id": "1820000000000000011",
    "message": "Thanks for flying with us! How did we do? + = & % 100 % é 🛫",
    "privacy_url": "https://nimbus.example/privacy",
}

ADA_ID = "1820000000000000011"
FORM = "application/x-www-form-urlencoded"

Verb = Literal["GET", "POST"]

_nonces = itertools.count(1)


class Clock:
    """A clock that stands still until it is advanced."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


def sign_request(
    keys: Keys, method: Verb, url: str, body: str, at: datetime, nonce: str | None = None
) -> str:
    """Return an Authorization header signed by oauthlib."""
    signer = Client(
        keys.consumer_key,
        keys.consumer_secret,
        keys.token,
        keys.token_secret,
        nonce=nonce or f"nonce{next(_nonces)}",
        timestamp=str(int(at.timestamp())),
    )
    _, headers, _ = signer.sign(url, method, body or None, {"Content-Type": FORM} if body else None)
    return str(headers["Authorization"])


class ApiClient:
    """An API client of a fake X, in-process or over HTTP."""

    def __init__(self, base_url: str = BASE_URL, x: FakeX | None = None) -> None:
        self.clock = Clock()
        self.x = x or FakeX(self.clock)
        self.base_url = base_url

    async def create(self, **changes: str | None) -> httpx.Response:
        """Send a valid survey with some parameters changed, or omitted (None)."""
        params = {name: value for name, value in (PARAMS | changes).items() if value is not None}
        return await self.post("/1.1/feedback/create.json", params)

    async def create_feedback(self, **changes: str | None) -> str:
        """Send a valid survey, and return its id."""
        return str((await self.create(**changes)).json()["id"])

    async def send_message(self, text: object = "How did we do?", to: str = ADA_ID) -> httpx.Response:
        """Send a direct message."""
        body = json.dumps({"text": text})
        return await self.send("POST", message_path(to), body, content_type="application/json")

    async def list_messages(self, with_user: str = ADA_ID, **params: str) -> httpx.Response:
        """List the messages of a conversation; `fields` and `types` are sent by their names in the API."""
        names = {"fields": "dm_event.fields", "types": "event_types"}
        given = {names.get(name, name): value for name, value in params.items()}
        return await self.get(f"/2/dm_conversations/with/{with_user}/dm_events", **given)

    async def post(self, path: str, form: dict[str, str] | str, *, query: str = "") -> httpx.Response:
        """Post a signed form."""
        body = form if isinstance(form, str) else urlencode(form)
        return await self.send("POST", f"{path}{query}", body)

    async def post_as_customer(self, path: str, form: dict[str, str]) -> httpx.Response:
        """Post an unsigned form, like the customer's phone."""
        return await self.send_unsigned("POST", path, urlencode(form), {"content-type": FORM})

    async def get(self, path: str, **params: str) -> httpx.Response:
        """Send a signed GET request."""
        return await self.send("GET", f"{path}?{urlencode(params)}" if params else path)

    async def send(
        self, method: Verb, path: str, body: str = "", *, content_type: str = FORM, authorization: str = ""
    ) -> httpx.Response:
        """Send a signed request; `authorization` replaces the signature, and only forms are signed."""
        form = body if content_type == FORM else ""
        url = f"{self.base_url}{path}"
        headers = {
            "authorization": authorization or sign_request(self.x.keys, method, url, form, self.clock.now),
            "content-type": content_type,
        }
        return await self.send_unsigned(method, path, body, headers)

    async def send_unsigned(
        self, method: Verb, path: str, body: str = "", headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """Send a request without signing it."""
        transport = httpx.ASGITransport(self.x.app) if self.base_url == BASE_URL else None
        async with httpx.AsyncClient(transport=transport, timeout=10) as client:
            return await client.request(
                method, f"{self.base_url}{path}", content=body.encode(), headers=headers
            )


def message_path(to: str) -> str:
    """Return the path to send a direct message to."""
    return f"/2/dm_conversations/with/{to}/messages"


def error_code(response: httpx.Response) -> tuple[int, int]:
    """Return the HTTP status and X's error code."""
    return response.status_code, response.json()["errors"][0]["code"]


def error_message(response: httpx.Response) -> str:
    """Return X's error message."""
    return str(response.json()["errors"][0]["message"])
