"""End-to-end tests of the app and the sandbox in a real browser."""

import contextlib
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Locator, Page, expect

from demo.run import run_demo
from sandbox.server import Sandbox
from sandbox.slack import fixtures
from sandbox.x import Fault
from tests.sandbox.page_kit import expect_accessible, launch_chromium, open_page
from tests.timeouts import GENEROUS

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(name="browser", scope="module", loop_scope="module")
async def _browser() -> AsyncIterator[Browser]:
    async with launch_chromium() as browser:
        yield browser


@pytest_asyncio.fixture(name="sandbox", loop_scope="module")
async def _sandbox() -> AsyncIterator[Sandbox]:
    async with run_demo(timeouts=GENEROUS) as sandbox:
        await sandbox.workspace.wait_until(lambda: sandbox.workspace.connection_count, timeout_seconds=60)
        yield sandbox


@pytest_asyncio.fixture(name="page", loop_scope="module")
async def _page(browser: Browser, sandbox: Sandbox) -> AsyncIterator[Page]:
    async with open_page(browser, sandbox.page_url, 1440, 900) as page:
        yield page


async def post(page: Page, text: str) -> None:
    composer = page.get_by_role("textbox", name="Message #support")
    await composer.fill(text)
    await composer.press("Enter")


async def get_form(page: Page) -> Locator:
    dialog = page.get_by_role("dialog", name="Feedback survey")
    await expect(dialog).to_be_visible()
    return dialog


async def show_options(dialog: Locator) -> None:
    await dialog.get_by_role("button", name="More options").click()
    await expect(dialog.get_by_role("button", name="More options")).to_have_count(0)


async def choose_transports(page: Page, choice: str) -> None:
    """Use the switch in the top bar, and wait until the app has restarted."""
    if choice != await page.get_by_label("Transports").input_value():
        await page.get_by_label("Transports").select_option(choice)
        await expect(page.get_by_text("The app has restarted")).to_be_visible()
        await expect(page.get_by_text("is not connected")).to_have_count(0)


def get_phone(page: Page) -> Locator:
    return page.get_by_role("region", name="Phone", exact=True)


def channel(page: Page) -> Locator:
    return page.get_by_role("region", name="Messages in #support")


@pytest.mark.slow
async def test_a_survey_from_the_command_to_the_answer(page: Page, sandbox: Sandbox) -> None:
    await post(page, "/csat nps @tomasberg")
    dialog = await get_form(page)
    await expect(dialog.get_by_label("Customer")).to_have_value("@tomasberg")
    await dialog.get_by_role("combobox", name="Question").fill("how satisfied")
    await dialog.get_by_role("option", name="How satisfied are you with …?").click()
    await expect(dialog.get_by_text("How satisfied are you with Northwind Air?")).to_be_visible()
    await show_options(dialog)
    await dialog.get_by_label("Display name").fill("Northwind")
    await expect(dialog.get_by_text("How satisfied are you with Northwind?")).to_be_visible()
    await dialog.get_by_label("Case number").fill("ticket_9912")
    await dialog.get_by_role("button", name="Send survey").click()

    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(channel(page)).to_contain_text("sent a survey to @tomasberg on X")
    await expect(channel(page)).to_contain_text("Case number: ticket_9912")
    await expect(get_phone(page)).to_contain_text("How satisfied are you with Northwind?")

    await get_phone(page).get_by_role("group").get_by_role("button", name="9", exact=True).click()
    await get_phone(page).get_by_role("textbox").fill("Quick and kind")
    await get_phone(page).get_by_role("button", name="Send").click()
    await expect(get_phone(page)).to_contain_text("Quick and kind")
    (feedback,) = sandbox.x.feedbacks
    assert feedback.score
    assert feedback.text
    assert (feedback.score.value, feedback.text.value) == (9, "Quick and kind")
    assert feedback.external_id == "ticket_9912"


