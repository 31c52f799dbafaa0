import pytest

from sandbox.x import Endpoint
from tests.sandbox.x_kit import BASE_URL, NOON, ApiClient, Verb, sign_request

ADA = "/2/users/by/username/ada_travels"
LIMITS = {Endpoint.SHOW: 180, Endpoint.EVENTS: 1_000, Endpoint.LOOKUP: 900, Endpoint.ME: 75}
PATHS = {
    Endpoint.SHOW: "/1.1/feedback/show/1.json",
    Endpoint.EVENTS: "/1.1/feedback/events.json",
    Endpoint.LOOKUP: ADA,
    Endpoint.ME: "/2/users/me",
}


@pytest.mark.parametrize("endpoint", LIMITS)
async def test_every_response_has_rate_limit_headers(endpoint: Endpoint) -> None:
    response = await ApiClient().get(PATHS[endpoint])

    assert response.headers["x-rate-limit-limit"] == str(LIMITS[endpoint])
    assert response.headers["x-rate-limit-remaining"] == str(LIMITS[endpoint] - 1)
    assert response.headers["x-rate-limit-reset"] == str(int(NOON.timestamp()) + 900)


@pytest.mark.parametrize("endpoint", LIMITS)
async def test_a_request_over_the_limit_is_429_until_the_window_ends(endpoint: Endpoint) -> None:
    client = ApiClient()
    client.x.rate_limits[endpoint].limit = 2
    await client.get(PATHS[endpoint])
    await client.get(PATHS[endpoint])

    limited = await client.get(PATHS[endpoint])
    client.clock.advance(minutes=15)
    later = await client.get(PATHS[endpoint])

    assert limited.status_code == 429
    assert limited.headers["x-rate-limit-remaining"] == "0"
    assert later.status_code != 429


async def test_a_lookup_over_the_limit_is_an_error_in_the_shape_of_v2() -> None:
    client = ApiClient()
    client.x.rate_limits[Endpoint.LOOKUP].limit = 0

    assert (await client.get(ADA)).json() == {
        "title": "Too Many Requests",
        "detail": "Rate limit exceeded",
        "type": "about:blank",
        "status": 429,
    }


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/1.1/statuses/update.json"), ("GET", "/1.1/feedback/create.json"), ("POST", ADA)],
)
async def test_any_other_path_is_404(method: Verb, path: str) -> None:
    assert (await ApiClient().send_unsigned(method, path)).status_code == 404


async def test_the_default_port_is_not_part_of_the_signed_url() -> None:
    client = ApiClient()
    signed = sign_request(client.x.keys, "GET", f"{BASE_URL}{ADA}", "", NOON)

    response = await client.send_unsigned(
        "GET", ADA, headers={"authorization": signed, "host": "API.x.test:443"}
    )

    assert response.status_code == 200
