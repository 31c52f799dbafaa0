from pathlib import Path

import pytest

from blocks.form_inputs import question_options
from csat.question_and_ticket_files import load_catalogue
from csat.surveys.questions import PLACEHOLDER, SCALES, Catalogue, CatalogueError, Metric
from csat.surveys.survey import MAX_DISPLAY_NAME_LENGTH
from csat.surveys.transports import TransportName
from tests.factories import CATALOGUE

FIRST_SIX = {
    0: "What is your overall satisfaction with <display_name>?",
    1: "How satisfied are you with <display_name>?",
    2: "Overall, how satisfied were you with your recent <display_name> experience?",
    3: "How would you rate the overall experience with <display_name>?",
    4: "How would you rate your overall experience with <display_name>?",
    5: "How would you rate your experience so far with <display_name>?",
}
NPS = FIRST_SIX
CSAT = FIRST_SIX | {
    6: "How would you rate your experience on Twitter with <display_name>?",
    7: "Were you satisfied with your recent experience with <display_name>?",
    8: "How well does <display_name> meet your expectations?",
    9: "How would you rate your guest experience with <display_name>?",
    10: "How would you rate your service experience with <display_name>?",
    11: "How would you rate your recent service experience with <display_name>?",
    12: "How would you rate the service you received from <display_name>?",
    13: "Were you satisfied with the result of your interaction with <display_name>?",
    14: "How would you rate the ability to resolve your issue with <display_name>?",
    15: "How would you rate the response time from <display_name>?",
    16: "How would you rate the speed of service from <display_name>?",
    17: "How would you rate the time to resolution with <display_name>?",
    18: "How would you rate the time to resolve your issue with <display_name>?",
    19: "How would you rate the speed of resolution with <display_name>?",
    20: "How would you rate the <display_name> advisor's expertise?",
    21: "How satisfied were you with the <display_name> agent who helped you?",
    22: "How satisfied were you with the <display_name> specialist who helped you?",
    23: "How satisfied were you with the <display_name> representative who helped you?",
    24: "How would you rate your recent banking experience with <display_name>?",
    25: "How would you rate the overall event experience at <display_name>?",
    26: "How would you rate your bill pay experience with <display_name>?",
    27: "How would you rate your purchase experience with <display_name>?",
    28: "How would you rate your shopping experience with <display_name>?",
    29: "How would you rate your delivery experience with <display_name>?",
    30: "How would you rate your rental experience with <display_name>?",
    31: "How would you rate your recent <display_name> store visit?",
    32: "How would you rate your recent <display_name> hotel stay?",
    33: "How would you rate your recent flight with <display_name>?",
    34: "How would you rate your recent ride with <display_name>?",
    35: "How would you rate your recent trip with <display_name>?",
    36: "How would you rate your recent visit to <display_name>?",
    37: "How would you rate your recent meal at <display_name>?",
}
"""As in https://developer.x.com, POST feedback/create."""
TABLES = {Metric.CSAT: CSAT, Metric.NPS: NPS}

VALID = f"How was {PLACEHOLDER}?"


@pytest.mark.parametrize("metric", Metric)
def test_the_default_questions_are_x_s_in_x_s_order(metric: Metric) -> None:
    assert list(CATALOGUE.variants(metric).items()) == list(TABLES[metric].items())


def test_metrics_have_the_values_that_x_uses() -> None:
    assert [metric.value for metric in Metric] == ["csat", "nps"]


def test_ratings_go_from_1_to_5_and_from_0_to_10() -> None:
    assert list(SCALES[Metric.CSAT]) == [1, 2, 3, 4, 5]
    assert list(SCALES[Metric.NPS]) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]


@pytest.mark.parametrize("metric", Metric)
def test_every_question_fits_a_menu_uncut(metric: Metric) -> None:
    options = question_options(CATALOGUE.variants(metric))

    for variant, template in CATALOGUE.variants(metric).items():
        text = options[variant]["text"]["text"]

        assert len(text) <= 75
        assert text.split("…") == template.split(PLACEHOLDER)


@pytest.mark.parametrize("metric", Metric)
@pytest.mark.parametrize("name", ["N", "W" * MAX_DISPLAY_NAME_LENGTH, PLACEHOLDER, "\\1 {x} %s"])
def test_any_name_leaves_the_rest_of_the_question_unchanged(metric: Metric, name: str) -> None:
    for variant, template in TABLES[metric].items():
        before, after = template.split(PLACEHOLDER)

        assert CATALOGUE.question(metric, variant, name) == before + name + after


@pytest.mark.parametrize(("metric", "variant"), [(Metric.CSAT, 38), (Metric.NPS, 6), (Metric.CSAT, -1)])
def test_an_unknown_variant_is_a_key_error(metric: Metric, variant: int) -> None:
    with pytest.raises(KeyError):
        CATALOGUE.question(metric, variant, "Northwind")


def toml(csat: str = f'0 = "{VALID}"', nps: str = f'0 = "{VALID}"', more: str = "") -> str:
    return f"[csat]\n{csat}\n[nps]\n{nps}\n{more}"