@pytest.mark.slow
async def test_the_shortcut_in_a_thread_prefills_customer_and_external_id(page: Page) -> None:
    await page.get_by_role("link", name="3 replies").click()
    thread = page.get_by_role("region", name="Messages in the thread")
    await thread.get_by_role("article").first.hover()
    await thread.get_by_role("button", name="More actions").first.click()
    await page.get_by_role("menuitem", name="Send feedback survey").click()
    dialog = await get_form(page)
    await expect(dialog.get_by_label("Customer")).to_have_value("@grace_lopez_nw")
    await show_options(dialog)
    await expect(dialog.get_by_label("Case number")).to_have_value("zendesk_48213")
    await dialog.get_by_role("button", name="Send survey").click()

    await expect(thread).to_contain_text("sent a survey to @grace_lopez_nw on X")
    await expect(get_phone(page)).to_contain_text("What is your overall satisfaction with Northwind Air?")


@pytest.mark.slow
async def test_a_survey_can_be_sent_and_answered_with_the_keyboard_alone(
    page: Page, sandbox: Sandbox
) -> None:
    await page.get_by_role("textbox", name="Message #support").focus()
    await page.keyboard.type("/csat @priya_k_iyer")
    await page.keyboard.press("Enter")
    dialog = await get_form(page)
    await page.keyboard.press("Enter")
    await expect(dialog).to_contain_text("What the customer will read")
    await page.keyboard.press("Control+Enter")
    await expect(channel(page)).to_contain_text("sent a survey to @priya_k_iyer on X")

    await tab_to(page, get_phone(page).get_by_role("group").get_by_role("button", name="5", exact=True))
    await page.keyboard.press("Enter")
    await expect(get_phone(page).get_by_role("textbox")).to_be_visible()
    score = sandbox.x.feedbacks[0].score
    assert score
    assert score.value == 5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("transports", "command"),
    [
        ("all", "/csat"),
        ("all", "/csat nps @tomasberg"),
        ("all", "/csat @gus"),
        ("all", "/csat nps @gus"),
        ("link", "/csat"),
        ("link", "/csat nps @tomasberg"),
        ("slack", "/csat"),
    ],
)
async def test_the_form_needs_no_scrolling_in_a_window_of_720_pixels(
    page: Page, command: str, transports: str
) -> None:
    await page.set_viewport_size({"width": 1280, "height": 720})
    await choose_transports(page, transports)
    await post(page, command)
    await expect_no_scrolling(await get_form(page))


@pytest.mark.slow
async def test_the_form_needs_no_scrolling_while_the_account_is_paused(page: Page, sandbox: Sandbox) -> None:
    await page.set_viewport_size({"width": 1280, "height": 720})
    sandbox.x.fail(Fault.WRONG_KEYS)
    await post(page, "/csat @priya_k_iyer")
    await (await get_form(page)).get_by_role("button", name="Send survey").click()
    await expect(channel(page)).to_contain_text("Queued")
    await post(page, "/csat nps")
    dialog = await get_form(page)

    await expect(dialog).to_contain_text("X isn't accepting surveys now")
    await expect_no_scrolling(dialog)


async def expect_no_scrolling(dialog: Locator) -> None:
    """Check that all parts of the short form are in view."""
    parts = [
        dialog.get_by_label("Customer"),
        dialog.get_by_role("radio", name="CSAT"),
        dialog.get_by_role("combobox", name="Question"),
        dialog.get_by_text("1   2   3   4   5"),
        dialog.get_by_role("button", name="More options"),
        dialog.get_by_role("button", name="Send survey"),
    ]

    for part in parts:
        await expect(part).to_be_in_viewport(ratio=1)


@pytest.mark.slow
async def test_errors_are_shown_under_their_fields_and_typed_text_is_kept(page: Page) -> None:
    await post(page, "/csat @nobody_knows")
    dialog = await get_form(page)
    await show_options(dialog)
    await dialog.get_by_label("Display name").fill("A name that is much too long")
    await dialog.get_by_label("Case number").fill("kept")
    await dialog.get_by_role("button", name="Send survey").click()

    await expect(dialog).to_contain_text("There is no such customer on X")
    await expect(dialog).to_contain_text("Shorten the name to 20 characters; it has 28.")
    await expect(dialog.get_by_label("Case number")).to_have_value("kept")


async def test_more_options_lead_the_keyboard_to_the_first_of_them(page: Page) -> None:
    await post(page, "/csat @tomasberg")
    dialog = await get_form(page)
    await show_options(dialog)

    await expect(dialog.get_by_role("combobox", name="Send as")).to_be_focused()


