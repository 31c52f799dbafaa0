import pytest

from sandbox.x import Customer, Endpoint, FeedbackType
from sandbox.x.questions import QUESTIONS
from tests.sandbox.test_x_kit import NOON, ORDER, Sender, refusal, words

BENITEZ = "1820000000000000022"


async def test_a_survey_is_answered_as_the_documentation_shows() -> None:
    sender = Sender()

    response = await sender.create(
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
        "id": sender.x.feedbacks[0].id,
        "type": "nps",
        "test": True,
        "dm_id": sender.x.feedbacks[0].dm_id,
        "from_user_id": sender.x.account.id,
        "to_user_id": ORDER["to_user_id"],
        "privacy_url": "https://nimbus.example/privacy",
        "external_id": "ticket_5555",
        "question_variant_id": "3",
        "display_name": "MyBusinessName",
    }


async def test_what_was_left_out_has_its_default() -> None:
    sender = Sender()

    body = (await sender.create()).json()

    assert (body["question_variant_id"], body["display_name"], body["test"]) == ("0", "Nimbus Air", False)
    assert "external_id" not in body


async def test_ids_are_beyond_what_a_double_holds() -> None:
    body = (await Sender().create()).json()

    assert all(int(body[name]) > 2**53 for name in ("id", "dm_id", "from_user_id", "to_user_id"))


async def test_the_message_arrives_as_it_was_typed() -> None:
    sender = Sender()

    await sender.create()

    assert sender.x.feedbacks[0].message == ORDER["message"]
    assert sender.x.feedbacks[0].created_at == NOON


async def test_dates_can_be_printed_as_in_the_documentation() -> None:
    sender = Sender()
    sender.x.dates_without_spaces = True

    assert (await sender.create()).json()["created_at"] == "MonMar0212:00:00+00002026"


async def test_variants_can_be_printed_as_integers() -> None:
    sender = Sender()
    sender.x.variants_as_integers = True

    assert (await sender.create(question_variant_id="7")).json()["question_variant_id"] == 7


@pytest.mark.parametrize("kind", FeedbackType)
async def test_every_question_variant_is_taken(kind: FeedbackType) -> None:
    sender = Sender()
    sender.x.allowlist.add("ADA_travels")

    answers = [await sender.create(type=kind, question_variant_id=variant) for variant in QUESTIONS[kind]]

    assert {answer.status_code for answer in answers} == {200}
    assert len(answers) == {FeedbackType.CSAT: 38, FeedbackType.NPS: 6}[kind]


@pytest.mark.parametrize("name", ["type", "to_user_id", "message", "privacy_url"])
@pytest.mark.parametrize("value", [None, "", " \n"])
async def test_a_required_parameter_that_is_missing_or_blank_is_403_38_by_name(
    name: str, value: str | None
) -> None:
    response = await Sender().create(**{name: value})

    assert refusal(response) == (403, 38)
    assert words(response) == f"{name} parameter is missing."


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
async def test_a_parameter_that_x_does_not_take_is_400_44_by_name(name: str, value: str) -> None:
    sender = Sender()

    response = await sender.create(**{name: value})

    assert refusal(response) == (400, 44)
    assert words(response).startswith(f"{name} parameter is invalid")
    assert sender.x.feedbacks == []


async def test_a_csat_question_is_no_nps_question() -> None:
    assert refusal(await Sender().create(type="nps", question_variant_id="6")) == (400, 44)


async def test_the_longest_values_are_taken() -> None:
    response = await Sender().create(message="é" * 10_000, external_id="é" * 256, display_name="é" * 20)

    assert response.status_code == 200


async def test_a_message_too_long_is_403_354() -> None:
    assert refusal(await Sender().create(message="é" * 10_001)) == (403, 354)


async def test_a_parameter_given_twice_is_refused() -> None:
    assert refusal(await Sender().post("/1.1/feedback/create.json", "type=csat&type=nps")) == (400, 44)


async def test_a_parameter_in_the_address_is_refused() -> None:
    response = await Sender().post("/1.1/feedback/create.json", ORDER, query="?test=true")

    assert refusal(response) == (400, 44)


async def test_json_is_refused() -> None:
    response = await Sender().send("POST", "/1.1/feedback/create.json", "{}", content_type="application/json")

    assert refusal(response) == (415, 44)


@pytest.mark.parametrize(
    ("to_user_id", "status", "code"),
    [("1", 404, 108), ("1820000000000000066", 403, 349), ("1820000000000000077", 403, 63)],
    ids=["nobody", "closed direct messages", "suspended"],
)
async def test_who_cannot_be_asked_is_refused(to_user_id: str, status: int, code: int) -> None:
    assert refusal(await Sender().create(to_user_id=to_user_id)) == (status, code)


async def test_everybody_is_known_when_x_knows_every_id() -> None:
    sender = Sender()
    sender.x.accepts_any_recipient = True

    assert (await sender.create(to_user_id="987654321")).status_code == 200


async def test_a_customer_can_join() -> None:
    sender = Sender()
    sender.x.customers.append(Customer("1830000000000000001", "newcomer", "New Comer"))

    assert (await sender.create(to_user_id="1830000000000000001")).status_code == 200


async def test_a_customer_is_asked_once_per_24_hours() -> None:
    sender = Sender()
    await sender.create()
    sender.clock.advance(hours=23, minutes=59)

    response = await sender.create()

    assert refusal(response) == (403, 481)
    assert "already sent a feedback request to this user in the last 24 hours" in words(response)
    assert len(sender.x.feedbacks) == 1


async def test_a_customer_can_be_asked_again_after_24_hours() -> None:
    sender = Sender()
    await sender.create()
    sender.clock.advance(hours=24)

    assert (await sender.create()).status_code == 200


async def test_another_customer_can_be_asked_at_once() -> None:
    sender = Sender()
    await sender.create()

    assert (await sender.create(to_user_id=BENITEZ)).status_code == 200


async def test_a_customer_on_the_allowlist_can_be_asked_again_at_once() -> None:
    sender = Sender()
    sender.x.allowlist.add("ada_travels")
    await sender.create()

    assert (await sender.create()).status_code == 200


async def test_an_account_sends_1000_surveys_per_24_hours() -> None:
    sender = Sender()
    sender.x.accepts_any_recipient = True
    statuses = [(await sender.create(to_user_id=str(number))).status_code for number in range(1, 1_001)]

    response = await sender.create(to_user_id="5000")

    assert set(statuses) == {200}
    assert refusal(response) == (429, 88)
    assert response.headers["x-user-limit-24hour-limit"] == "1000"
    assert response.headers["x-user-limit-24hour-remaining"] == "0"
    assert response.headers["x-user-limit-24hour-reset"] == str(int(NOON.timestamp()) + 86_400)


async def test_the_limit_of_an_account_is_reset_when_x_said() -> None:
    sender = Sender()
    sender.x.rate_limits[Endpoint.CREATE].limit = 1
    await sender.create()
    sender.clock.advance(hours=24)

    assert (await sender.create(to_user_id=BENITEZ)).status_code == 200


async def test_a_refused_survey_uses_no_quota() -> None:
    sender = Sender()
    await sender.create(test="perhaps")
    await sender.create(to_user_id="1")

    response = await sender.create()

    assert response.status_code == 200
    assert response.headers["x-user-limit-24hour-remaining"] == "999"
