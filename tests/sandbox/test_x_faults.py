import asyncio
import json

import httpx
import pytest

from sandbox.serving import serve
from sandbox.x import Endpoint, FakeX, Fault
from tests.sandbox.test_x_kit import NOON, Clock, Sender, refusal, words

ADA = "/2/users/by/username/ada_travels"

ROWS = {
    (401, 32),
    (401, 89),
    (403, 89),
    (401, 135),
    (401, 416),
    (403, 87),
    (403, 220),
    (403, 453),
    (403, 93),
    (403, 261),
    (400, 215),
    (403, 38),
    (403, 63),
    (404, 34),
    (404, 50),
    (404, 108),
    (403, 64),
    (403, 326),
    (403, 150),
    (403, 349),
    (403, 151),
    (403, 214),
    (403, 226),
    (403, 354),
    (429, 88),
    (503, 130),
    (500, 131),
}
"""Every row of X's table that has a code."""

COUNTED = [fault for fault in Fault if (fault.value.status, fault.value.code) in ROWS]
AFTER = [Fault.INTERNAL_ERROR_AFTER, Fault.BAD_GATEWAY_AFTER, Fault.GATEWAY_TIMEOUT_AFTER]
NONSENSE = [
    Fault.EMPTY_BODY,
    Fault.HTML,
    Fault.TRUNCATED,
    Fault.LIST,
    Fault.NUMBER,
    Fault.IDS_MISSING,
]


def test_every_row_of_the_table_is_a_trouble() -> None:
    assert {(fault.value.status, fault.value.code) for fault in COUNTED} == ROWS


def test_every_trouble_has_a_title_of_its_own() -> None:
    assert len({fault.title for fault in Fault}) == len(Fault)


@pytest.mark.parametrize("fault", COUNTED)
async def test_x_answers_with_the_row_that_was_chosen(fault: Fault) -> None:
    sender = Sender()
    sender.x.fail(fault)

    response = await sender.create()

    assert refusal(response) == (fault.value.status, fault.value.code)
    assert words(response) == fault.value.message
    assert len(sender.x.feedbacks) == fault.value.has_effect


@pytest.mark.parametrize("fault", [Fault.BAD_GATEWAY, Fault.GATEWAY_TIMEOUT])
async def test_a_gateway_answers_with_a_web_page(fault: Fault) -> None:
    sender = Sender()
    sender.x.fail(fault)

    response = await sender.create()

    assert response.status_code == fault.value.status
    assert response.headers["content-type"].startswith("text/html")
    assert sender.x.feedbacks == []


def test_326_has_two_texts() -> None:
    assert Fault.SENDER_LOCKED.value.message != Fault.NOT_FOLLOWING_326.value.message


async def test_151_carries_a_reason() -> None:
    sender = Sender()
    sender.x.fail(Fault.MESSAGE_ERROR)

    assert words(await sender.create()).startswith("There was an error sending your message: ")


@pytest.mark.parametrize(
    ("fault", "prefix"),
    [(Fault.RATE_LIMITED, "x-rate-limit"), (Fault.DAILY_LIMIT, "x-user-limit-24hour")],
)
async def test_a_limit_tells_when_it_is_reset(fault: Fault, prefix: str) -> None:
    sender = Sender()
    sender.x.fail(fault)
    sender.x.limit_reset_seconds = 60

    headers = (await sender.create()).headers

    assert headers[f"{prefix}-remaining"] == "0"
    assert headers[f"{prefix}-reset"] == str(int(NOON.timestamp()) + 60)


async def test_the_old_limit_tells_to_be_calm() -> None:
    sender = Sender()
    sender.x.fail(Fault.ENHANCE_YOUR_CALM)

    response = await sender.create()

    assert response.status_code == 420
    assert response.headers["retry-after"] == "900"


@pytest.mark.parametrize("fault", [*AFTER, *NONSENSE])
async def test_a_survey_can_arrive_although_the_answer_is_no_good(fault: Fault) -> None:
    sender = Sender()
    sender.x.fail(fault)

    response = await sender.create()

    assert len(sender.x.feedbacks) == 1
    assert response.status_code == fault.value.status
    assert sender.x.feedbacks[0].id not in response.text or fault is Fault.TRUNCATED


async def test_half_an_answer_is_no_json() -> None:
    sender = Sender()
    sender.x.fail(Fault.TRUNCATED)

    with pytest.raises(json.JSONDecodeError):
        (await sender.create()).json()


async def test_an_answer_without_ids_has_everything_else() -> None:
    sender = Sender()
    sender.x.fail(Fault.IDS_MISSING)

    body = (await sender.create()).json()

    assert body["type"] == "csat"
    assert not {"id", "dm_id", "to_user_id"} & body.keys()


