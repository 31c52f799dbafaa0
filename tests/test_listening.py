"""A port is kept from the app's start on, but nobody connects before the app serves."""

import asyncio
import socket

import pytest

from csat.web.server import bind, serve


async def test_a_bound_port_refuses_connections_until_it_is_served() -> None:
    with bind("127.0.0.1", 0, "PORT") as listener:
        address = listener.getsockname()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*address)
        async with serve([], listener):
            _, writer = await asyncio.open_connection(*address)
            writer.close()


@pytest.mark.parametrize(("host", "named"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")])
async def test_the_address_can_be_pasted_into_a_browser(host: str, named: str) -> None:
    with bind(host, 0, "PORT") as listener:
        async with serve([], listener) as url:
            assert url == f"http://{named}:{listener.getsockname()[1]}"


async def test_that_another_program_listens_there_by_now_is_told() -> None:
    with bind("127.0.0.1", 0, "PORT") as listener:
        address = listener.getsockname()
        with (
            socket.create_server(address),
            pytest.raises(OSError, match=f"Port {address[1]} can't be listened at: Address already in use."),
        ):
            async with serve([], listener):
                pass
