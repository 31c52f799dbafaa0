"""The tokens in the links to the rating page: derived from secrets and stored nowhere.

A token is the digit of its version and the base64url of 16 bytes of an HMAC-SHA256, the second in which the
survey was accepted, and the survey's number. The second tells surveys with the same number apart, as SQLite
gives one again after a prune or from a backup. Whoever has the token can answer the survey.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from csat.surveys.rating_link_secret import RatingLinkSecret

VERSION = "1"
MAX_SURVEY_ID = 2**63 - 1

PROOF_PATH = "/r/check"
"""Where the page shows its proof, as what is no token."""

_MAC_BYTES = 16
_SECOND_BYTES = 4
_TOKEN = re.compile(rf"{VERSION}([A-Za-z0-9_-]{{28,38}})")


class LinkedSurvey(NamedTuple):
    """The survey that a token is for."""

    survey_id: int
    accepted_second: int
    """When it was accepted, in whole seconds since 1970."""


def make_token(secret: str, survey_id: int, accepted_at: datetime) -> str:
    """Return the token of a survey, always the same: 29 to 39 characters that are safe in a URL."""
    return _make_token(secret, LinkedSurvey(survey_id, int(accepted_at.timestamp())))


def make_link(
    public_url: str, secrets: Sequence[RatingLinkSecret], survey_id: int, accepted_at: datetime
) -> str:
    """Return the link to a survey's page; `secrets` are all, the newest first."""
    secret = choose_secret(secrets, int(accepted_at.timestamp()))
    return f"{public_url}/r/{make_token(secret, survey_id, accepted_at)}"


def choose_secret(secrets: Sequence[RatingLinkSecret], accepted_second: int) -> str:
    """Return the secret of the surveys that were accepted in a second; the oldest one if theirs is gone."""
    suitable = (secret.value for secret in secrets if secret.since.timestamp() <= accepted_second)
    return next(suitable, secrets[-1].value)


def read_token(secrets: Sequence[RatingLinkSecret], token: str) -> LinkedSurvey | None:
    """Return the survey of a token that was made with the secret for it; `None` for any other text."""
    if not (match := _TOKEN.fullmatch(token)):
        return None
    try:
        raw = base64.urlsafe_b64decode(match[1] + "=" * (-len(match[1]) % 4))
    except binascii.Error:
        return None
    second, number = raw[_MAC_BYTES:][:_SECOND_BYTES], raw[_MAC_BYTES + _SECOND_BYTES :]
    survey = LinkedSurvey(int.from_bytes(number), int.from_bytes(second))
    if not 0 < survey.survey_id <= MAX_SURVEY_ID:
        return None
    made = _make_token(choose_secret(secrets, survey.accepted_second), survey)
    return survey if hmac.compare_digest(token, made) else None


def make_proof(secret: str) -> str:
    """Return a text by which a page shows that the links with a secret are its own; it makes no link."""
    return hmac.digest(secret.encode(), b"csat-link-proof", hashlib.sha256).hex()


def _make_token(secret: str, survey: LinkedSurvey) -> str:
    number = survey.survey_id.to_bytes((survey.survey_id.bit_length() + 7) // 8)
    content = survey.accepted_second.to_bytes(_SECOND_BYTES) + number
    text = f"csat-link-v{VERSION}|{survey.survey_id}|{survey.accepted_second}"
    mac = hmac.digest(secret.encode(), text.encode(), hashlib.sha256)[:_MAC_BYTES]
    return VERSION + base64.urlsafe_b64encode(mac + content).decode().rstrip("=")
