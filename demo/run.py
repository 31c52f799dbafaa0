"""`python app.py sandbox`: runs the app between a fake Slack and a fake X, to try it in a browser."""

import asyncio
import contextlib
import os
import secrets
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import typer

from bootstrap.lifespan import lifespan
from csat.clock import utc_now
from csat.db.database import Database
from csat.db.errors import DatabaseError
from csat.settings import X_KEYS, Settings
from csat.slack_api.errors import SlackError
from csat.surveys.networks import Network
from csat.surveys.transports import FACTS, TransportName
from csat.timeouts import Timeouts
from csat.web import paths
from demo.seed import Colleague, Team, insert_past
from demo.weekly_digest import post_digest
from sandbox.free_ports import find_free_port
from sandbox.server import PAGE_PORT, Sandbox, serve_sandbox
from sandbox.slack import User, fixtures
from sandbox.x import Webhook

COLLEAGUES = (
    Colleague(fixtures.ADA, share=6, low_rating_factor=0.2),
    Colleague(fixtures.BEN, share=4, low_rating_factor=1.6),
    Colleague(fixtures.CLEO, share=0.5, low_rating_factor=0),
)

PAST_CUSTOMERS = (
    "Ines Duarte",
    "Karim Aziz",
    "Lotte Visser",
    "Mateo Ruiz",
    "Nadia Petrova",
    "Owen Blake",
    "Paula Santos",
    "Yuki Mori",
)
"""People of Skylinker who were asked in Slack, and have left its channel since."""

TRANSPORTS = {
    "all": tuple(TransportName),
    **{facts.report_word: (name,) for name, facts in FACTS.items()},
}
"""The transports by the choice on the page."""

DIGEST_POSTED = "The digest of the week is in #csat-results. Open it as Cleo."
NO_DIGEST = (
    "There is no digest: no surveys in the week before Monday, or Slack did not take it. "
    "Add sample data, and try again."
)


async def run(stopped: asyncio.Task[None]) -> None:
    """Run the demo until stopped, starting over whenever somebody asks for it on the page."""
    for proxy in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[proxy]  # nothing here leaves this machine
    port = PAGE_PORT
    while not stopped.done():
        async with run_demo(port) as sandbox:
            typer.echo(f"\n  Open {sandbox.page_url} in your browser. Press Ctrl-C to stop.\n")
            restart = asyncio.create_task(sandbox.page.restart_requested.wait())
            await asyncio.wait({stopped, restart}, return_when=asyncio.FIRST_COMPLETED)
            restart.cancel()
        port = urlsplit(sandbox.page_url).port or PAGE_PORT


