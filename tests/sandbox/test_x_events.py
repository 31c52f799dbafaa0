import pytest

from tests.sandbox.x_kit import NOON, ApiClient, error_code, error_message

EVENTS = "/1.1/feedback/events.json"
START = int(NOON.timestamp() * 1000)
HOUR = 3_600_000
DAY = 24 * HOUR


async def list_all_events(client: ApiClient, **params: str) -> list[tuple[str, str]]:
    """Read all pages, until the cursor is empty."""
    events: list[tuple[str, str]] = []
    page = (await client.get(EVENTS, **params)).json()
    while True:
        events += [(event["event_type"], event["feedback"]["id"]) for event in page["events"]]
        if not page["next_cursor"]:
            return events
        page = (await client.get(EVENTS, count=params.get("count", "100"), cursor=page["next_cursor"])).json()


async def client_with(surveys: int) -> ApiClient:
    """Return a client whose surveys, one per second, were sent more than 24 hours ago."""
    client = ApiClient()
    client.x.accepts_any_recipient = True
    for number in range(surveys):
        await client.create(to_user_id=str(number + 1))
        client.clock.advance(seconds=1)
    client.clock.advance(hours=25)
    return client


async def test_showing_a_feedback_returns_the_same_as_creating_it() -> None:
    client = ApiClient()
    created = (await client.create()).json()

    shown = await client.get(f"/1.1/feedback/show/{created['id']}.json")

    assert shown.json() == created


async def test_a_feedback_is_shown_with_its_response() -> None:
    client = ApiClient()
    feedback_id = await client.create_feedback()
    client.clock.advance(minutes=1)
    client.x.rate(feedback_id, 5)
    client.clock.advance(minutes=1)
    client.x.comment(feedback_id, "I <3 this biz")

    shown = (await client.get(f"/1.1/feedback/show/{feedback_id}.json")).json()

    assert shown["updated_at"] == "Mon Mar 02 12:02:00 +0000 2026"
    assert shown["response"] == {
        "score": {"created_at": "Mon Mar 02 12:01:00 +0000 2026", "value": 5},
        "text": {"created_at": "Mon Mar 02 12:02:00 +0000 2026", "value": "I <3 this biz"},
    }


async def test_an_unknown_feedback_is_404() -> None:
    assert error_code(await ApiClient().get("/1.1/feedback/show/12.json")) == (404, 34)


async def test_showing_a_feedback_rejects_parameters() -> None:
    assert error_code(await ApiClient().get("/1.1/feedback/show/12.json", full="1")) == (400, 44)


async def test_events_list_created_and_updated_feedback() -> None:
    client = await client_with(surveys=1)
    feedback_id = client.x.feedbacks[0].id
    client.x.rate(feedback_id, 4)
    client.clock.advance(hours=25)

    page = (await client.get(EVENTS, from_time=str(START), to_time=str(START + 26 * HOUR))).json()

    created, updated = page["events"]
    assert (created["event_type"], updated["event_type"]) == ("feedback.created", "feedback.updated")
    assert "response" not in created["feedback"]
    assert updated["feedback"]["response"]["score"]["value"] == 4
    assert updated["created_at"] == updated["feedback"]["updated_at"]
    assert page["next_cursor"] == ""


async def test_the_period_includes_its_start_and_end() -> None:
    client = await client_with(surveys=4)

    found = await list_all_events(client, from_time=str(START + 1_000), to_time=str(START + 2_000))

    assert [feedback_id for _, feedback_id in found] == [feedback.id for feedback in client.x.feedbacks[1:3]]


@pytest.mark.parametrize("count", [1, 3, 7, 100])
@pytest.mark.parametrize("empty_pages", [False, True])
async def test_the_pages_contain_every_event_once(count: int, *, empty_pages: bool) -> None:
    client = await client_with(surveys=7)
    client.x.adds_empty_pages = empty_pages

    found = await list_all_events(client, from_time=str(START), to_time=str(START + HOUR), count=str(count))

    assert [feedback_id for _, feedback_id in found] == [feedback.id for feedback in client.x.feedbacks]


async def test_an_empty_page_can_have_a_cursor() -> None:
    client = await client_with(surveys=1)
    client.x.adds_empty_pages = True

    page = (await client.get(EVENTS, from_time=str(START), to_time=str(START))).json()

    assert page["events"] == []
    assert page["next_cursor"] != ""


async def test_a_page_has_100_events_by_default() -> None:
    client = await client_with(surveys=101)

    page = (await client.get(EVENTS, from_time=str(START), to_time=str(START + HOUR))).json()

    assert len(page["events"]) == 100


@pytest.mark.parametrize("name", ["from_time", "to_time"])
async def test_a_period_without_start_or_end_is_403_38_with_the_name(name: str) -> None:
    period = {"from_time": str(START - DAY * 3), "to_time": str(START - DAY * 2)}
    del period[name]

    response = await ApiClient().get(EVENTS, **period)

    assert error_code(response) == (403, 38)
    assert error_message(response) == f"{name} parameter is missing."


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
async def test_an_invalid_parameter_of_events_is_400_44_with_its_name(name: str, value: str) -> None:
    period = {"from_time": str(START - DAY * 2), "to_time": str(START - DAY)}

    response = await ApiClient().get(EVENTS, **(period | {name: value}))

    assert error_code(response) == (400, 44)
    assert error_message(response).startswith(f"{name} parameter is invalid")


async def test_a_cursor_is_rejected_for_another_period() -> None:
    client = await client_with(surveys=2)
    page = (await client.get(EVENTS, from_time=str(START), to_time=str(START + 9_000), count="1")).json()

    response = await client.get(EVENTS, from_time=str(START + 1), cursor=page["next_cursor"])

    assert error_code(response) == (400, 44)
