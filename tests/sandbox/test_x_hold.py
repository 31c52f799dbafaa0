"""Holding the responses of X."""

import asyncio

from sandbox.local_asgi_server import serve
from sandbox.x import Endpoint, FakeX, Fault
from tests.sandbox.x_kit import ApiClient, Clock

BENITEZ = "1820000000000000022"


async def test_a_response_is_held_until_it_is_released() -> None:
    client = ApiClient()
    with client.x.hold(Endpoint.CREATE) as hold:
        request = asyncio.create_task(client.create())
        await hold.arrived.wait()

        assert len(client.x.feedbacks) == 1
        assert not request.done()
        hold.release()
        assert (await request).status_code == 200


async def test_a_request_can_be_held_before_it_is_processed() -> None:
    client = ApiClient()
    with client.x.hold(Endpoint.CREATE, after=False) as hold:
        request = asyncio.create_task(client.create())
        await hold.arrived.wait()

        assert client.x.feedbacks == []

    assert (await request).status_code == 200


async def test_a_released_hold_holds_no_further_responses() -> None:
    client = ApiClient()
    client.x.hold(Endpoint.CREATE).release()

    assert (await client.create()).status_code == 200


async def test_leaving_the_block_releases_the_hold() -> None:
    client = ApiClient()
    with client.x.hold(Endpoint.CREATE) as hold:
        request = asyncio.create_task(client.create())
        await hold.arrived.wait()

    assert (await request).status_code == 200


async def test_only_the_next_responses_are_held_if_a_number_is_given() -> None:
    client = ApiClient()
    with client.x.hold(Endpoint.CREATE, times=1) as hold:
        held = asyncio.create_task(client.create())
        await hold.arrived.wait()

        assert (await client.create(to_user_id=BENITEZ)).status_code == 200
        assert not held.done()

    await held


async def test_other_endpoints_respond_while_one_is_held() -> None:
    client = ApiClient()
    with client.x.hold(Endpoint.CREATE) as hold:
        held = asyncio.create_task(client.create())
        await hold.arrived.wait()

        assert (await client.get("/2/users/me")).status_code == 200

    await held


async def test_an_error_response_is_held_too() -> None:
    client = ApiClient()
    client.x.fail(Fault.OVER_CAPACITY)
    with client.x.hold(Endpoint.CREATE) as hold:
        request = asyncio.create_task(client.create())
        await hold.arrived.wait()

    assert (await request).status_code == 503


async def test_a_held_response_is_sent_over_http() -> None:
    x = FakeX(Clock())
    async with serve(x.app) as url:
        with x.hold(Endpoint.LOOKUP) as hold:
            request = asyncio.create_task(ApiClient(url, x).get("/2/users/by/username/ada_travels"))
            await hold.arrived.wait()

        assert (await request).status_code == 200
