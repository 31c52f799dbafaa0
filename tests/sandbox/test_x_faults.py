import asyncio
import json

import httpx
import pytest

from sandbox.local_asgi_server import serve
from sandbox.x import Endpoint, FakeX, Fault
from tests.sandbox.x_kit import NOON, ApiClient, Clock, error_code, error_message

ADA = "/2/users/by/username/ada_travels"

DOCUMENTED_ERRORS = {
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
"""Status and code of each error that X documents with a code."""

FAULTS_WITH_CODE = [fault for fault in Fault if (fault.value.status, fault.value.code) in DOCUMENTED_ERRORS]
PROCESSED_ERRORS = [Fault.INTERNAL_ERROR_AFTER, Fault.BAD_GATEWAY_AFTER, Fault.GATEWAY_TIMEOUT_AFTER]
INVALID_RESPONSES = [
    Fault.EMPTY_BODY,
    Fault.HTML,
    Fault.TRUNCATED,
    Fault.LIST,
    Fault.NUMBER,
    Fault.IDS_MISSING,
]


def test_every_documented_error_is_a_fault() -> None:
    assert {(fault.value.status, fault.value.code) for fault in FAULTS_WITH_CODE} == DOCUMENTED_ERRORS


def test_every_fault_has_a_unique_title() -> None:
    assert len({fault.title for fault in Fault}) == len(Fault)


@pytest.mark.parametrize("fault", FAULTS_WITH_CODE)
async def test_a_fault_responds_with_its_status_code_and_message(fault: Fault) -> None:
    client = ApiClient()
    client.x.fail(fault)

    response = await client.create()

    assert error_code(response) == (fault.value.status, fault.value.code)
    assert error_message(response) == fault.value.message
    assert len(client.x.feedbacks) == fault.value.has_effect


@pytest.mark.parametrize("fault", [Fault.BAD_GATEWAY, Fault.GATEWAY_TIMEOUT])
async def test_a_gateway_error_is_an_html_page(fault: Fault) -> None:
    client = ApiClient()
    client.x.fail(fault)

    response = await client.create()

    assert response.status_code == fault.value.status
    assert response.headers["content-type"].startswith("text/html")
    assert client.x.feedbacks == []


def test_326_has_two_messages() -> None:
    assert Fault.SENDER_LOCKED.value.message != Fault.NOT_FOLLOWING_326.value.message


async def test_151_includes_a_reason() -> None:
    client = ApiClient()
    client.x.fail(Fault.MESSAGE_ERROR)

    assert error_message(await client.create()).startswith("There was an error sending your message: ")


@pytest.mark.parametrize(
    ("fault", "prefix"),
    [(Fault.RATE_LIMITED, "x-rate-limit"), (Fault.DAILY_LIMIT, "x-user-limit-24hour")],
)
async def test_a_rate_limit_announces_its_reset(fault: Fault, prefix: str) -> None:
    client = ApiClient()
    client.x.fail(fault)
    client.x.limit_reset_seconds = 60

    headers = (await client.create()).headers

    assert headers[f"{prefix}-remaining"] == "0"
    assert headers[f"{prefix}-reset"] == str(int(NOON.timestamp()) + 60)


async def test_420_has_a_retry_after_header() -> None:
    client = ApiClient()
    client.x.fail(Fault.ENHANCE_YOUR_CALM)

    response = await client.create()

    assert response.status_code == 420
    assert response.headers["retry-after"] == "900"


@pytest.mark.parametrize("fault", [*PROCESSED_ERRORS, *INVALID_RESPONSES])
async def test_a_survey_can_be_sent_despite_a_bad_response(fault: Fault) -> None:
    client = ApiClient()
    client.x.fail(fault)

    response = await client.create()

    assert len(client.x.feedbacks) == 1
    assert response.status_code == fault.value.status
    assert client.x.feedbacks[0].id not in response.text or fault is Fault.TRUNCATED


async def test_a_truncated_response_is_invalid_json() -> None:
    client = ApiClient()
    client.x.fail(Fault.TRUNCATED)

    with pytest.raises(json.JSONDecodeError):
        (await client.create()).json()


async def test_a_response_without_ids_has_all_other_fields() -> None:
    client = ApiClient()
    client.x.fail(Fault.IDS_MISSING)

    body = (await client.create()).json()

    assert body["type"] == "csat"
    assert not {"id", "dm_id", "to_user_id"} & body.keys()


async def test_an_invalid_request_gets_its_own_error_despite_a_fault() -> None:
    client = ApiClient()
    client.x.fail(Fault.INTERNAL_ERROR_AFTER)

    assert error_code(await client.create(to_user_id="1")) == (404, 108)


async def test_a_fault_lasts_until_recovery() -> None:
    client = ApiClient()
    client.x.fail(Fault.OVER_CAPACITY)
    during = [(await client.create()).status_code for _ in range(3)]
    client.x.recover()

    assert (during, (await client.create()).status_code) == ([503, 503, 503], 200)


async def test_a_fault_can_be_limited_to_a_number_of_requests() -> None:
    client = ApiClient()
    client.x.fail(Fault.OVER_CAPACITY, times=2)

    statuses = [(await client.create()).status_code for _ in range(3)]

    assert statuses == [503, 503, 200]
    assert client.x.fault() is None


async def test_a_fault_affects_only_its_endpoint() -> None:
    client = ApiClient()
    client.x.fail(Fault.OVER_CAPACITY)

    assert (await client.get(ADA)).status_code == 200


@pytest.mark.parametrize(
    "fault",
    [Fault.WRONG_KEYS, Fault.NO_CREDIT, Fault.WRONG_PLAN, Fault.RATE_LIMITED, Fault.OVER_CAPACITY],
)
async def test_a_lookup_fault_is_an_error_in_the_shape_of_v2(fault: Fault) -> None:
    client = ApiClient()
    client.x.fail(fault, Endpoint.LOOKUP)

    response = await client.get(ADA)

    assert response.status_code == response.json()["status"] == fault.value.status
    assert response.json()["detail"] == fault.value.message
    assert client.x.fault(Endpoint.LOOKUP) is fault
    assert (await client.create()).status_code == 200


async def test_a_lookup_response_can_lack_ids() -> None:
    client = ApiClient()
    client.x.fail(Fault.IDS_MISSING, Endpoint.LOOKUP)

    assert (await client.get(ADA)).json() == {"data": {"name": "Ada Okafor", "username": "ada_travels"}}


async def test_lists_are_kept_when_ids_are_removed() -> None:
    client = ApiClient()
    client.x.fail(Fault.IDS_MISSING, Endpoint.EVENTS, times=1)

    start = str(int(NOON.timestamp() * 1000) - 2 * 86_400_000)
    response = await client.get("/1.1/feedback/events.json", from_time=start, to_time=start)

    assert response.json() == {"events": [], "next_cursor": ""}


async def test_a_bad_signature_does_not_use_up_a_fault() -> None:
    client = ApiClient()
    client.x.fail(Fault.OVER_CAPACITY, times=1)

    assert (await client.send_unsigned("POST", "/1.1/feedback/create.json")).status_code == 400
    assert client.x.fault() is Fault.OVER_CAPACITY


@pytest.mark.parametrize(("fault", "surveys_sent"), [(Fault.HANG, 0), (Fault.HANG_AFTER, 1), (Fault.SLOW, 1)])
async def test_x_can_process_a_request_without_responding(fault: Fault, surveys_sent: int) -> None:
    x = FakeX(Clock())
    x.fail(fault)
    async with serve(x.app) as url:
        with x.hold(Endpoint.CREATE) as hold:
            request = asyncio.create_task(ApiClient(url, x).create())
            await hold.arrived.wait()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(request, timeout=0.2)

    assert len(x.feedbacks) == surveys_sent


@pytest.mark.parametrize(("fault", "surveys_sent"), [(Fault.RESET, 0), (Fault.RESET_AFTER, 1)])
async def test_a_connection_can_be_closed_without_a_response(fault: Fault, surveys_sent: int) -> None:
    x = FakeX(Clock())
    x.fail(fault)
    async with serve(x.app) as url:
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await ApiClient(url, x).create()

    assert len(x.feedbacks) == surveys_sent
    assert x.requests[0].status is None
    assert x.traffic.exchanges[0].status == "no response"


async def test_closing_the_connection_in_process_raises_an_error() -> None:
    client = ApiClient()
    client.x.fail(Fault.RESET)

    with pytest.raises(ConnectionResetError):
        await client.create()


async def test_a_delayed_response_is_the_regular_one() -> None:
    client = ApiClient()
    client.x.fail(Fault.SLOW)
    client.x.delay_seconds = 0

    response = await client.create()

    assert response.json()["id"] == client.x.feedbacks[0].id
    assert response.headers["x-user-limit-24hour-remaining"] == "999"


async def test_other_requests_are_served_while_one_hangs() -> None:
    x = FakeX(Clock())
    x.fail(Fault.HANG, times=1)
    async with serve(x.app) as url:
        client = ApiClient(url, x)
        with x.hold(Endpoint.CREATE) as hold:
            hanging = asyncio.create_task(client.create())
            await hold.arrived.wait()

        assert (await client.get(ADA)).status_code == 200
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(hanging, timeout=0.2)
