import pytest

from sandbox.x import Customer, Endpoint, FeedbackType
from sandbox.x.questions import QUESTIONS
from tests.sandbox.x_kit import NOON, PARAMS, ApiClient, error_code, error_message

BENITEZ = "1820000000000000022"


async def test_the_response_matches_the_documentation() -> None:
    client = ApiClient()

    response = await client.create(
        type="nps",
        external_id="ticket_5555",
        question_variant_id="3",
        display_name="MyBusinessName",
        test="true",
    )

    assert response.status_code == 200
    assert response.json() == {
        "created_at": "Mon Mar 02 12:00:00 +0000 2026",
        "updated_at": "Mon Mar 02 12:00:00 +0000 2026",
        "id": client.x.feedbacks[0].id,
        "type": "nps",
        "test": True,
        "dm_id": client.x.feedbacks[0].dm_id,
        "from_user_id": client.x.account.id,
        "to_user_id": PARAMS["to_user_id"],
        "privacy_url": "https://nimbus.example/privacy",
        "external_id": "ticket_5555",
        "question_variant_id": "3",
        "display_name": "MyBusinessName",
    }


async def test_optional_parameters_have_defaults() -> None:
    client = ApiClient()

    body = (await client.create()).json()

    assert (body["question_variant_id"], body["display_name"], body["test"]) == ("0", "Nimbus Air", False)
    assert "external_id" not in body


async def test_ids_are_too_large_for_a_double() -> None:
    body = (await ApiClient().create()).json()

    assert all(int(body[name]) > 2**53 for name in ("id", "dm_id", "from_user_id", "to_user_id"))


async def test_the_message_is_stored_unchanged() -> None:
    client = ApiClient()

    await client.create()

    assert client.x.feedbacks[0].message == PARAMS["message"]
    assert client.x.feedbacks[0].created_at == NOON


async def test_dates_can_be_formatted_without_spaces() -> None:
    client = ApiClient()
    client.x.dates_without_spaces = True

    assert (await client.create()).json()["created_at"] == "MonMar0212:00:00+00002026"


async def test_variants_can_be_sent_as_integers() -> None:
    client = ApiClient()
    client.x.variants_as_integers = True

    assert (await client.create(question_variant_id="7")).json()["question_variant_id"] == 7


@pytest.mark.parametrize("feedback_type", FeedbackType)
async def test_every_question_variant_is_accepted(feedback_type: FeedbackType) -> None:
    client = ApiClient()
    client.x.allowlist.add("ADA_travels")

    responses = [
        await client.create(type=feedback_type, question_variant_id=variant)
        for variant in QUESTIONS[feedback_type]
    ]

    assert {response.status_code for response in responses} == {200}
    assert len(responses) == {FeedbackType.CSAT: 38, FeedbackType.NPS: 6}[feedback_type]


@pytest.mark.parametrize("name", ["type", "to_user_id", "message", "privacy_url"])
@pytest.mark.parametrize("value", [None, "", " \n"])
async def test_a_missing_or_blank_required_parameter_is_403_38_with_its_name(
    name: str, value: str | None
) -> None:
    response = await ApiClient().create(**{name: value})

    assert error_code(response) == (403, 38)
    assert error_message(response) == f"{name} parameter is missing."


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("type", "CSAT"),
        ("type", "ces"),
        ("to_user_id", "ada_travels"),
        ("to_user_id", "-5"),
        ("to_user_id", "١٢٣"),
        ("privacy_url", "ftp://nimbus.example/privacy"),
        ("privacy_url", "nimbus.example"),
        ("privacy_url", "https://"),
        ("privacy_url", "https://[nimbus"),
        ("privacy_url", "https://nimbus.example/our privacy"),
        ("external_id", "x" * 257),
        ("external_id", ""),
        ("question_variant_id", "38"),
        ("question_variant_id", "-1"),
        ("question_variant_id", "03"),
        ("question_variant_id", ""),
        ("display_name", "x" * 21),
        ("display_name", " "),
        ("test", "True"),
        ("test", "1"),
        ("priority", "high"),
    ],
)
async def test_an_invalid_parameter_is_400_44_with_its_name(name: str, value: str) -> None:
    client = ApiClient()

    response = await client.create(**{name: value})

    assert error_code(response) == (400, 44)
    assert error_message(response).startswith(f"{name} parameter is invalid")
    assert client.x.feedbacks == []


