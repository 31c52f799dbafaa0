"""What somebody does on the page, in a real browser."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from sandbox.server import Sandbox
from sandbox.slack.fixtures import ADA, BEN, LOUNGE, SUPPORT
from sandbox.x import Fault
from sandbox.x.feedback import FeedbackType
from sandbox.x.parameters import CreateParams
from tests.sandbox.test_page_kit import Journal, chromium, sandbox, tab

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(name="browser", scope="module", loop_scope="module")
async def _browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(name="app", loop_scope="module")
async def _app() -> Journal:
    return Journal()


@pytest_asyncio.fixture(name="running", loop_scope="module")
async def _running(app: Journal) -> AsyncIterator[Sandbox]:
    async with sandbox(app.register) as running:
        yield running


@pytest_asyncio.fixture(name="page", loop_scope="module")
async def _page(browser: Browser, running: Sandbox) -> AsyncIterator[Page]:
    async with tab(browser, running.page_url) as page:
        yield page


async def say(page: Page, text: str) -> None:
    composer = page.get_by_role("textbox", name="Message #support")
    await composer.fill(text)
    await composer.press("Enter")


async def open_form(page: Page) -> None:
    await say(page, "/csat")
    await expect(page.get_by_role("dialog", name="Survey")).to_be_visible()


def ask(running: Sandbox, handle: str, kind: FeedbackType = FeedbackType.CSAT) -> None:
    recipient = running.x.customer(handle).id
    running.x.create(
        CreateParams(kind, recipient, "How did we do?", "https://a.b", None, "0", "Northwind", test=False)
    )


async def test_a_command_opens_the_form_with_the_focus_in_its_first_field(page: Page, app: Journal) -> None:
    await say(page, "/csat @grace")

    await expect(page.get_by_role("dialog", name="Survey")).to_be_visible()
    await expect(page.get_by_role("textbox", name="handle")).to_be_focused()
    await expect(page.get_by_role("textbox", name="Message #support")).to_have_value("")
    assert app.heard == ["@grace"]


async def test_esc_closes_the_form_as_cancel_does_and_gives_the_focus_back(page: Page, app: Journal) -> None:
    await open_form(page)

    await page.keyboard.press("Escape")

    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.get_by_role("textbox", name="Message #support")).to_be_focused()
    await expect(page.get_by_role("region", name="List of requests")).to_contain_text("view_closed")
    assert app.heard[-1] == "closed"


async def test_each_message_has_the_shortcut_in_its_menu(page: Page, app: Journal) -> None:
    message = page.get_by_role("listitem").filter(has=page.get_by_role("article", name="Cleo Marchetti"))

    await message.get_by_role("button", name="More actions").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("menuitem", name="Survey")).to_be_focused()
    await page.keyboard.press("Enter")

    await expect(page.get_by_role("dialog", name="Survey")).to_be_visible()
    assert app.heard == ["survey"]
    await page.get_by_role("button", name="Cancel").click()
    await expect(message.get_by_role("button", name="More actions")).to_be_focused()


async def test_the_open_menu_leaves_its_message_to_be_read(page: Page) -> None:
    for message in await page.get_by_role("listitem").filter(has=page.get_by_role("article")).all():
        await message.scroll_into_view_if_needed()
        await message.get_by_role("button", name="More actions").focus()
        await page.keyboard.press("Enter")
        menu = await page.get_by_role("menu").bounding_box()
        read = await message.get_by_role("article").bounding_box()
        await page.keyboard.press("Escape")

        assert menu
        assert read
        assert menu["y"] >= read["y"] + read["height"] - 1 or menu["y"] + menu["height"] <= read["y"] + 1


async def test_a_sentence_of_slack_s_goes_when_somebody_else_is_chosen(page: Page) -> None:
    await say(page, "/unknown")
    await expect(page.get_by_role("alert")).to_be_visible()

    await page.get_by_label("You are").select_option(BEN)

    await expect(page.get_by_role("alert")).to_have_count(0)


async def test_a_select_is_searched_and_chosen_with_the_keyboard(page: Page, app: Journal) -> None:
    await open_form(page)
    field = page.get_by_role("combobox", name="question")

    await field.press_sequentially("our s")
    await expect(page.get_by_role("listbox").get_by_role("option")).to_have_count(3)
    await field.press("ArrowDown")
    await field.press("Enter")
    await page.get_by_role("textbox", name="handle").fill("@grace")
    await page.keyboard.press("Enter")

    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert app.heard[-1] == "How would you rate our speed?"


async def test_esc_in_an_open_list_closes_the_list_alone(page: Page) -> None:
    await open_form(page)
    field = page.get_by_role("combobox", name="question")

    await field.press_sequentially("crew")
    await field.press("Escape")

    await expect(page.get_by_role("listbox")).to_have_count(0)
    await expect(field).to_have_value("")
    await expect(page.get_by_role("dialog", name="Survey")).to_be_visible()


async def test_what_is_typed_stays_while_the_preview_changes(page: Page) -> None:
    await open_form(page)
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


async def test_an_error_stands_under_its_field(page: Page) -> None:
    await open_form(page)
    handle = page.get_by_role("textbox", name="handle")

    await handle.fill("@nobody")
    await page.get_by_role("button", name="Send", exact=True).click()

    await expect(handle).to_have_accessible_description("Nobody has this handle.")
    await expect(handle).to_have_attribute("aria-invalid", "true")
    await expect(handle).to_be_focused()
    await expect(handle).to_have_value("@nobody")


async def test_only_its_reader_sees_an_ephemeral_message_and_its_button_works(
    page: Page, app: Journal
) -> None:
    await say(page, "/csat help")
    await expect(page.get_by_text("Only visible to you")).to_be_visible()

    await page.get_by_role("button", name="again").click()
    await expect(page.get_by_role("dialog", name="Survey")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.get_by_label("You are").select_option(BEN)

    await expect(page.get_by_text("Only visible to you")).to_have_count(0)
    assert app.heard[:2] == ["help", "button"]


async def test_a_thread_opens_beside_the_channel_and_refuses_commands(page: Page) -> None:
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


async def test_what_is_new_elsewhere_is_marked(page: Page, running: Sandbox) -> None:
    await running.workspace.post_message(BEN, LOUNGE, "there is cake again")
    lounge = page.get_by_role("link", name="lounge")

    await expect(lounge).to_have_accessible_name("lounge 1 new")
    await lounge.click()

    await expect(page.get_by_text("there is cake again")).to_be_visible()
    await expect(lounge).to_have_accessible_name("lounge")


async def test_what_people_write_is_text_and_mentions_show(page: Page, running: Sandbox) -> None:
    await running.workspace.post_message(ADA, SUPPORT, "<img src=x onerror=alert(1)> <!channel>")

    await expect(page.get_by_text("<img src=x onerror=alert(1)>")).to_be_visible()
    await expect(page.get_by_text("@channel")).to_be_visible()


async def test_the_customer_rates_and_comments_on_the_phone(page: Page, running: Sandbox) -> None:
    phone = page.get_by_role("region", name="Phone", exact=True)
    ask(running, "tomasberg")

    await phone.get_by_role("group").get_by_role("button", name="4").click()
    await expect(phone.get_by_role("textbox", name="Tell us more")).to_be_focused()
    await page.keyboard.type("Quick & kind")
    await phone.get_by_role("button", name="Send comment").click()

    await expect(phone.get_by_text("Quick & kind")).to_be_visible()
    await expect(phone.get_by_text("Thank you for your feedback.")).to_be_focused()
    given = running.x.feedbacks[-1]
    assert given.score
    assert given.text
    assert (given.score.value, given.text.value) == (4, "Quick & kind")


async def test_a_chosen_phone_tells_of_news_elsewhere(page: Page, running: Sandbox) -> None:
    phone = page.get_by_role("region", name="Phone", exact=True)
    await phone.get_by_label("Phone of").select_option("grace_lopez_nw")
    ask(running, "joonas_ek", FeedbackType.NPS)

    await phone.get_by_role("link", name="New message for Joonas Ek: show").click()
    await expect(phone.get_by_role("group").get_by_role("button")).to_have_count(11)
    await phone.get_by_role("button", name="Dismiss").click()

    await expect(phone.get_by_text("The card was dismissed.")).to_be_visible()
    await expect(phone.locator(".gone")).to_be_focused()
    assert running.x.feedbacks[-1].dismissed


async def test_trouble_shows_until_everything_is_back_to_normal(page: Page, running: Sandbox) -> None:
    await page.get_by_role("button", name="Make trouble").click()
    sending = page.get_by_label("Sending a survey")

    await sending.select_option(label="403 / 349: direct messages closed")
    await page.get_by_role("checkbox", name="#support", exact=True).uncheck()
    await expect(
        page.get_by_text("X answers surveys with “403 / 349: direct messages closed”")
    ).to_be_visible()
    await expect(page.get_by_text("Feedback is not in this conversation")).to_be_visible()
    assert running.x.fault() is Fault.DMS_CLOSED
    await page.get_by_role("button", name="Back to normal").last.click()

    await expect(page.get_by_text("Trouble is on")).to_have_count(0)
    await expect(sending).to_have_value("")
    assert running.x.fault() is None


async def test_starting_over_waits_for_the_new_beginning(page: Page, running: Sandbox) -> None:
    start_over = page.get_by_role("button", name="Start over")

    await start_over.click()

    await expect(start_over).to_be_disabled()
    await running.over.wait()


async def test_the_drawer_opens_each_request_and_hides_tokens(page: Page, running: Sandbox) -> None:
    await say(page, "/csat help")
    drawer = page.get_by_role("region", name="List of requests")

    await drawer.locator("summary", has_text="slash command /csat").click()
    await expect(drawer.get_by_role("region", name="Request")).to_contain_text('"text": "help"')
    await page.get_by_label("Show", exact=True).select_option("x")

    await expect(drawer).to_contain_text("Nothing yet")
    assert running.workspace.bot_token not in await page.content()


async def test_an_app_that_is_away_is_missed(browser: Browser) -> None:
    async with sandbox() as running, tab(browser, running.page_url) as page:
        await expect(page.get_by_text("Feedback is not connected.")).to_be_visible()

        await say(page, "/csat @grace")

        await expect(page.get_by_role("alert")).to_have_text('/csat failed with the error "dispatch_failed"')


async def test_three_months_are_filled_in_by_the_app_and_the_focus_stays(
    page: Page, running: Sandbox
) -> None:
    await page.get_by_role("button", name="Fill with three months").focus()
    await page.keyboard.press("Enter")
    await running.fill.wait()
    filling = page.get_by_role("button", name="Filling…")
    await expect(filling).to_be_focused()
    running.progressed("1,200 of 3,000 surveys")
    await expect(page.get_by_role("status").filter(has_text="1,200 of 3,000 surveys")).to_be_visible()

    running.filled("3,000 surveys and 1,310 answers are in the reports now.")

    await expect(page.get_by_role("button", name="Filled")).to_be_focused()
    await expect(page.get_by_text("3,000 surveys and 1,310 answers")).to_be_visible()