async def test_what_x_refuses_anyway_is_refused_in_its_own_words() -> None:
    sender = Sender()
    sender.x.fail(Fault.INTERNAL_ERROR_AFTER)

    assert refusal(await sender.create(to_user_id="1")) == (404, 108)


async def test_trouble_lasts_until_it_is_taken_away() -> None:
    sender = Sender()
    sender.x.fail(Fault.OVER_CAPACITY)
    during = [(await sender.create()).status_code for _ in range(3)]
    sender.x.recover()

    assert (during, (await sender.create()).status_code) == ([503, 503, 503], 200)


async def test_trouble_can_last_for_some_calls_only() -> None:
    sender = Sender()
    sender.x.fail(Fault.OVER_CAPACITY, times=2)

    statuses = [(await sender.create()).status_code for _ in range(3)]

    assert statuses == [503, 503, 200]
    assert sender.x.fault() is None


async def test_trouble_with_sending_is_no_trouble_with_looking_up() -> None:
    sender = Sender()
    sender.x.fail(Fault.OVER_CAPACITY)

    assert (await sender.get(ADA)).status_code == 200


@pytest.mark.parametrize(
    "fault",
    [Fault.WRONG_KEYS, Fault.NO_CREDIT, Fault.WRONG_PLAN, Fault.RATE_LIMITED, Fault.OVER_CAPACITY],
)
async def test_trouble_with_looking_up_is_told_in_v2_s_shape(fault: Fault) -> None:
    sender = Sender()
    sender.x.fail(fault, Endpoint.LOOKUP)

    response = await sender.get(ADA)

    assert response.status_code == response.json()["status"] == fault.value.status
    assert response.json()["detail"] == fault.value.message
    assert sender.x.fault(Endpoint.LOOKUP) is fault
    assert (await sender.create()).status_code == 200


async def test_a_look_up_can_lose_its_ids() -> None:
    sender = Sender()
    sender.x.fail(Fault.IDS_MISSING, Endpoint.LOOKUP)

    assert (await sender.get(ADA)).json() == {"data": {"name": "Ada Okafor", "username": "ada_travels"}}


async def test_a_list_stays_a_list_without_ids() -> None:
    sender = Sender()
    sender.x.fail(Fault.IDS_MISSING, Endpoint.EVENTS, times=1)

    start = str(int(NOON.timestamp() * 1000) - 2 * 86_400_000)
    response = await sender.get("/1.1/feedback/events.json", from_time=start, to_time=start)

    assert response.json() == {"events": [], "next_cursor": ""}


async def test_a_bad_signature_is_told_before_any_trouble() -> None:
    sender = Sender()
    sender.x.fail(Fault.OVER_CAPACITY, times=1)

    assert (await sender.unsigned("POST", "/1.1/feedback/create.json")).status_code == 400
    assert sender.x.fault() is Fault.OVER_CAPACITY


@pytest.mark.parametrize(("fault", "arrived"), [(Fault.HANG, 0), (Fault.HANG_AFTER, 1), (Fault.SLOW, 1)])
async def test_a_client_that_does_not_wait_is_left_in_doubt(fault: Fault, arrived: int) -> None:
    x = FakeX(Clock())
    x.fail(fault)
    async with serve(x.app) as url:
        with pytest.raises(httpx.ReadTimeout):
            await Sender(url, x).create()

    assert len(x.feedbacks) == arrived


@pytest.mark.parametrize(("fault", "arrived"), [(Fault.RESET, 0), (Fault.RESET_AFTER, 1)])
async def test_a_connection_can_be_closed_without_an_answer(fault: Fault, arrived: int) -> None:
    x = FakeX(Clock())
    x.fail(fault)
    async with serve(x.app) as url:
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await Sender(url, x).create()

    assert len(x.feedbacks) == arrived
    assert x.requests[0].status is None
    assert x.traffic.exchanges[0].status == "no response"


async def test_without_a_connection_a_closed_one_is_an_error() -> None:
    sender = Sender()
    sender.x.fail(Fault.RESET)

    with pytest.raises(ConnectionResetError):
        await sender.create()


async def test_a_late_answer_is_x_s_own() -> None:
    sender = Sender()
    sender.x.fail(Fault.SLOW)
    sender.x.delay_seconds = 0

    response = await sender.create()

    assert response.json()["id"] == sender.x.feedbacks[0].id
    assert response.headers["x-user-limit-24hour-remaining"] == "999"


async def test_a_hanging_x_attends_to_others() -> None:
    x = FakeX(Clock())
    x.fail(Fault.HANG, times=1)
    async with serve(x.app) as url:
        sender = Sender(url, x)
        hanging = asyncio.create_task(sender.create())
        response = await sender.get(ADA)
        with pytest.raises(httpx.ReadTimeout):
            await hanging

    assert response.status_code == 200
