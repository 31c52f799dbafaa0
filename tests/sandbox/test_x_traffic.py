import json
from datetime import UTC, datetime, timedelta

from sandbox.local_asgi_server import serve
from sandbox.x import FakeX
from tests.sandbox.x_kit import NOON, PARAMS, ApiClient, Clock


async def test_every_request_is_recorded_with_its_status() -> None:
    client = ApiClient()
    await client.create()
    await client.create(test="perhaps")
    await client.send_unsigned("GET", "/1.1/statuses/show.json?id=5")

    assert [(request.method, request.path, request.status) for request in client.x.requests] == [
        ("POST", "/1.1/feedback/create.json", 200),
        ("POST", "/1.1/feedback/create.json", 400),
        ("GET", "/1.1/statuses/show.json", 404),
    ]
    assert client.x.requests[0].params == PARAMS
    assert client.x.requests[2].params == {"id": "5"}
    assert client.x.requests[0].at == NOON


async def test_every_exchange_is_added_to_the_traffic() -> None:
    client = ApiClient()
    created = await client.create()

    (exchange,) = client.x.traffic.exchanges

    assert (exchange.sender, exchange.receiver, exchange.title) == ("app", "x", "POST feedback/create")
    assert exchange.status == "200"
    assert json.loads(exchange.request) == PARAMS
    assert json.loads(exchange.response) == created.json()


async def test_the_traffic_contains_no_keys() -> None:
    client = ApiClient()
    await client.create()

    (exchange,) = client.x.traffic.exchanges

    assert not [key for key in vars(client.x.keys).values() if key in exchange.request + exchange.response]


async def test_a_customer_s_request_is_sent_by_a_person() -> None:
    client = ApiClient()
    feedback_id = await client.create_feedback()
    await client.post_as_customer(f"/1.1/feedback/submit/{feedback_id}.json", {"score": "5"})

    assert [exchange.sender for exchange in client.x.traffic.exchanges] == ["app", "person"]


async def test_x_uses_the_system_clock_by_default() -> None:
    client = ApiClient(x=FakeX())
    client.clock.now = datetime.now(UTC)

    await client.create()

    assert abs(client.x.feedbacks[0].created_at - client.clock.now) < timedelta(minutes=1)


async def test_x_is_served_over_http() -> None:
    x = FakeX(Clock())
    async with serve(x.app) as url:
        response = await ApiClient(url, x).create()

    assert response.json()["id"] == x.feedbacks[0].id
