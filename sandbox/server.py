"""Serve the whole sandbox: the fake Slack, the fake X, and the page to try the app in a browser."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from starlette.types import ASGIApp

from sandbox.local_asgi_server import serve
from sandbox.page import SHUTDOWN, PageContext, create_page
from sandbox.pubsub import PubSub
from sandbox.slack import Workspace, fixtures
from sandbox.traffic_log import TrafficLog
from sandbox.x import Account, Customer, FakeX

PAGE_PORT = 8765
X_DELAY_SECONDS = 5.0
"""Delay of X's late responses: long enough to cancel a survey, short enough to wait for."""
MANIFEST = Path(__file__).parent.with_name("manifest.yml")

ACCOUNT = Account("1718260345", "NorthwindAir", "Northwind Air")
"""The airline whose employees are in the fake Slack."""
CUSTOMERS = [
    Customer("2244994945", "grace_lopez_nw", "Grace López"),
    Customer("1820000000000000022", "tomasberg", "Tomas Berg"),
    Customer("1820000000000000033", "priya_k_iyer", "Priya K. Iyer"),
    Customer("1820000000000000044", "joonas_ek", "Joonas Ek"),
    Customer("1820000000000000055", "marcelle_duval", "Marcelle Duval"),
    Customer("1820000000000000066", "hvandijk_", "Hugo van Dijk", accepts_messages=False),
    Customer("1820000000000000077", "gone_gary", "Gary Flint", suspended=True),
]
"""The customers mentioned in the fake Slack, and one with a suspended account."""


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox."""

    workspace: Workspace
    x: FakeX
    page: PageContext
    page_url: str
    slack_api_url: str
    """Replaces `https://slack.com/api/`."""
    x_api_url: str
    """Replaces X's API host."""
    results_channel: str
    """Id of the private channel for results; the app is a member."""


@contextlib.asynccontextmanager
async def serve_sandbox(
    manifest: dict[str, Any] | None = None,
    page_port: int = PAGE_PORT,
    supervisors: Sequence[str] = (fixtures.CLEO,),
) -> AsyncIterator[Sandbox]:
    """Serve the sandbox on 127.0.0.1 until the block ends; the page uses a free port if its own is taken."""
    manifest = manifest or yaml.safe_load(MANIFEST.read_text("utf-8"))
    pubsub = PubSub()
    traffic = TrafficLog(pubsub)
    workspace = Workspace(manifest, pubsub=pubsub, traffic=traffic)
    x = FakeX(pubsub=pubsub, traffic=traffic, account=ACCOUNT)
    x.customers[:] = CUSTOMERS
    x.delay_seconds = X_DELAY_SECONDS
    page = PageContext(workspace, x, pubsub, traffic, manifest, supervisors=frozenset(supervisors))
    async with (
        workspace.serve() as slack_url,
        serve(x.app) as x_url,
        _serve_on_port_or_free_port(create_page(page), page_port) as page_url,
    ):
        try:
            yield Sandbox(workspace, x, page, page_url, f"{slack_url}/api/", x_url, fixtures.RESULTS)
        finally:
            pubsub.publish(SHUTDOWN)


@contextlib.asynccontextmanager
async def _serve_on_port_or_free_port(app: ASGIApp, port: int) -> AsyncIterator[str]:
    async with contextlib.AsyncExitStack() as stack:
        try:
            url = await stack.enter_async_context(serve(app, port))
        except OSError:
            url = await stack.enter_async_context(serve(app))
        yield url
