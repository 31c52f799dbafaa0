"""OAuth 1.0a as X checks it: HMAC-SHA1, in the Authorization header (RFC 5849)."""

import base64
import hashlib
import hmac
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from urllib.parse import quote, unquote

from cachetools import TTLCache

from sandbox.x.errors import Refusal
from sandbox.x.people import Keys

Pairs = Sequence[tuple[str, str]]

TOLERANCE = timedelta(minutes=5)
"""How far the clock of a client may be off, either way."""

REQUIRED = frozenset(
    {
        "oauth_consumer_key",
        "oauth_nonce",
        "oauth_signature",
        "oauth_signature_method",
        "oauth_timestamp",
        "oauth_token",
    }
)

_SECONDS = re.compile("[0-9]{1,12}")

NO_CREDENTIALS = (400, 215, "Bad Authentication data.")
WRONG = (401, 32, "Could not authenticate you.")
OUT_OF_BOUNDS = (401, 135, "Timestamp out of bounds.")


def base_string(method: str, url: str, parameters: Iterable[tuple[str, str]]) -> str:
    """Join what is signed: the method, the URL without its query, and every parameter, sorted."""
    pairs = sorted((_encoded(name), _encoded(value)) for name, value in parameters)
    return "&".join(
        [method.upper(), _encoded(url), _encoded("&".join(f"{name}={value}" for name, value in pairs))]
    )


def signature(base: str, consumer_secret: str, token_secret: str) -> str:
    """Sign a base string with both secrets."""
    key = f"{_encoded(consumer_secret)}&{_encoded(token_secret)}"
    return base64.b64encode(hmac.new(key.encode(), base.encode(), hashlib.sha1).digest()).decode()


def credentials(authorization: str | None) -> dict[str, str]:
    """Read the `oauth_...` parameters of an Authorization header, or refuse with 400 / 215."""
    scheme, _, rest = (authorization or "").partition(" ")
    pairs = [part.strip().partition("=") for part in rest.split(",")]
    found = [(unquote(name), unquote(value.strip('"'))) for name, _, value in pairs if name != "realm"]
    once = max(Counter(name for name, _ in found).values(), default=0) == 1
    if scheme.lower() != "oauth" or not once or not dict(found).keys() >= REQUIRED:
        raise Refusal(*NO_CREDENTIALS)
    return dict(found)


class Verifier:
    """Lets in whoever signs with `keys`, once per nonce, by a clock that is nearly right."""

    def __init__(self, keys: Keys, clock: Callable[[], datetime]) -> None:
        self._keys = keys
        self._clock = clock
        # A timestamp may be ahead by the tolerance, and stays good until it is behind by it.
        self._nonces: TTLCache[tuple[str, str], bool] = TTLCache(
            math.inf, 2 * TOLERANCE.total_seconds() + 1, timer=lambda: clock().timestamp()
        )

    def verify(self, method: str, url: str, authorization: str | None, parameters: Pairs) -> None:
        """Pass a well signed request; raise Refusal otherwise (400 / 215, 401 / 32 or 401 / 135)."""
        oauth = credentials(authorization)
        self._check_identity(oauth)
        given = oauth.pop("oauth_signature")
        base = base_string(method, url, [*parameters, *oauth.items()])
        expected = signature(base, self._keys.consumer_secret, self._keys.token_secret)
        if not _same(given, expected):
            raise Refusal(*WRONG)
        self._check_time(oauth["oauth_timestamp"])
        self._check_nonce(oauth["oauth_timestamp"], oauth["oauth_nonce"])

    def _check_identity(self, oauth: dict[str, str]) -> None:
        known = _same(oauth["oauth_consumer_key"], self._keys.consumer_key)
        known &= _same(oauth["oauth_token"], self._keys.token)
        understood = (
            oauth["oauth_signature_method"] == "HMAC-SHA1" and oauth.get("oauth_version", "1.0") == "1.0"
        )
        if not (known and understood):
            raise Refusal(*WRONG)

    def _check_time(self, timestamp: str) -> None:
        now = self._clock().timestamp()
        if not _SECONDS.fullmatch(timestamp) or abs(now - int(timestamp)) > TOLERANCE.total_seconds():
            raise Refusal(*OUT_OF_BOUNDS)

    def _check_nonce(self, timestamp: str, nonce: str) -> None:
        if not nonce or (timestamp, nonce) in self._nonces:
            raise Refusal(*WRONG)
        self._nonces[timestamp, nonce] = True


def _encoded(text: str) -> str:
    return quote(text, safe="-._~")


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
