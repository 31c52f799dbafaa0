"""OAuth 1.0a as verified by X: HMAC-SHA1 in the Authorization header (RFC 5849)."""

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

from sandbox.x.accounts import Keys
from sandbox.x.errors import ApiError

Pairs = Sequence[tuple[str, str]]

MAX_CLOCK_SKEW = timedelta(minutes=5)

REQUIRED_PARAMETERS = frozenset(
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

BAD_AUTHENTICATION_DATA = (400, 215, "Bad Authentication data.")
COULD_NOT_AUTHENTICATE = (401, 32, "Could not authenticate you.")
TIMESTAMP_OUT_OF_BOUNDS = (401, 135, "Timestamp out of bounds.")


def build_base_string(method: str, url: str, parameters: Iterable[tuple[str, str]]) -> str:
    """Return the string to sign: the method, the URL without its query, and all parameters, sorted."""
    pairs = sorted((_percent_encode(name), _percent_encode(value)) for name, value in parameters)
    joined = "&".join(f"{name}={value}" for name, value in pairs)
    return "&".join([method.upper(), _percent_encode(url), _percent_encode(joined)])


def sign(base_string: str, consumer_secret: str, token_secret: str) -> str:
    """Return the signature of a base string."""
    key = f"{_percent_encode(consumer_secret)}&{_percent_encode(token_secret)}"
    return base64.b64encode(hmac.new(key.encode(), base_string.encode(), hashlib.sha1).digest()).decode()


def parse_authorization(header: str | None) -> dict[str, str]:
    """Return the `oauth_...` parameters of an Authorization header; raise ApiError (400 / 215) if invalid."""
    scheme, _, rest = (header or "").partition(" ")
    pairs = [part.strip().partition("=") for part in rest.split(",")]
    found = [(unquote(name), unquote(value.strip('"'))) for name, _, value in pairs if name != "realm"]
    are_unique = max(Counter(name for name, _ in found).values(), default=0) == 1
    if scheme.lower() != "oauth" or not are_unique or not dict(found).keys() >= REQUIRED_PARAMETERS:
        raise ApiError(*BAD_AUTHENTICATION_DATA)
    return dict(found)


class SignatureVerifier:
    """Verify the keys, signature, timestamp and nonce of requests."""

    def __init__(self, keys: Keys, clock: Callable[[], datetime]) -> None:
        self._keys = keys
        self._clock = clock
        # A timestamp ahead by the maximum skew is valid until it is behind by as much.
        self._nonces: TTLCache[tuple[str, str], bool] = TTLCache(
            math.inf, 2 * MAX_CLOCK_SKEW.total_seconds() + 1, timer=lambda: clock().timestamp()
        )

    def verify(self, method: str, url: str, authorization: str | None, parameters: Pairs) -> None:
        """Raise ApiError unless the request is signed correctly (400 / 215, 401 / 32 or 401 / 135)."""
        oauth = parse_authorization(authorization)
        self._check_identity(oauth)
        given = oauth.pop("oauth_signature")
        base_string = build_base_string(method, url, [*parameters, *oauth.items()])
        expected = sign(base_string, self._keys.consumer_secret, self._keys.token_secret)
        if not _equals(given, expected):
            raise ApiError(*COULD_NOT_AUTHENTICATE)
        self._check_timestamp(oauth["oauth_timestamp"])
        self._check_nonce(oauth["oauth_timestamp"], oauth["oauth_nonce"])

    def _check_identity(self, oauth: dict[str, str]) -> None:
        is_known = _equals(oauth["oauth_consumer_key"], self._keys.consumer_key)
        is_known &= _equals(oauth["oauth_token"], self._keys.token)
        is_supported = (
            oauth["oauth_signature_method"] == "HMAC-SHA1" and oauth.get("oauth_version", "1.0") == "1.0"
        )
        if not (is_known and is_supported):
            raise ApiError(*COULD_NOT_AUTHENTICATE)

    def _check_timestamp(self, timestamp: str) -> None:
        now = self._clock().timestamp()
        if not _SECONDS.fullmatch(timestamp) or abs(now - int(timestamp)) > MAX_CLOCK_SKEW.total_seconds():
            raise ApiError(*TIMESTAMP_OUT_OF_BOUNDS)

    def _check_nonce(self, timestamp: str, nonce: str) -> None:
        if not nonce or (timestamp, nonce) in self._nonces:
            raise ApiError(*COULD_NOT_AUTHENTICATE)
        self._nonces[timestamp, nonce] = True


def _percent_encode(text: str) -> str:
    return quote(text, safe="-._~")


def _equals(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(), right.encode())
