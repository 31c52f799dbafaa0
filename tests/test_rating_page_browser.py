"""The rating page in a real browser."""

import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from csat.rating_page.languages import CODES
from tests.rating_page_kit import RatingPages, running_pages
from tests.sandbox.page_kit import expect_accessible, launch_chromium

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

EXPECTED = "Failed to load resource: the server responded with a status of 4"
PHONE = {"width": 320, "height": 640}

CLIPPED = """() => [...document.querySelectorAll("body *")]
  .filter((element) => element.checkVisibility() && !element.closest(".nps .word"))
  .filter((element) => {
    const { left, right } = element.getBoundingClientRect();
    const hides = ["hidden", "clip"].includes(getComputedStyle(element).overflowX);
    return left < 0 || right > innerWidth || (hides && element.scrollWidth > element.clientWidth);
  })
  .map((element) => element.outerHTML.slice(0, 80))
"""
"""Returns the elements that reach over the window's edge, or hide a part of their text."""

SMALL_TARGETS = """() => [...document.querySelectorAll("a, button, summary, textarea, .scale label")]
  .filter((element) => element.checkVisibility())
  .map((element) => [element.getBoundingClientRect(), element.outerHTML.slice(0, 80)])
  .filter(([{ width, height }]) => width < 44 || height < 44)
"""
"""Returns the targets that a thumb can miss."""


STICKING_OUT = """() => [...document.querySelectorAll(".scale label")]
  .filter((label) => {
    const [box, card] = [label, document.querySelector("main")].map((each) => each.getBoundingClientRect());
    return box.left < card.left || box.right > card.right;
  })
  .map((label) => label.textContent)
"""
"""Returns the ratings that reach over the edge of the card around them."""


@pytest_asyncio.fixture(name="browser", scope="module", loop_scope="module")
async def _browser() -> AsyncIterator[Browser]:
    async with launch_chromium() as browser:
        yield browser


@pytest_asyncio.fixture(name="pages", scope="module", loop_scope="module")
async def _pages(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RatingPages]:
    folder: Path = tmp_path_factory.mktemp("pages")
    async with running_pages(folder) as pages:
        yield pages


@contextlib.asynccontextmanager
async def open_page(browser: Browser, pages: RatingPages, path: str, **options: Any) -> AsyncIterator[Page]:
    """Open a path, and check that nothing is logged or fetched, and no cookie is set."""
    origin, problems = str(pages.browser.base_url).rstrip("/"), list[str]()
    context = await browser.new_context(**options)
    page = await context.new_page()
    pages.world.clock.advance(minutes=1)  # so that the page serves all requests, however fast they come
    page.on("console", lambda message: problems.append(message.text))
    page.on(
        "request",
        lambda request: problems.append(request.url) if request.resource_type != "document" else None,
    )
    await page.goto(origin + path)
    yield page
    assert [problem for problem in problems if not problem.startswith(EXPECTED)] == []
    assert await context.cookies() == []
    await context.close()


@contextlib.asynccontextmanager
async def steps(
    browser: Browser, pages: RatingPages, metric: str, **options: Any
) -> AsyncIterator[AsyncIterator[Page]]:
    """Go through all steps of a survey's page; yields the page once in each."""
    path = pages.path(pages.insert_survey(metric=metric, variant=2))
    async with open_page(browser, pages, path, **options) as page:

        async def go() -> AsyncIterator[Page]:
            for summary in await page.locator("summary").all():
                await summary.click()
            yield page
            await page.get_by_role("radio").nth(1).check()
            yield page
            await page.locator("button[value=rate]").click()
            yield page
            pages.world.clock.advance(minutes=16)
            await page.goto(f"{page.url.partition('?')[0]}?step=late")
            yield page
            await page.locator("textarea").fill("Slow. " * 40)
            await page.locator("button[value=comment]").click()
            yield page
            await page.locator("summary").click()
            await page.locator("button[value=opt_out]").click()
            yield page

        yield go()


async def test_without_javascript_a_customer_rates_comments_and_changes_their_mind(
    browser: Browser, pages: RatingPages
) -> None:
    survey_id = pages.insert_survey(variant=1)
    async with open_page(browser, pages, pages.path(survey_id), java_script_enabled=False) as page:
        await page.get_by_role("radio", name="2 Poor").check()
        await page.get_by_role("button", name="Send").click()
        await expect(page.get_by_text("We have your answer.")).to_be_visible()
        await page.get_by_role("link", name="Change my answer").click()
        await page.get_by_role("radio", name="4 Good").check()
        await page.get_by_role("button", name="Change my answer").click()
        await page.get_by_role("textbox", name="Would you like to tell us more?").fill("It works now.")
        await page.get_by_role("button", name="Send comment").click()
        await expect(page.get_by_role("status").filter(has_text="Thank you!")).to_be_visible()

    survey = pages.survey(survey_id)
    assert (survey["rating"], survey["comment"]) == (4, "It works now.")


