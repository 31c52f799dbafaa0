import pytest

from sandbox.x import Endpoint
from tests.sandbox.test_x_kit import BASE, NOON, Sender, Verb, authorization

ADA = "/2/users/by/username/ada_travels"
WINDOWS = {Endpoint.SHOW: 180, Endpoint.EVENTS: 1_000, Endpoint.LOOKUP: 900, Endpoint.ME: 75}
PATHS = {
    Endpoint.SHOW: "/1.1/feedback/show/1.json",
    Endpoint.EVENTS: "/1.1/feedback/events.json",
    Endpoint.LOOKUP: ADA,
    Endpoint.ME: "/2/users/me",
}


@pytest.mark.parametrize("way", WINDOWS)
async def test_every_answer_tells_what_is_left_of_its_window(way: Endpoint) -> None:
    response = await Sender().get(PATHS[way])

    assert response.headers["x-rate-limit-limit"] == str(WINDOWS[way])
    assert response.headers["x-rate-limit-remaining"] == str(WINDOWS[way] - 1)
    assert response.headers["x-rate-limit-reset"] == str(int(NOON.timestamp()) + 900)


@pytest.mark.parametrize("way", WINDOWS)
async def test_one_request_too_many_is_429_until_the_window_ends(way: Endpoint) -> None:
    sender = Sender()
    sender.x.rate_limits[way].limit = 2
    await sender.get(PATHS[way])
    await sender.get(PATHS[way])

    refused = await sender.get(PATHS[way])
    sender.clock.advance(minutes=15)
    later = await sender.get(PATHS[way])

    assert refused.status_code == 429
    assert refused.headers["x-rate-limit-remaining"] == "0"
    assert later.status_code != 429


async def test_a_look_up_too_many_is_told_in_v2_s_shape() -> None:
    sender = Sender()
    sender.x.rate_limits[Endpoint.LOOKUP].limit = 0

    assert (await sender.get(ADA)).json() == {
        "title": "Too Many Requests",
        "detail": "Rate limit exceeded",
        "type": "about:blank",
        "status": 429,
    }


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/1.1/statuses/update.json"), ("GET", "/1.1/feedback/create.json"), ("POST", ADA)],
)
async def test_any_other_page_is_missing(method: Verb, path: str) -> None:
    assert (await Sender().unsigned(method, path)).status_code == 404


async def test_the_usual_port_is_no_part_of_what_is_signed() -> None:
    sender = Sender()
    signed = authorization(sender.x.keys, "GET", f"{BASE}{ADA}", "", NOON)

    response = await sender.unsigned("GET", ADA, headers={"authorization": signed, "host": "API.x.test:443"})

    assert response.status_code == 200
