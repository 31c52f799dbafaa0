"""The whole sandbox at once: a pretend Slack, a pretend X, and the page to try the app in a browser."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from starlette.types import ASGIApp

from sandbox.page import CLOSING, PageContext, page
from sandbox.page.sample_data import SampleDataJob
from sandbox.pubsub import PubSub
from sandbox.serving import serve
from sandbox.slack import Workspace, fixtures
from sandbox.traffic import TrafficLog
from sandbox.x import Account, Customer, FakeX

PAGE_PORT = 8765
LATE = 5.0
"""Seconds that X takes when it answers late: long enough to cancel, short enough to wait for."""
MANIFEST = Path(__file__).parent.with_name("manifest.yml")

ACCOUNT = Account("1718260345", "NorthwindAir", "Northwind Air")
"""The airline whose people are in the pretend Slack."""
CUSTOMERS = [
    Customer("2244994945", "grace_lopez_nw", "Grace López"),
    Customer("1820000000000000022", "tomasberg", "Tomas Berg"),
    Customer("1820000000000000033", "priya_k_iyer", "Priya K. Iyer"),
    Customer("1820000000000000044", "joonas_ek", "Joonas Ek"),
    Customer("1820000000000000055", "marcelle_duval", "Marcelle Duval"),
    Customer("1820000000000000066", "hvandijk_", "Hugo van Dijk", accepts_messages=False),
    Customer("1820000000000000077", "gone_gary", "Gary Flint", suspended=True),
]
"""Those whose conversations are mirrored there, and one whose account is suspended."""


@dataclass(frozen=True)
class Sandbox:
    """What runs, and where."""

    workspace: Workspace
    x: FakeX
    page_url: str
    slack_api_url: str
    """What the app takes for `https://slack.com/api/`."""
    x_api_url: str
    """What the app takes for X's host."""
    over: asyncio.Event
    """Set when somebody wants to start over."""
    supervisors: tuple[str, ...]
    """Who may see results, by user id."""
    results_channel: str
    """The private channel for results; the app is a member."""
    filling: SampleDataJob

    @property
    def fill(self) -> asyncio.Event:
        """Set when somebody wants three months of surveys in the app's ledger."""
        return self.filling.asked

    def progressed(self, text: str) -> None:
        """Show how far the filling is."""
        self.filling.say(text)

    def filled(self, text: str) -> None:
        """Show that the filling is done, and what it made."""
        self.filling.finish(text)

    def not_filled(self, text: str) -> None:
        """Show why nothing was filled; `fill` waits for the next wish."""
        self.filling.fail(text)


@contextlib.asynccontextmanager
async def serve_sandbox(
    manifest: dict[str, Any] | None = None,
    page_port: int = PAGE_PORT,
    supervisors: Sequence[str] = (fixtures.CLEO,),
) -> AsyncIterator[Sandbox]:
    """Run the sandbox on 127.0.0.1 until the block ends; the page gets a free port where its own is taken."""
    manifest = manifest or yaml.safe_load(MANIFEST.read_text("utf-8"))
    pubsub = PubSub()
    traffic = TrafficLog(pubsub)
    workspace = Workspace(manifest, pubsub=pubsub, traffic=traffic)
    x = FakeX(pubsub=pubsub, traffic=traffic, account=ACCOUNT)
    x.customers[:] = CUSTOMERS
    x.delay_seconds = LATE
    async with contextlib.AsyncExitStack() as stack:
        slack_url = await stack.enter_async_context(workspace.serve())
        x_url = await stack.enter_async_context(serve(x.app))
        sources = PageContext(workspace, x, pubsub, traffic, manifest, supervisors=frozenset(supervisors))
        shown = page(sources)
        page_url = await stack.enter_async_context(_serving_at(page_port, shown))
        stack.callback(pubsub.publish, CLOSING)
        yield Sandbox(
            workspace,
            x,
            page_url,
            f"{slack_url}/api/",
            x_url,
            sources.over,
            tuple(supervisors),
            fixtures.RESULTS,
            sources.filling,
        )


@contextlib.asynccontextmanager
async def _serving_at(port: int, app: ASGIApp) -> AsyncIterator[str]:
    """Serve on this port, or on a free one."""
    async with contextlib.AsyncExitStack() as stack:
        try:
            url = await stack.enter_async_context(serve(app, port))
        except OSError:
            url = await stack.enter_async_context(serve(app))
        yield url
