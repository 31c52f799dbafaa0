"""Accessibility of the page: keyboard, assistive technology and small screens."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from sandbox.server import Sandbox
from sandbox.slack.fixtures import ADA
from sandbox.x import CreateParams, Fault, FeedbackType
from tests.sandbox.page_kit import SurveyApp, expect_accessible, launch_chromium, open_page, run_sandbox

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(name="browser", scope="module", loop_scope="module")
async def _browser() -> AsyncIterator[Browser]:
    async with launch_chromium() as browser:
        yield browser


@pytest_asyncio.fixture(name="sandbox", loop_scope="module")
async def _sandbox() -> AsyncIterator[Sandbox]:
    async with run_sandbox(SurveyApp().register) as sandbox:
        yield sandbox


@pytest_asyncio.fixture(name="page", loop_scope="module")
async def _page(browser: Browser, sandbox: Sandbox) -> AsyncIterator[Page]:
    async with open_page(browser, sandbox.page_url) as page:
        yield page


def create_survey(sandbox: Sandbox, handle: str, kind: FeedbackType) -> None:
    recipient = sandbox.x.customer(handle).id
    sandbox.x.create(
        CreateParams(kind, recipient, "How did we do?", "https://a.b", None, "0", "Northwind", test=True)
    )


async def send(page: Page, text: str) -> None:
    composer = page.get_by_role("textbox", name="Message #support")
    await composer.fill(text)
    await composer.press("Enter")


async def test_the_start_page_is_accessible(page: Page) -> None:
    await expect(page.get_by_role("complementary", name="Getting started")).to_be_visible()

    await expect_accessible(page)


async def test_a_modal_with_errors_and_an_open_list_is_accessible(page: Page) -> None:
    await send(page, "/csat")
    await page.get_by_role("textbox", name="handle").fill("@nobody")
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.get_by_text("Nobody has this handle.")).to_be_visible()

    await expect_accessible(page)
    await page.get_by_role("combobox", name="question").click()
    await expect_accessible(page)


async def test_a_thread_an_ephemeral_message_and_a_menu_are_accessible(page: Page) -> None:
    await send(page, "/csat help")
    await expect(page.get_by_text("Only visible to you")).to_be_visible()
    await page.get_by_role("link", name="3 replies").click()
    thread = page.get_by_role("region", name="Thread", exact=True)
    await thread.get_by_role("article").last.hover()
    await thread.get_by_role("button", name="More actions").last.click()
    await expect(page.get_by_role("menuitem")).to_be_visible()

    await expect_accessible(page)


async def test_the_phone_and_the_request_list_are_accessible(page: Page, sandbox: Sandbox) -> None:
    create_survey(sandbox, "tomasberg", FeedbackType.NPS)
    await page.get_by_role("group").get_by_role("button", name="9").click()
    await expect(page.get_by_role("textbox", name="Tell us more")).to_be_visible()
    await send(page, "/csat help")
    await page.get_by_role("region", name="List of requests").locator("summary").first.click()
    await expect(page.get_by_role("region", name="Response")).to_be_visible()

    await expect_accessible(page)


async def test_message_requests_and_links_are_accessible(page: Page, sandbox: Sandbox) -> None:
    tomas = sandbox.x.customer("tomasberg").id
    sandbox.x.send_message(tomas, "How did we do? https://nimbus.example/r/c2VjcmV0")
    sandbox.x.send_message(tomas, "Hidden").is_request = True
    await expect(page.get_by_role("link", name="https://nimbus.example/r/c2VjcmV0")).to_be_visible()
    sandbox.x.pubsub.publish("phone")
    await expect(page.get_by_role("button", name="Message requests (1)")).to_be_visible()

    await expect_accessible(page)


async def test_the_panel_of_simulated_problems_is_accessible(page: Page, sandbox: Sandbox) -> None:
    sandbox.x.fail(Fault.OVER_CAPACITY)
    await page.get_by_role("button", name="Simulate problems").click()
    await page.get_by_role("checkbox", name="Deliver everything twice").check()
    await expect(page.get_by_text("Simulating problems")).to_be_visible()

    await expect_accessible(page)


async def test_a_disconnected_app_and_its_tabs_are_accessible(browser: Browser) -> None:
    async with run_sandbox() as sandbox, open_page(browser, sandbox.page_url) as page:
        await page.get_by_role("link", name="Feedback").click()
        await expect(page.get_by_text("hasn't published a Home tab for Ada Okafor yet")).to_be_visible()
        await expect_accessible(page)
        await page.get_by_role("link", name="Messages").click()
        await expect(page.get_by_role("textbox", name="Message Feedback")).to_be_visible()

        await expect_accessible(page)


async def test_a_survey_can_be_sent_with_the_keyboard_only(page: Page, sandbox: Sandbox) -> None:
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
    assert sandbox.workspace.current_view(ADA) is None


async def test_getting_started_stays_hidden_until_it_is_shown_again(page: Page) -> None:
    guide = page.get_by_role("complementary", name="Getting started")

    await page.get_by_role("button", name="Got it").click()
    await expect(page.get_by_role("textbox", name="Message #support")).to_be_focused()
    await page.reload()
    await expect(guide).to_be_hidden()
    await page.get_by_role("button", name="Getting started").click()

    await expect(guide).to_be_visible()


async def test_the_skip_link_focuses_the_composer(page: Page) -> None:
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the message field")).to_be_focused()
    await page.keyboard.press("Enter")

    await expect(page.get_by_role("textbox", name="Message #support")).to_be_focused()


async def test_new_messages_are_announced_to_screen_readers(page: Page) -> None:
    for name in ("Messages in #support", "Messages in the thread"):
        if name.endswith("thread"):
            await page.get_by_role("link", name="3 replies").click()
        messages = page.get_by_role("region", name=name).get_by_role("list").first
        await expect(messages).to_have_attribute("aria-live", "polite")


async def test_a_narrow_window_stacks_the_panes(browser: Browser, sandbox: Sandbox) -> None:
    async with open_page(browser, sandbox.page_url, 640, 900) as page:
        await page.get_by_role("link", name="3 replies").click()
        await expect(page.get_by_role("textbox", name="Reply…")).to_be_visible()
        width = await page.evaluate("document.documentElement.scrollWidth")

        await expect_accessible(page)

    assert width == 640


CUT_OFF = """() => [...document.querySelectorAll("body *")]
  .filter((element) => element.checkVisibility({ contentVisibilityAuto: true }))
  .filter((element) => !element.closest(".visually-hidden, .skip-link, svg, [popover], dialog"))
  .filter((element) => {
    const { left, right } = element.getBoundingClientRect();
    const isCut = element.scrollWidth > element.clientWidth + 1 && element.clientWidth;
    const hides = ["hidden", "clip"].includes(getComputedStyle(element).overflowX);
    return left < -1 || right > innerWidth + 1 || (isCut && hides);
  })
  .map((element) => `${element.tagName}.${element.className}: ${element.textContent.trim().slice(0, 40)}`)
