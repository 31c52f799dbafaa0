"""Ordinary direct messages: sending and listing them."""

import asyncio
import json

import pytest

from sandbox.local_asgi_server import serve
from sandbox.x import Endpoint, FakeX, Fault
from tests.sandbox.x_kit import ADA_ID, BASE_URL, NOON, ApiClient, Clock, message_path, sign_request

BENITEZ_ID = "1820000000000000022"
URL = "https://nimbus.example/r/c2VjcmV0"
ALL_FIELDS = "created_at,dm_conversation_id,entities,event_type,id,sender_id,text"


# sending


async def test_a_message_is_accepted_with_its_ids() -> None:
    client = ApiClient()

    response = await client.send_message("Tell us: " + URL)

    (message,) = client.x.messages.sent
    assert response.status_code == 201
    assert response.json() == {
        "data": {"dm_conversation_id": f"{client.x.account.id}-{ADA_ID}", "dm_event_id": message.id}
    }
    assert (message.sender_id, message.recipient_id) == (client.x.account.id, ADA_ID)
    assert (message.text, message.urls, message.at) == ("Tell us: " + URL, [URL], NOON)


async def test_the_customer_sees_the_message_and_others_do_not() -> None:
    client = ApiClient()

    await client.send_message()

    assert client.x.messages.inbox(client.x.customer("ada_travels")) == client.x.messages.sent
    assert client.x.messages.inbox(client.x.customer("mira_k")) == []


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("no link", []),
        (URL, [URL]),
        (f"See {URL}.", [URL]),
        (f"({URL}?a=1&b=2), http://127.0.0.1:8000/r/x!", [f"{URL}?a=1&b=2", "http://127.0.0.1:8000/r/x"]),
        ("ftp://a.example/ https:// http://", []),
    ],
)
async def test_links_end_where_a_reader_sees_them_end(text: str, urls: list[str]) -> None:
    client = ApiClient()
    await client.send_message(text)

    (message,) = client.x.messages.sent

    assert message.urls == urls
    assert "".join(part.text for part in message.parts) == text


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"text": ""}',
        '{"text": 5}',
        '{"text": "Hi", "quick_reply": {}}',
        "[" * 10**5,
    ],
)
async def test_a_message_without_a_text_is_invalid(body: str) -> None:
    client = ApiClient()

    response = await client.send("POST", message_path(ADA_ID), body, content_type="application/json")

    assert response.status_code == 400
    assert response.json()["title"] == "Invalid Request"
    assert client.x.messages.sent == []


@pytest.mark.parametrize("to", ["ada", "1" * 20, "-1"])
async def test_a_message_needs_the_id_of_a_user(to: str) -> None:
    assert (await ApiClient().send_message(to=to)).status_code == 400


async def test_a_text_is_sent_up_to_its_maximum_length() -> None:
    client = ApiClient()

    statuses = [(await client.send_message("é" * length)).status_code for length in (10_000, 10_001)]

    assert statuses == [201, 400]


async def test_a_form_is_not_a_message() -> None:
    assert (await ApiClient().post(message_path(ADA_ID), {"text": "Hi"})).status_code == 415


@pytest.mark.parametrize(
    "to",
    ["1", "1820000000000000066", "1820000000000000077"],
    ids=["unknown", "closed direct messages", "suspended"],
)
async def test_an_unreachable_recipient_is_rejected(to: str) -> None:
    client = ApiClient()

    response = await client.send_message(to=to)

    assert response.status_code == 403
    assert response.json() == {
        "title": "Forbidden",
        "detail": "You do not have permission to DM one or more participants.",
        "type": "about:blank",
        "status": 403,
    }
    assert client.x.messages.sent == []


async def test_any_recipient_can_be_accepted() -> None:
    client = ApiClient()
    client.x.accepts_any_recipient = True

    assert (await client.send_message(to="987654321")).status_code == 201


async def test_a_message_needs_a_valid_signature_that_does_not_cover_its_json() -> None:
    client = ApiClient()
    url = f"{BASE_URL}{message_path(ADA_ID)}"
    signed_with_json = sign_request(client.x.keys, "POST", url, "text=Hi", NOON)

    async def send(authorization: str) -> int:
        response = await client.send(
            "POST",
            message_path(ADA_ID),
            '{"text": "Hi"}',
            content_type="application/json",
            authorization=authorization,
        )
        return response.status_code

    assert await send(signed_with_json) == 401
    assert await send("OAuth nothing") == 400
    assert await send(sign_request(client.x.keys, "POST", url, "", NOON)) == 201


async def test_a_message_is_recorded_and_shown_in_the_traffic() -> None:
    client = ApiClient()
    await client.send_message("Hi")

    (request,), (exchange,) = client.x.requests, client.x.traffic.exchanges

    assert (request.json, request.status) == ({"text": "Hi"}, 201)
    assert (exchange.title, exchange.sender) == (f"POST dm_conversations/with/{ADA_ID}/messages", "app")
    assert json.loads(exchange.request) == {"text": "Hi"}


