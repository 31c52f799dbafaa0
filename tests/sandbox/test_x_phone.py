import pytest

from sandbox.pubsub import PubSub
from sandbox.x import (
    AlreadyAnswered,
    CardDismissed,
    CustomerActionError,
    EmptyResponse,
    FakeX,
    FeedbackNotFound,
    FeedbackState,
    ScoreOutOfRange,
)
from tests.sandbox.x_kit import NOON, PARAMS, ApiClient, Clock, error_code


async def test_the_phone_shows_the_message_and_the_question_with_the_brand_s_name() -> None:
    client = ApiClient()
    await client.create(display_name="Nimbus", question_variant_id="20")

    (message,) = client.x.direct_messages(client.x.customer("ada_travels"))

    assert (message.sender, message.text, message.at) == ("Nimbus Air", PARAMS["message"], NOON)
    assert message.question == "How would you rate the Nimbus advisor's expertise?"
    assert (message.state, message.rating, message.comment) == (FeedbackState.OPEN, None, None)


@pytest.mark.parametrize(("feedback_type", "scale"), [("csat", (1, 2, 3, 4, 5)), ("nps", tuple(range(11)))])
async def test_the_card_has_the_scale_of_its_type(feedback_type: str, scale: tuple[int, ...]) -> None:
    client = ApiClient()
    await client.create(type=feedback_type)

    assert client.x.direct_messages(client.x.customer("ADA_TRAVELS"))[0].scale == scale


async def test_a_phone_shows_only_its_own_messages() -> None:
    client = ApiClient()
    await client.create()

    assert client.x.direct_messages(client.x.customer("mira_k")) == []


async def test_a_comment_can_follow_a_rating() -> None:
    client = ApiClient()
    feedback_id = await client.create_feedback()
    ada = client.x.customer("ada_travels")

    client.x.rate(feedback_id, 2)
    rated = client.x.direct_messages(ada)[0]
    client.x.comment(feedback_id, "Slow.")
    commented = client.x.direct_messages(ada)[0]

    assert (rated.state, rated.rating, rated.comment) == (FeedbackState.RATED, 2, None)
    assert (commented.state, commented.rating, commented.comment) == (FeedbackState.COMMENTED, 2, "Slow.")


async def test_a_dismissed_card_accepts_no_response() -> None:
    client = ApiClient()
    feedback_id = await client.create_feedback()
    client.x.dismiss(feedback_id)

    with pytest.raises(CardDismissed):
        client.x.rate(feedback_id, 3)
    with pytest.raises(CardDismissed):
        client.x.comment(feedback_id, "Hm")
    with pytest.raises(CardDismissed):
        client.x.dismiss(feedback_id)
    assert client.x.feedback(feedback_id).state is FeedbackState.DISMISSED


async def test_a_response_can_not_be_changed() -> None:
    client = ApiClient()
    feedback_id = await client.create_feedback()
    client.x.respond(feedback_id, 5, "Fine")

    with pytest.raises(AlreadyAnswered):
        client.x.rate(feedback_id, 1)
    with pytest.raises(AlreadyAnswered):
        client.x.comment(feedback_id, "Not fine")


@pytest.mark.parametrize(("feedback_type", "score"), [("csat", 0), ("csat", 6), ("nps", -1), ("nps", 11)])
async def test_a_score_out_of_range_is_rejected(feedback_type: str, score: int) -> None:
    client = ApiClient()
    feedback_id = await client.create_feedback(type=feedback_type)

    with pytest.raises(ScoreOutOfRange):
        client.x.rate(feedback_id, score)


async def test_a_blank_comment_is_rejected() -> None:
    client = ApiClient()
    feedback_id = await client.create_feedback()

    with pytest.raises(EmptyResponse):
        client.x.comment(feedback_id, " ")


def test_an_unknown_feedback_or_customer_is_an_error() -> None:
    x = FakeX(Clock())

    with pytest.raises(FeedbackNotFound):
        x.rate("12", 3)
    with pytest.raises(KeyError):
        x.customer("nobody")
    assert issubclass(FeedbackNotFound, CustomerActionError)


async def test_a_response_is_submitted_without_a_signature() -> None:
    client = ApiClient()
    path = f"/1.1/feedback/submit/{await client.create_feedback(type='nps')}.json"

    rated = await client.post_as_customer(path, {"score": "10"})
    commented = await client.post_as_customer(path, {"text": "I <3 this biz"})

    assert rated.json()["response"]["score"]["value"] == 10
    assert commented.json()["response"]["text"]["value"] == "I <3 this biz"


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        ({}, 403, 44),
        ({"score": "6"}, 403, 44),
        ({"score": "five"}, 400, 44),
        ({"score": "-1"}, 400, 44),
        ({"score": "9" * 5_000}, 400, 44),
        ({"score": "6", "text": "Both or neither"}, 403, 44),
        ({"text": ""}, 403, 44),
        ({"mood": "good"}, 400, 44),
    ],
)
async def test_a_rejected_submission_changes_nothing(form: dict[str, str], status: int, code: int) -> None:
    client = ApiClient()
    feedback_id = await client.create_feedback()

    response = await client.post_as_customer(f"/1.1/feedback/submit/{feedback_id}.json", form)

    assert error_code(response) == (status, code)
    assert client.x.feedback(feedback_id).state is FeedbackState.OPEN


@pytest.mark.parametrize("verb", ["submit", "dismiss"])
async def test_a_submission_for_an_unknown_feedback_is_404(verb: str) -> None:
    form = {"score": "3"} if verb == "submit" else {}

    response = await ApiClient().post_as_customer(f"/1.1/feedback/{verb}/12.json", form)

    assert error_code(response) == (404, 34)


async def test_a_card_can_be_dismissed_only_once() -> None:
    client = ApiClient()
    feedback_id = await client.create_feedback()
    path = f"/1.1/feedback/dismiss/{feedback_id}.json"

    first, second = await client.post_as_customer(path, {}), await client.post_as_customer(path, {})

    assert first.status_code == 200
    assert error_code(second) == (403, 44)
    assert client.x.feedback(feedback_id).state is FeedbackState.DISMISSED


class RecordingPubSub(PubSub):
    """A PubSub that records what was published."""

    def __init__(self) -> None:
        super().__init__()
        self.published: list[str] = []

    def publish(self, topic: str) -> None:
        self.published.append(topic)


async def test_every_change_on_a_phone_is_published() -> None:
    pubsub = RecordingPubSub()
    client = ApiClient(x=FakeX(Clock(), pubsub))

    feedback_id = await client.create_feedback()
    client.x.rate(feedback_id, 4)
    client.x.comment(feedback_id, "Thanks")
    client.x.dismiss(feedback_id)

    assert pubsub.published == ["phone", "traffic", "phone", "phone", "phone"]
