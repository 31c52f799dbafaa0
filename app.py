"""csat-slack's front door: `serve`, `sandbox`, `check` and `manifest`."""

import asyncio
import logging
import os
import signal
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
import uvloop

import manifest as manifests
from checkup import checkup
from ledger.errors import LedgerError
from sandbox.demo import Demo, demo
from settings import Settings, SettingsError
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


async def _serve(settings: Settings) -> None:
    way = "Socket Mode" if settings.slack_app_token else "HTTP"
    async with running(settings) as url:
        logging.getLogger(__name__).info("Serving Slack over %s; %s/healthz tells how the app is", way, url)
        await _stopped()


async def _sandbox() -> None:
    for proxy in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[proxy]  # nothing here leaves this machine
    with tempfile.TemporaryDirectory(prefix="csat-slack-") as folder:
        async with demo() as pretend, running(demo_settings(pretend, Path(folder))):
            typer.echo(f"\n  Open {pretend.page_url} in your browser. Ctrl-C ends it.\n")
            await _stopped()


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


def _run(work: Coroutine[Any, Any, None]) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        uvloop.run(work)
    except (LedgerError, CatalogueError, OSError) as error:
        _give_up([f"The app can't begin: {error}"])


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
