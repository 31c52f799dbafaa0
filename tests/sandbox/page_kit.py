"""The page on a fake Slack and a fake X, in-process or in a browser, with a small Bolt app."""

import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import httpx
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright, expect
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.page import PageContext, create_page
from sandbox.page.page_renderer import Renderer
from sandbox.page.url_state import UrlState
from sandbox.server import Sandbox, serve_sandbox
from sandbox.slack import Workspace
from sandbox.slack.fixtures import CLEO
from sandbox.traffic_log import TrafficLog
from sandbox.x import FakeX
from tests.sandbox.slack_kit import (
    button,
    call,
    manifest,
    modal,
    new_trigger_id,
    options,
    section,
    text_input,
)

Json = dict[str, Any]
PAGE_URL = "http://127.0.0.1:8765"
TIMEOUT_MILLISECONDS = 60_000
expect.set_options(timeout=TIMEOUT_MILLISECONDS)

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
CHROMIUM_COMMANDS = ("chromium", "chromium-browser", "google-chrome")
QUESTIONS = [f"How would you rate our {topic}?" for topic in ("crew", "food", "seats", "speed", "staff")]


@dataclass(frozen=True)
class UnservedPage:
    """A page without a server."""

    context: PageContext

    @property
    def slack(self) -> Workspace:
        return self.context.workspace

    @property
    def x(self) -> FakeX:
        return self.context.x

    @property
    def traffic(self) -> TrafficLog:
        return self.context.traffic

    def html(self, *regions: str, **url_state: str) -> str:
        return Renderer(self.context).render(UrlState(**url_state), regions)

    @contextlib.asynccontextmanager
    async def client(self, url: str = PAGE_URL, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(create_page(self.context))
        headers = {"origin": url} | headers
        async with httpx.AsyncClient(
            transport=transport, base_url=url, headers=headers, trust_env=False
        ) as client:
            yield client


def unserved_page(app_manifest: Json | None = None) -> UnservedPage:
    app_manifest = app_manifest or manifest()
    slack = Workspace(app_manifest)
    slack.base_url = "http://slack.test"
    pubsub, traffic = slack.pubsub, TrafficLog(slack.pubsub)
    x = FakeX(pubsub=pubsub)
    supervisors = frozenset([CLEO])
    return UnservedPage(PageContext(slack, x, pubsub, traffic, app_manifest, supervisors=supervisors))


async def render_message(*blocks: Json, text: str = "fallback") -> str:
    """Post a message as the app, and return its HTML."""
    page = unserved_page()
    response = await call(
        page.slack, "chat.postMessage", channel="C07SUPP0RT1", text=text, blocks=list(blocks)
    )
    assert response["ok"], response
    html = page.html("channel")
    return html[html.rindex('<li id="message-') :]


async def render_modal(*blocks: Json, **more: object) -> str:
    """Open a modal as the app, and return its HTML."""
    page = unserved_page()
    view = modal(*blocks, **more)
    response = await call(page.slack, "views.open", trigger_id=await new_trigger_id(page.slack), view=view)
    assert response["ok"], response
    return page.html("modal")


def survey_modal(preview: str = "Dear customer") -> Json:
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


class SurveyApp:
    """A small app that records its events."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def register(self, app: AsyncApp) -> None:
        app.command("/csat")(self.open)
        app.shortcut("survey")(self.open)
        app.action("name")(self.preview)
        app.action("again")(self.open)
        app.view("form")(self.submit)
        app.view_closed("form")(self.record_close)

    async def open(self, ack: AsyncAck, body: Json, client: AsyncWebClient, respond: AsyncRespond) -> None:
        await ack()
        self.events.append(str(body.get("text", body.get("callback_id", "button"))))
        if body.get("text") == "help":
            await respond(blocks=[section("Read *this*"), {"type": "actions", "elements": [button("again")]}])
        else:
            await client.views_open(trigger_id=body["trigger_id"], view=survey_modal())

    async def preview(self, ack: AsyncAck, body: Json, action: Json, client: AsyncWebClient) -> None:
        await ack()
        await client.views_update(view_id=body["view"]["id"], view=survey_modal(f"From {action['value']}"))

    async def submit(self, ack: AsyncAck, view: Json) -> None:
        values = view["state"]["values"]
        if values["handle"]["handle"]["value"] == "@nobody":
            await ack(response_action="errors", errors={"handle": "Nobody has this handle."})
        else:
            await ack()
        question = values["question"]["question"]["selected_option"] or {"value": "none"}
        self.events.append(question["value"])

    async def record_close(self, ack: AsyncAck) -> None:
        await ack()
        self.events.append("closed")


@contextlib.asynccontextmanager
async def run_sandbox(
    register: Callable[[AsyncApp], None] | None = None, app_manifest: Json | None = None
) -> AsyncIterator[Sandbox]:
    """Run the sandbox, and connect an app with the listeners of `register`."""
    async with contextlib.AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(serve_sandbox(app_manifest or manifest(), page_port=0))
        if register:
            await stack.enter_async_context(_connect(sandbox, register))
        yield sandbox


@contextlib.asynccontextmanager
async def _connect(sandbox: Sandbox, register: Callable[[AsyncApp], None]) -> AsyncIterator[None]:
    slack = sandbox.workspace
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(slack.bot_token, base_url=sandbox.slack_api_url, session=session)
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
async def launch_chromium() -> AsyncIterator[Browser]:
    """Launch the installed browser; skip the test if there is none, except in CI."""
    path = next(filter(None, map(shutil.which, CHROMIUM_COMMANDS)), None)
    if path is None and not os.environ.get("CI"):
        pytest.skip("Chromium is not installed")
    assert path, "Chromium is required in CI"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser
        await browser.close()


@contextlib.asynccontextmanager
async def open_page(browser: Browser, url: str, width: int = 1280, height: int = 800) -> AsyncIterator[Page]:
    """Open the page, and check that it logs no errors and makes no requests to other hosts."""
    problems: list[str] = []
    page = await browser.new_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
    page.set_default_timeout(TIMEOUT_MILLISECONDS)
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "request", lambda request: problems.append(request.url) if not request.url.startswith(url) else None
    )
    async with page.expect_response("**/events"):
        await page.goto(url)
    yield page
    await page.close()
    assert problems == []


async def expect_accessible(page: Page) -> None:
    """Check the page with axe-core."""
    violations = (await Axe().run(page)).response["violations"]
    assert [(it["impact"], it["id"], it["nodes"][0]["html"]) for it in violations] == []


LABELS = ["bad", "good & fine"]
RATINGS = {"name": "Ratings", "data": [{"label": LABELS[0], "value": 1}, {"label": LABELS[1], "value": 1200}]}
TARGET = {"name": "Target", "data": [{"label": LABELS[0], "value": 0.5}, {"label": LABELS[1], "value": 4}]}
PIE = {"type": "pie", "segments": [{"label": "yes", "value": 3}, {"label": "no", "value": 1}]}


def chart(kind: str, *series: Json) -> Json:
    axes = {"categories": LABELS, "x_label": "Rating", "y_label": "Answers"}
    plot = {"type": kind, "series": list(series or [RATINGS]), "axis_config": axes}
    return {"type": "data_visualization", "title": "CSAT", "chart": PIE if kind == "pie" else plot}


def table(rows: int, **more: object) -> Json:
    rich = {"type": "text", "text": "Open", "style": {"bold": True}}
    cells = [
        {"type": "raw_text", "text": "Ada"},
        {"type": "raw_number", "value": 1200, "text": "1,200"},
        {"type": "raw_number", "value": 0.8, "text": "80 %"},
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [rich]}]},
    ]
    head = [{"type": "raw_text", "text": text} for text in ("Agent", "Sent", "CSAT", "Thread")]
    return {"type": "data_table", "caption": "Agents", "rows": [head, *[cells] * rows], **more}
