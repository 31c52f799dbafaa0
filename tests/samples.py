"""Surveys and drafts to test with, which vary in one field at a time, and how properties are tried."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from csat.data_files import load_catalogue
from csat.surveys.questions import Metric
from csat.surveys.recipients import Recipient
from csat.surveys.responses import Comment, Rating, Response, Update
from csat.surveys.survey import Draft, Origin, Receipt, Survey

CATALOGUE = load_catalogue()
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
LONGEST_HANDLE = "w" * 15
LARGEST_ID = "9223372036854775807"

tried = settings(deadline=None, max_examples=150, derandomize=True, database=None)
"""The same examples at every run, for a suite that fails for everybody or for nobody."""

TEXT = st.text(max_size=60) | st.text(st.sampled_from('@x.com/twi_1 \n<>|#!&;:"*'), max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def draft(**fields: Any) -> Draft:
    """Return a draft that can be sent, unless `fields` say otherwise."""
    fine = {
        "display_name": "Northwind",
        "recipient": "@grace",
        "message": "How did we do?",
        "privacy_url": "https://northwind.example/privacy",
        "external_id": "ticket_5555",
    }
    return Draft(**{**fine, **fields})


def survey(**fields: Any) -> Survey:
    """Return the survey of a draft, to somebody whose id is known."""
    asked = Survey.from_draft(draft(**fields), CATALOGUE)
    return asked.with_recipient(
        Recipient(handle=asked.recipient.handle, id=asked.recipient.id or "343434343434")
    )


def origin(**fields: Any) -> Origin:
    """Return where a survey was asked for, in a thread."""
    somewhere = {
        "team": "T012AB3CD",
        "channel": "C012AB3CD",
        "thread": "1700000000.000100",
        "requester": "U012AB3CD",
        "received_at": NOON,
    }
    return Origin(**{**somewhere, **fields})


def told(
    rating: int | None = None,
    comment: str | None = None,
    *,
    at: float = 10,
    feedback_id: str = "900",
    **others: Any,
) -> Update:
    """Return what X tells of a survey that it took at noon, answered `at` seconds later."""
    given_at = NOON + timedelta(seconds=at)
    receipt = {
        "id": feedback_id,
        "dm_id": "901",
        "to_user_id": "343434343434",
        "external_id": "ticket_5555",
        "question_variant_id": 0,
        "created_at": NOON,
        "updated_at": given_at,
    }
    receipt |= {name: others.pop(name) for name in list(others) if name in receipt}
    return Update(
        receipt=Receipt(**receipt),
        response=Response(
            rating=None if rating is None else Rating(value=rating, given_at=given_at),
            comment=None if comment is None else Comment(text=comment, given_at=given_at),
        ),
        **{"account": "A1", "metric": Metric.CSAT, **others},
    )
