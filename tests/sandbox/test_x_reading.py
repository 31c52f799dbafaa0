import pytest

from sandbox.x import Way
from tests.sandbox.test_x_kit import BASE, NOON, Sender, Verb, authorization, refusal, words

EVENTS = "/1.1/feedback/events.json"
ADA = "/2/users/by/username/ada_travels"
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
    sender.x.knows_every_id = True
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
    sender.x.lists_empty_pages = empty_pages

    found = await listed(sender, from_time=str(START), to_time=str(START + HOUR), count=str(count))

    assert [feedback_id for _, feedback_id in found] == [it.id for it in sender.x.feedbacks]


async def test_an_empty_page_can_have_a_next_one() -> None:
    sender = await sender_with(surveys=1)
    sender.x.lists_empty_pages = True

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


async def test_a_handle_is_found_in_upper_or_lower_case() -> None:
    response = await Sender().get("/2/users/by/username/ADA_Travels")

    assert response.json() == {
        "data": {"id": "1820000000000000011", "name": "Ada Okafor", "username": "ada_travels"}
    }


@pytest.mark.parametrize(("handle", "open_"), [("ada_travels", True), ("quiet_quinn", False)])
async def test_a_user_tells_whether_messages_can_be_received_when_asked(handle: str, *, open_: bool) -> None:
    params = {"user.fields": "receives_your_dm,verified"}

    response = await Sender().get(f"/2/users/by/username/{handle}", **params)

    assert response.json()["data"]["receives_your_dm"] is open_


@pytest.mark.parametrize("status", [200, 404])
async def test_a_handle_that_nobody_has_is_told_without_data(status: int) -> None:
    sender = Sender()
    sender.x.answers_404_for_unknown_handles = status == 404

    response = await sender.get("/2/users/by/username/nobody")

    assert response.status_code == status
    assert "data" not in response.json()
    assert response.json()["errors"][0]["title"] == "Not Found Error"
    assert response.json()["errors"][0]["detail"] == "Could not find user with username: [nobody]."


async def test_a_suspended_user_is_told_without_data() -> None:
    response = await Sender().get("/2/users/by/username/gone_gary")

    assert response.status_code == 200
    assert "data" not in response.json()
    assert response.json()["errors"][0]["title"] == "Forbidden"
    assert response.json()["errors"][0]["detail"] == "User has been suspended: [gone_gary]."


@pytest.mark.parametrize(
    ("handle", "params"),
    [
        ("sixteen_letters_", {}),
        ("with-hyphen", {}),
        ("ada_travels", {"user.fields": "shoe_size"}),
        ("ada_travels", {"user.fields": ""}),
        ("ada_travels", {"expansions": "pinned_tweet_id"}),
    ],
)
async def test_a_look_up_that_x_does_not_take_is_400(handle: str, params: dict[str, str]) -> None:
    response = await Sender().get(f"/2/users/by/username/{handle}", **params)

    assert response.status_code == 400
    assert response.json()["title"] == "Invalid Request"


async def test_me_is_the_account_of_the_token() -> None:
    sender = Sender()

    response = await sender.get("/2/users/me")

    assert response.json() == {
        "data": {"id": sender.x.account.id, "name": "Nimbus Air", "username": "NimbusAirHelp"}
    }


WINDOWS = {Way.SHOW: 180, Way.EVENTS: 1_000, Way.LOOKUP: 900, Way.ME: 75}
PATHS = {Way.SHOW: "/1.1/feedback/show/1.json", Way.EVENTS: EVENTS, Way.LOOKUP: ADA, Way.ME: "/2/users/me"}


@pytest.mark.parametrize("way", WINDOWS)
async def test_every_answer_tells_what_is_left_of_its_window(way: Way) -> None:
    response = await Sender().get(PATHS[way])

    assert response.headers["x-rate-limit-limit"] == str(WINDOWS[way])
    assert response.headers["x-rate-limit-remaining"] == str(WINDOWS[way] - 1)
    assert response.headers["x-rate-limit-reset"] == str(int(NOON.timestamp()) + 900)


@pytest.mark.parametrize("way", WINDOWS)
async def test_one_request_too_many_is_429_until_the_window_ends(way: Way) -> None:
    sender = Sender()
    sender.x.quotas[way].limit = 2
    await sender.get(PATHS[way])
    await sender.get(PATHS[way])

    refused = await sender.get(PATHS[way])
    sender.clock.advance(minutes=15)
    later = await sender.get(PATHS[way])

    assert refused.status_code == 429
    assert refused.headers["x-rate-limit-remaining"] == "0"
    assert later.status_code != 429


async def test_a_look_up_too_many_is_told_in_v2_s_shape() -> None:
    sender = Sender()
    sender.x.quotas[Way.LOOKUP].limit = 0

    assert (await sender.get(ADA)).json() == {
        "title": "Too Many Requests",
        "detail": "Rate limit exceeded",
        "type": "about:blank",
        "status": 429,
    }


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/1.1/statuses/update.json"), ("GET", "/1.1/feedback/create.json"), ("POST", ADA)],
)
async def test_any_other_page_is_missing(method: Verb, path: str) -> None:
    assert (await Sender().unsigned(method, path)).status_code == 404


async def test_the_usual_port_is_no_part_of_what_is_signed() -> None:
    sender = Sender()
    signed = authorization(sender.x.keys, "GET", f"{BASE}{ADA}", "", NOON)

    response = await sender.unsigned("GET", ADA, headers={"authorization": signed, "host": "API.x.test:443"})

    assert response.status_code == 200
