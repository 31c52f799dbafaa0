"""The command line: `serve`, which is the default, and the commands of operators.

Each imports its own modules when it is called, so that none waits for those of the others.
"""

import asyncio
import gc
import io
import logging
import signal
import sys
import tomllib
from pathlib import Path
from typing import Annotated

import typer

from cli.command_runner import give_up, load_or_exit, run
from cli.errors import CommandError
from csat.clock import utc_now
from csat.reporting.periods import InvalidPeriod, parse_period
from csat.settings import Settings
from csat.settings_from_environment import is_set_up_for_http, load_settings, load_settings_without_x_keys
from csat.surveys.questions import Metric
from csat.surveys.recipients import InvalidRecipient
from csat.surveys.transports import TransportName

log = logging.getLogger(__name__)

cli = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    help='Ask a customer "how did we do?" without leaving Slack. Without a command, it does what serve does.',
)


def _print_version(is_given: bool) -> None:  # noqa: FBT001 - typer calls it
    if is_given:
        project = tomllib.loads(Path(__file__).with_name("pyproject.toml").read_text("utf-8"))["project"]
        typer.echo(f"{project['name']} {project['version']}")
        raise typer.Exit


@cli.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    *,
    version: Annotated[  # noqa: ARG001 - its callback prints it
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Run the app, unless another command is given."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # names from Slack and X may not fit its encoding
        sys.stdout.reconfigure(errors="backslashreplace")
    if context.invoked_subcommand is None:
        serve()


@cli.command()
def serve() -> None:
    """Run the app: in Socket Mode if SLACK_APP_TOKEN is set, else over HTTP."""
    settings = load_or_exit(load_settings, is_logged=True)
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    run(_serve(settings), level=level, log_format=settings.log_format, retry_level=logging.DEBUG)
    log.info("Stopped")


@cli.command()
def sandbox() -> None:
    """Try the app in a browser, with a fake Slack and a fake X. No account needed."""
    run(_sandbox(), level=logging.WARNING)


@cli.command()
def check() -> None:
    """Check the settings, Slack, and X if there are its keys, and say what to fix."""
    run(_check(load_or_exit(load_settings)), level=logging.CRITICAL)  # the findings say what others log


@cli.command("manifest")
def print_manifest(
    url: Annotated[str | None, typer.Option(help="The app's public URL, for HTTP: https://...")] = None,
) -> None:
    """Print the manifest to paste at api.slack.com/apps: for Socket Mode, or for HTTP with --url."""
    from cli import manifest

    if url is None and is_set_up_for_http():
        give_up([manifest.URL_NEEDED])
    socket_manifest = manifest.load()
    try:
        printed = socket_manifest if url is None else manifest.over_http(socket_manifest, url)
    except manifest.InvalidUrl as problem:
        give_up([f"--url {problem}"])
    typer.echo(manifest.dumps(printed), nl=False)


@cli.command()
def prune(
    older_than: Annotated[
        str, typer.Option(help="Age in days, weeks or years, like 400d, 60w or 2y; 28d or more.")
    ],
    *,
    dry_run: Annotated[bool, typer.Option(help="Only count the surveys.")] = False,
) -> None:
    """Remove old finished surveys; the app can keep running."""
    from bootstrap.values_from_settings import build_limits
    from cli import prune as pruning

    settings = load_or_exit(load_settings_without_x_keys)
    try:
        age = pruning.parse_age(older_than, build_limits(settings))
    except pruning.InvalidAge as error:
        give_up([str(error)])
    run(pruning.run(settings, age, dry_run=dry_run), "Pruning stopped", logging.WARNING)


@cli.command()
def forget(
    customer: Annotated[
        str,
        typer.Argument(help="On X: @handle, numeric ID, or profile link. In Slack: their member ID, U..."),
    ],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask for confirmation.")] = False,
    without_slack: Annotated[
        bool,
        typer.Option(
            "--without-slack",
            help="Erase the database alone, also of workspaces whose token is gone. Messages in Slack stay: "
            "delete them there.",
        ),
    ] = False,
) -> None:
    """Erase a customer from the database and from the app's messages in Slack."""
    from cli import forget as forgetting
    from cli.named_customers import parse_customer

    try:
        recipient = parse_customer(customer)
    except InvalidRecipient as error:
        give_up([str(error)])
    work = forgetting.run(load_or_exit(load_settings), recipient, yes=yes, without_slack=without_slack)
    run(work, "Forgetting stopped", logging.WARNING)


@cli.command()
def export(
    output: Annotated[Path, typer.Option(help="The file to write, like surveys.csv.")],
    period: Annotated[
        str, typer.Option(help="A period like 90d, last month, 2026-11, or 2026-09-01..2026-09-30.")
    ] = "90d",
    team: Annotated[str, typer.Option(help="The Slack team's ID, if the database has several.")] = "",
) -> None:
    """Write a CSV file with a row per survey, and a manifest with its checksum."""
    from cli import export as exporting

    settings = load_or_exit(load_settings_without_x_keys)
    try:
        parsed = parse_period(period, utc_now(), settings.csat_timezone)
    except InvalidPeriod as problem:
        give_up([f"--period: {problem}"])
    run(exporting.run(settings, parsed, team, output), "The export stopped", logging.WARNING)


opt_outs = typer.Typer(
    no_args_is_help=True, help="Export or import the customers who asked not to be surveyed."
)
cli.add_typer(opt_outs, name="opt-outs")


@opt_outs.command("export")
def export_opt_outs(
    output: Annotated[Path, typer.Argument(help="The file to write, like opt-outs.csv.")],
) -> None:
    """Write a CSV file with all opt-outs, lifted ones too; customers are keyed hashes in it."""
    from cli import opt_out_files as listing

    settings = load_or_exit(load_settings_without_x_keys)
    run(listing.export(settings, output), "The export stopped", logging.WARNING)


@opt_outs.command("import")
def import_opt_outs(
    source: Annotated[
        Path,
        typer.Argument(
            help="CSV: a handle, numeric ID or member ID (U...) in each line, then reason and date if known."
        ),
    ],
    *,
    apply: Annotated[
        bool, typer.Option("--apply", help="Record them; else only say what would be done.")
    ] = False,
    from_line: Annotated[int, typer.Option(help="Go on at this line, where an import has stopped.")] = 1,
) -> None:
    """Record the customers of a list as opted out; the app can keep running."""
    from cli import opt_out_files as listing

    settings = load_or_exit(load_settings)
    work = listing.import_file(settings, source, apply=apply, from_line=from_line)
    run(work, "The import stopped", logging.WARNING)


@cli.command()
def resume() -> None:
    """Send what waits for a paused X account now, once X accepts it again."""
    from cli import resume as resuming

    run(resuming.run(load_or_exit(load_settings)), "Not resumed", logging.WARNING)


@cli.command("rotate-link-secret")
def rotate_link_secret() -> None:
    """Make new links to the rating page with another secret; those sent before go on working."""
    from cli import rotate_link_secret as rotating

    run(rotating.run(load_or_exit(load_settings_without_x_keys)), "Not rotated", logging.WARNING)


@cli.command()
def backup(
    target: Annotated[Path, typer.Argument(help="The new file to write, like csat-backup.db.")],
) -> None:
    """Write a copy of the SQLite database, also while the app runs."""
    from cli import backup as backups

    try:
        contents = backups.back_up(backups.database_file(load_or_exit(load_settings_without_x_keys)), target)
    except CommandError as error:
        give_up([f"No backup: {error}"])
    typer.echo(f"Wrote {target}: {contents}. Only you can read it.")


@cli.command()
def restore(
    source: Annotated[Path, typer.Argument(help="A file that `backup` wrote.")],
    *,
    replace: Annotated[
        bool, typer.Option("--replace", help="Lose the surveys and opt-outs that the database has.")
    ] = False,
) -> None:
    """Put a backup in the place of the SQLite database, while the app is stopped."""
    from cli import restore as restoring

    run(
        restoring.run(load_or_exit(load_settings_without_x_keys), source, replace=replace),
        "Not restored",
        logging.WARNING,
    )


@cli.command("after-restore")
def prepare_restored() -> None:
    """Keep a database that pg_restore or a snapshot has restored from sending anything twice.

    Run it before the app starts. `restore` does the same by itself.
    """
    from cli import restore as restoring

    run(
        restoring.run_after_restore(load_or_exit(load_settings_without_x_keys)),
        "Nothing was changed",
        logging.WARNING,
    )


@cli.command()
def report(
    source: Annotated[Path, typer.Option("--from", help="A file written by `export`.")],
    metric: Annotated[list[Metric] | None, typer.Option(help="csat or nps; both by default.")] = None,
    transport: Annotated[
        TransportName | None, typer.Option(help="How the surveys were sent; all ways by default.")
    ] = None,
) -> None:
    """Print the report of an exported file, as supervisors see it in Slack."""
    from cli import report_from_export as reporting

    run(reporting.run(source, metric or list(Metric), transport), "No report", logging.WARNING)


async def _serve(settings: Settings) -> None:
    from bootstrap.lifespan import lifespan
    from csat.web import paths

    async with lifespan(settings) as url:
        stop = _stop_event()
        started = (
            "Started" if settings.slack_app_token else f"Listening for Slack at {url}{paths.SLACK_EVENTS}"
        )
        log.info("%s; health check at %s/readyz", started, url)
        gc.freeze()  # the imported modules are not examined at each garbage collection: 4 % of a survey's CPU
        await stop.wait()


async def _sandbox() -> None:
    from demo import run as trying

    await trying.run(asyncio.create_task(_stopped()))


async def _check(settings: Settings) -> None:
    from cli import check as checking

    failed = False
    async for finding in checking.check(settings):
        typer.echo(f"{finding.mark}  {finding.message}")
        if not finding.ok:
            failed = True
            typer.echo(f"      {finding.advice}")
    if failed:
        raise typer.Exit(1)


async def _stopped() -> None:
    """Wait for SIGTERM or Ctrl-C."""
    await _stop_event().wait()


def _stop_event() -> asyncio.Event:
    """Return an event that SIGTERM and Ctrl-C set from now on."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


if __name__ == "__main__":
    cli()