"""
"""Returns the elements that reach over the window's edge, or hide a part of their text."""


async def test_on_a_phone_nothing_is_cut_off(browser: Browser, sandbox: Sandbox) -> None:
    async with open_page(browser, sandbox.page_url, 390, 844) as page:
        await send(page, "/csat help")
        requests = page.get_by_role("region", name="List of requests")
        await requests.locator("summary", has_text="slash command /csat").click()
        await expect(requests.get_by_role("region", name="Request")).to_be_visible()
        assert await page.evaluate(CUT_OFF) == []
        await page.get_by_role("link", name="3 replies").click()
        await expect(page.get_by_role("textbox", name="Reply…")).to_be_visible()
        assert await page.evaluate(CUT_OFF) == []

        await expect_accessible(page)


@pytest.mark.parametrize(("width", "height"), [(1024, 700), (1280, 800), (1440, 900)])
async def test_the_page_fits_the_screen(browser: Browser, sandbox: Sandbox, width: int, height: int) -> None:
    async with open_page(browser, sandbox.page_url, width, height) as page:
        await page.get_by_role("link", name="3 replies").click()
        await expect(page.get_by_role("textbox", name="Reply…")).to_be_in_viewport(ratio=1)
        await expect(page.get_by_role("textbox", name="Message #support")).to_be_in_viewport(ratio=1)

        size = await page.evaluate("[document.body.scrollWidth, document.body.scrollHeight]")

    assert size == [width, height]