@pytest.mark.slow
async def test_a_refused_survey_can_be_edited_and_sent_again(page: Page) -> None:
    await page.get_by_role("button", name="Simulate problems").click()
    await page.get_by_label("Sending a survey").select_option("LOOKS_AUTOMATED")
    await page.keyboard.press("Escape")
    await post(page, "/csat @joonas_ek")
    dialog = await get_form(page)
    await show_options(dialog)
    await dialog.get_by_label("Message").fill("How was it?")
    await dialog.get_by_role("button", name="Send survey").click()
    await expect(channel(page)).to_contain_text("X thinks this message looks automated")
    await page.get_by_role("button", name="Back to normal").first.click()
    await page.get_by_role("button", name="Edit and try again").click()
    dialog = await get_form(page)

    await expect(dialog.get_by_label("Message")).to_have_value("How was it?")
    await dialog.get_by_role("button", name="Send survey").click()
    await expect(channel(page)).to_contain_text("sent a survey to @joonas_ek on X")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "reply"),
    [("/csat @tomasberg", ""), ("/csat help", "shows this help"), ("/csat reprot", "Did you mean")],
)
async def test_there_are_no_serious_accessibility_violations(page: Page, text: str, reply: str) -> None:
    await post(page, text)
    if reply:
        await expect(channel(page)).to_contain_text(reply)
    else:
        await get_form(page)
    axe_results = await Axe().run(page)

    violations = [v for v in axe_results.response["violations"] if v["impact"] in ("serious", "critical")]
    assert violations == []


async def test_an_answer_reaches_the_supervisor_but_not_the_agent(page: Page) -> None:
    comment = "Nobody told me where my bag was."
    thread = await send_survey_in_thread(page)
    await get_phone(page).get_by_role("group").get_by_role("button", name="1", exact=True).click()
    await get_phone(page).get_by_role("textbox").fill(comment)
    await get_phone(page).get_by_role("button", name="Send").click()
    await expect(thread).to_contain_text("They answered.")
    await expect(page.get_by_role("link", name="csat-results")).to_have_count(0)
    await expect(thread).not_to_contain_text(comment)

    await switch_user(page, fixtures.CLEO)
    await page.get_by_role("link", name="csat-results").press("Enter")
    results = page.get_by_role("region", name="Messages in #csat-results")
    await expect(results).to_contain_text("A customer gave a low rating.")
    await expect(results).to_contain_text("zendesk_48213")
    await expect(results).not_to_contain_text(comment)
    await expect_accessible(page)
    await results.get_by_role("button", name="Show").press("Enter")
    modal = page.get_by_role("dialog", name="Low rating")
    await expect(modal).to_contain_text("Rating: 1 on a scale from 1 to 5")
    await expect(modal).to_contain_text(comment)
    await expect_accessible(page)
    await page.keyboard.press("Escape")
    await expect(modal).to_have_count(0)
    await results.get_by_role("button", name="Assign to me").press("Enter")
    await expect(results).to_contain_text("Assigned to")

    await page.get_by_role("button", name="Add sample data").press("Enter")
    await expect(page.get_by_text("surveys from the past three months")).to_be_visible()
    await page.get_by_role("link", name="csat-slack").press("Enter")
    await page.get_by_role("link", name="Home", exact=True).press("Enter")
    home = page.get_by_role("region", name="Home of csat-slack")
    await expect(home).to_contain_text("Feedback results")
    await expect(home).to_contain_text("95% interval")
    await expect(home.get_by_role("img", name="How customers rated")).to_be_visible()
    await expect(home).to_contain_text(comment)
    await expect_accessible(page)

    await switch_user(page, fixtures.ADA)
    await page.get_by_role("link", name="csat-slack").press("Enter")
    await page.get_by_role("link", name="Home", exact=True).press("Enter")
    await expect(home).to_contain_text("Your feedback surveys")
    await expect(home).not_to_contain_text(comment)