async def test_a_csat_question_is_rejected_for_nps() -> None:
    assert error_code(await ApiClient().create(type="nps", question_variant_id="6")) == (400, 44)


async def test_values_of_maximum_length_are_accepted() -> None:
    response = await ApiClient().create(message="é" * 10_000, external_id="é" * 256, display_name="é" * 20)

    assert response.status_code == 200


async def test_a_message_too_long_is_403_354() -> None:
    assert error_code(await ApiClient().create(message="é" * 10_001)) == (403, 354)


async def test_a_duplicate_parameter_is_rejected() -> None:
    assert error_code(await ApiClient().post("/1.1/feedback/create.json", "type=csat&type=nps")) == (400, 44)


async def test_a_parameter_in_the_query_is_rejected() -> None:
    response = await ApiClient().post("/1.1/feedback/create.json", PARAMS, query="?test=true")

    assert error_code(response) == (400, 44)


async def test_json_is_rejected() -> None:
    response = await ApiClient().send(
        "POST", "/1.1/feedback/create.json", "{}", content_type="application/json"
    )

    assert error_code(response) == (415, 44)


@pytest.mark.parametrize(
    ("to_user_id", "status", "code"),
    [("1", 404, 108), ("1820000000000000066", 403, 349), ("1820000000000000077", 403, 63)],
    ids=["unknown", "closed direct messages", "suspended"],
)
async def test_an_unreachable_recipient_is_rejected(to_user_id: str, status: int, code: int) -> None:
    assert error_code(await ApiClient().create(to_user_id=to_user_id)) == (status, code)


async def test_any_recipient_can_be_accepted() -> None:
    client = ApiClient()
    client.x.accepts_any_recipient = True

    assert (await client.create(to_user_id="987654321")).status_code == 200


async def test_customers_can_be_added() -> None:
    client = ApiClient()
    client.x.customers.append(Customer("1830000000000000001", "newcomer", "New Comer"))

    assert (await client.create(to_user_id="1830000000000000001")).status_code == 200


async def test_a_customer_can_be_surveyed_once_per_24_hours() -> None:
    client = ApiClient()
    await client.create()
    client.clock.advance(hours=23, minutes=59)

    response = await client.create()

    assert error_code(response) == (403, 481)
    assert "already sent a feedback request to this user in the last 24 hours" in error_message(response)
    assert len(client.x.feedbacks) == 1


async def test_a_customer_can_be_surveyed_again_after_24_hours() -> None:
    client = ApiClient()
    await client.create()
    client.clock.advance(hours=24)

    assert (await client.create()).status_code == 200


async def test_another_customer_can_be_surveyed_at_once() -> None:
    client = ApiClient()
    await client.create()

    assert (await client.create(to_user_id=BENITEZ)).status_code == 200


async def test_a_customer_on_the_allowlist_can_be_surveyed_again_at_once() -> None:
    client = ApiClient()
    client.x.allowlist.add("ada_travels")
    await client.create()

    assert (await client.create()).status_code == 200


async def test_an_account_can_send_1000_surveys_per_24_hours() -> None:
    client = ApiClient()
    client.x.accepts_any_recipient = True
    statuses = [(await client.create(to_user_id=str(number))).status_code for number in range(1, 1_001)]

    response = await client.create(to_user_id="5000")

    assert set(statuses) == {200}
    assert error_code(response) == (429, 88)
    assert response.headers["x-user-limit-24hour-limit"] == "1000"
    assert response.headers["x-user-limit-24hour-remaining"] == "0"
    assert response.headers["x-user-limit-24hour-reset"] == str(int(NOON.timestamp()) + 86_400)


async def test_the_daily_limit_is_reset_after_24_hours() -> None:
    client = ApiClient()
    client.x.rate_limits[Endpoint.CREATE].limit = 1
    await client.create()
    client.clock.advance(hours=24)

    assert (await client.create(to_user_id=BENITEZ)).status_code == 200


async def test_a_rejected_survey_does_not_count_towards_the_limit() -> None:
    client = ApiClient()
    await client.create(test="perhaps")
    await client.create(to_user_id="1")

    response = await client.create()

    assert response.status_code == 200
    assert response.headers["x-user-limit-24hour-remaining"] == "999"
