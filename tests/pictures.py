"""Take the documentation's screenshots of the app in the sandbox, for `make pictures`."""

import asyncio
import sys
from pathlib import Path

from playwright.async_api import Page, expect

from demo.run import run_demo
from tests.sandbox.page_kit import launch_chromium, open_page

HANDLE = "@tomasberg"


async def take(url: str, folder: Path) -> None:
    """Send surveys, simulate a problem and open the results, and take screenshots."""
    async with launch_chromium() as browser:
        async with open_page(browser, url, 1440, 900) as page:
            await _send_from_a_thread(page, folder)
        async with open_page(browser, url, 1280, 800) as page:
            await _simulate_a_problem(page, folder)
        async with open_page(browser, url, 1440, 900) as page:
            link = await _send_a_link(page, folder)
        async with open_page(browser, url, 1280, 800) as page:
            await _ask_in_slack(page, folder)
            await _invite_in_a_thread(page, folder)
        rating_page = await browser.new_page(viewport={"width": 390, "height": 640}, device_scale_factor=2)
        await rating_page.goto(link)
        await rating_page.get_by_role("radio", name="4 Good").check()
        await rating_page.screenshot(path=folder / "rating-page.png")
        async with open_page(browser, url, 1440, 1500) as page:
            await _show_results(page, folder)


async def _send_from_a_thread(page: Page, folder: Path) -> None:
    await page.screenshot(path=folder / "sandbox-start.png")
    await page.get_by_role("button", name="Got it").click()
    await page.get_by_role("link", name="3 replies").click()
    message = page.get_by_role("region", name="Thread", exact=True).get_by_role("article").first
    await message.hover()
    await (
        page.get_by_role("region", name="Messages in the thread")
        .get_by_role("button", name="More actions")
        .first.click()
    )
    await page.get_by_role("menuitem", name="Send feedback survey").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.screenshot(path=folder / "sandbox-form.png")
    await page.get_by_role("dialog").get_by_role("button", name="Send survey").click()
    phone = page.get_by_role("region", name="Phone", exact=True)
    await phone.get_by_role("group").get_by_role("button", name="5").click()
    await phone.get_by_role("textbox").fill("My bag came to the hotel. Thank you, Ada!")
    confirmation = page.get_by_role("region", name="Thread", exact=True).get_by_text("answered")
    await expect(confirmation).to_be_visible()
    await confirmation.scroll_into_view_if_needed()
    await page.mouse.move(0, 0)
    await page.screenshot(path=folder / "sandbox-answer.png")


async def _simulate_a_problem(page: Page, folder: Path) -> None:
    await page.get_by_role("button", name="Got it").click()
    await page.get_by_role("button", name="Simulate problems").click()
    await page.get_by_label("Sending a survey").select_option("DMS_CLOSED")
    await expect(page.get_by_text("Simulating problems")).to_be_visible()
    await page.screenshot(path=folder / "sandbox-problems.png")
    await page.keyboard.press("Escape")
    composer = page.get_by_role("textbox", name="Message #support")
    await composer.fill(f"/csat {HANDLE}")
    await composer.press("Enter")
    await page.get_by_role("dialog").get_by_role("button", name="Send survey").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.get_by_text("Only visible to you")).to_be_visible()
    drawer = page.get_by_role("region", name="List of requests")
    await drawer.locator("summary", has_text="feedback/create").first.click()
    await expect(drawer.get_by_role("region", name="Response")).to_be_visible()
    await page.screenshot(path=folder / "sandbox-refused.png")
    await page.get_by_role("button", name="Back to normal").first.click()


async def _send_a_link(page: Page, folder: Path) -> str:
    """Send a survey by a link, and return the link on the phone."""
    await page.get_by_role("button", name="Got it").click()
    composer = page.get_by_role("textbox", name="Message #support")
    await composer.fill("/csat @priya_k_iyer")
    await composer.press("Enter")
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name="More options").click()
    await dialog.get_by_role("combobox", name="Send as").fill("Link")
    await dialog.get_by_role("option", name="Link in a direct message").click()
    await expect(dialog.get_by_text("What the customer will read · Link")).to_be_visible()
    await dialog.get_by_role("button", name="Send survey").click()
    link = page.get_by_role("region", name="Phone", exact=True).get_by_role("link", name="/r/")
    await expect(link).to_be_visible()
    await expect(page.get_by_text("sent a survey to @priya_k_iyer")).to_be_visible()
    await page.mouse.move(0, 0)
    await page.screenshot(path=folder / "sandbox-link.png")
    return await link.get_attribute("href") or ""


async def _ask_in_slack(page: Page, folder: Path) -> None:
    """Ask a customer in Slack, and look at the question through their eyes."""
    await page.get_by_role("button", name="Got it").click()
    composer = page.get_by_role("textbox", name="Message #support")
    await composer.fill("/csat nps @sam")
    await composer.press("Enter")
    await page.get_by_role("dialog").get_by_role("button", name="Send survey").click()
    await page.get_by_role("link", name="New message to Sam Adeyemi").click()
    await expect(page.get_by_role("button", name="Don't ask me again")).to_be_visible()
    await page.mouse.move(0, 0)
    await page.screenshot(path=folder / "sandbox-slack.png")


async def _invite_in_a_thread(page: Page, folder: Path) -> None:
    """Ask a customer whom the app may not message."""
    await page.get_by_label("You are").select_option(label="Ada Okafor (agent)")
    await page.get_by_role("link", name="ext-skylinker").click()
    start = page.get_by_role("article").filter(has_text="wheelchairs")
    await start.get_by_role("link").last.click()
    thread = page.get_by_role("region", name="Messages in the thread")
    await thread.get_by_role("article").first.hover()
    await thread.get_by_role("button", name="More actions").first.click()
    await page.get_by_role("menuitem", name="Send feedback survey").click()
    await page.get_by_role("dialog").get_by_role("button", name="Send survey").click()
    await expect(thread.get_by_text("sent a survey to a customer")).to_be_visible()
    await page.mouse.move(0, 0)
    await page.screenshot(path=folder / "sandbox-slack-thread.png")


async def _show_results(page: Page, folder: Path) -> None:
    await page.get_by_role("button", name="Got it").click()
    await page.get_by_role("button", name="Add sample data").click()
    await expect(page.get_by_text("surveys from the past three months")).to_be_visible()
    await page.get_by_label("You are").select_option(label="Cleo Marchetti (supervisor)")
    await expect(page.get_by_role("link", name="csat-results")).to_be_visible()
    await page.get_by_role("link", name="csat-slack").click()
    await page.get_by_role("link", name="Home", exact=True).click()
    await expect(page.get_by_role("heading", name="Feedback results")).to_be_visible()
    await expect(page.get_by_role("img", name="How customers rated")).to_be_visible()
    await page.mouse.move(0, 0)
    await page.screenshot(path=folder / "sandbox-home.png")


async def main(docs: Path) -> None:
    """Run the app in the sandbox, and take the screenshots."""
    async with run_demo() as sandbox:
        await sandbox.workspace.wait_until(lambda: sandbox.workspace.connection_count)
        await take(sandbox.page_url, docs)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
