import pytest

from tests.sandbox.test_x_kit import NOON, Sender, refusal, words

EVENTS = "/1.1/feedback/events.json"
START = int(NOON.timestamp() * 1000)
HOUR = 3_600_000
DAY = 24 * HOUR


async def listed(sender: Sender, **params: str) -> list[tuple[str, str]]:
    """Read every page, as the documentation says: until the cursor is empty."""
    found: list[tuple[str, str]] = []
    page = (await sender.get(EVENTS, **params)).json()
    while True:
        found += [(event["event_type"], event["feedback"]["id"]) for event in page["events"]]
        if not page["next_cursor"]:
            return found
        page = (await sender.get(EVENTS, count=params.get("count", "100"), cursor=page["next_cursor"])).json()


async def sender_with(surveys: int) -> Sender:
    """A sender whose surveys, one per second, were sent more than 24 hours ago."""
    sender = Sender()
    sender.x.accepts_any_recipient = True
    for number in range(surveys):
        await sender.create(to_user_id=str(number + 1))
        sender.clock.advance(seconds=1)
    sender.clock.advance(hours=25)
    return sender


async def test_a_feedback_is_shown_as_it_was_created() -> None:
    sender = Sender()
    created = (await sender.create()).json()

    shown = await sender.get(f"/1.1/feedback/show/{created['id']}.json")

    assert shown.json() == created


async def test_a_response_is_shown_once_there_is_one() -> None:
    sender = Sender()
    feedback_id = await sender.created()
    sender.clock.advance(minutes=1)
    sender.x.rate(feedback_id, 5)
    sender.clock.advance(minutes=1)
    sender.x.comment(feedback_id, "I <3 this biz")

    shown = (await sender.get(f"/1.1/feedback/show/{feedback_id}.json")).json()

    assert shown["updated_at"] == "Mon Mar 02 12:02:00 +0000 2026"
    assert shown["response"] == {
        "score": {"created_at": "Mon Mar 02 12:01:00 +0000 2026", "value": 5},
        "text": {"created_at": "Mon Mar 02 12:02:00 +0000 2026", "value": "I <3 this biz"},
    }


async def test_a_feedback_that_is_none_is_404() -> None:
    assert refusal(await Sender().get("/1.1/feedback/show/12.json")) == (404, 34)


async def test_showing_takes_no_parameter() -> None:
    assert refusal(await Sender().get("/1.1/feedback/show/12.json", full="1")) == (400, 44)


async def test_events_tell_what_was_created_and_what_was_answered() -> None:
    sender = await sender_with(surveys=1)
    feedback_id = sender.x.feedbacks[0].id
    sender.x.rate(feedback_id, 4)
    sender.clock.advance(hours=25)

    page = (await sender.get(EVENTS, from_time=str(START), to_time=str(START + 26 * HOUR))).json()

    created, updated = page["events"]
    assert (created["event_type"], updated["event_type"]) == ("feedback.created", "feedback.updated")
    assert "response" not in created["feedback"]
    assert updated["feedback"]["response"]["score"]["value"] == 4
    assert updated["created_at"] == updated["feedback"]["updated_at"]
    assert page["next_cursor"] == ""


async def test_the_period_includes_both_its_ends() -> None:
    sender = await sender_with(surveys=4)

    found = await listed(sender, from_time=str(START + 1_000), to_time=str(START + 2_000))

    assert [feedback_id for _, feedback_id in found] == [it.id for it in sender.x.feedbacks[1:3]]


@pytest.mark.parametrize("count", [1, 3, 7, 100])
@pytest.mark.parametrize("empty_pages", [False, True])
async def test_pages_together_are_the_whole_listing(count: int, *, empty_pages: bool) -> None:
    sender = await sender_with(surveys=7)
    sender.x.adds_empty_pages = empty_pages

    found = await listed(sender, from_time=str(START), to_time=str(START + HOUR), count=str(count))

    assert [feedback_id for _, feedback_id in found] == [it.id for it in sender.x.feedbacks]


async def test_an_empty_page_can_have_a_next_one() -> None:
    sender = await sender_with(surveys=1)
    sender.x.adds_empty_pages = True

    page = (await sender.get(EVENTS, from_time=str(START), to_time=str(START))).json()

    assert page["events"] == []
    assert page["next_cursor"] != ""


async def test_a_page_has_100_events_unless_told_otherwise() -> None:
    sender = await sender_with(surveys=101)

    page = (await sender.get(EVENTS, from_time=str(START), to_time=str(START + HOUR))).json()

    assert len(page["events"]) == 100


@pytest.mark.parametrize("name", ["from_time", "to_time"])
async def test_a_period_without_an_end_is_403_38_by_name(name: str) -> None:
    period = {"from_time": str(START - DAY * 3), "to_time": str(START - DAY * 2)}
    del period[name]

    response = await Sender().get(EVENTS, **period)

    assert refusal(response) == (403, 38)
    assert words(response) == f"{name} parameter is missing."


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("to_time", str(START - DAY + 1)),
        ("to_time", "yesterday"),
        ("from_time", str(START - DAY + 1)),
        ("from_time", "2026-03-01"),
        ("count", "0"),
        ("count", "101"),
        ("count", "all"),
        ("cursor", "AAAA"),
        ("cursor", "é"),
        ("cursor", "_w=="),
        ("page", "2"),
    ],
)
async def test_a_parameter_of_events_that_x_does_not_take_is_400_44_by_name(name: str, value: str) -> None:
    period = {"from_time": str(START - DAY * 2), "to_time": str(START - DAY)}

    response = await Sender().get(EVENTS, **(period | {name: value}))

    assert refusal(response) == (400, 44)
    assert words(response).startswith(f"{name} parameter is invalid")


async def test_a_cursor_belongs_to_its_period() -> None:
    sender = await sender_with(surveys=2)
    page = (await sender.get(EVENTS, from_time=str(START), to_time=str(START + 9_000), count="1")).json()

    response = await sender.get(EVENTS, from_time=str(START + 1), cursor=page["next_cursor"])

    assert refusal(response) == (400, 44)
