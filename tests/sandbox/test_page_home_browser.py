"""The app's Home tab in a real browser."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.server import Sandbox
from sandbox.slack.fixtures import ADA, CLEO
from tests.sandbox.page_kit import (
    Json,
    chart,
    expect_accessible,
    launch_chromium,
    open_page,
    run_sandbox,
    table,
)
from tests.sandbox.slack_kit import SCOPES, button, manifest, options, plain_text, section, text_input

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

PERIODS = options("7 days", "30 days", "90 days")


def report(period: str = "30 Days", suffix: str = "") -> Json:
    select = {
        "type": "static_select",
        "action_id": "period",
        "placeholder": plain_text("Period"),
        "options": PERIODS,
        "initial_option": PERIODS[1],
    }
    blocks = [
        {"type": "actions", "block_id": "filters", "elements": [select, button("export")]},
        {**text_input("search", optional=True), "dispatch_action": True},
        section(f"Last {period}{suffix}"),
        chart("bar"),
        chart("line"),
        table(9, page_size=4),
    ]
    return {"type": "home", "blocks": blocks}


class ReportApp:
    """A small app with a Home tab."""

    def register(self, app: AsyncApp) -> None:
        app.event("app_home_opened")(self.open)
        app.action("period")(self.choose)
        app.action("search")(self.search)
        app.action("export")(self.export)

    async def open(self, event: Json, client: AsyncWebClient) -> None:
        if event["tab"] == "home":
            await client.views_publish(user_id=event["user"], view=report())

    async def choose(self, ack: AsyncAck, body: Json, action: Json, client: AsyncWebClient) -> None:
        await ack()
        selected = action["selected_option"]["text"]["text"]
        await client.views_publish(user_id=body["user"]["id"], view=report(selected))

    async def search(self, ack: AsyncAck, body: Json, action: Json, client: AsyncWebClient) -> None:
        await ack()
        await client.views_publish(user_id=body["user"]["id"], view=report(suffix=f" of {action['value']}"))

    async def export(self, ack: AsyncAck, body: Json, client: AsyncWebClient) -> None:
        await ack()
        opened = await client.conversations_open(users=body["user"]["id"])
        channel = opened["channel"]["id"]
        await client.files_upload_v2(channel=channel, filename="answers.csv", content="a,b\n")


@pytest_asyncio.fixture(name="browser", scope="module", loop_scope="module")
async def _browser() -> AsyncIterator[Browser]:
    async with launch_chromium() as browser:
        yield browser


@pytest_asyncio.fixture(name="sandbox", loop_scope="module")
async def _sandbox() -> AsyncIterator[Sandbox]:
    app_manifest = manifest(*SCOPES, "files:write", events=("app_home_opened",))
    async with run_sandbox(ReportApp().register, app_manifest) as sandbox:
        yield sandbox


@pytest_asyncio.fixture(name="page", loop_scope="module")
async def _page(browser: Browser, sandbox: Sandbox) -> AsyncIterator[Page]:
    async with open_page(browser, sandbox.page_url) as page:
        await switch_to_cleo(page)
        yield page


async def switch_to_cleo(page: Page) -> None:
    await page.get_by_label("You are").select_option(CLEO)
    await expect(page.locator(".me")).to_contain_text("supervisor")


async def open_home(page: Page) -> None:
    await page.get_by_role("link", name="Feedback").click()
    await expect(page.get_by_role("region", name="Home of Feedback")).to_contain_text("Last 30 Days")


def opened_tabs(sandbox: Sandbox) -> list[tuple[str, str]]:
    events = [
        delivery.payload["event"] for delivery in sandbox.workspace.deliveries if "event" in delivery.payload
    ]
    return [(event["user"], event["tab"]) for event in events]


async def test_opening_a_tab_of_the_app_sends_app_home_opened(page: Page, sandbox: Sandbox) -> None:
    await open_home(page)
    await page.get_by_role("link", name="Messages").click()
    await expect(page.get_by_role("textbox", name="Message Feedback")).to_be_visible()
    await page.get_by_role("link", name="support", exact=True).click()
    await open_home(page)
    await page.get_by_label("You are").select_option(ADA)
    await sandbox.workspace.wait_until(lambda: len(opened_tabs(sandbox)) == 4)

    assert opened_tabs(sandbox) == [(CLEO, "home"), (CLEO, "messages"), (CLEO, "home"), (ADA, "home")]


async def test_home_can_be_filtered_with_the_keyboard_and_keeps_the_focus(page: Page) -> None:
    await open_home(page)
    period = page.get_by_role("combobox", name="Period")
    await period.press("ArrowDown")
    await page.keyboard.type("90")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Last 90 Days")).to_be_visible()
    await expect(period).to_be_focused()
    await expect(period).to_have_value("90 Days")
    search = page.get_by_role("textbox", name="search")
    await search.press_sequentially("bags")
    await search.press("Enter")

    await expect(page.get_by_text("of bags")).to_be_visible()
    await expect(search).to_be_focused()
    await expect(search).to_have_value("bags")


async def test_a_table_shows_one_page_and_scrolls_to_the_rest(page: Page) -> None:
    await open_home(page)
    table_region = page.get_by_role("region", name="Agents")
    await table_region.scroll_into_view_if_needed()

    rows = await table_region.get_by_role("row").all()
    box, fourth, fifth = (
        await table_region.bounding_box(),
        await rows[4].bounding_box(),
        await rows[5].bounding_box(),
    )
    assert box
    assert fourth
    assert fifth
    bottom = box["y"] + box["height"]
    assert fourth["y"] + fourth["height"] <= bottom
    assert fifth["y"] + 1 >= bottom - 2
    await table_region.focus()
    await page.keyboard.press("End")
    await expect(rows[9]).to_be_in_viewport()


async def test_a_shared_file_can_be_downloaded_from_its_message(page: Page, sandbox: Sandbox) -> None:
    await open_home(page)
    await page.get_by_role("button", name="export").click()
    await sandbox.workspace.wait_until(
        lambda: any(file.is_complete for file in sandbox.workspace.files.values())
    )
    await page.get_by_role("link", name="Messages").click()
    async with page.expect_download() as download:
        await page.get_by_role("link", name="answers.csv").click()

    file = await download.value
    assert file.suggested_filename == "answers.csv"
    assert (await file.path()).read_text("utf-8") == "a,b\n"


@pytest.mark.parametrize("width", [640, 1280])
async def test_home_is_accessible_at_any_width(browser: Browser, sandbox: Sandbox, width: int) -> None:
    async with open_page(browser, sandbox.page_url, width, 900) as page:
        await switch_to_cleo(page)
        await open_home(page)

        await expect_accessible(page)
        assert await page.evaluate("document.documentElement.scrollWidth") == width
