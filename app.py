"""csat-slack's front door: `serve`, `sandbox`, `check`, `manifest`, `prune` and `forget`."""

import asyncio
import contextlib
import logging
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Annotated, Any, NoReturn
from urllib.parse import urlsplit

import typer
import uvloop

import forget as forgetting
import manifest as manifests
import prune as pruning
from checkup import checkup
from ledger.errors import LedgerError
from sandbox.demo import PAGE_PORT, Demo, demo
from settings import Settings, SettingsError
from surveys.customers import NotACustomer, read_recipient
from surveys.questions import CatalogueError
from wiring import running

cli = typer.Typer(
    add_completion=False, pretty_exceptions_enable=False, help="Ask a customer on X how you did."
)


@cli.callback(invoke_without_command=True)
def main(context: typer.Context) -> None:
    """Serve Slack, unless another command is given."""
    if context.invoked_subcommand is None:
        serve()


@cli.command()
def serve() -> None:
    """Serve Slack: over Socket Mode where SLACK_APP_TOKEN is set, else over HTTP."""
    _run(_serve(_settings()))


@cli.command()
def sandbox() -> None:
    """Try the app in a browser, against a pretend Slack and a pretend X: no account needed."""
    _run(_sandbox())


@cli.command()
def check() -> None:
    """Tell whether the settings, Slack and X work, and what to do where they don't."""
    _run(_check(_settings()))


@cli.command("manifest")
def print_manifest(
    url: Annotated[
        str | None, typer.Option(help="Where Slack reaches the app, for HTTP: https://...")
    ] = None,
) -> None:
    """Print the manifest to paste at api.slack.com/apps: for Socket Mode, or for HTTP with --url."""
    manifest = manifests.load()
    try:
        printed = manifest if url is None else manifests.over_http(manifest, url)
    except manifests.NotAnAddress as problem:
        _give_up([f"--url {problem}"])
    typer.echo(manifests.dumps(printed), nl=False)


@cli.command()
def prune(
    older_than: Annotated[str, typer.Option(help="How old: days, weeks or years, like 400d, 60w or 2y.")],
    *,
    dry_run: Annotated[bool, typer.Option(help="Only count.")] = False,
) -> None:
    """Remove old surveys that are finished; the app may go on running."""
    settings = _settings()
    try:
        age = pruning.read_age(older_than, settings.limits)
    except pruning.NotAnAge as error:
        _give_up([str(error)])
    _run(pruning.run(settings, age, dry_run=dry_run), "Pruning stopped", logging.WARNING)


@cli.command()
def forget(
    customer: Annotated[str, typer.Argument(help="@handle, numeric id, or link to the profile.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Erase a customer: from the ledger, and from what our messages in Slack say."""
    try:
        recipient = read_recipient(customer)
    except NotACustomer as error:
        _give_up([str(error)])
    _run(forgetting.run(_settings(), recipient, yes=yes), "Forgetting stopped", logging.WARNING)


async def _serve(settings: Settings) -> None:
    way = "Socket Mode" if settings.slack_app_token else "HTTP"
    async with running(settings) as url:
        logging.getLogger(__name__).info("Serving Slack over %s; %s/healthz tells how the app is", way, url)
        await _stopped()


async def _sandbox() -> None:
    for proxy in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[proxy]  # nothing here leaves this machine
    stopped, port = asyncio.create_task(_stopped()), PAGE_PORT
    while not stopped.done():
        async with trying(port) as pretend:
            typer.echo(f"\n  Open {pretend.page_url} in your browser. Ctrl-C ends it.\n")
            over = asyncio.create_task(pretend.over.wait())
            await asyncio.wait({stopped, over}, return_when=asyncio.FIRST_COMPLETED)
            over.cancel()
        port = urlsplit(pretend.page_url).port or PAGE_PORT


@contextlib.asynccontextmanager
async def trying(port: int) -> AsyncIterator[Demo]:
    """Run the app between a pretend Slack and a pretend X, with nothing remembered."""
    with tempfile.TemporaryDirectory(prefix="csat-slack-") as folder:
        async with demo(page_port=port) as pretend, running(demo_settings(pretend, Path(folder))):
            yield pretend


async def _check(settings: Settings) -> None:
    failed = False
    async for finding in checkup(settings):
        typer.echo(f"{'ok  ' if finding.fine else 'FAIL'}  {finding.what}")
        if not finding.fine:
            failed = True
            typer.echo(f"      {finding.advice}")
    if failed:
        raise typer.Exit(1)


def demo_settings(pretend: Demo, folder: Path) -> Settings:
    """Return the settings that lead to the pretend Slack and X, with a ledger in `folder`."""
    keys = pretend.x.keys
    return Settings.given(
        slack_bot_token=pretend.workspace.bot_token,
        slack_app_token=pretend.workspace.app_token,
        slack_api_url=pretend.slack_api_url,
        x_api_key=keys.consumer_key,
        x_api_secret=keys.consumer_secret,
        x_access_token=keys.token,
        x_access_token_secret=keys.token_secret,
        x_api_url=pretend.x_api_url,
        database_url=f"sqlite:///{folder / 'csat.db'}",
        port=0,
        csat_display_name=pretend.x.account.name,
        csat_privacy_url="https://northwind.example/privacy",
    )


def _settings() -> Settings:
    try:
        return Settings.load()
    except SettingsError as error:
        _give_up(["Fix these settings:", *(f"  - {problem}" for problem in error.problems)])


def _run(
    work: Coroutine[Any, Any, None], failing: str = "The app can't begin", level: int = logging.INFO
) -> None:
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        uvloop.run(work)
    except (LedgerError, CatalogueError, OSError) as error:
        _give_up([f"{failing}: {error}"])


def _give_up(lines: list[str]) -> NoReturn:
    typer.echo("\n".join(lines), err=True)
    raise typer.Exit(1)


async def _stopped() -> None:
    """Wait for SIGTERM or Ctrl-C."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


if __name__ == "__main__":
    cli()
