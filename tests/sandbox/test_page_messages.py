"""Ordinary direct messages on the customer's phone."""

from sandbox.x import Customer
from sandbox.x.feedback_create_params import parse_create_params
from tests.sandbox.page_kit import unserved_page
from tests.sandbox.x_kit import ADA_ID, PARAMS

URL = "https://nimbus.example/r/c2VjcmV0"


def test_the_phone_shows_a_message_with_its_link() -> None:
    page = unserved_page()
    page.x.send_message(ADA_ID, f"How did we do? <b>\n{URL}?s=4&t=1.")

    html = page.html("phone")

    address = f"{URL}?s=4&amp;t=1"
    assert (
        f'How did we do? &lt;b&gt;\n<a href="{address}" target="_blank" rel="noopener">{address}</a>.</p>'
        in html
    )
    assert "Phone of" in html
    assert "Ada Okafor (latest survey)" in html
    assert "X shows this card only" not in html


def test_the_phone_shows_messages_and_cards_in_the_order_in_which_they_came() -> None:
    page = unserved_page()
    page.x.send_message(ADA_ID, "the first")
    page.x.create(parse_create_params([*(PARAMS | {"message": "the second"}).items()]))
    page.x.send_message(ADA_ID, "the third")

    html = page.html("phone")

    assert html.index("the first") < html.index("the second") < html.index("the third")
    assert "X shows this card only" in html


async def test_a_hidden_request_is_opened_on_the_phone() -> None:
    page = unserved_page()
    page.x.send_message(ADA_ID, f"Tell us: {URL}").is_request = True
    hidden = page.html("phone")

    async with page.client() as client:
        response = await client.post("/open-requests", data={"customer": "ada_travels"})
    shown = page.html("phone")

    assert response.text == ""
    assert URL not in hidden
    assert "Message requests (1)" in hidden
    assert URL in shown
    assert "Message requests" not in shown


def test_the_latest_recipient_is_that_of_the_latest_message_or_survey() -> None:
    page = unserved_page()
    page.x.customers.append(Customer("1830000000000000001", "newcomer", "New Comer"))
    page.x.send_message(ADA_ID, "Hi")
    page.x.send_message("1830000000000000001", "Hi")

    assert "New Comer (latest survey)" in page.html("phone")