async def test_a_held_message_is_delivered_before_its_response() -> None:
    client = ApiClient()
    with client.x.hold(Endpoint.SEND_MESSAGE) as hold:
        request = asyncio.create_task(client.send_message())
        await hold.arrived.wait()

        assert len(client.x.messages.sent) == 1

    assert (await request).status_code == 201


# listing


async def test_the_newest_messages_are_listed_first_with_the_fields_asked_for() -> None:
    client = ApiClient()
    await client.send_message("Hi")
    client.clock.advance(minutes=1, milliseconds=250)
    await client.send_message(f"Tell us: {URL} Thanks!")
    first, second = client.x.messages.sent

    page = (await client.list_messages(fields=ALL_FIELDS)).json()

    link = second.shorten(URL)
    assert link.startswith("https://t.co/")
    assert page["meta"] == {"result_count": 2}
    assert page["data"][0] == {
        "id": second.id,
        "event_type": "MessageCreate",
        "text": f"Tell us: {link} Thanks!",
        "sender_id": client.x.account.id,
        "created_at": "2026-03-02T12:01:00.250Z",
        "dm_conversation_id": f"{client.x.account.id}-{ADA_ID}",
        "entities": {
            "urls": [
                {
                    "start": 9,
                    "end": 9 + len(link),
                    "url": link,
                    "expanded_url": URL,
                    "display_url": "nimbus.example/r/c2VjcmV0",
                }
            ]
        },
    }
    assert page["data"][1]["id"] == first.id
    assert "entities" not in page["data"][1]


async def test_a_message_is_listed_with_few_fields_by_default() -> None:
    client = ApiClient()
    await client.send_message("Hi")

    (event,) = (await client.list_messages()).json()["data"]

    assert event == {"id": client.x.messages.sent[0].id, "event_type": "MessageCreate", "text": "Hi"}


async def test_a_survey_with_a_card_is_a_message_of_the_conversation() -> None:
    client = ApiClient()
    await client.create()
    await client.send_message("Hi")

    events = (await client.list_messages()).json()["data"]

    assert [event["id"] for event in events] == [client.x.messages.sent[0].id, client.x.feedbacks[0].dm_id]


async def test_only_messages_with_that_customer_are_listed() -> None:
    client = ApiClient()
    await client.send_message("Hi", to=BENITEZ_ID)

    assert (await client.list_messages()).json() == {"meta": {"result_count": 0}}


async def test_messages_are_listed_for_30_days() -> None:
    client = ApiClient()
    await client.send_message("Hi")
    client.clock.advance(days=30)
    on_the_last_day = (await client.list_messages()).json()
    client.clock.advance(seconds=1)

    assert on_the_last_day["meta"]["result_count"] == 1
    assert (await client.list_messages()).json() == {"meta": {"result_count": 0}}


@pytest.mark.parametrize("size", [1, 3, 7, 100])
async def test_the_pages_contain_every_message_once(size: int) -> None:
    client = ApiClient()
    for number in range(7):
        await client.send_message(str(number))
    texts: list[str] = []
    token: dict[str, str] = {}

    while True:
        page = (await client.list_messages(max_results=str(size), **token)).json()
        texts += [event["text"] for event in page["data"]]
        if "next_token" not in page["meta"]:
            break
        token = {"pagination_token": page["meta"]["next_token"]}

    assert texts == ["6", "5", "4", "3", "2", "1", "0"]


async def test_other_types_of_events_do_not_occur() -> None:
    client = ApiClient()
    await client.send_message()

    assert "data" not in (await client.list_messages(types="ParticipantsJoin,ParticipantsLeave")).json()
    assert len((await client.list_messages(types="MessageCreate")).json()["data"]) == 1


@pytest.mark.parametrize(
    "params",
    [
        {"max_results": "0"},
        {"max_results": "101"},
        {"max_results": "all"},
        {"pagination_token": "?"},
        {"pagination_token": "é"},
        {"pagination_token": "MFRGG"},
        {"types": "MessageRead"},
        {"fields": "entities,card"},
        {"since": "2026"},
    ],
)
async def test_an_invalid_parameter_is_a_problem(params: dict[str, str]) -> None:
    response = await ApiClient().list_messages(**params)

    assert response.status_code == 400
    assert response.json()["type"].endswith("/problems/invalid-request")


# limits


async def test_15_messages_are_accepted_in_15_minutes() -> None:
    client = ApiClient()
    statuses = [(await client.send_message()).status_code for _ in range(16)]

    limited = await client.send_message()
    client.clock.advance(minutes=15)
    later = await client.send_message()

    assert statuses == [201] * 15 + [429]
    assert limited.headers["x-rate-limit-remaining"] == "0"
    assert limited.headers["x-rate-limit-reset"] == str(int(NOON.timestamp()) + 900)
    assert later.status_code == 201
    assert later.headers["x-user-limit-24hour-limit"] == "1440"
    assert later.headers["x-user-limit-24hour-remaining"] == str(1440 - 16)


