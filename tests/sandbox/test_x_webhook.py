"""Posting events to a webhook."""

import base64
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sandbox.local_asgi_server import serve
from sandbox.x import Webhook
from tests.sandbox.x_kit import ApiClient

SECRET = base64.b64encode(b"x:s\xc3\xa9cret").decode()


class WebhookServer:
    """A webhook that records posts and responds with `status`."""

    def __init__(self) -> None:
        self.status = 200
        self.bodies: list[Any] = []
        self.headers: list[dict[str, str]] = []
        self.url = ""

    async def receive(self, request: Request) -> Response:
        self.headers.append(dict(request.headers))
        body = await request.body()
        self.bodies.append(await request.json() if body.startswith(b"{") else body.decode())
        return PlainTextResponse("done", self.status)


@contextlib.asynccontextmanager
async def serve_webhook(client: ApiClient) -> AsyncIterator[WebhookServer]:
    server = WebhookServer()
    async with serve(Starlette(routes=[Route("/x", server.receive, methods=["POST"])])) as url:
        client.x.webhook = Webhook(f"{url}/x", "x", "sécret")
        server.url = f"{url}/x"
        yield server


async def test_each_event_is_posted_once() -> None:
    client = ApiClient()
    async with serve_webhook(client) as server:
        feedback_id = await client.create_feedback(question_variant_id="3")
        await client.x.wait_for_webhook_posts()
        client.x.rate(feedback_id, 4)
        await client.x.wait_for_webhook_posts()
        client.x.comment(feedback_id, "Quick & kind")
        await client.x.wait_for_webhook_posts()

    event_types = [event["event_type"] for event in server.bodies]
    assert event_types == ["feedback.created", "feedback.updated", "feedback.updated"]
    feedback = server.bodies[-1]["feedback"]
    assert (feedback["id"], feedback["question_variant_id"]) == (feedback_id, 3)
    assert feedback["response"]["score"]["value"] == 4
    assert feedback["response"]["text"]["value"] == "Quick & kind"
    assert server.headers[0]["authorization"] == f"Basic {SECRET}"
    assert server.headers[0]["content-type"] == "application/json"
    assert [post.status for post in client.x.webhook_posts] == [200, 200, 200]
    exchange = client.x.traffic.exchanges[-1]
    assert (exchange.sender, exchange.receiver) == ("x", "app")
    assert exchange.title == "POST webhook feedback.updated"


@pytest.mark.parametrize("status", [401, 500])
async def test_a_failed_post_is_not_retried(status: int) -> None:
    client = ApiClient()
    async with serve_webhook(client) as server:
        server.status = status
        await client.create_feedback()
        await client.x.wait_for_webhook_posts()

        assert len(server.bodies) == 1
    assert [(post.status, post.response) for post in client.x.webhook_posts] == [(status, "done")]


async def test_a_post_without_a_listener_has_no_response() -> None:
    client = ApiClient()
    async with serve_webhook(client):
        pass
    await client.create_feedback()
    await client.x.wait_for_webhook_posts()

    (post,) = client.x.webhook_posts
    assert (post.status, post.error) == (None, "ClientConnectorError")
    assert client.x.traffic.exchanges[-1].status == "no response"


async def test_pending_events_can_be_posted_out_of_order_and_twice() -> None:
    client = ApiClient()
    async with serve_webhook(client) as server:
        client.x.webhook_paused = True
        feedback_id = await client.create_feedback()
        client.x.rate(feedback_id, 4)
        created, updated = client.x.pending_events
        posts = [await client.x.post_to_webhook(body) for body in (updated, created, updated)]

    assert [event["event_type"] for event in server.bodies] == [
        "feedback.updated",
        "feedback.created",
        "feedback.updated",
    ]
    assert posts == client.x.webhook_posts


async def test_any_body_can_be_posted_with_any_credentials() -> None:
    client = ApiClient()
    async with serve_webhook(client) as server:
        await client.x.post_to_webhook("no JSON", Webhook(server.url, "x", "wrong"))
        await client.x.post_to_webhook({"event_type": "feedback.updated"}, Webhook(server.url))

    assert server.bodies == ["no JSON", {"event_type": "feedback.updated"}]
    assert server.headers[0]["authorization"] != f"Basic {SECRET}"
    assert "authorization" not in server.headers[1]
    client.x.webhook = None
    with pytest.raises(ValueError, match="webhook"):
        await client.x.post_to_webhook({})
