"""The languages of the rating page."""

import re
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from csat.rating_page.languages import CODES, SOURCE_LANGUAGE, TRANSLATIONS, Languages
from csat.rating_page.page_renderer import TEMPLATES, PageRenderer
from csat.rating_page.steps import Step
from csat.surveys.questions import DEFAULT_QUESTION, PLACEHOLDER, RATING_WORDS
from tests.factories import CATALOGUE
from tests.rating_page_kit import RatingPages, running_pages, visible_text

TRANSLATED = [code for code in CODES if code != SOURCE_LANGUAGE]
LANGUAGES = Languages()


@pytest.fixture(name="page")
async def _page(tmp_path: Path) -> AsyncIterator[RatingPages]:
    async with running_pages(tmp_path) as pages:
        yield pages


def list_texts() -> set[str]:
    """Return every English text that the page can show."""
    method_map = [("**.html", "jinja2.ext:babel_extract")]
    extracted = extract_from_dir(TEMPLATES, method_map, keywords={"_": None})
    questions = {question for by_variant in CATALOGUE.questions.values() for question in by_variant.values()}
    words = {word for by_rating in RATING_WORDS.values() for word in by_rating.values()}
    return {str(message) for _, _, message, _, _ in extracted} | questions | words | {DEFAULT_QUESTION}


@pytest.mark.parametrize("code", TRANSLATED)
def test_every_catalogue_has_every_text_and_no_other(code: str) -> None:
    with (TRANSLATIONS / f"{code}.po").open("rb") as file:
        texts = {str(message.id): str(message.string) for message in read_po(file, code) if message.id}

    assert texts.keys() == list_texts()
    assert all(texts.values())


@pytest.mark.parametrize("code", TRANSLATED)
def test_every_translation_keeps_the_placeholders(code: str) -> None:
    language = LANGUAGES.choose(code, "")

    for text in list_texts():
        translation = language.translate(text)
        assert Counter(re.findall("<.*?>", translation)) == Counter(re.findall("<.*?>", text))
        assert translation.count(PLACEHOLDER) == text.count(PLACEHOLDER)


def test_there_is_a_catalogue_for_each_language_and_no_other() -> None:
    assert sorted(path.stem for path in TRANSLATIONS.iterdir()) == sorted(TRANSLATED)


@pytest.mark.parametrize(
    ("requested", "accepted", "code"),
    [
        ("", "", "en"),
        ("", "de", "de"),
        ("", "de-AT,de;q=0.9,en;q=0.5", "de"),
        ("", "en;q=0.5,ja", "ja"),
        ("", "pt-BR", "pt"),
        ("", "nl, fr;q=0.2", "fr"),
        ("", "nl,*", "en"),
        ("", "de;q=0, es;q=0.1", "es"),
        ("", "DE", "de"),
        ("", "de;q=high, fr;q=0.1", "fr"),
        ("ar", "de", "ar"),
        ("tlh", "de", "de"),
        ("../de", "", "en"),
    ],
)
def test_the_language_is_the_requested_or_the_preferred_one(requested: str, accepted: str, code: str) -> None:
    assert LANGUAGES.choose(requested, accepted).code == code


@given(requested=st.text(), accepted=st.text())
def test_any_header_has_a_language(requested: str, accepted: str) -> None:
    assert LANGUAGES.choose(requested, accepted).code in CODES


@pytest.mark.parametrize("code", CODES)
async def test_every_step_is_in_the_language(page: RatingPages, code: str) -> None:
    headers = {"accept-language": code}
    path = page.path(page.insert_survey(variant=1))
    translate = LANGUAGES.choose(code, "").translate
    question = translate("How satisfied are you with <display_name>?").partition(PLACEHOLDER)

    rate = await page.browser.get(path, headers=headers)
    await page.rate(path, 4)
    comment = await page.browser.get(f"{path}?step=comment", headers=headers)
    thanks = await page.browser.get(f"{path}?step=thanks", headers=headers)
    page.world.clock.advance(minutes=16)
    late = await page.browser.get(f"{path}?step=rate", headers=headers)
    unknown = await page.browser.get("/r/x", headers=headers)

    direction = "rtl" if code == "ar" else "ltr"
    for response in (rate, comment, thanks, late, unknown):
        assert f'<html lang="{code}" dir="{direction}">' in response.text
    assert f"{question[0]}<bdi>Northwind</bdi>{question[2]}" in rate.text
    assert translate("Would you like to tell us more?") in visible_text(comment.text)
    assert translate("Thank you!") in visible_text(thanks.text)
    assert translate("Your earlier answer stands.") in visible_text(late.text)
    assert translate("There is nothing here.") in visible_text(unknown.text)


async def test_the_chosen_language_is_kept_from_step_to_step(page: RatingPages) -> None:
    path = page.path(page.insert_survey())

    comment_step = await page.post(f"{path}?lang=de", action="rate", rating="4")

    assert comment_step.url.params["lang"] == "de"
    assert "Danke! Wir haben Ihre Antwort." in visible_text(comment_step.text)


async def test_a_question_of_the_team_is_shown_as_it_was_written(tmp_path: Path) -> None:
    questions = tmp_path / "questions.toml"
    own = "How was <display_name>?"
    questions.write_text(f'[csat]\n0 = "{own}"\n[nps]\n0 = "{own}"\n', "utf-8")
    async with running_pages(tmp_path, csat_questions_file=questions) as pages:
        shown = await pages.browser.get(pages.path(pages.insert_survey()), headers={"accept-language": "ar"})

    assert '<h1 lang="" dir="auto">How was <bdi>Northwind</bdi>?</h1>' in shown.text


async def test_a_name_is_never_read_as_html(page: RatingPages) -> None:
    shown = await page.browser.get(page.path(page.insert_survey(display_name="<b>&amp;</b>")))

    assert "<bdi>&lt;b&gt;&amp;amp;&lt;/b&gt;</bdi>" in shown.text
    assert "<b>" not in shown.text


def test_no_request_waits_for_a_locale_to_load(monkeypatch: pytest.MonkeyPatch) -> None:
    renderer = PageRenderer(CATALOGUE, LANGUAGES, "Northwind")
    monkeypatch.delattr("babel.Locale.parse")
    monkeypatch.delattr("babel.Locale.get_display_name")
    monkeypatch.delattr("babel.Locale.text_direction")

    assert "العربية" in renderer.render(Step.UNKNOWN, LANGUAGES.choose("ar", ""), None)