@contextlib.asynccontextmanager
async def run_demo(port: int = 0, timeouts: Timeouts | None = None) -> AsyncIterator[Sandbox]:
    """Run the app in a sandbox with an empty database, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="csat-slack-") as folder:
        async with serve_sandbox(page_port=port) as sandbox:
            settings = demo_settings(sandbox, Path(folder)).with_timeouts(timeouts or Timeouts())
            async with _running_app(sandbox, settings):
                seeding = asyncio.create_task(_seed_on_request(sandbox, settings))
                posting = asyncio.create_task(_post_digest_on_request(sandbox, settings))
                yield sandbox
                seeding.cancel()
                posting.cancel()


@contextlib.asynccontextmanager
async def _running_app(sandbox: Sandbox, settings: Settings) -> AsyncIterator[None]:
    """Run the app until the block ends."""
    started = asyncio.Event()
    running = asyncio.create_task(_restart_on_request(sandbox, settings, started))
    starting = asyncio.create_task(started.wait())
    await asyncio.wait({running, starting}, return_when=asyncio.FIRST_COMPLETED)
    starting.cancel()
    if running.done():
        await running
    try:
        yield
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def _restart_on_request(sandbox: Sandbox, settings: Settings, started: asyncio.Event) -> None:
    """Run the app, and start it anew whenever somebody chooses other transports on the page."""
    switch = sandbox.page.transports
    while True:
        switch.changed.clear()
        async with lifespan(settings.model_copy(update=_chosen_settings(switch.chosen))) as url:
            password = settings.x_webhook_password.get_secret_value()
            sandbox.x.webhook = Webhook(url + paths.X_FEEDBACK, settings.x_webhook_user, password)
            if started.is_set():
                switch.confirm()
            started.set()
            await switch.changed.wait()


def _chosen_settings(choice: str) -> dict[str, Any]:
    """Return the settings that a choice on the page changes; a team with Slack alone has no keys of X."""
    transports = TRANSPORTS[choice]
    has_x = any(FACTS[name].network is Network.X for name in transports)
    return {"csat_transports": transports, **({} if has_x else dict.fromkeys(map(str.lower, X_KEYS)))}


def demo_settings(sandbox: Sandbox, folder: Path) -> Settings:
    """Return the settings for a sandbox, with a database in `folder`."""
    keys, page_port = sandbox.x.keys, find_free_port()
    return Settings(
        slack_bot_token=sandbox.workspace.bot_token,
        slack_app_token=sandbox.workspace.app_token,
        slack_api_url=sandbox.slack_api_url,
        x_api_key=keys.consumer_key,
        x_api_secret=keys.consumer_secret,
        x_access_token=keys.token,
        x_access_token_secret=keys.token_secret,
        x_api_url=sandbox.x_api_url,
        x_webhook_user="x",
        x_webhook_password=secrets.token_hex(8),
        database_url=f"sqlite:///{folder / 'csat.db'}",
        port=0,
        csat_public_url=f"http://127.0.0.1:{page_port}",
        csat_public_port=page_port,
        csat_display_name=sandbox.x.account.name,
        csat_privacy_url="https://northwind.example/privacy",
        csat_operators=sandbox.page.supervisors,
        csat_supervisors=sandbox.page.supervisors,
        csat_results_channel=sandbox.results_channel,
    )


async def _seed_on_request(sandbox: Sandbox, settings: Settings) -> None:
    """Add three months of surveys once somebody asks for them on the page."""
    seeded = False
    while not seeded:
        await sandbox.page.sample_data.requested.wait()
        try:
            with contextlib.closing(
                Database(settings.database_url.get_secret_value(), settings.timeouts)
            ) as database:
                number = await database.run_with_retry(insert_past, _past_team(sandbox), utc_now())
        except DatabaseError as error:
            sandbox.page.sample_data.allow_again(f"Nothing was added: {error}. Try again.")
        else:
            sandbox.page.sample_data.finish(
                f"Added {number:,} surveys from the past three months. Open Home as Cleo to see the reports."
            )
            seeded = True


async def _post_digest_on_request(sandbox: Sandbox, settings: Settings) -> None:
    """Post the weekly digest each time somebody asks for it on the page."""
    while True:
        await sandbox.page.digest.requested.wait()
        before = _count_results(sandbox)
        try:
            await post_digest(settings, utc_now())
        except (DatabaseError, SlackError) as error:
            sandbox.page.digest.allow_again(f"There is no digest: {error}. Try again.")
            continue
        is_posted = _count_results(sandbox) > before
        sandbox.page.digest.allow_again(DIGEST_POSTED if is_posted else NO_DIGEST)


def _count_results(sandbox: Sandbox) -> int:
    return len(sandbox.workspace.messages(sandbox.results_channel, fixtures.CLEO))


def _past_team(sandbox: Sandbox) -> Team:
    threads = [message.ts for message in sandbox.workspace.messages(fixtures.SUPPORT, fixtures.ADA)]
    customers = [
        User(f"U09PAST{number:04}", name.split()[0].lower(), name, fixtures.OTHER_TEAM)
        for number, name in enumerate(PAST_CUSTOMERS)
    ]
    sandbox.workspace.users |= {user.id: user for user in customers}
    return Team(
        id=sandbox.workspace.team.id,
        account=sandbox.x.account.id,
        channels=(fixtures.SUPPORT, fixtures.ESCALATIONS),
        threads=tuple(threads),
        colleagues=COLLEAGUES,
        supervisor=fixtures.CLEO,
        display_name=sandbox.x.account.name,
        transports=TRANSPORTS[sandbox.page.transports.chosen],
        customers=tuple(user.id for user in customers),
    )
