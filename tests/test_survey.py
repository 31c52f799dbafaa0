from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from csat.surveys.questions import Metric
from csat.surveys.recipients import XAccount
from csat.surveys.survey import Draft, FormField, InvalidDraft, Survey
from tests.factories import CATALOGUE, LARGEST_ID, make_draft, make_survey
from tests.strategies import TEXT

FIELDS = st.fixed_dictionaries(
    {
        "metric": st.sampled_from([*Metric, "CSAT", ""]) | TEXT,
        "variant": st.integers(-1, 40).map(str) | TEXT,
        "display_name": st.text(max_size=25),
        "recipient": st.from_regex(r"\A@\w{1,17}\Z") | TEXT,
        "message": st.text(max_size=60),
        "privacy_url": st.sampled_from(["https://northwind.example/privacy", "http://"]) | TEXT,
        "external_id": st.text(max_size=300),
        "test": st.booleans(),
    }
)

CONTROL_CHARACTERS = "This contains invisible characters. Type it again instead of pasting it."
PRINTABLE = st.characters(exclude_categories=["C", "Z"])
VARIANTS = st.one_of(
    [st.tuples(st.just(metric), st.sampled_from(list(CATALOGUE.variants(metric)))) for metric in Metric]
)
GOOD = st.builds(
    lambda variant, **fields: make_draft(metric=variant[0], variant=str(variant[1]), **fields),
    variant=VARIANTS,
    display_name=st.text(PRINTABLE, max_size=20),
    recipient=st.from_regex(r"\A@[A-Za-z0-9_]{1,15}\Z") | st.integers(1, int(LARGEST_ID)).map(str),
    message=(st.text(PRINTABLE, max_size=60) | st.text("ab \n\t", max_size=60)).map("Hi, {}!".format),
    external_id=st.text(PRINTABLE, max_size=256),
    test=st.booleans(),
)


def problems(**fields: Any) -> dict[FormField, str]:
    """Return the problems of a draft."""
    try:
        Survey.from_draft(make_draft(**fields), CATALOGUE)
    except InvalidDraft as error:
        return dict(error.problems)
    return {}


