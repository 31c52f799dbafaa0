from datetime import UTC, datetime
from urllib.parse import parse_qsl, unquote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csat.x_api import wire
from csat.x_api.signing import OAuth1
from sandbox.x import Keys as SandboxKeys
from sandbox.x.errors import ApiError
from sandbox.x.oauth_verification import SignatureVerifier, parse_authorization
from tests.factories import NOON, make_survey
from tests.x_examples import EXAMPLE_KEYS, make_credentials

NONCE = "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg"
SIGNATURES = {"api.x.com": "Ls93hJiZbQ3akF3HF3x1Bz8/zU4=", "api.twitter.com": "hCtSmYh+iHYCEqBWrE7C7hYmtUk="}
"""The example in X's documentation, "creating a signature", for the new host and the old one."""


def sign(keys: SandboxKeys, now: datetime, request: httpx.Request) -> str:
    """Return the Authorization header of a request."""
    return str(next(OAuth1(make_credentials(keys), lambda: now).auth_flow(request)).headers["Authorization"])


def verify(request: httpx.Request) -> None:
    """Verify a request signed at noon as X does."""
    url = str(request.url.copy_with(query=None))
    sent = [part.decode() for part in (request.url.query, request.content)]
    parameters = [
        pair for part in sent for pair in parse_qsl(part, keep_blank_values=True, strict_parsing=bool(part))
    ]
    authorization = request.headers["Authorization"]

    SignatureVerifier(EXAMPLE_KEYS, lambda: NOON).verify(request.method, url, authorization, parameters)


@pytest.mark.parametrize("host", SIGNATURES)
def test_the_example_in_the_documentation_of_x_is_signed_as_documented(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oauthlib.oauth1.rfc5849.generate_nonce", lambda: NONCE)
    status = {"status": "Hello Ladies + Gentlemen, a signed OAuth request!"}
    url = f"https://{host}/1.1/statuses/update.json?include_entities=true"

    header = sign(
        EXAMPLE_KEYS, datetime.fromtimestamp(1318622958, UTC), httpx.Request("POST", url, data=status)
    )

    assert parse_authorization(header) == {
        "oauth_consumer_key": EXAMPLE_KEYS.consumer_key,
        "oauth_nonce": NONCE,
        "oauth_signature": SIGNATURES[host],
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": "1318622958",
        "oauth_token": EXAMPLE_KEYS.token,
        "oauth_version": "1.0",
    }


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.text(
    "a+ %&=*~!'()\"\\\r\n🎉é", max_size=30
)


@given(st.dictionaries(TEXT, TEXT, min_size=1, max_size=5), st.sampled_from(["", "?a=1&b=%20+%26"]))
def test_the_signature_of_any_form_is_valid(form: dict[str, str], query: str) -> None:
    request = httpx.Request("POST", f"https://api.twitter.com/1.1/feedback/create.json{query}", data=form)

    signed_request = next(OAuth1(make_credentials(EXAMPLE_KEYS), lambda: NOON).auth_flow(request))

    verify(signed_request)


@given(TEXT)
def test_json_is_not_part_of_what_is_signed(text: str) -> None:
    url = "https://api.twitter.com/2/dm_conversations/with/42/messages"
    header = sign(EXAMPLE_KEYS, NOON, httpx.Request("POST", url, json={"text": text}))

    verify(httpx.Request("POST", url, headers={"Authorization": header}))
    assert "oauth_body_hash" not in parse_authorization(header)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.twitter.com/2/users/me",
        "https://api.twitter.com/2/users/by/username/grace?user.fields=receives_your_dm",
        "https://proxy.example:8443/x/2/users/me",
        "http://127.0.0.1:8765/2/users/me",
    ],
)
def test_the_signature_of_a_get_request_is_valid(url: str) -> None:
    request = httpx.Request("GET", url)

    verify(next(OAuth1(make_credentials(EXAMPLE_KEYS), lambda: NOON).auth_flow(request)))


def test_a_survey_has_a_valid_signature_that_covers_its_fields() -> None:
    survey = make_survey(
        message="1 + 1 = 2 & 100 %\n\n“naïve” ~*'()! 👩‍👩‍👧", display_name="Café & Co + é", external_id="a=b"
    )
    url = "https://api.twitter.com/1.1/feedback/create.json"
    request = httpx.Request("POST", url, data=wire.encode(survey))
    header = sign(EXAMPLE_KEYS, NOON, request)
    verify(request)

    changed = httpx.Request("POST", url, data=wire.encode(survey) | {"to_user_id": "2"})
    changed.headers["Authorization"] = header

    with pytest.raises(ApiError):
        verify(changed)


def test_every_request_has_its_own_nonce() -> None:
    request = httpx.Request("GET", "https://api.twitter.com/2/users/me")

    nonces = {parse_authorization(sign(EXAMPLE_KEYS, NOON, request))["oauth_nonce"] for _ in range(20)}

    assert len(nonces) == 20


def test_secrets_are_neither_sent_nor_printed() -> None:
    header = unquote(sign(EXAMPLE_KEYS, NOON, httpx.Request("GET", "https://api.twitter.com/2/users/me")))
    printed = repr(make_credentials(EXAMPLE_KEYS))

    assert EXAMPLE_KEYS.consumer_secret not in header
    assert EXAMPLE_KEYS.token_secret not in header
    assert not any(secret in printed for secret in vars(EXAMPLE_KEYS).values())
