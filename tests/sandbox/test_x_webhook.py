"""Events that X pushes."""

import base64
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sandbox.serving import serve
from sandbox.x import Webhook
from tests.sandbox.test_x_kit import Sender

SECRET = base64.b64encode(b"x:s\xc3\xa9cret").decode()


class Listener:
    """Takes what X pushes, and answers with `status`."""

    def __init__(self) -> None:
        self.status = 200
        self.heard: list[Any] = []
        self.headers: list[dict[str, str]] = []
        self.url = ""

    async def take(self, request: Request) -> Response:
        self.headers.append(dict(request.headers))
        body = await request.body()
        self.heard.append(await request.json() if body.startswith(b"{") else body.decode())
        return PlainTextResponse("done", self.status)


@contextlib.asynccontextmanager
async def listening(sender: Sender) -> AsyncIterator[Listener]:
    listener = Listener()
    async with serve(Starlette(routes=[Route("/x", listener.take, methods=["POST"])])) as url:
        sender.x.webhook = Webhook(f"{url}/x", "x", "sécret")
        listener.url = f"{url}/x"
        yield listener


async def test_each_event_is_pushed_once_as_it_happens() -> None:
    sender = Sender()
    async with listening(sender) as listener:
        feedback_id = await sender.created(question_variant_id="3")
        await sender.x.wait_for_webhook_posts()
        sender.x.rate(feedback_id, 4)
        await sender.x.wait_for_webhook_posts()
        sender.x.comment(feedback_id, "Quick & kind")
        await sender.x.wait_for_webhook_posts()

    kinds = [event["event_type"] for event in listener.heard]
    assert kinds == ["feedback.created", "feedback.updated", "feedback.updated"]
    newest = listener.heard[-1]["feedback"]
    assert (newest["id"], newest["question_variant_id"]) == (feedback_id, 3)
    assert newest["response"]["score"]["value"] == 4
    assert newest["response"]["text"]["value"] == "Quick & kind"
    assert listener.headers[0]["authorization"] == f"Basic {SECRET}"
    assert listener.headers[0]["content-type"] == "application/json"
    assert [push.status for push in sender.x.webhook_posts] == [200, 200, 200]
    assert [(it.sender, it.receiver, it.title) for it in sender.x.traffic.exchanges][-1] == (
        "x",
        "app",
        "POST webhook feedback.updated",
    )


@pytest.mark.parametrize("status", [401, 500])
async def test_what_is_not_taken_is_not_pushed_again(status: int) -> None:
    sender = Sender()
    async with listening(sender) as listener:
        listener.status = status
        await sender.created()
        await sender.x.wait_for_webhook_posts()

        assert len(listener.heard) == 1
    assert [(push.status, push.response) for push in sender.x.webhook_posts] == [(status, "done")]


async def test_nobody_at_home_is_no_answer() -> None:
    sender = Sender()
    async with listening(sender):
        pass
    await sender.created()
    await sender.x.wait_for_webhook_posts()

    (push,) = sender.x.webhook_posts
    assert (push.status, push.error) == (None, "ClientConnectorError")
    assert sender.x.traffic.exchanges[-1].status == "no response"


async def test_events_can_be_held_and_pushed_in_another_order_and_twice() -> None:
    sender = Sender()
    async with listening(sender) as listener:
        sender.x.webhook_paused = True
        feedback_id = await sender.created()
        sender.x.rate(feedback_id, 4)
        created, updated = sender.x.pending_events
        answers = [await sender.x.post_to_webhook(body) for body in (updated, created, updated)]

    assert [event["event_type"] for event in listener.heard] == [
        "feedback.updated",
        "feedback.created",
        "feedback.updated",
    ]
    assert answers == sender.x.webhook_posts


async def test_anything_can_be_pushed_as_anybody() -> None:
    sender = Sender()
    async with listening(sender) as listener:
        await sender.x.post_to_webhook("no JSON", Webhook(listener.url, "x", "wrong"))
        await sender.x.post_to_webhook({"event_type": "feedback.updated"}, Webhook(listener.url))

    assert listener.heard == ["no JSON", {"event_type": "feedback.updated"}]
    assert listener.headers[0]["authorization"] != f"Basic {SECRET}"
    assert "authorization" not in listener.headers[1]
    sender.x.webhook = None
    with pytest.raises(ValueError, match="webhook"):
        await sender.x.post_to_webhook({})
