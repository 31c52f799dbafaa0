"""Actions on the page in a real browser."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect

from sandbox.server import Sandbox
from sandbox.slack.fixtures import ADA, BEN, LOUNGE, SUPPORT
from sandbox.x import CreateParams, Fault, FeedbackType
from tests.sandbox.page_kit import SurveyApp, expect_accessible, launch_chromium, open_page, run_sandbox

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(name="browser", scope="module", loop_scope="module")
async def _browser() -> AsyncIterator[Browser]:
    async with launch_chromium() as browser:
        yield browser


@pytest_asyncio.fixture(name="app", loop_scope="module")
async def _app() -> SurveyApp:
    return SurveyApp()


@pytest_asyncio.fixture(name="sandbox", loop_scope="module")
async def _sandbox(app: SurveyApp) -> AsyncIterator[Sandbox]:
    async with run_sandbox(app.register) as sandbox:
        yield sandbox


@pytest_asyncio.fixture(name="page", loop_scope="module")
async def _page(browser: Browser, sandbox: Sandbox) -> AsyncIterator[Page]:
    async with open_page(browser, sandbox.page_url) as page:
        yield page


async def send(page: Page, text: str) -> None:
    composer = page.get_by_role("textbox", name="Message #support")
    await composer.fill(text)
    await composer.press("Enter")


async def open_modal(page: Page) -> None:
    await send(page, "/csat")
    await expect(page.get_by_role("dialog", name="Survey")).to_be_visible()


def create_survey(sandbox: Sandbox, handle: str, kind: FeedbackType = FeedbackType.CSAT) -> None:
    recipient = sandbox.x.customer(handle).id
    sandbox.x.create(
        CreateParams(kind, recipient, "How did we do?", "https://a.b", None, "0", "Northwind", test=False)
    )


async def test_a_command_opens_the_modal_and_focuses_its_first_field(page: Page, app: SurveyApp) -> None:
    await send(page, "/csat @grace")

    await expect(page.get_by_role("dialog", name="Survey")).to_be_visible()
    await expect(page.get_by_role("textbox", name="handle")).to_be_focused()
    await expect(page.get_by_role("textbox", name="Message #support")).to_have_value("")
    assert app.events == ["@grace"]


async def test_esc_closes_the_modal_like_cancel_and_restores_the_focus(page: Page, app: SurveyApp) -> None:
    await open_modal(page)

    await page.keyboard.press("Escape")

    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.get_by_role("textbox", name="Message #support")).to_be_focused()
    await expect(page.get_by_role("region", name="List of requests")).to_contain_text("view_closed")
    assert app.events[-1] == "closed"


async def test_the_focus_stays_where_it_was_moved_once_slack_knows_that_the_modal_is_closed(
    page: Page, app: SurveyApp
) -> None:
    held, moved = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        held.set()
        await moved.wait()
        await route.continue_()

    await page.route("**/close?*", hold)
    await open_modal(page)
    await page.keyboard.press("Escape")
    await held.wait()
    channel = page.get_by_role("link", name="lounge")
    await channel.focus()
    moved.set()
    await expect(page.locator("#modal")).to_have_attribute("data-view", "")

    assert app.events[-1] == "closed"
    await expect(channel).to_be_focused()


async def test_each_message_has_the_shortcut_in_its_menu(page: Page, app: SurveyApp) -> None:
    message = page.get_by_role("listitem").filter(has=page.get_by_role("article", name="Cleo Marchetti"))

    await message.get_by_role("button", name="More actions").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("menuitem", name="Survey")).to_be_focused()
    await page.keyboard.press("Enter")

    await expect(page.get_by_role("dialog", name="Survey")).to_be_visible()
    assert app.events == ["survey"]
    await page.get_by_role("button", name="Cancel").click()
    await expect(message.get_by_role("button", name="More actions")).to_be_focused()


async def test_an_open_menu_does_not_cover_its_message(page: Page) -> None:
    for message in await page.get_by_role("listitem").filter(has=page.get_by_role("article")).all():
        await message.scroll_into_view_if_needed()
        await message.get_by_role("button", name="More actions").focus()
        await page.keyboard.press("Enter")
        menu = await page.get_by_role("menu").bounding_box()
        article = await message.get_by_role("article").bounding_box()
        await page.keyboard.press("Escape")

        assert menu
        assert article
        assert (
            menu["y"] >= article["y"] + article["height"] - 1
            or menu["y"] + menu["height"] <= article["y"] + 1
        )


async def test_switching_the_person_hides_the_toast(page: Page) -> None:
    await send(page, "/unknown")
    await expect(page.get_by_role("alert")).to_be_visible()

    await page.get_by_label("You are").select_option(BEN)

    await expect(page.get_by_role("alert")).to_have_count(0)


async def test_a_select_can_be_filtered_and_chosen_with_the_keyboard(page: Page, app: SurveyApp) -> None:
    await open_modal(page)
    field = page.get_by_role("combobox", name="question")

    await field.press_sequentially("our s")
    await expect(page.get_by_role("listbox").get_by_role("option")).to_have_count(3)
    await field.press("ArrowDown")
    await field.press("Enter")
    await page.get_by_role("textbox", name="handle").fill("@grace")
    await page.keyboard.press("Enter")

    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert app.events[-1] == "How would you rate our speed?"


async def test_esc_in_an_open_list_closes_only_the_list(page: Page) -> None:
    await open_modal(page)
    field = page.get_by_role("combobox", name="question")

    await field.press_sequentially("crew")
    await field.press("Escape")

    await expect(page.get_by_role("listbox")).to_have_count(0)
    await expect(field).to_have_value("")
    await expect(page.get_by_role("dialog", name="Survey")).to_be_visible()


async def test_typed_text_is_kept_while_the_preview_changes(page: Page) -> None:
    await open_modal(page)
    await page.get_by_role("textbox", name="handle").fill("@grace")
    name = page.get_by_role("textbox", name="name")

    await name.press_sequentially("Northwind")
    await expect(page.get_by_text("From Northwind", exact=True)).to_be_visible()
    await name.press("Home")
    await name.press_sequentially("The ")

    await expect(page.get_by_text("From The Northwind", exact=True)).to_be_visible()
    await expect(name).to_be_focused()
    await expect(name).to_have_value("The Northwind")
    await expect(page.get_by_role("textbox", name="handle")).to_have_value("@grace")


async def test_an_error_is_shown_below_its_field(page: Page) -> None:
    await open_modal(page)
    handle = page.get_by_role("textbox", name="handle")

    await handle.fill("@nobody")
    await page.get_by_role("button", name="Send", exact=True).click()

    await expect(handle).to_have_accessible_description("Nobody has this handle.")
    await expect(handle).to_have_attribute("aria-invalid", "true")
    await expect(handle).to_be_focused()
    await expect(handle).to_have_value("@nobody")


async def test_an_ephemeral_message_is_visible_to_one_person_and_its_button_works(
    page: Page, app: SurveyApp
) -> None:
    await send(page, "/csat help")
    await expect(page.get_by_text("Only visible to you")).to_be_visible()

    await page.get_by_role("button", name="again").click()
    await expect(page.get_by_role("dialog", name="Survey")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.get_by_label("You are").select_option(BEN)

    await expect(page.get_by_text("Only visible to you")).to_have_count(0)
    assert app.events[:2] == ["help", "button"]


async def test_a_thread_opens_beside_the_channel_and_rejects_commands(page: Page) -> None:
    await page.get_by_role("link", name="3 replies").click()
    thread = page.get_by_role("region", name="Thread", exact=True)
    reply = thread.get_by_role("textbox", name="Reply…")
    await expect(thread.get_by_role("article")).to_have_count(4)

    await reply.fill("on it")
    await reply.press("Enter")
    await expect(thread.get_by_role("article")).to_have_count(5)
    await reply.fill("/csat @grace")
    await reply.press("Enter")
    await expect(page.get_by_role("alert")).to_have_text("/csat is not supported in threads. Sorry!")
    await page.get_by_role("link", name="Close thread").click()

    await expect(thread).to_have_count(0)
    await expect(page.get_by_role("link", name="4 replies")).to_be_focused()


async def test_a_channel_with_new_messages_has_a_badge(page: Page, sandbox: Sandbox) -> None:
    await sandbox.workspace.post_message(BEN, LOUNGE, "there is cake again")
    lounge = page.get_by_role("link", name="lounge")

    await expect(lounge).to_have_accessible_name("lounge 1 new")
    await lounge.click()

    await expect(page.get_by_text("there is cake again")).to_be_visible()
    await expect(lounge).to_have_accessible_name("lounge")


async def test_messages_are_escaped_and_mentions_rendered(page: Page, sandbox: Sandbox) -> None:
    await sandbox.workspace.post_message(ADA, SUPPORT, "<img src=x onerror=alert(1)> <!channel>")

    await expect(page.get_by_text("<img src=x onerror=alert(1)>")).to_be_visible()
    await expect(page.get_by_text("@channel")).to_be_visible()


async def test_the_customer_rates_and_comments_on_the_phone(page: Page, sandbox: Sandbox) -> None:
    phone = page.get_by_role("region", name="Phone", exact=True)
    create_survey(sandbox, "tomasberg")

    await phone.get_by_role("group").get_by_role("button", name="4").click()
    await expect(phone.get_by_role("textbox", name="Tell us more")).to_be_focused()
    await page.keyboard.type("Quick & kind")
    await phone.get_by_role("button", name="Send comment").click()

    await expect(phone.get_by_text("Quick & kind")).to_be_visible()
    await expect(phone.get_by_text("Thank you for your feedback.")).to_be_focused()
    feedback = sandbox.x.feedbacks[-1]
    assert feedback.score
    assert feedback.text
    assert (feedback.score.value, feedback.text.value) == (4, "Quick & kind")


async def test_the_phone_links_to_the_latest_survey_of_another_customer(page: Page, sandbox: Sandbox) -> None:
    phone = page.get_by_role("region", name="Phone", exact=True)
    await phone.get_by_label("Phone of").select_option("grace_lopez_nw")
    create_survey(sandbox, "joonas_ek", FeedbackType.NPS)

    await phone.get_by_role("link", name="Show the latest survey (Joonas Ek)").click()
    await expect(phone.get_by_role("group").get_by_role("button")).to_have_count(11)
    await phone.get_by_role("button", name="Dismiss").click()

    await expect(phone.get_by_text("Survey dismissed.")).to_be_visible()
    await expect(phone.locator(".dismissed")).to_be_focused()
    assert sandbox.x.feedbacks[-1].dismissed


async def test_a_link_among_message_requests_opens_in_a_new_tab(page: Page, sandbox: Sandbox) -> None:
    phone = page.get_by_role("region", name="Phone", exact=True)
    link = f"{sandbox.page_url}/static/icon.svg"
    message = sandbox.x.send_message(sandbox.x.customer("tomasberg").id, f"How did we do? {link}")
    message.is_request = True
    sandbox.x.pubsub.publish("phone")

    await phone.get_by_role("button", name="Message requests (1)").press("Enter")
    await expect(phone.get_by_role("region", name="Direct messages to")).to_be_focused()
    async with page.context.expect_page() as opened:
        await phone.get_by_role("link", name=link).click()

    tab = await opened.value
    assert tab.url == link
    assert await tab.evaluate("window.opener") is None
    await tab.close()


async def test_simulated_problems_are_shown_until_they_are_cleared(page: Page, sandbox: Sandbox) -> None:
    await page.get_by_role("button", name="Simulate problems").click()
    sending = page.get_by_label("Sending a survey")

    await sending.select_option(label="403 / 349: direct messages closed")
    await page.get_by_role("checkbox", name="#support", exact=True).uncheck()
    await expect(
        page.get_by_text("X responds to surveys with “403 / 349: direct messages closed”")
    ).to_be_visible()
    await expect(page.get_by_text("Feedback is not in this conversation")).to_be_visible()
    assert sandbox.x.fault() is Fault.DMS_CLOSED
    await page.get_by_role("button", name="Back to normal").last.click()

    await expect(page.get_by_text("Simulating problems")).to_have_count(0)
    await expect(sending).to_have_value("")
    assert sandbox.x.fault() is None


async def test_start_over_asks_first_and_does_nothing_if_it_is_canceled(page: Page, sandbox: Sandbox) -> None:
    start_over = page.get_by_role("button", name="Start over")

    await start_over.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog", name="Start over?")).to_be_visible()
    await expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    await expect_accessible(page)
    await page.keyboard.press("Escape")

    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(start_over).to_be_focused()
    assert not sandbox.page.restart_requested.is_set()


async def test_start_over_requests_a_restart_and_stays_disabled_until_then(
    page: Page, sandbox: Sandbox
) -> None:
    start_over = page.get_by_role("button", name="Start over")

    await start_over.click()
    await page.get_by_role("dialog").get_by_role("button", name="Start over").click()

    await expect(start_over).to_be_disabled()
    await sandbox.page.restart_requested.wait()


async def test_the_request_list_shows_bodies_and_hides_tokens(page: Page, sandbox: Sandbox) -> None:
    await send(page, "/csat help")
    requests = page.get_by_role("region", name="List of requests")

    await requests.locator("summary", has_text="slash command /csat").click()
    await expect(requests.get_by_role("region", name="Request")).to_contain_text('"text": "help"')
    await page.get_by_label("Show", exact=True).select_option("x")

    await expect(requests).to_contain_text("No requests yet")
    assert sandbox.workspace.bot_token not in await page.content()


async def test_a_disconnected_app_is_reported(browser: Browser) -> None:
    async with run_sandbox() as sandbox, open_page(browser, sandbox.page_url) as page:
        await expect(page.get_by_text("Feedback is not connected.")).to_be_visible()

        await send(page, "/csat @grace")

        await expect(page.get_by_role("alert")).to_have_text('/csat failed with the error "dispatch_failed"')


async def test_adding_sample_data_shows_progress_and_keeps_the_focus(page: Page, sandbox: Sandbox) -> None:
    await page.get_by_role("button", name="Add sample data").focus()
    await page.keyboard.press("Enter")
    await sandbox.page.sample_data.requested.wait()
    adding = page.get_by_role("button", name="Adding sample data…")
    await expect(adding).to_be_focused()
    sandbox.page.sample_data.update("1,200 of 3,000 surveys")
    await expect(page.get_by_role("status").filter(has_text="1,200 of 3,000 surveys")).to_be_visible()

    sandbox.page.sample_data.finish("3,000 surveys and 1,310 answers are in the reports now.")

    await expect(page.get_by_role("button", name="Sample data added")).to_be_focused()
    await expect(page.get_by_text("3,000 surveys and 1,310 answers")).to_be_visible()
