"""A pretend Slack for one test, with a manifest, a clock, and an app to talk with it."""

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

from sandbox.serving import serve
from sandbox.slack import Workspace
from sandbox.slack.fixtures import ADA, SUPPORT

Json = dict[str, Any]
Register = Callable[[AsyncApp], object]

SCOPES = ["commands", "chat:write", "users:read", "usergroups:read", "channels:read", "im:write"]


def manifest(*scopes: str, events: tuple[str, ...] = (), **app_home: bool) -> Json:
    """A small app's manifest."""
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
    """A clock that runs, and can be put forward."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def advance(self, **by: float) -> None:
        self.ahead += timedelta(**by)


def workspace(*scopes: str, clock: Clock | None = None, ack_seconds: float = 3.0) -> Workspace:
    """A workspace that nobody serves; its Web API is reached in the process."""
    made = Workspace(manifest(*scopes), clock or Clock(), ack_timeout=ack_seconds)
    made.base_url = "http://slack.test"
    return made


async def call(slack: Workspace, method: str, token: str | None = None, /, **args: object) -> Json:
    """Call the Web API with JSON, and return its answer."""
    response = await post(slack, f"/api/{method}", args, slack.bot_token if token is None else token)
    answer: Json = response.json()
    return answer


async def post(slack: Workspace, path: str, body: object, token: str = "") -> httpx.Response:
    """Post JSON to the pretend Slack, in the process."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    transport = httpx.ASGITransport(slack.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://slack.test", verify=False) as client:  # noqa: S501 - nothing leaves the process
        return await client.post(path, json=body, headers=headers)


async def respond(slack: Workspace, url: str, **body: object) -> httpx.Response:
    """Post to a `response_url`."""
    return await post(slack, url.removeprefix(slack.base_url), body)


async def trigger(slack: Workspace, user: str = ADA, channel: str = SUPPORT) -> str:
    """Let somebody send a command that no app hears, and return its `trigger_id`."""
    await slack.run_command(user, channel, "/csat")
    return str(slack.deliveries[-1].payload["trigger_id"])


async def response_url(slack: Workspace, user: str = ADA, channel: str = SUPPORT) -> str:
    """Let somebody send a command that no app hears, and return its `response_url`."""
    await slack.run_command(user, channel, "/csat")
    return str(slack.deliveries[-1].payload["response_url"])


@contextlib.asynccontextmanager
async def connected(slack: Workspace, register: Register) -> AsyncIterator[AsyncApp]:
    """Serve the workspace and run an app of Bolt's against it, over Socket Mode."""
    async with slack.serve() as base, client_of(slack, base) as client:
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
async def listening(slack: Workspace, register: Register) -> AsyncIterator[AsyncApp]:
    """Serve the workspace and run an app of Bolt's against it, over HTTP."""
    async with slack.serve() as base, client_of(slack, base) as client:
        app = AsyncApp(token=slack.bot_token, signing_secret=slack.signing_secret, client=client)
        register(app)
        handler = AsyncSlackRequestHandler(app)

        async def take(request: Request) -> Response:
            return await handler.handle(request)

        async with serve(Starlette(routes=[Route("/slack/events", take, methods=["POST"])])) as url:
            slack.deliver_over_http(f"{url}/slack/events")
            yield app


@contextlib.asynccontextmanager
async def client_of(slack: Workspace, base: str) -> AsyncIterator[AsyncWebClient]:
    """A client of Slack's own library, with one session."""
    async with aiohttp.ClientSession() as session:
        yield AsyncWebClient(slack.bot_token, base_url=f"{base}/api/", session=session)


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def text_input(block_id: str, *, optional: bool = False, **element: object) -> Json:
    """An input block whose element has the block's own id."""
    kind = element.pop("type", "plain_text_input")
    return {
        "type": "input",
        "block_id": block_id,
        "label": plain(block_id),
        "optional": optional,
        "element": {"type": kind, "action_id": block_id, **element},
    }


def options(*values: str) -> list[Json]:
    return [{"text": plain(value.title()), "value": value} for value in values]


def modal(*blocks: Json, **more: object) -> Json:
    """A form."""
    return {
        "type": "modal",
        "callback_id": "form",
        "title": plain("Survey"),
        "submit": plain("Send"),
        "blocks": list(blocks) or [text_input("handle")],
        **more,
    }


def section(text: str = "Hello", **more: object) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def button(action_id: str, **more: object) -> Json:
    return {"type": "button", "text": plain(action_id), "action_id": action_id, **more}
