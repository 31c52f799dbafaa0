from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oauthlib.oauth1 import Client

from sandbox.x import Account, FakeX, Keys
from sandbox.x.errors import ApiError
from sandbox.x.oauth_verification import SignatureVerifier, build_base_string, sign
from tests.sandbox.x_kit import BASE_URL, NOON, ApiClient, error_code, sign_request

EXAMPLE_KEYS = Keys(
    "xvz1evFS4wEEPTGEFPHBog",
    "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
    "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb",
    "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE",
)
EXAMPLE_PARAMETERS = [
    ("include_entities", "true"),
    ("status", "Hello Ladies + Gentlemen, a signed OAuth request!"),
]
EXAMPLE_OAUTH = {
    "oauth_consumer_key": EXAMPLE_KEYS.consumer_key,
    "oauth_nonce": "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg",
    "oauth_signature_method": "HMAC-SHA1",
    "oauth_timestamp": "1318622958",
    "oauth_token": EXAMPLE_KEYS.token,
    "oauth_version": "1.0",
}
EXAMPLE_SIGNATURES = {
    "api.x.com": "Ls93hJiZbQ3akF3HF3x1Bz8/zU4=",
    "api.twitter.com": "hCtSmYh+iHYCEqBWrE7C7hYmtUk=",
}
EXAMPLE_BASE_STRING = (
    "POST&https%3A%2F%2Fapi.x.com%2F1.1%2Fstatuses%2Fupdate.json&include_entities%3Dtrue%26oauth_consumer_key"
    "%3Dxvz1evFS4wEEPTGEFPHBog%26oauth_nonce%3DkYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg%26oauth_signature_method"
    "%3DHMAC-SHA1%26oauth_timestamp%3D1318622958%26oauth_token%3D370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb"
    "%26oauth_version%3D1.0%26status%3DHello%2520Ladies%2520%252B%2520Gentlemen%252C%2520a%2520signed%2520OAuth"
    "%2520request%2521"
)
ME = "/2/users/me"
MISSING = "/1.1/feedback/show/1.json"


def example_verifier() -> SignatureVerifier:
    return SignatureVerifier(EXAMPLE_KEYS, lambda: datetime.fromtimestamp(1318622958, UTC))


def build_header(oauth: dict[str, str]) -> str:
    return "OAuth " + ", ".join(f'{name}="{urlencode({"": value})[1:]}"' for name, value in oauth.items())


def test_the_base_string_matches_x_s_example() -> None:
    url = "https://api.x.com/1.1/statuses/update.json"

    assert (
        build_base_string("post", url, [*EXAMPLE_PARAMETERS, *EXAMPLE_OAUTH.items()]) == EXAMPLE_BASE_STRING
    )


def test_the_signature_matches_x_s_example() -> None:
    made = sign(EXAMPLE_BASE_STRING, EXAMPLE_KEYS.consumer_secret, EXAMPLE_KEYS.token_secret)

    assert made == EXAMPLE_SIGNATURES["api.x.com"]


@pytest.mark.parametrize("host", EXAMPLE_SIGNATURES)
def test_x_s_example_is_accepted_for_both_hosts(host: str) -> None:
    signed = build_header(EXAMPLE_OAUTH | {"oauth_signature": EXAMPLE_SIGNATURES[host]})

    example_verifier().verify("POST", f"https://{host}/1.1/statuses/update.json", signed, EXAMPLE_PARAMETERS)


def test_x_s_example_with_a_changed_parameter_is_rejected() -> None:
    signed = build_header(EXAMPLE_OAUTH | {"oauth_signature": EXAMPLE_SIGNATURES["api.x.com"]})
    changed = [("include_entities", "true"), ("status", "Hello")]

    with pytest.raises(ApiError, match="Could not authenticate you"):
        example_verifier().verify("POST", "https://api.x.com/1.1/statuses/update.json", signed, changed)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
PAIRS = st.lists(
    st.tuples(TEXT.filter(lambda name: not name.startswith("oauth_")), TEXT), min_size=1, max_size=6
)


@settings(deadline=None)
@given(form=PAIRS, query=PAIRS, secret=TEXT.filter(bool))
def test_any_request_signed_by_oauthlib_is_accepted(
    form: list[tuple[str, str]], query: list[tuple[str, str]], secret: str
) -> None:
    url, body = "https://api.x.com/1.1/feedback/create.json", urlencode(form)
    keys = Keys("key", secret, "token", secret[::-1])
    signed = sign_request(keys, "POST", f"{url}?{urlencode(query)}", body, NOON)
    parameters = parse_qsl(urlencode(query), keep_blank_values=True) + parse_qsl(body, keep_blank_values=True)

    SignatureVerifier(keys, lambda: NOON).verify("POST", url, signed, parameters)


async def test_a_request_without_credentials_is_400_215() -> None:
    client = ApiClient()

    assert error_code(await client.send_unsigned("POST", "/1.1/feedback/create.json")) == (400, 215)


