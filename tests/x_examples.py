"""Requests, responses and keys as X documents them."""

import json
from datetime import UTC, datetime

from csat.surveys.receipt import Receipt
from csat.surveys.transports import TransportName
from csat.x_api.signing import Credentials
from sandbox.x import Keys as SandboxKeys

EXAMPLE_FEEDBACK = {
    "created_at": "SatDec1517:58:20+00002015",
    "updated_at": "SatDec1517:59:22+00002015",
    "id": "123456789",
    "type": "nps",
    "test": False,
    "dm_id": "8989898989",
    "from_user_id": "1212121212121",
    "to_user_id": "343434343434",
    "privacy_url": "https://mybusiness.domain/privacy",
    "external_id": "ticket_5555",
    "question_variant_id": "3",
    "display_name": "MyBusinessName",
}
"""The example result in X's documentation of POST feedback/create."""
RECEIPT = Receipt(
    transport=TransportName.X_CARD,
    id="123456789",
    dm_id="8989898989",
    external_id="ticket_5555",
    to_user_id="343434343434",
    question_variant_id=3,
    created_at=datetime(2015, 12, 15, 17, 58, 20, tzinfo=UTC),
    updated_at=datetime(2015, 12, 15, 17, 59, 22, tzinfo=UTC),
)
SENT_MESSAGE = {"data": {"dm_conversation_id": "123123123-456456456", "dm_event_id": "1346889436626259968"}}
"""The example response in X's documentation of POST dm_conversations/with/:participant_id/messages."""
EXAMPLE_MESSAGE = {
    "id": "1582838499983564806",
    "event_type": "MessageCreate",
    "text": "How did we do? https://t.co/abcdefghij",
    "sender_id": "944480690",
    "created_at": "2026-03-02T12:00:00.000Z",
}
"""A direct message as X lists it."""
EXAMPLE_KEYS = SandboxKeys(
    "xvz1evFS4wEEPTGEFPHBog",
    "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
    "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb",
    "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE",
)


def feedback_json(**fields: object) -> bytes:
    return json.dumps(EXAMPLE_FEEDBACK | fields).encode()


def message_json(**fields: object) -> bytes:
    return json.dumps(EXAMPLE_MESSAGE | fields).encode()


def problem_json(**fields: object) -> bytes:
    """Return a problem of API v2."""
    problem = {"type": "about:blank", "title": "Forbidden", "status": 403, "detail": "Forbidden."}
    return json.dumps(problem | fields).encode()


def error_json(code: int | None, message: str = "Words of X.") -> bytes:
    return json.dumps({"errors": [{"code": code, "message": message}]}).encode()


def user_json(**fields: object) -> bytes:
    return json.dumps({"data": {"id": "42", "name": "Grace", "username": "Grace", **fields}}).encode()


def make_credentials(keys: SandboxKeys) -> Credentials:
    return Credentials.model_validate(
        {
            "api_key": keys.consumer_key,
            "api_secret": keys.consumer_secret,
            "access_token": keys.token,
            "access_token_secret": keys.token_secret,
        }
    )