def accepted(**fields: Any) -> Survey:
    """Return the survey of a draft."""
    return Survey.from_draft(make_draft(**fields), CATALOGUE)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"metric": "CSAT"}, {FormField.METRIC: "Choose CSAT or NPS."}),
        ({"metric": "Nps"}, {FormField.METRIC: "Choose CSAT or NPS."}),
        ({"metric": "ces"}, {FormField.METRIC: "Choose CSAT or NPS."}),
        ({"metric": ""}, {FormField.METRIC: "Choose CSAT or NPS."}),
        ({"metric": "", "variant": ""}, {FormField.METRIC: "Choose CSAT or NPS."}),
        ({"metric": " csat"}, {FormField.METRIC: "Choose CSAT or NPS."}),
        ({"variant": "38"}, {FormField.VARIANT: "Choose one of the questions for CSAT."}),
        ({"variant": "-1"}, {FormField.VARIANT: "Choose one of the questions for CSAT."}),
        ({"variant": ""}, {FormField.VARIANT: "Choose one of the questions for CSAT."}),
        ({"variant": "1.0"}, {FormField.VARIANT: "Choose one of the questions for CSAT."}),
        ({"variant": "01"}, {FormField.VARIANT: "Choose one of the questions for CSAT."}),
        ({"variant": "٣"}, {FormField.VARIANT: "Choose one of the questions for CSAT."}),
        ({"metric": "nps", "variant": "6"}, {FormField.VARIANT: "Choose one of the questions for NPS."}),
        ({"metric": "nps", "variant": "37"}, {FormField.VARIANT: "Choose one of the questions for NPS."}),
        (
            {"display_name": "N" * 21},
            {FormField.DISPLAY_NAME: "Shorten the name to 20 characters; it has 21."},
        ),
        (
            {"external_id": "x" * 257},
            {FormField.EXTERNAL_ID: "Shorten the case number to 256 characters; it has 257."},
        ),
        (
            {"message": "m" * 10_001},
            {FormField.MESSAGE: "Shorten the message to 10,000 characters; it has 10,001."},
        ),
        ({"message": ""}, {FormField.MESSAGE: "Write the message that the customer gets with the survey."}),
        (
            {"message": " \n\t "},
            {FormField.MESSAGE: "Write the message that the customer gets with the survey."},
        ),
        (
            {"message": "\u200b"},
            {FormField.MESSAGE: "Write the message that the customer gets with the survey."},
        ),
        ({"privacy_url": "  "}, {FormField.PRIVACY_URL: "Enter the address of your privacy policy, like"}),
        (
            {"privacy_url": "https://e.co/" + "p" * 1_988},
            {FormField.PRIVACY_URL: "Shorten the address to 2,000 characters; it has 2,001."},
        ),
        ({"recipient": ""}, {FormField.RECIPIENT: "Enter the customer's X handle"}),
        ({"recipient": "@"}, {FormField.RECIPIENT: "X handles contain only"}),
        ({"recipient": "@grace🎉"}, {FormField.RECIPIENT: "X handles contain only"}),
        (
            {"recipient": "@" + "w" * 16},
            {FormField.RECIPIENT: "X handles have at most 15 characters; this one has 16."},
        ),
        ({"recipient": "9223372036854775808"}, {FormField.RECIPIENT: "This is not an X ID"}),
        ({"recipient": "1" * 25}, {FormField.RECIPIENT: "This is not an X ID"}),
        ({"recipient": "9" * 19}, {FormField.RECIPIENT: "This is not an X ID"}),
        ({"recipient": "0"}, {FormField.RECIPIENT: "This is not an X ID"}),
        ({"recipient": "٣"}, {FormField.RECIPIENT: "X handles contain only"}),
    ],
)
def test_a_value_just_beyond_a_limit_has_a_problem_that_says_what_to_do(
    fields: dict[str, str], expected: dict[FormField, str]
) -> None:
    found = problems(**fields)

    assert found.keys() == expected.keys()
    assert all(found[field].startswith(expected[field]) for field in expected)


@pytest.mark.parametrize(
    "fields",
    [
        {"metric": "csat", "variant": "37"},
        {"metric": "nps", "variant": "5"},
        {"display_name": "N" * 20},
        {"display_name": " " + "🎉" * 20 + " "},
        {"display_name": ""},
        {"display_name": "עברית\u200f"},
        {"external_id": "x" * 256},
        {"external_id": ""},
        {"message": "m" * 10_000},
        {"message": "  " + "m" * 10_000 + "\n"},
        {"message": "One\r\ntwo\tthree\u200f 👩‍👩‍👧"},
        {"privacy_url": "https://e.co/" + "p" * 1_987},
        {"privacy_url": "http://e.co"},
        {"privacy_url": "HTTPS://E.co/?lang=en&x=%20#dm"},
        {"privacy_url": " https://münchen.example/datenschutz "},
        {"recipient": "@" + "w" * 15},
        {"recipient": LARGEST_ID},
        {"test": True},
    ],
)
def test_a_value_just_within_a_limit_is_valid(fields: dict[str, Any]) -> None:
    assert problems(**fields) == {}


@pytest.mark.parametrize(
    "url",
    [
        "northwind.example/privacy",
        "//northwind.example/privacy",
        "https:northwind.example",
        "https:/northwind.example",
        "https:///northwind.example",
        "https:\\\\northwind.example",
        "https://",
        "https://?x",
        "https://#x",
        "https://northwind.example/our policy",
        "https://north\nwind.example",
        "https://northwind.example/a|b",
        "<https://northwind.example>",
        'https://northwind.example/"',
        "https://northwind.example:99999/",
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://northwind.example",
        "mailto:privacy@northwind.example",
        "file:///etc/passwd",
        "privacy",
    ],
)
def test_a_url_that_no_browser_can_open_is_invalid(url: str) -> None:
    assert problems(privacy_url=url) in (
        {
            FormField.PRIVACY_URL: "Enter a complete web address without spaces, like https://example.com/privacy."
        },
        {FormField.PRIVACY_URL: CONTROL_CHARACTERS},
    )


