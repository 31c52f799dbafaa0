"""A workspace for one test, apps that connect to it, and builders of views and blocks."""

import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import httpx
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.local_asgi_server import serve
from sandbox.slack import Workspace
from sandbox.slack.fixtures import ADA, SUPPORT

Json = dict[str, Any]
Register = Callable[[AsyncApp], object]

SCOPES = ["commands", "chat:write", "users:read", "usergroups:read", "channels:read", "im:write"]


def manifest(*scopes: str, events: tuple[str, ...] = (), **app_home: bool) -> Json:
    """Return the manifest of a small app."""
    return {
        "display_information": {"name": "Feedback"},
        "features": {
            "bot_user": {"display_name": "Feedback"},
            "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True, **app_home},
            "slash_commands": [
                {"command": "/csat", "description": "Ask", "should_escape": True},
                {"command": "/plain", "description": "Ask plainly"},
            ],
            "shortcuts": [
                {"type": "message", "callback_id": "survey", "name": "Survey", "description": "Ask"},
                {"type": "global", "callback_id": "anywhere", "name": "Anywhere", "description": "Ask"},
            ],
        },
        "oauth_config": {"scopes": {"bot": list(scopes or SCOPES)}},
        "settings": {"event_subscriptions": {"bot_events": list(events)}},
    }


class Clock:
    """The current time, which a test can advance."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def advance(self, **by: float) -> None:
        self.offset += timedelta(**by)


def workspace(*scopes: str, clock: Clock | None = None, ack_timeout: float = 60.0) -> Workspace:
    """Return a workspace that is not served; `call` and `post` call it within the process."""
    slack = Workspace(manifest(*scopes), clock or Clock(), ack_timeout=ack_timeout)
    slack.base_url = "http://slack.test"
    return slack


async def call(slack: Workspace, method: str, token: str | None = None, /, **args: object) -> Json:
    """Call a method of the Web API with JSON, and return its response."""
    response = await post(slack, f"/api/{method}", args, slack.bot_token if token is None else token)
    body: Json = response.json()
    return body


async def post(slack: Workspace, path: str, body: object, token: str = "") -> httpx.Response:
    """Post JSON to the fake Slack."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    transport = httpx.ASGITransport(slack.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://slack.test", verify=False) as client:  # noqa: S501 - nothing leaves the process
        return await client.post(path, json=body, headers=headers)


async def post_to_response_url(slack: Workspace, url: str, **body: object) -> httpx.Response:
    """Post to a `response_url`."""
    return await post(slack, url.removeprefix(slack.base_url), body)


async def new_trigger_id(slack: Workspace, user: str = ADA, channel: str = SUPPORT) -> str:
    """Run a command without an app, and return its `trigger_id`."""
    await slack.run_command(user, channel, "/csat")
    return str(slack.deliveries[-1].payload["trigger_id"])


async def new_response_url(slack: Workspace, user: str = ADA, channel: str = SUPPORT) -> str:
    """Run a command without an app, and return its `response_url`."""
    await slack.run_command(user, channel, "/csat")
    return str(slack.deliveries[-1].payload["response_url"])


@contextlib.asynccontextmanager
async def run_socket_mode_app(slack: Workspace, register: Register) -> AsyncIterator[AsyncApp]:
    """Serve the workspace, and run a Bolt app over Socket Mode."""
    async with slack.serve() as base, web_client(slack, base) as client:
        app = AsyncApp(token=slack.bot_token, client=client)
        register(app)
        handler = AsyncSocketModeHandler(app, slack.app_token, web_client=client)
        await handler.connect_async()  # type: ignore[no-untyped-call]
        try:
            await slack.wait_until(lambda: slack.connection_count)
            yield app
        finally:
            await handler.close_async()  # type: ignore[no-untyped-call]


@contextlib.asynccontextmanager
async def run_http_app(slack: Workspace, register: Register) -> AsyncIterator[AsyncApp]:
    """Serve the workspace, and run a Bolt app over HTTP."""
    async with slack.serve() as base, web_client(slack, base) as client:
        app = AsyncApp(token=slack.bot_token, signing_secret=slack.signing_secret, client=client)
        register(app)
        handler = AsyncSlackRequestHandler(app)

        async def handle(request: Request) -> Response:
            return await handler.handle(request)

        async with serve(Starlette(routes=[Route("/slack/events", handle, methods=["POST"])])) as url:
            slack.deliver_over_http(f"{url}/slack/events")
            yield app


@contextlib.asynccontextmanager
async def web_client(slack: Workspace, base: str) -> AsyncIterator[AsyncWebClient]:
    """Create a client of the Slack SDK."""
    async with aiohttp.ClientSession() as session:
        yield AsyncWebClient(slack.bot_token, base_url=f"{base}/api/", session=session)


def plain_text(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def text_input(block_id: str, *, optional: bool = False, **element: object) -> Json:
    """Return an input block whose element has the same id."""
    type_ = element.pop("type", "plain_text_input")
    return {
        "type": "input",
        "block_id": block_id,
        "label": plain_text(block_id),
        "optional": optional,
        "element": {"type": type_, "action_id": block_id, **element},
    }


def options(*values: str) -> list[Json]:
    return [{"text": plain_text(value.title()), "value": value} for value in values]


def modal(*blocks: Json, **more: object) -> Json:
    """Return a modal."""
    return {
        "type": "modal",
        "callback_id": "form",
        "title": plain_text("Survey"),
        "submit": plain_text("Send"),
        "blocks": list(blocks) or [text_input("handle")],
        **more,
    }


def section(text: str = "Hello", **more: object) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def button(action_id: str, **more: object) -> Json:
    return {"type": "button", "text": plain_text(action_id), "action_id": action_id, **more}