@pytest.mark.parametrize(
    "credentials",
    [
        "",
        "Bearer abc",
        "OAuth",
        'OAuth oauth_token="a"',
        'OAuth oauth_nonce="a", oauth_nonce="b"',
        "OAuth %FF=%, ,",
    ],
)
async def test_an_invalid_authorization_header_is_400_215(credentials: str) -> None:
    headers = {"authorization": credentials}
    response = await ApiClient().send_unsigned("POST", "/1.1/feedback/create.json", headers=headers)

    assert error_code(response) == (400, 215)


async def send_signed_with(client: ApiClient, keys: Keys, method: str = "HMAC-SHA1") -> tuple[int, int]:
    at = str(int(client.clock.now.timestamp()))
    signer = Client(
        keys.consumer_key,
        keys.consumer_secret,
        keys.token,
        keys.token_secret,
        signature_method=method,
        timestamp=at,
    )
    _, headers, _ = signer.sign(f"{BASE_URL}{MISSING}")
    authorization = str(headers["Authorization"])
    return error_code(await client.send("GET", MISSING, authorization=authorization))


@pytest.mark.parametrize("wrong", ["consumer_key", "consumer_secret", "token", "token_secret"])
async def test_any_wrong_key_is_401_32(wrong: str) -> None:
    client = ApiClient()
    keys = Keys(**(vars(client.x.keys) | {wrong: "wrong"}))

    assert await send_signed_with(client, keys) == (401, 32)


@pytest.mark.parametrize("method", ["PLAINTEXT", "HMAC-SHA256"])
async def test_another_signature_method_is_401_32(method: str) -> None:
    client = ApiClient()

    assert await send_signed_with(client, client.x.keys, method=method) == (401, 32)


async def test_the_correct_keys_are_accepted() -> None:
    client = ApiClient()

    assert await send_signed_with(client, client.x.keys) == (404, 34)


@pytest.mark.parametrize("seconds", [-301, 301])
async def test_a_timestamp_off_by_more_than_five_minutes_is_401_135(seconds: int) -> None:
    client = ApiClient()
    url = f"{BASE_URL}{MISSING}"
    at = datetime.fromtimestamp(NOON.timestamp() + seconds, UTC)
    signed = sign_request(client.x.keys, "GET", url, "", at)

    response = await client.send("GET", MISSING, authorization=signed)

    assert error_code(response) == (401, 135)


@pytest.mark.parametrize("seconds", [-299, 299])
async def test_a_timestamp_off_by_less_than_five_minutes_is_accepted(seconds: int) -> None:
    client = ApiClient()
    at = datetime.fromtimestamp(NOON.timestamp() + seconds, UTC)
    signed = sign_request(client.x.keys, "GET", f"{BASE_URL}{ME}", "", at)

    assert (await client.send("GET", ME, authorization=signed)).status_code == 200


async def test_a_nonce_can_be_used_only_once() -> None:
    client = ApiClient()
    url = f"{BASE_URL}{MISSING}"
    signed = sign_request(client.x.keys, "GET", url, "", NOON)
    await client.send("GET", MISSING, authorization=signed)

    again = await client.send("GET", MISSING, authorization=signed)

    assert error_code(again) == (401, 32)


@pytest.mark.parametrize("timestamp", ["soon", "", "-1", "9" * 5000])
async def test_an_invalid_timestamp_is_401_135(timestamp: str) -> None:
    client = ApiClient()
    keys = client.x.keys
    oauth = EXAMPLE_OAUTH | {
        "oauth_consumer_key": keys.consumer_key,
        "oauth_token": keys.token,
        "oauth_timestamp": timestamp,
    }
    base_string = build_base_string("GET", f"{BASE_URL}{MISSING}", oauth.items())
    signed = oauth | {"oauth_signature": sign(base_string, keys.consumer_secret, keys.token_secret)}

    response = await client.send("GET", MISSING, authorization=build_header(signed))

    assert error_code(response) == (401, 135)


async def test_a_bad_signature_for_v2_is_an_error_in_the_shape_of_v2() -> None:
    response = await ApiClient().send(
        "GET", ME, authorization=build_header(EXAMPLE_OAUTH | {"oauth_signature": "x"})
    )

    assert response.status_code == 401
    assert response.json()["title"] == "Unauthorized"


async def test_a_form_changed_after_signing_is_rejected() -> None:
    client = ApiClient()
    url = f"{BASE_URL}/1.1/feedback/create.json"
    signed = sign_request(client.x.keys, "POST", url, "message=Hello", NOON)

    response = await client.send("POST", "/1.1/feedback/create.json", "message=Hi", authorization=signed)

    assert error_code(response) == (401, 32)


def test_the_token_starts_with_the_account_id() -> None:
    account = Account("1718260345", "NorthwindAir", "Northwind Air")

    assert FakeX(account=account).keys.token.startswith("1718260345-")
