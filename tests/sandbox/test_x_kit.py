"""A client of the pretend X that signs with oauthlib, at a time of the test's choosing."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import urlencode

import httpx
from oauthlib.oauth1 import Client

from sandbox.x import FakeX, Keys

BASE = "https://api.x.test"
NOON = datetime(2026, 3, 2, 12, 0, 0, tzinfo=UTC)

ORDER = {
    "type": "csat",
    "to_user_id": "1820000000000000011",
    "message": "Thanks for flying with us! How did we do? + = & % 100 % é 🛫",
    "privacy_url": "https://nimbus.example/privacy",
}

FORM = "application/x-www-form-urlencoded"

Verb = Literal["GET", "POST"]

_nonces = itertools.count(1)


class Clock:
    """Time that stands still until told."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


def authorization(
    keys: Keys, method: Verb, url: str, body: str, at: datetime, nonce: str | None = None
) -> str:
    """Sign as the app does: with oauthlib."""
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


class Sender:
    """The business that sends surveys, and its X."""

    def __init__(self, base: str = BASE, x: FakeX | None = None) -> None:
        self.clock = Clock()
        self.x = x or FakeX(self.clock)
        self.base = base

    async def create(self, **changes: str | None) -> httpx.Response:
        """Send a good survey with some parameters changed, or left out (None)."""
        order = {name: value for name, value in (ORDER | changes).items() if value is not None}
        return await self.post("/1.1/feedback/create.json", order)

    async def created(self, **changes: str | None) -> str:
        """Send a survey that X takes, and return its id."""
        return str((await self.create(**changes)).json()["id"])

    async def post(self, path: str, form: dict[str, str] | str, *, query: str = "") -> httpx.Response:
        """Post a signed form."""
        body = form if isinstance(form, str) else urlencode(form)
        return await self.send("POST", f"{path}{query}", body)

    async def post_as_customer(self, path: str, form: dict[str, str]) -> httpx.Response:
        """Post a form as the customer's phone does: unsigned."""
        return await self.unsigned("POST", path, urlencode(form), {"content-type": FORM})

    async def get(self, path: str, **params: str) -> httpx.Response:
        """Get a signed address."""
        return await self.send("GET", f"{path}?{urlencode(params)}" if params else path)

    async def send(
        self, method: Verb, path: str, body: str = "", *, content_type: str = FORM, authorized: str = ""
    ) -> httpx.Response:
        """Send a signed request, by `authorized` if that is given; only a form is signed."""
        form = body if content_type == FORM else ""
        url = f"{self.base}{path}"
        headers = {
            "authorization": authorized or authorization(self.x.keys, method, url, form, self.clock.now),
            "content-type": content_type,
        }
        return await self.unsigned(method, path, body, headers)

    async def unsigned(
        self, method: Verb, path: str, body: str = "", headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """Send a request as it is."""
        transport = httpx.ASGITransport(self.x.app) if self.base == BASE else None
        async with httpx.AsyncClient(transport=transport, timeout=0.2) as client:
            return await client.request(method, f"{self.base}{path}", content=body.encode(), headers=headers)


def refusal(response: httpx.Response) -> tuple[int, int]:
    """The HTTP status and X's code."""
    return response.status_code, response.json()["errors"][0]["code"]


def words(response: httpx.Response) -> str:
    """X's message."""
    return str(response.json()["errors"][0]["message"])
