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
from tests.sandbox.test_x_kit import NOON, ORDER, Clock, Sender, refusal


async def test_the_phone_shows_the_message_and_the_question_in_the_brand_s_name() -> None:
    sender = Sender()
    await sender.create(display_name="Nimbus", question_variant_id="20")

    (message,) = sender.x.direct_messages(sender.x.customer("ada_travels"))

    assert (message.sender, message.text, message.at) == ("Nimbus Air", ORDER["message"], NOON)
    assert message.question == "How would you rate the Nimbus advisor's expertise?"
    assert (message.state, message.rating, message.comment) == (FeedbackState.OPEN, None, None)


@pytest.mark.parametrize(("kind", "scale"), [("csat", (1, 2, 3, 4, 5)), ("nps", tuple(range(11)))])
async def test_the_phone_offers_the_scale_of_the_type(kind: str, scale: tuple[int, ...]) -> None:
    sender = Sender()
    await sender.create(type=kind)

    assert sender.x.direct_messages(sender.x.customer("ADA_TRAVELS"))[0].scale == scale


async def test_each_phone_shows_its_own_messages() -> None:
    sender = Sender()
    await sender.create()

    assert sender.x.direct_messages(sender.x.customer("mira_k")) == []


async def test_a_rating_and_a_comment_come_one_after_the_other() -> None:
    sender = Sender()
    feedback_id = await sender.created()
    ada = sender.x.customer("ada_travels")

    sender.x.rate(feedback_id, 2)
    rated = sender.x.direct_messages(ada)[0]
    sender.x.comment(feedback_id, "Slow.")
    commented = sender.x.direct_messages(ada)[0]

    assert (rated.state, rated.rating, rated.comment) == (FeedbackState.RATED, 2, None)
    assert (commented.state, commented.rating, commented.comment) == (FeedbackState.COMMENTED, 2, "Slow.")


async def test_a_dismissed_card_takes_nothing_more() -> None:
    sender = Sender()
    feedback_id = await sender.created()
    sender.x.dismiss(feedback_id)

    with pytest.raises(CardDismissed):
        sender.x.rate(feedback_id, 3)
    with pytest.raises(CardDismissed):
        sender.x.comment(feedback_id, "Hm")
    with pytest.raises(CardDismissed):
        sender.x.dismiss(feedback_id)
    assert sender.x.feedback(feedback_id).state is FeedbackState.DISMISSED


async def test_what_was_given_never_changes() -> None:
    sender = Sender()
    feedback_id = await sender.created()
    sender.x.respond(feedback_id, 5, "Fine")

    with pytest.raises(AlreadyAnswered):
        sender.x.rate(feedback_id, 1)
    with pytest.raises(AlreadyAnswered):
        sender.x.comment(feedback_id, "Not fine")


@pytest.mark.parametrize(("kind", "score"), [("csat", 0), ("csat", 6), ("nps", -1), ("nps", 11)])
async def test_a_score_off_the_scale_is_refused(kind: str, score: int) -> None:
    sender = Sender()
    feedback_id = await sender.created(type=kind)

    with pytest.raises(ScoreOutOfRange):
        sender.x.rate(feedback_id, score)


async def test_a_blank_comment_is_refused() -> None:
    sender = Sender()
    feedback_id = await sender.created()

    with pytest.raises(EmptyResponse):
        sender.x.comment(feedback_id, " ")


def test_a_feedback_and_a_customer_that_are_none_are_told() -> None:
    x = FakeX(Clock())

    with pytest.raises(FeedbackNotFound):
        x.rate("12", 3)
    with pytest.raises(KeyError):
        x.customer("nobody")
    assert issubclass(FeedbackNotFound, CustomerActionError)


async def test_the_customer_s_phone_needs_no_signature_to_submit() -> None:
    sender = Sender()
    path = f"/1.1/feedback/submit/{await sender.created(type='nps')}.json"

    rated = await sender.post_as_customer(path, {"score": "10"})
    commented = await sender.post_as_customer(path, {"text": "I <3 this biz"})

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
async def test_a_refused_submission_changes_nothing(form: dict[str, str], status: int, code: int) -> None:
    sender = Sender()
    feedback_id = await sender.created()

    response = await sender.post_as_customer(f"/1.1/feedback/submit/{feedback_id}.json", form)

    assert refusal(response) == (status, code)
    assert sender.x.feedback(feedback_id).state is FeedbackState.OPEN


@pytest.mark.parametrize("verb", ["submit", "dismiss"])
async def test_a_submission_for_no_feedback_is_404(verb: str) -> None:
    form = {"score": "3"} if verb == "submit" else {}

    response = await Sender().post_as_customer(f"/1.1/feedback/{verb}/12.json", form)

    assert refusal(response) == (404, 34)


async def test_a_card_is_dismissed_once() -> None:
    sender = Sender()
    feedback_id = await sender.created()
    path = f"/1.1/feedback/dismiss/{feedback_id}.json"

    first, second = await sender.post_as_customer(path, {}), await sender.post_as_customer(path, {})

    assert first.status_code == 200
    assert refusal(second) == (403, 44)
    assert sender.x.feedback(feedback_id).state is FeedbackState.DISMISSED


class RecordingPubSub(PubSub):
    """A PubSub that records what was published."""

    def __init__(self) -> None:
        super().__init__()
        self.published: list[str] = []

    def publish(self, topic: str) -> None:
        self.published.append(topic)


async def test_every_change_on_a_phone_is_published() -> None:
    pubsub = RecordingPubSub()
    sender = Sender(x=FakeX(Clock(), pubsub))

    feedback_id = await sender.created()
    sender.x.rate(feedback_id, 4)
    sender.x.comment(feedback_id, "Thanks")
    sender.x.dismiss(feedback_id)

    assert pubsub.published == ["phone", "traffic", "phone", "phone", "phone"]