@pytest.mark.parametrize("name", ["display_name", "external_id", "privacy_url"])
@pytest.mark.parametrize("character", ["\x00", "\x07", "\x1b", "\n", "\x85", "\u202e", "\u2066", "\ud800"])
def test_control_characters_are_invalid(name: str, character: str) -> None:
    found = problems(**{name: f"https://e.co/a{character}b"[-20:]})

    assert found == {FormField(name): CONTROL_CHARACTERS}


@pytest.mark.parametrize("character", ["\x00", "\x07", "\x0b", "\x1b", "\x7f", "\x85", "\ud800"])
def test_a_message_may_contain_line_breaks_and_tabs_but_no_other_control_characters(character: str) -> None:
    assert "invisible characters" in problems(message=f"How{character} did we do?")[FormField.MESSAGE]


def test_all_problems_are_reported_at_once() -> None:
    found = problems(
        metric="nps",
        variant="37",
        display_name="N" * 21,
        recipient="",
        message="",
        privacy_url="",
        external_id="x" * 257,
    )

    assert set(found) == set(FormField) - {FormField.TRANSPORT, FormField.METRIC}


@given(FIELDS)
def test_any_draft_is_valid_or_has_problems_that_say_what_to_do(fields: dict[str, Any]) -> None:
    for field, problem in problems(**fields).items():
        assert isinstance(field, FormField)
        assert problem.endswith(".")
        assert problem.startswith(
            ("Choose", "Shorten", "Enter", "Write", "X handles", "That", "This", "The message")
        )


@given(FIELDS)
def test_a_draft_keeps_its_input_unchanged(fields: dict[str, Any]) -> None:
    kept = Draft(**fields)

    assert kept.model_dump(exclude={"transport"}) == fields


@given(GOOD)
def test_a_survey_can_be_built_again_from_its_draft(typed: Draft) -> None:
    survey = Survey.from_draft(typed, CATALOGUE)

    assert Survey.from_draft(survey.to_draft(), CATALOGUE) == survey
    assert Survey.model_validate_json(survey.model_dump_json()) == survey


def test_a_valid_draft_comes_back_unchanged() -> None:
    typed = make_draft(metric="nps", variant="5", recipient="@Grace_Lopez", message="One\n\ntwo", test=True)

    assert Survey.from_draft(typed, CATALOGUE).to_draft() == typed


def test_a_stored_survey_is_valid_without_its_variant_in_the_catalogue() -> None:
    survey = make_survey(metric="csat", variant="37")

    assert Survey.model_validate_json(survey.model_dump_json()) == survey


def test_a_survey_with_an_id_still_shows_the_handle() -> None:
    survey = accepted(recipient="@grace").with_recipient(XAccount(handle="grace", id="42"))

    assert survey.recipient.id == "42"
    assert survey.to_draft().recipient == "@grace"


def test_texts_are_trimmed() -> None:
    survey = accepted(
        display_name=" Northwind ",
        recipient=" @grace\n",
        message="\n Hi \r\n there ",
        privacy_url=" https://e.co ",
        external_id=" 5 ",
    )

    assert (survey.display_name, survey.recipient.label, survey.message) == (
        "Northwind",
        "@grace",
        "Hi \n there",
    )
    assert (survey.privacy_url, survey.external_id) == ("https://e.co", "5")


def test_a_survey_is_immutable() -> None:
    with pytest.raises(ValidationError):
        make_survey().message = "Hello"  # type: ignore[misc]


def test_validation_errors_do_not_repeat_the_input() -> None:
    secret = "the customer's bag"

    with pytest.raises(ValidationError) as error:
        Survey.model_validate({"metric": [secret], "message": {secret: 1}, "recipient": 5})

    assert secret not in str(error.value)
