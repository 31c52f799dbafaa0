"""`python app.py sandbox`: the app between a pretend Slack and a pretend X, to try it in a browser."""

import asyncio
import contextlib
import os
import secrets
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import typer

from bootstrap import lifespan
from csat.clock import utc_now
from csat.db.database import Database
from csat.db.errors import DatabaseError
from csat.settings import Settings
from demo.seed import Colleague, Scene, fill
from sandbox.server import PAGE_PORT, Sandbox, serve_sandbox
from sandbox.slack import fixtures
from sandbox.x import Webhook

WEBHOOK = "/x/feedback"
COLLEAGUES = (
    Colleague(fixtures.ADA, 6, 0.2),
    Colleague(fixtures.BEN, 4, 1.6),
    Colleague(fixtures.CLEO, 0.5, 0),
)


async def run(stopped: asyncio.Task[None]) -> None:
    """Let somebody try the app, from the start each time they want that, until it is stopped."""
    for proxy in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[proxy]  # nothing here leaves this machine
    port = PAGE_PORT
    while not stopped.done():
        async with trying(port) as pretend:
            typer.echo(f"\n  Open {pretend.page_url} in your browser. Ctrl-C ends it.\n")
            over = asyncio.create_task(pretend.page.restart_requested.wait())
            await asyncio.wait({stopped, over}, return_when=asyncio.FIRST_COMPLETED)
            over.cancel()
        port = urlsplit(pretend.page_url).port or PAGE_PORT


@contextlib.asynccontextmanager
async def trying(port: int = 0) -> AsyncIterator[Sandbox]:
    """Run the app between a pretend Slack and a pretend X, with nothing remembered."""
    with tempfile.TemporaryDirectory(prefix="csat-slack-") as folder:
        async with serve_sandbox(page_port=port) as pretend:
            settings = demo_settings(pretend, Path(folder))
            async with lifespan(settings) as url:
                password = settings.x_webhook_password.get_secret_value()
                pretend.x.webhook = Webhook(url + WEBHOOK, settings.x_webhook_user, password)
                filling = asyncio.create_task(_fill_when_asked(pretend, settings))
                yield pretend
                filling.cancel()


def demo_settings(pretend: Sandbox, folder: Path) -> Settings:
    """Return the settings that lead to the pretend Slack and X, with a ledger in `folder`."""
    keys = pretend.x.keys
    return Settings(
        slack_bot_token=pretend.workspace.bot_token,
        slack_app_token=pretend.workspace.app_token,
        slack_api_url=pretend.slack_api_url,
        x_api_key=keys.consumer_key,
        x_api_secret=keys.consumer_secret,
        x_access_token=keys.token,
        x_access_token_secret=keys.token_secret,
        x_api_url=pretend.x_api_url,
        x_webhook_user="x",
        x_webhook_password=secrets.token_hex(8),
        database_url=f"sqlite:///{folder / 'csat.db'}",
        port=0,
        csat_display_name=pretend.x.account.name,
        csat_privacy_url="https://northwind.example/privacy",
        csat_supervisors=pretend.page.supervisors,
        csat_results_channel=pretend.results_channel,
    )


async def _fill_when_asked(pretend: Sandbox, settings: Settings) -> None:
    """Give the app a past of three months as soon as somebody wants it."""
    filled = False
    while not filled:
        await pretend.page.sample_data.requested.wait()
        try:
            with contextlib.closing(Database(settings.database_url.get_secret_value())) as database:
                number = await database.run_with_retry(fill, _scene(pretend), utc_now())
        except DatabaseError as error:
            pretend.page.sample_data.fail(f"Nothing was added: {error}. Try again.")
        else:
            pretend.page.sample_data.finish(
                f"Added {number:,} surveys from the past three months. Open Home as Cleo to see the reports."
            )
            filled = True


def _scene(pretend: Sandbox) -> Scene:
    threads = [message.ts for message in pretend.workspace.messages(fixtures.SUPPORT, fixtures.ADA)]
    return Scene(
        team=pretend.workspace.team.id,
        account=pretend.x.account.id,
        channels=(fixtures.SUPPORT, fixtures.ESCALATIONS),
        threads=tuple(threads),
        colleagues=COLLEAGUES,
        supervisor=fixtures.CLEO,
        display_name=pretend.x.account.name,
    )