async def test_the_page_can_be_used_with_the_keyboard_only(browser: Browser, pages: RatingPages) -> None:
    survey_id = pages.insert_survey(metric="nps")
    async with open_page(browser, pages, pages.path(survey_id)) as page:
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("radio", name="0 Very poor")).to_be_focused()
        for _ in range(9):
            await page.keyboard.press("ArrowRight")
        await expect(page.get_by_role("radio", name="9")).to_be_checked()
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("We have your answer.")).to_be_visible()
        await page.keyboard.press("Tab")
        await page.keyboard.press("Tab")
        await page.keyboard.type("Great")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("You can close this page.")).to_be_visible()

    survey = pages.survey(survey_id)
    assert (survey["rating"], survey["comment"]) == (9, "Great")


async def test_the_question_names_the_group_of_ratings(browser: Browser, pages: RatingPages) -> None:
    async with open_page(browser, pages, pages.path(pages.insert_survey(variant=1))) as page:
        group = page.get_by_role("group", name="How satisfied are you with Northwind?")

        await expect(group.get_by_role("radio")).to_have_count(5)
        await expect(page.get_by_role("heading", level=1)).to_have_count(1)


async def test_somebody_else_says_that_it_is_not_them(browser: Browser, pages: RatingPages) -> None:
    survey_id = pages.insert_survey()
    async with open_page(browser, pages, pages.path(survey_id), java_script_enabled=False) as page:
        await expect(page.get_by_role("button", name="I didn't talk with you")).to_be_hidden()
        await page.get_by_text("This isn't me").click()
        await page.get_by_role("button", name="I didn't talk with you").click()
        await expect(page.get_by_text("We are sorry for the mix-up.")).to_be_visible()

    assert pages.survey(survey_id)["disowned_at"]


@pytest.mark.parametrize("metric", ["csat", "nps"])
@pytest.mark.parametrize("code", CODES)
async def test_on_a_narrow_phone_nothing_is_clipped_and_all_targets_are_large(
    browser: Browser, pages: RatingPages, code: str, metric: str
) -> None:
    async with steps(browser, pages, metric, viewport=PHONE, locale=code) as all_steps:
        async for page in all_steps:
            assert await page.evaluate(CLIPPED) == []
            assert await page.evaluate(SMALL_TARGETS) == []
            assert await page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
            assert await page.evaluate("document.dir") == ("rtl" if code == "ar" else "ltr")


@pytest.mark.parametrize("width", [320, 577, 641])
async def test_beside_a_scrollbar_no_rating_sticks_out_of_its_card(
    browser: Browser, pages: RatingPages, width: int
) -> None:
    path = pages.path(pages.insert_survey(metric="nps"))
    async with open_page(browser, pages, path, viewport={**PHONE, "width": width}) as page:
        await page.evaluate("document.documentElement.style.paddingInlineEnd = '15px'")  # it is hidden here

        assert await page.evaluate(STICKING_OUT) == []


async def test_in_arabic_the_scale_begins_at_the_right(browser: Browser, pages: RatingPages) -> None:
    path = pages.path(pages.insert_survey(metric="nps"))
    async with open_page(browser, pages, path, locale="ar") as page:
        first, last = [await page.get_by_role("radio").nth(index).bounding_box() for index in (0, 10)]

    assert first
    assert last
    assert first["x"] > last["x"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("metric", "code"), [("csat", "en"), ("nps", "ar")])
async def test_every_step_is_accessible(
    browser: Browser, pages: RatingPages, metric: str, code: str, scheme: str
) -> None:
    async with steps(browser, pages, metric, locale=code, color_scheme=scheme) as all_steps:
        async for page in all_steps:
            await expect_accessible(page)


async def test_the_page_is_dark_where_the_customer_s_device_is(browser: Browser, pages: RatingPages) -> None:
    path, colors = pages.path(pages.insert_survey()), []
    for scheme in ("light", "dark"):
        async with open_page(browser, pages, path, color_scheme=scheme) as page:
            colors.append(
                await page.evaluate(
                    "['backgroundColor', 'color'].map(name => getComputedStyle(document.body)[name])"
                )
            )

    (light_background, light_text), (dark_background, dark_text) = (
        [sum(map(int, re.findall("[0-9]+", color)[:3])) for color in pair] for pair in colors
    )
    assert light_text < light_background
    assert dark_background < dark_text


async def test_problems_are_accessible(browser: Browser, pages: RatingPages) -> None:
    path = pages.path(pages.insert_survey())
    async with open_page(browser, pages, path) as page:
        await page.evaluate("document.querySelector('form').noValidate = true")
        await page.get_by_role("button", name="Send").click()
        await expect(page.get_by_role("alert")).to_have_text("Please choose a number first.")
        await expect_accessible(page)


async def test_pages_without_a_survey_are_accessible(browser: Browser, pages: RatingPages) -> None:
    async with open_page(browser, pages, "/r/unknown") as page:
        await expect_accessible(page)
