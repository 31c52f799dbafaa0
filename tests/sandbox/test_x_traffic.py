import json
from datetime import UTC, datetime, timedelta

from sandbox.serving import serve
from sandbox.x import FakeX
from tests.sandbox.test_x_kit import NOON, ORDER, Clock, Sender


async def test_every_request_is_written_down_with_its_status() -> None:
    sender = Sender()
    await sender.create()
    await sender.create(test="perhaps")
    await sender.unsigned("GET", "/1.1/statuses/show.json?id=5")

    assert [(call.method, call.path, call.status) for call in sender.x.requests] == [
        ("POST", "/1.1/feedback/create.json", 200),
        ("POST", "/1.1/feedback/create.json", 400),
        ("GET", "/1.1/statuses/show.json", 404),
    ]
    assert sender.x.requests[0].params == ORDER
    assert sender.x.requests[2].params == {"id": "5"}
    assert sender.x.requests[0].at == NOON


async def test_every_exchange_is_shown_in_the_traffic() -> None:
    sender = Sender()
    created = await sender.create()

    (exchange,) = sender.x.traffic.exchanges

    assert (exchange.sender, exchange.receiver, exchange.title) == ("app", "x", "POST feedback/create")
    assert exchange.status == "200"
    assert json.loads(exchange.request) == ORDER
    assert json.loads(exchange.response) == created.json()


async def test_the_traffic_shows_no_credentials() -> None:
    sender = Sender()
    await sender.create()

    (exchange,) = sender.x.traffic.exchanges

    assert not [key for key in vars(sender.x.keys).values() if key in exchange.request + exchange.response]


async def test_what_the_customer_submits_is_shown_as_a_person_s() -> None:
    sender = Sender()
    feedback_id = await sender.created()
    await sender.post_as_customer(f"/1.1/feedback/submit/{feedback_id}.json", {"score": "5"})

    assert [exchange.sender for exchange in sender.x.traffic.exchanges] == ["app", "person"]


async def test_x_goes_by_the_time_of_this_machine_unless_told_otherwise() -> None:
    sender = Sender(x=FakeX())
    sender.clock.now = datetime.now(UTC)

    await sender.create()

    assert abs(sender.x.feedbacks[0].created_at - sender.clock.now) < timedelta(minutes=1)


async def test_x_is_served_over_http() -> None:
    x = FakeX(Clock())
    async with serve(x.app) as url:
        response = await Sender(url, x).create()

    assert response.json()["id"] == x.feedbacks[0].id