async def test_messages_have_a_daily_limit_too() -> None:
    client = ApiClient()
    client.x.rate_limits[Endpoint.SEND_MESSAGE].daily.limit = 1  # type: ignore[union-attr]
    await client.send_message()
    client.clock.advance(minutes=15)

    limited = await client.send_message()

    assert limited.status_code == 429
    assert limited.headers["x-rate-limit-remaining"] == "15"
    assert limited.headers["x-user-limit-24hour-remaining"] == "0"


async def test_a_conversation_is_listed_15_times_in_15_minutes() -> None:
    client = ApiClient()

    statuses = [(await client.list_messages()).status_code for _ in range(16)]

    assert statuses == [200] * 15 + [429]


# faults


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        (Fault.NO_CREDIT, 402, "problems/credits"),
        (Fault.USAGE_CAPPED, 429, "problems/usage-capped"),
        (Fault.SPENDING_LIMIT, 403, "spend cap"),
        (Fault.NOT_ENROLLED, 403, "client-not-enrolled"),
        (Fault.UNSUPPORTED_AUTHENTICATION, 403, "problems/unsupported-authentication"),
        (Fault.NO_MESSAGE_PERMISSION, 403, "problems/oauth1-permissions"),
        (Fault.NOT_OPEN_TO_MESSAGES, 403, "do not have permission to DM"),
        (Fault.OPERATION_NOT_PERMITTED, 403, "This operation is not permitted."),
        (Fault.VERIFIED_ONLY, 403, "476"),
        (Fault.RATE_LIMITED, 429, "Rate limit exceeded"),
        (Fault.APP_DAILY_LIMIT, 429, "Too Many Requests"),
        (Fault.INTERNAL_ERROR, 500, "Internal error"),
        (Fault.GATEWAY_TIMEOUT, 504, "<h1>"),
    ],
)
async def test_a_fault_is_a_problem_of_v2_and_delivers_nothing(fault: Fault, status: int, words: str) -> None:
    client = ApiClient()
    client.x.fail(fault, Endpoint.SEND_MESSAGE)

    response = await client.send_message()

    assert response.status_code == status
    assert words in response.text
    assert client.x.messages.sent == []


@pytest.mark.parametrize(
    ("fault", "prefix"),
    [
        (Fault.RATE_LIMITED, "x-rate-limit"),
        (Fault.DAILY_LIMIT, "x-user-limit-24hour"),
        (Fault.APP_DAILY_LIMIT, "x-app-limit-24hour"),
    ],
)
async def test_a_limit_says_when_it_resets(fault: Fault, prefix: str) -> None:
    client = ApiClient()
    client.x.fail(fault, Endpoint.SEND_MESSAGE)

    headers = (await client.send_message()).headers

    assert headers[f"{prefix}-remaining"] == "0"
    assert headers[f"{prefix}-reset"] == str(int(NOON.timestamp()) + 900)


@pytest.mark.parametrize(
    "fault", [Fault.INTERNAL_ERROR_AFTER, Fault.GATEWAY_TIMEOUT_AFTER, Fault.EMPTY_BODY, Fault.IDS_MISSING]
)
async def test_a_message_can_be_delivered_despite_a_bad_response(fault: Fault) -> None:
    client = ApiClient()
    client.x.fail(fault, Endpoint.SEND_MESSAGE)

    response = await client.send_message()

    assert response.status_code == fault.value.status
    assert len(client.x.messages.sent) == 1
    assert client.x.messages.sent[0].id not in response.text


@pytest.mark.parametrize(("fault", "delivered"), [(Fault.HANG, 0), (Fault.HANG_AFTER, 1)])
async def test_x_can_process_a_message_without_responding(fault: Fault, delivered: int) -> None:
    x = FakeX(Clock())
    x.fail(fault, Endpoint.SEND_MESSAGE)
    async with serve(x.app) as url:
        with x.hold(Endpoint.SEND_MESSAGE) as hold:
            request = asyncio.create_task(ApiClient(url, x).send_message())
            await hold.arrived.wait()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(request, timeout=0.2)

    assert len(x.messages.sent) == delivered


async def test_a_message_request_is_accepted_but_seen_only_when_it_is_opened() -> None:
    client = ApiClient()
    ada = client.x.customer("ada_travels")
    client.x.fail(Fault.MESSAGE_REQUEST, Endpoint.SEND_MESSAGE, times=1)

    response = await client.send_message("Hi")
    before = client.x.messages.inbox(ada)
    requests = client.x.messages.requests(ada)
    listed = (await client.list_messages()).json()["data"]
    client.x.messages.open_requests(ada)

    assert response.status_code == 201
    assert before == []
    assert [message.text for message in requests] == ["Hi"]
    assert [event["id"] for event in listed] == [response.json()["data"]["dm_event_id"]]
    assert client.x.messages.inbox(ada) == client.x.messages.sent
    assert client.x.messages.requests(ada) == []
