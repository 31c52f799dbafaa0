from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oauthlib.oauth1 import Client

from sandbox.x import Account, FakeX, Keys
from sandbox.x.errors import ApiError
from sandbox.x.oauth import SignatureVerifier, build_base_string, sign
from tests.sandbox.test_x_kit import BASE, NOON, Sender, authorization, refusal

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


def header(oauth: dict[str, str]) -> str:
    return "OAuth " + ", ".join(f'{name}="{urlencode({"": value})[1:]}"' for name, value in oauth.items())


def test_the_base_string_is_that_of_x_s_worked_example() -> None:
    url = "https://api.x.com/1.1/statuses/update.json"

    assert (
        build_base_string("post", url, [*EXAMPLE_PARAMETERS, *EXAMPLE_OAUTH.items()]) == EXAMPLE_BASE_STRING
    )


def test_the_signature_is_that_of_x_s_worked_example() -> None:
    made = sign(EXAMPLE_BASE_STRING, EXAMPLE_KEYS.consumer_secret, EXAMPLE_KEYS.token_secret)

    assert made == EXAMPLE_SIGNATURES["api.x.com"]


@pytest.mark.parametrize("host", EXAMPLE_SIGNATURES)
def test_x_s_worked_example_is_let_in_under_both_names_of_its_host(host: str) -> None:
    signed = header(EXAMPLE_OAUTH | {"oauth_signature": EXAMPLE_SIGNATURES[host]})

    example_verifier().verify("POST", f"https://{host}/1.1/statuses/update.json", signed, EXAMPLE_PARAMETERS)


def test_the_worked_example_with_another_status_is_refused() -> None:
    signed = header(EXAMPLE_OAUTH | {"oauth_signature": EXAMPLE_SIGNATURES["api.x.com"]})
    changed = [("include_entities", "true"), ("status", "Hello")]

    with pytest.raises(ApiError, match="Could not authenticate you"):
        example_verifier().verify("POST", "https://api.x.com/1.1/statuses/update.json", signed, changed)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
PAIRS = st.lists(
    st.tuples(TEXT.filter(lambda name: not name.startswith("oauth_")), TEXT), min_size=1, max_size=6
)


@settings(deadline=None)
@given(form=PAIRS, query=PAIRS, secret=TEXT.filter(bool))
def test_whatever_oauthlib_signs_is_let_in(
    form: list[tuple[str, str]], query: list[tuple[str, str]], secret: str
) -> None:
    url, body = "https://api.x.com/1.1/feedback/create.json", urlencode(form)
    keys = Keys("key", secret, "token", secret[::-1])
    signed = authorization(keys, "POST", f"{url}?{urlencode(query)}", body, NOON)
    parameters = parse_qsl(urlencode(query), keep_blank_values=True) + parse_qsl(body, keep_blank_values=True)

    SignatureVerifier(keys, lambda: NOON).verify("POST", url, signed, parameters)


async def test_a_request_without_credentials_is_400_215() -> None:
    sender = Sender()

    assert refusal(await sender.unsigned("POST", "/1.1/feedback/create.json")) == (400, 215)


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
async def test_credentials_that_are_no_oauth_are_400_215(credentials: str) -> None:
    headers = {"authorization": credentials}
    response = await Sender().unsigned("POST", "/1.1/feedback/create.json", headers=headers)

    assert refusal(response) == (400, 215)


async def signed_with(sender: Sender, keys: Keys, method: str = "HMAC-SHA1") -> tuple[int, int]:
    at = str(int(sender.clock.now.timestamp()))
    client = Client(
        keys.consumer_key,
        keys.consumer_secret,
        keys.token,
        keys.token_secret,
        signature_method=method,
        timestamp=at,
    )
    _, headers, _ = client.sign(f"{BASE}{MISSING}")
    authorized = str(headers["Authorization"])
    return refusal(await sender.send("GET", MISSING, authorized=authorized))


@pytest.mark.parametrize("wrong", ["consumer_key", "consumer_secret", "token", "token_secret"])
async def test_any_wrong_key_is_401_32(wrong: str) -> None:
    sender = Sender()
    keys = Keys(**(vars(sender.x.keys) | {wrong: "wrong"}))

    assert await signed_with(sender, keys) == (401, 32)


@pytest.mark.parametrize("method", ["PLAINTEXT", "HMAC-SHA256"])
async def test_another_method_of_signing_is_401_32(method: str) -> None:
    sender = Sender()

    assert await signed_with(sender, sender.x.keys, method=method) == (401, 32)


async def test_the_keys_of_x_are_let_in_as_far_as_a_page_that_is_missing() -> None:
    sender = Sender()

    assert await signed_with(sender, sender.x.keys) == (404, 34)


@pytest.mark.parametrize("seconds", [-301, 301])
async def test_a_clock_that_is_off_by_more_than_five_minutes_is_401_135(seconds: int) -> None:
    sender = Sender()
    url = f"{BASE}{MISSING}"
    at = datetime.fromtimestamp(NOON.timestamp() + seconds, UTC)
    signed = authorization(sender.x.keys, "GET", url, "", at)

    response = await sender.send("GET", MISSING, authorized=signed)

    assert refusal(response) == (401, 135)


@pytest.mark.parametrize("seconds", [-299, 299])
async def test_a_clock_that_is_off_by_less_than_five_minutes_will_do(seconds: int) -> None:
    sender = Sender()
    at = datetime.fromtimestamp(NOON.timestamp() + seconds, UTC)
    signed = authorization(sender.x.keys, "GET", f"{BASE}{ME}", "", at)

    assert (await sender.send("GET", ME, authorized=signed)).status_code == 200


async def test_a_nonce_is_good_for_one_request() -> None:
    sender = Sender()
    url = f"{BASE}{MISSING}"
    signed = authorization(sender.x.keys, "GET", url, "", NOON)
    await sender.send("GET", MISSING, authorized=signed)

    again = await sender.send("GET", MISSING, authorized=signed)

    assert refusal(again) == (401, 32)


@pytest.mark.parametrize("timestamp", ["soon", "", "-1", "9" * 5000])
async def test_a_timestamp_that_is_none_is_401_135(timestamp: str) -> None:
    sender = Sender()
    keys = sender.x.keys
    oauth = EXAMPLE_OAUTH | {
        "oauth_consumer_key": keys.consumer_key,
        "oauth_token": keys.token,
        "oauth_timestamp": timestamp,
    }
    made = sign(
        build_base_string("GET", f"{BASE}{MISSING}", oauth.items()), keys.consumer_secret, keys.token_secret
    )

    response = await sender.send("GET", MISSING, authorized=header(oauth | {"oauth_signature": made}))

    assert refusal(response) == (401, 135)


async def test_a_refused_signature_on_v2_is_told_in_v2_s_shape() -> None:
    response = await Sender().send("GET", ME, authorized=header(EXAMPLE_OAUTH | {"oauth_signature": "x"}))

    assert response.status_code == 401
    assert response.json()["title"] == "Unauthorized"


async def test_a_form_changed_on_the_way_is_refused() -> None:
    sender = Sender()
    url = f"{BASE}/1.1/feedback/create.json"
    signed = authorization(sender.x.keys, "POST", url, "message=Hello", NOON)

    response = await sender.send("POST", "/1.1/feedback/create.json", "message=Hi", authorized=signed)

    assert refusal(response) == (401, 32)


def test_the_token_begins_with_the_id_of_the_account_that_it_speaks_for() -> None:
    account = Account("1718260345", "NorthwindAir", "Northwind Air")

    assert FakeX(account=account).keys.token.startswith("1718260345-")