async def test_an_answer_on_the_page_behind_a_link_reaches_the_supervisor_but_not_the_agent(
    page: Page, browser: Browser
) -> None:
    comment = "The crew was lovely."
    await post(page, "/csat @tomasberg")
    dialog = await get_form(page)
    await show_options(dialog)
    await dialog.get_by_role("combobox", name="Send as").fill("Link")
    await dialog.get_by_role("option", name="Link in a direct message").click()
    await expect(dialog.get_by_text("What the customer will read · Link")).to_be_visible()
    await dialog.get_by_role("button", name="Send survey").click()
    await expect(channel(page)).to_contain_text("sent a survey to @tomasberg on X")

    link = get_phone(page).get_by_role("link")
    await expect(link).to_have_attribute("target", "_blank")
    async with open_without_javascript(browser, await link.get_attribute("href") or "") as rating_page:
        await rating_page.get_by_role("radio", name="2 Poor").check()
        await rating_page.get_by_role("button", name="Send").click()
        await rating_page.get_by_role("textbox").fill(comment)
        await rating_page.get_by_role("button", name="Send comment").click()
        await expect(rating_page.get_by_role("heading", name="Thank you")).to_be_visible()
    await expect(channel(page)).to_contain_text("They answered.")
    await expect(channel(page)).not_to_contain_text(comment)

    await expect_supervisor_to_read(page, rating=2, comment=comment)


async def test_an_answer_in_slack_reaches_the_supervisor_but_not_the_agent(page: Page) -> None:
    comment = "Nobody had booked the hotel."
    await choose_transports(page, "slack")
    await post(page, "/csat @sam")
    dialog = await get_form(page)
    await expect(dialog.get_by_label("Customer")).to_have_value("Sam Adeyemi")
    await expect(dialog).to_contain_text("Don't ask me again")
    await expect_accessible(page)
    await dialog.get_by_role("button", name="Send survey").click()
    await expect(channel(page)).to_contain_text("sent a survey to Sam Adeyemi.")

    await page.get_by_role("link", name="New message to Sam Adeyemi").click()
    messages = page.get_by_role("region", name="Messages in csat-slack")
    await expect(messages).to_contain_text("What is your overall satisfaction with Northwind Air?")
    await expect_accessible(page)
    await messages.get_by_role("button", name="Don't ask me again").click()
    question = page.get_by_role("dialog", name="Don't ask me again?")
    await expect(question).to_contain_text("We will then never send you a survey again.")
    await expect_accessible(page)
    await question.get_by_role("button", name="Cancel").click()
    await expect(messages).not_to_contain_text("Noted")
    await messages.get_by_role("button", name="Don't ask me again").click()
    await question.get_by_role("button", name="Don't ask me again").click()
    await expect(messages).to_contain_text(
        "Noted: you won't be asked again. You can still answer this question."
    )
    await messages.get_by_role("button", name="2: Poor").click()
    feedback = page.get_by_role("dialog", name="Your feedback")
    await expect(feedback).to_contain_text("Your answer is saved: 2 (Poor).")
    await expect_accessible(page)
    await feedback.get_by_label("Your comment").fill(comment)
    await feedback.get_by_role("button", name="Send").click()
    await expect(messages).to_contain_text("Thank you for your feedback.")
    await expect(messages.get_by_role("article").get_by_role("button")).to_have_count(0)

    await switch_user(page, fixtures.ADA)
    await page.get_by_role("link", name="support", exact=True).press("Enter")
    await expect(channel(page)).to_contain_text("They answered.")
    await expect(channel(page)).not_to_contain_text(comment)
    await expect_supervisor_to_read(page, rating=2, comment=comment)


@pytest.mark.slow
async def test_a_customer_in_slack_answers_with_the_keyboard_alone(page: Page) -> None:
    await post(page, "/csat nps @sam")
    await get_form(page)
    await page.keyboard.press("Control+Enter")
    await page.get_by_role("link", name="New message to Sam Adeyemi").press("Enter")
    messages = page.get_by_role("region", name="Messages in csat-slack")
    await expect(messages.get_by_role("button", name="0: Very poor")).to_be_visible()
    await tab_to(page, messages.get_by_role("button", name="9", exact=True))
    await page.keyboard.press("Enter")
    comment = page.get_by_role("dialog", name="Your feedback").get_by_label("Your comment")
    await expect(comment).to_be_focused()
    await page.keyboard.type("Quick and kind")
    await page.keyboard.press("Control+Enter")

    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(messages).to_contain_text("Thank you for your feedback.")


