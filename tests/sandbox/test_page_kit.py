"""The page on a pretend Slack and a pretend X, in the process or in a browser, with a small app of Bolt's."""

import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import httpx
import pytest
from playwright.async_api import Browser, Page, async_playwright
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.page import PageContext, page
from sandbox.page.renderer import Renderer
from sandbox.page.url_state import UrlState
from sandbox.server import Sandbox, serve_sandbox
from sandbox.slack import Workspace
from sandbox.slack.fixtures import CLEO
from sandbox.traffic import TrafficLog
from sandbox.x import FakeX
from tests.sandbox.test_slack_kit import button, call, manifest, modal, options, section, text_input, trigger

Json = dict[str, Any]
HOME = "http://127.0.0.1:8765"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUESTIONS = [f"How would you rate our {what}?" for what in ("crew", "food", "seats", "speed", "staff")]


@dataclass(frozen=True)
class Shown:
    """A page that nobody serves."""

    slack: Workspace
    x: FakeX
    traffic: TrafficLog
    sources: PageContext

    def html(self, *regions: str, **look: str) -> str:
        return Renderer(self.sources).draw(UrlState(**look), regions)

    @contextlib.asynccontextmanager
    async def client(self, url: str = HOME, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(page(self.sources))
        headers = {"origin": url} | headers
        async with httpx.AsyncClient(
            transport=transport, base_url=url, headers=headers, trust_env=False
        ) as made:
            yield made


def shown() -> Shown:
    told = manifest()
    slack = Workspace(told)
    slack.base_url = "http://slack.test"
    x, traffic = FakeX(pubsub=slack.pubsub), TrafficLog(slack.pubsub)
    return Shown(
        slack, x, traffic, PageContext(slack, x, slack.pubsub, traffic, told, supervisors=frozenset([CLEO]))
    )


async def html_of_message(*blocks: Json, text: str = "fallback") -> str:
    """Let the app post a message, and return what the page draws."""
    page = shown()
    answer = await call(page.slack, "chat.postMessage", channel="C07SUPP0RT1", text=text, blocks=list(blocks))
    assert answer["ok"], answer
    html = page.html("channel")
    return html[html.rindex('<li id="message-') :]


async def html_of_form(*blocks: Json, **more: object) -> str:
    """Let the app open a form, and return what the page draws."""
    page = shown()
    view = modal(*blocks, **more)
    answer = await call(page.slack, "views.open", trigger_id=await trigger(page.slack), view=view)
    assert answer["ok"], answer
    return page.html("form")


def survey_form(preview: str = "Dear customer") -> Json:
    name = text_input("name", dispatch_action_config={"trigger_actions_on": ["on_character_entered"]})
    question = text_input("question", type="static_select", options=options(*QUESTIONS))
    return modal(
        text_input("handle"),
        {**question, "optional": True},
        {**name, "optional": True, "dispatch_action": True},
        {**section(preview), "block_id": "preview"},
        close={"type": "plain_text", "text": "Cancel"},
        notify_on_close=True,
    )


class Journal:
    """What the small app has heard."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def register(self, app: AsyncApp) -> None:
        app.command("/csat")(self.open)
        app.shortcut("survey")(self.open)
        app.action("name")(self.preview)
        app.action("again")(self.open)
        app.view("form")(self.submit)
        app.view_closed("form")(self.closed)

    async def open(self, ack: AsyncAck, body: Json, client: AsyncWebClient, respond: AsyncRespond) -> None:
        await ack()
        self.heard.append(str(body.get("text", body.get("callback_id", "button"))))
        if body.get("text") == "help":
            await respond(blocks=[section("Read *this*"), {"type": "actions", "elements": [button("again")]}])
        else:
            await client.views_open(trigger_id=body["trigger_id"], view=survey_form())

    async def preview(self, ack: AsyncAck, body: Json, action: Json, client: AsyncWebClient) -> None:
        await ack()
        await client.views_update(view_id=body["view"]["id"], view=survey_form(f"From {action['value']}"))

    async def submit(self, ack: AsyncAck, view: Json) -> None:
        values = view["state"]["values"]
        if values["handle"]["handle"]["value"] == "@nobody":
            await ack(response_action="errors", errors={"handle": "Nobody has this handle."})
        else:
            await ack()
        question = values["question"]["question"]["selected_option"] or {"value": "none"}
        self.heard.append(question["value"])

    async def closed(self, ack: AsyncAck) -> None:
        await ack()
        self.heard.append("closed")


@contextlib.asynccontextmanager
async def sandbox(
    register: Callable[[AsyncApp], None] | None = None, told: Json | None = None
) -> AsyncIterator[Sandbox]:
    """Run everything, and an app that is connected if there is one to register."""
    async with contextlib.AsyncExitStack() as stack:
        running = await stack.enter_async_context(serve_sandbox(told or manifest(), page_port=0))
        if register:
            await stack.enter_async_context(_connected(running, register))
        yield running


@contextlib.asynccontextmanager
async def _connected(running: Sandbox, register: Callable[[AsyncApp], None]) -> AsyncIterator[None]:
    slack = running.workspace
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(slack.bot_token, base_url=running.slack_api_url, session=session)
        app = AsyncApp(token=slack.bot_token, client=client)
        register(app)
        handler = AsyncSocketModeHandler(app, slack.app_token, web_client=client)
        await handler.connect_async()  # type: ignore[no-untyped-call]
        try:
            await slack.wait_until(lambda: slack.connection_count)
            yield
        finally:
            await handler.close_async()  # type: ignore[no-untyped-call]


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Start the machine's browser; skip where there is none, but never in CI."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None and not os.environ.get("CI"):
        pytest.skip("there is no Chromium on this machine")
    assert path, "CI needs Chromium"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        await browser.close()


@contextlib.asynccontextmanager
async def tab(browser: Browser, url: str, width: int = 1280, height: int = 800) -> AsyncIterator[Page]:
    """Open the page; afterwards it must not have complained, nor asked anybody else for anything."""
    complaints: list[str] = []
    made = await browser.new_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
    made.set_default_timeout(5000)
    made.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    made.on("pageerror", lambda error: complaints.append(str(error)))
    made.on("request", lambda asked: complaints.append(asked.url) if not asked.url.startswith(url) else None)
    async with made.expect_response("**/rings"):
        await made.goto(url)
    yield made
    await made.close()
    assert complaints == []
