"""The tokens in the links to the rating page: derived from a secret and stored nowhere.

A token is the base64url of the survey's number and of 16 bytes of an HMAC-SHA256, behind the digit of its
version. Whoever has it can answer the survey.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence

VERSION = "1"
MAX_SURVEY_ID = 2**63 - 1

_MAC_BYTES = 16
_TOKEN = re.compile(rf"{VERSION}([A-Za-z0-9_-]{{23,32}})")


def make_token(secret: str, survey_id: int) -> str:
    """Return the token of a survey, always the same: 24 to 33 characters that are safe in a URL."""
    number = survey_id.to_bytes(max(1, (survey_id.bit_length() + 7) // 8))
    return VERSION + base64.urlsafe_b64encode(_mac(secret, survey_id) + number).decode().rstrip("=")


def make_link(public_url: str, secret: str, survey_id: int) -> str:
    """Return the link to a survey's page."""
    return f"{public_url}/r/{make_token(secret, survey_id)}"


def read_token(secrets: Sequence[str], token: str) -> int | None:
    """Return the survey whose token was made with one of the secrets; `None` for any other text."""
    if not (match := _TOKEN.fullmatch(token)):
        return None
    try:
        raw = base64.urlsafe_b64decode(match[1] + "=" * (-len(match[1]) % 4))
    except binascii.Error:
        return None
    survey_id = int.from_bytes(raw[_MAC_BYTES:])
    if not 0 < survey_id <= MAX_SURVEY_ID:
        return None
    made = (make_token(secret, survey_id) for secret in secrets)
    return survey_id if any(hmac.compare_digest(token, other) for other in made) else None


def _mac(secret: str, survey_id: int) -> bytes:
    text = f"csat-link-v{VERSION}|{survey_id}"
    return hmac.digest(secret.encode(), text.encode(), hashlib.sha256)[:_MAC_BYTES]