@pytest.mark.slow
async def test_a_customer_whom_the_app_may_not_message_answers_in_their_thread(page: Page) -> None:
    thread = await open_thread_of_noor(page)
    await thread.get_by_role("article").first.hover()
    await thread.get_by_role("button", name="More actions").first.click()
    await page.get_by_role("menuitem", name="Send feedback survey").click()
    dialog = await get_form(page)
    await expect(dialog.get_by_label("Customer")).to_have_value("Noor Haddad")
    await dialog.get_by_role("button", name="Send survey").click()
    await expect(thread).to_contain_text("Noor Haddad, how did we do? Only you can answer")
    await thread.get_by_role("button", name="Give feedback").click()
    await expect(thread).to_contain_text("This question is for somebody else")

    await switch_user(page, fixtures.NOOR)
    thread = await open_thread_of_noor(page)
    await thread.get_by_role("button", name="Give feedback").click()
    feedback = page.get_by_role("dialog", name="Your feedback")
    await expect(feedback).to_contain_text("What is your overall satisfaction with Northwind Air?")
    await expect_accessible(page)
    await feedback.get_by_role("radio", name="4: Good").check()
    await feedback.get_by_label("Your comment").fill("They came fast.")
    await feedback.get_by_role("button", name="Send").click()

    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(thread).to_contain_text("Thank you for letting us know.")
    await expect(thread).to_contain_text("They answered.")
    await expect(thread.get_by_role("button", name="Give feedback")).to_have_count(0)
    for told in ("Good", "They came fast."):
        await expect(thread).not_to_contain_text(told)


@contextlib.asynccontextmanager
async def open_without_javascript(browser: Browser, url: str) -> AsyncIterator[Page]:
    """Open a page in a browser of its own that runs no scripts."""
    context = await browser.new_context(java_script_enabled=False)
    async with context:
        page = await context.new_page()
        await page.goto(url)
        yield page


async def send_survey_in_thread(page: Page) -> Locator:
    """Send a survey through the shortcut in a thread, as Ada, and return the thread."""
    await page.get_by_role("link", name="3 replies").click()
    thread = page.get_by_role("region", name="Messages in the thread")
    await thread.get_by_role("article").first.hover()
    await thread.get_by_role("button", name="More actions").first.click()
    await page.get_by_role("menuitem", name="Send feedback survey").click()
    await (await get_form(page)).get_by_role("button", name="Send survey").click()
    await expect(thread).to_contain_text("sent a survey to @grace_lopez_nw on X")
    return thread


async def open_thread_of_noor(page: Page) -> Locator:
    """Open the thread that Noor has begun in the shared channel, and return it."""
    await page.get_by_role("link", name="ext-skylinker").click()
    messages = page.get_by_role("region", name="Messages in #ext-skylinker")
    await messages.get_by_role("article").filter(has_text="wheelchairs").get_by_role("link").last.click()
    return page.get_by_role("region", name="Messages in the thread")


async def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until an element has the focus."""
    for _ in range(60):
        if await target.evaluate("element => element === document.activeElement"):
            return
        await page.keyboard.press("Tab")
    raise AssertionError("The element can't be reached with Tab.")


async def switch_user(page: Page, user_id: str) -> None:
    """Switch to another user."""
    await page.get_by_label("You are").select_option(user_id)
    names = {fixtures.ADA: "Ada", fixtures.CLEO: "Cleo", fixtures.NOOR: "Noor"}
    await expect(page.locator(".me")).to_contain_text(names[user_id])


async def expect_supervisor_to_read(page: Page, rating: int, comment: str) -> None:
    """Go on as the supervisor, and find an answer in the low rating's alert and in Home."""
    await switch_user(page, fixtures.CLEO)
    await page.get_by_role("link", name="csat-results").press("Enter")
    results = page.get_by_role("region", name="Messages in #csat-results")
    await results.get_by_role("button", name="Show").press("Enter")
    modal = page.get_by_role("dialog", name="Low rating")
    await expect(modal).to_contain_text(f"Rating: {rating} on a scale from 1 to 5")
    await expect(modal).to_contain_text(comment)
    await page.keyboard.press("Escape")
    await expect(modal).to_have_count(0)
    await page.get_by_role("link", name="csat-slack").press("Enter")
    await page.get_by_role("link", name="Home", exact=True).press("Enter")
    home = page.get_by_role("region", name="Home of csat-slack")
    await expect(home).to_contain_text("Feedback results")
    await expect(home).to_contain_text(comment)
