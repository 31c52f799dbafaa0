"""A port is kept from the app's start on, but nobody connects before the app serves."""

import asyncio
import socket
from typing import Any

import pytest

from bootstrap.servers import bind_listeners
from csat.settings import Settings
from csat.web.server import bind, serve
from tests.timeouts import GENEROUS

SETTINGS: dict[str, Any] = {
    "slack_bot_token": "xoxb-1",
    "slack_app_token": "xapp-1",
    "port": 0,
    "metrics_port": 0,
    "csat_public_url": "http://127.0.0.1:1",
    "csat_public_port": 0,
}


async def test_a_bound_port_refuses_connections_until_it_is_served() -> None:
    with bind("127.0.0.1", 0, "PORT") as listener:
        address = listener.getsockname()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*address)
        async with serve([], listener, GENEROUS):
            _, writer = await asyncio.open_connection(*address)
            writer.close()


@pytest.mark.parametrize(("host", "named"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")])
async def test_the_address_can_be_pasted_into_a_browser(host: str, named: str) -> None:
    with bind(host, 0, "PORT") as listener:
        async with serve([], listener, GENEROUS) as url:
            assert url == f"http://{named}:{listener.getsockname()[1]}"


async def test_that_another_program_listens_there_by_now_is_told() -> None:
    with bind("127.0.0.1", 0, "PORT") as listener:
        address = listener.getsockname()
        with (
            socket.create_server(address),
            pytest.raises(OSError, match=f"Port {address[1]} can't be listened at: Address already in use."),
        ):
            async with serve([], listener, GENEROUS):
                pass


@pytest.mark.parametrize(
    ("setting", "host"),
    [
        ("HOST", "300.1.1.1"),
        ("HOST", "203.0.113.7"),
        ("HOST", "h" * 70),
        ("METRICS_HOST", "300.1.1.1"),
        ("CSAT_PUBLIC_HOST", "300.1.1.1"),
    ],
)
def test_an_address_that_can_not_be_listened_at_is_named_with_its_setting(setting: str, host: str) -> None:
    settings = Settings(**{**SETTINGS, setting.lower(): host})
    port = setting.replace("HOST", "PORT")

    with pytest.raises(OSError, match=f"^{setting} {host} and {port} 0 can't be"), bind_listeners(settings):
        pass


@pytest.mark.parametrize("setting", ["PORT", "METRICS_PORT", "CSAT_PUBLIC_PORT"])
def test_a_port_in_use_is_named_with_its_setting(setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        settings = Settings(**{**SETTINGS, setting.lower(): port})

        with pytest.raises(OSError, match=f"^{setting} {port} is in use: "), bind_listeners(settings):
            pass
