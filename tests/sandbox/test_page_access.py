"""Whether everybody can use the page: by keyboard, with assistive technology, on small screens."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from sandbox.server import Sandbox
from sandbox.slack.fixtures import ADA
from sandbox.x import Fault
from sandbox.x.feedback import FeedbackType
from sandbox.x.parameters import CreateParams
from tests.sandbox.test_page_kit import Journal, chromium, sandbox, tab

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(name="browser", scope="module", loop_scope="module")
async def _browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(name="running", loop_scope="module")
async def _running() -> AsyncIterator[Sandbox]:
    async with sandbox(Journal().register) as running:
        yield running


@pytest_asyncio.fixture(name="page", loop_scope="module")
async def _page(browser: Browser, running: Sandbox) -> AsyncIterator[Page]:
    async with tab(browser, running.page_url) as page:
        yield page


async def expect_no_barrier(page: Page) -> None:
    """Let axe-core look for what would keep somebody out."""
    found = (await Axe().run(page)).response["violations"]
    assert [(it["impact"], it["id"], it["nodes"][0]["html"]) for it in found] == []


def ask(running: Sandbox, handle: str, kind: FeedbackType) -> None:
    recipient = running.x.customer(handle).id
    running.x.create(
        CreateParams(kind, recipient, "How did we do?", "https://a.b", None, "0", "Northwind", test=True)
    )


async def say(page: Page, text: str) -> None:
    composer = page.get_by_role("textbox", name="Message #support")
    await composer.fill(text)
    await composer.press("Enter")


async def test_the_start_keeps_nobody_out(page: Page) -> None:
    await expect(page.get_by_role("complementary", name="How to try it")).to_be_visible()

    await expect_no_barrier(page)


async def test_a_form_with_errors_and_an_open_list_keeps_nobody_out(page: Page) -> None:
    await say(page, "/csat")
    await page.get_by_role("textbox", name="handle").fill("@nobody")
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.get_by_text("Nobody has this handle.")).to_be_visible()

    await expect_no_barrier(page)
    await page.get_by_role("combobox", name="question").click()
    await expect_no_barrier(page)


async def test_a_thread_an_ephemeral_message_and_a_menu_keep_nobody_out(page: Page) -> None:
    await say(page, "/csat help")
    await expect(page.get_by_text("Only visible to you")).to_be_visible()
    await page.get_by_role("link", name="3 replies").click()
    thread = page.get_by_role("region", name="Thread", exact=True)
    await thread.get_by_role("article").last.hover()
    await thread.get_by_role("button", name="More actions").last.click()
    await expect(page.get_by_role("menuitem")).to_be_visible()

    await expect_no_barrier(page)


async def test_the_phone_and_the_drawer_keep_nobody_out(page: Page, running: Sandbox) -> None:
    ask(running, "tomasberg", FeedbackType.NPS)
    await page.get_by_role("group").get_by_role("button", name="9").click()
    await expect(page.get_by_role("textbox", name="Tell us more")).to_be_visible()
    await say(page, "/csat help")
    await page.get_by_role("region", name="List of requests").locator("summary").first.click()
    await expect(page.get_by_role("region", name="Answer")).to_be_visible()

    await expect_no_barrier(page)


async def test_trouble_keeps_nobody_out(page: Page, running: Sandbox) -> None:
    running.x.fail(Fault.OVER_CAPACITY)
    await page.get_by_role("button", name="Make trouble").click()
    await page.get_by_role("checkbox", name="Deliver everything twice").check()
    await expect(page.get_by_text("Trouble is on")).to_be_visible()

    await expect_no_barrier(page)


async def test_an_app_that_is_away_and_a_private_corner_keep_nobody_out(browser: Browser) -> None:
    async with sandbox() as running, tab(browser, running.page_url) as page:
        await page.get_by_role("link", name="Feedback").click()
        await expect(page.get_by_text("has not published a Home for Ada Okafor yet")).to_be_visible()
        await expect_no_barrier(page)
        await page.get_by_role("link", name="Messages").click()
        await expect(page.get_by_role("textbox", name="Message Feedback")).to_be_visible()

        await expect_no_barrier(page)


async def test_a_survey_is_asked_with_the_keyboard_alone(page: Page, running: Sandbox) -> None:
    await page.get_by_role("textbox", name="Message #support").focus()
    await page.keyboard.type("/csat")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("textbox", name="handle")).to_be_focused()
    await page.keyboard.type("@grace")
    await page.keyboard.press("Tab")
    await page.keyboard.type("food")
    await page.keyboard.press("Enter")
    for _ in range(3):
        await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="Send", exact=True)).to_be_focused()
    await page.keyboard.press("Enter")

    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert running.workspace.current_view(ADA) is None


async def test_the_hint_is_put_away_for_good_and_comes_back_when_asked(page: Page) -> None:
    hint = page.get_by_role("complementary", name="How to try it")

    await page.get_by_role("button", name="Got it").click()
    await expect(page.get_by_role("textbox", name="Message #support")).to_be_focused()
    await page.reload()
    await expect(hint).to_be_hidden()
    await page.get_by_role("button", name="How to try it").click()

    await expect(hint).to_be_visible()


async def test_a_link_skips_to_the_composer(page: Page) -> None:
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the message field")).to_be_focused()
    await page.keyboard.press("Enter")

    await expect(page.get_by_role("textbox", name="Message #support")).to_be_focused()


async def test_messages_that_come_are_spoken(page: Page) -> None:
    for name in ("Messages in #support", "Messages in the thread"):
        if name.endswith("thread"):
            await page.get_by_role("link", name="3 replies").click()
        spoken = page.get_by_role("region", name=name).get_by_role("list").first
        await expect(spoken).to_have_attribute("aria-live", "polite")


async def test_a_narrow_window_shows_one_thing_below_the_other(browser: Browser, running: Sandbox) -> None:
    async with tab(browser, running.page_url, 640, 900) as page:
        await page.get_by_role("link", name="3 replies").click()
        await expect(page.get_by_role("textbox", name="Reply…")).to_be_visible()
        width = await page.evaluate("document.documentElement.scrollWidth")

        await expect_no_barrier(page)

    assert width == 640


@pytest.mark.parametrize(("width", "height"), [(1024, 700), (1280, 800), (1440, 900)])
async def test_the_page_fits_the_screen(browser: Browser, running: Sandbox, width: int, height: int) -> None:
    async with tab(browser, running.page_url, width, height) as page:
        await page.get_by_role("link", name="3 replies").click()
        await expect(page.get_by_role("textbox", name="Reply…")).to_be_in_viewport(ratio=1)
        await expect(page.get_by_role("textbox", name="Message #support")).to_be_in_viewport(ratio=1)

        size = await page.evaluate("[document.body.scrollWidth, document.body.scrollHeight]")

    assert size == [width, height]
