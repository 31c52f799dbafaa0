"""The customers that an operator types on the command line."""

import pytest

from cli.named_customers import name_customer, parse_customer
from csat.surveys.recipients import InvalidRecipient, Recipient, SlackPerson, XAccount


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("U012AB3CD", SlackPerson(team="", user="U012AB3CD")),
        (" W012AB3CD ", SlackPerson(team="", user="W012AB3CD")),
        ("T012AB3CD/U012AB3CD", SlackPerson(team="T012AB3CD", user="U012AB3CD")),
        ("@U012AB3CD", XAccount(handle="U012AB3CD")),
        ("u012ab3cd", XAccount(handle="u012ab3cd")),
        ("USA", XAccount(handle="USA")),
        ("@mira_k", XAccount(handle="mira_k")),
        ("33", XAccount(id="33")),
    ],
)
def test_a_member_id_is_a_person_in_slack_and_all_else_a_customer_on_x(
    typed: str, expected: Recipient
) -> None:
    assert parse_customer(typed) == expected


@pytest.mark.parametrize("typed", ["T012AB3CD/C012AB3CD", "T012AB3CD/U012AB3CD/1", "/U012AB3CD"])
def test_half_a_person_is_refused(typed: str) -> None:
    with pytest.raises(InvalidRecipient):
        parse_customer(typed)


@pytest.mark.parametrize("typed", ["UNICEFUSA", "WALMARTHELP", "UNITED2024"])
def test_what_is_a_handle_in_capitals_or_a_member_id_is_asked_for_more_exactly(typed: str) -> None:
    with pytest.raises(InvalidRecipient, match=f"@{typed}"):
        parse_customer(typed)

    assert parse_customer(f"@{typed}") == XAccount(handle=typed)
    assert parse_customer(f"T012AB3CD/{typed}") == SlackPerson(team="T012AB3CD", user=typed)


@pytest.mark.parametrize("typed", ["T012AB3CD/U012AB3CD", "@mira_k", "33"])
def test_a_customer_is_named_as_they_are_typed(typed: str) -> None:
    assert name_customer(parse_customer(typed)) == typed