def many(count: int) -> str:
    return "\n".join(f'{number} = "{VALID}"' for number in range(count))


def question(length: int) -> str:
    """Return a question that shows as `length` characters in a menu."""
    return f'0 = "{PLACEHOLDER}{"?" * (length - 1)}"'


@pytest.mark.parametrize(
    "content",
    [toml(), toml(csat=many(100), nps=f'7 = "{VALID}"'), toml(csat=question(75))],
)
def test_other_questions_can_be_used(content: str) -> None:
    assert Catalogue.parse(content).variants(Metric.NPS)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("[csat", "invalid TOML: Expected"),
        ("", "csat: Field required"),
        ("csat = 3\nnps = 4", "csat: Input should be a valid dictionary"),
        (toml(more='[ces]\n0 = "x"'), "ces: Extra inputs are not permitted"),
        (toml(csat=""), "csat: Dictionary should have at least 1 item"),
        (toml(csat=many(101)), "csat: Dictionary should have at most 100 items"),
        (toml(csat=f'first = "{VALID}"'), "csat.first: a variant id is a whole number"),
        (toml(csat="0 = 5"), "csat.0: Input should be a valid string"),
        (toml(csat=f'-1 = "{VALID}"'), "csat.-1: a variant id is a whole number"),
        (toml(nps='3 = "How was it?"'), f"nps.3: write {PLACEHOLDER} once"),
        (toml(nps='3 = ""'), f"nps.3: write {PLACEHOLDER} once"),
        (toml(nps=f'3 = "{VALID} {VALID}"'), f"nps.3: write {PLACEHOLDER} once"),
        (toml(csat=question(76)), "csat.0: shorten the question to 74 characters"),
        (toml(csat=f'1 = "{VALID}"\n01 = "{VALID}"'), "csat.01: a variant id is a whole number"),
    ],
)
def test_an_error_in_the_questions_names_its_place_and_cause(content: str, expected: str) -> None:
    with pytest.raises(CatalogueError) as error:
        Catalogue.parse(content)

    assert str(error.value).startswith(expected)
    assert "\n" not in str(error.value)


def test_a_team_can_use_some_of_the_questions_in_its_own_order() -> None:
    selected = CATALOGUE.select({Metric.CSAT: (14, 0)})

    assert list(selected.variants(Metric.CSAT).items()) == [(14, CSAT[14]), (0, CSAT[0])]
    assert list(selected.variants(Metric.NPS)) == list(NPS)
    assert selected.question(Metric.CSAT, 37, "Northwind") == CATALOGUE.question(Metric.CSAT, 37, "Northwind")


def test_a_selected_question_that_the_file_does_not_have_is_named_with_the_setting() -> None:
    with pytest.raises(CatalogueError, match=r"^CSAT_QUESTIONS: there is no question 6 for NPS in .*toml$"):
        load_catalogue(selection={Metric.NPS: (0, 6)})


def test_questions_of_which_a_transport_can_ask_none_are_refused_with_what_to_do() -> None:
    with pytest.raises(CatalogueError) as error:
        load_catalogue(selection={Metric.CSAT: (6,)}, transports=(TransportName.X_CARD, TransportName.X_LINK))

    assert str(error.value) == (
        'CSAT_QUESTIONS: x_link can ask none of the questions for CSAT, as all have the word "Twitter". '
        "Add another one, or leave x_link out of CSAT_TRANSPORTS"
    )


def test_one_question_that_a_transport_can_ask_is_enough() -> None:
    selection = {Metric.CSAT: (6, 0)}

    assert load_catalogue(selection=selection, transports=(TransportName.X_LINK,)).selection == selection
    assert load_catalogue(selection={Metric.CSAT: (6,)}, transports=(TransportName.X_CARD,))


def test_a_questions_file_of_which_a_transport_can_ask_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "questions.toml"
    path.write_text(toml(nps='0 = "How was <display_name> on Twitter?"'), encoding="utf-8")

    with pytest.raises(CatalogueError) as error:
        load_catalogue(path, transports=(TransportName.X_LINK,))

    assert str(error.value).startswith(f"{path}: x_link can ask none of the questions for NPS")


def test_a_questions_file_can_be_loaded(tmp_path: Path) -> None:
    path = tmp_path / "questions.toml"
    path.write_text(toml(), encoding="utf-8")

    assert load_catalogue(path).question(Metric.CSAT, 0, "Northwind") == "How was Northwind?"


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"\xff\xfe", " can't be read: 'utf-8' codec"), (b"csat = 3\nnps = 4", ": csat: Input")],
)
def test_an_error_in_a_questions_file_names_the_file(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "questions.toml"
    path.write_bytes(content)

    with pytest.raises(CatalogueError) as error:
        load_catalogue(path)

    assert str(error.value).startswith(f"{path}{expected}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("name", "expected"), [("nowhere.toml", "No such file"), (".", "Is a directory")])
def test_an_unreadable_questions_file_names_the_file(tmp_path: Path, name: str, expected: str) -> None:
    with pytest.raises(CatalogueError, match=expected) as error:
        load_catalogue(tmp_path / name)

    assert str(error.value).startswith(str(tmp_path / name))
