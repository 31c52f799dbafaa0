"""`python app.py opt-outs export FILE` and `import FILE`: the customers who asked not to be surveyed."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import typer

from bootstrap.values_from_settings import load_recipient_key, open_slack, open_x
from cli.command_runner import cancel_on_sigterm
from cli.errors import CommandError
from cli.existing_database import open_existing
from cli.named_customers import name_customer
from cli.opt_out_csv import LineProblem, ListedCustomer, read_list
from cli.resolved_opt_outs import ResolvedList, resolve
from cli.slack_customers import PeopleInSlack
from csat.backoff import backoff
from csat.clock import utc_now
from csat.db import audit_log, opt_outs
from csat.db.audit_log import OPERATOR, AuditAction
from csat.db.database import Database
from csat.db.tables import opt_outs as table
from csat.reporting.export_files import CsvWriter, open_when_complete
from csat.reporting.export_rows import to_cell
from csat.reporting.formatting import pluralize
from csat.settings import Settings, SettingsWithoutXKeys
from csat.surveys.opt_outs import How
from csat.surveys.recipients import Recipient
from csat.surveys.transport_errors import RetryLater, TransportError
from csat.x_api.client import XClient
from csat.x_api.error_explanations import explain
from csat.x_api.refusals import RecipientSuspended, RecipientUnknown

PAGE_SIZE = 2_000
"""Rows of an export per transaction."""
MAX_TRIES = 8
"""How often X is asked for an account while it is busy or can't be reached: for some minutes."""

EXPORTED = [column.name for column in table.columns if column.name != "id"]

log = logging.getLogger(__name__)


async def export(settings: SettingsWithoutXKeys, output: Path) -> None:
    """Write all opt-outs to a file that only its owner can read; raises `CommandError` or `DatabaseError`."""
    number, after_id = 0, 0
    with open_existing(settings) as database:
        try:
            with open_when_complete(output) as file:
                await database.run(audit_log.record, "", OPERATOR, AuditAction.EXPORT_OPT_OUTS, "", utc_now())
                (writer := CsvWriter()).write(file, [EXPORTED])
                while page := await database.read(opt_outs.fetch_page, after_id, PAGE_SIZE):
                    writer.write(file, ([to_cell(row._mapping[name]) for name in EXPORTED] for row in page))  # noqa: SLF001 - SQLAlchemy's public name
                    number, after_id = number + len(page), page[-1].id
        except OSError as error:
            raise CommandError(f"{output} can't be written: {error.strerror}.") from error
    typer.echo(
        f"Exported {pluralize(number, 'opt-out')} to {output}, lifted ones included. Only you can read it."
    )


class NotLookedUp(Exception):
    """There are no keys of X to look up a handle with."""

    advice = (
        "Without the keys of X, this app can't look up handles. List the numeric ID instead; of a person in "
        "Slack, the member ID (U...)."
    )


class ImportResult(NamedTuple):
    """The outcome of a line."""

    is_new: bool = False
    problem: LineProblem | None = None
    """Why it names nobody."""


class Importer:
    """Records the customers of a list as opted out.

    Args:
        database: has the opt-outs.
        x: resolves handles; `None` without an account on X.
        people: knows the people in Slack.
        recipient_key: returns the keyed hash of a customer's id.
        sleep: waits for some seconds while X is busy.
    """

    def __init__(
        self,
        database: Database,
        x: XClient | None,
        people: PeopleInSlack,
        recipient_key: Callable[[str], str],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._x = x
        self._people = people
        self._recipient_key = recipient_key
        self._sleep = sleep

    async def resolve(self, customers: list[ListedCustomer]) -> ResolvedList:
        """Ask Slack about the people of a list; raises `CommandError` or `DatabaseError`."""
        try:
            return await resolve(customers, self._people)
        except asyncio.CancelledError:
            typer.echo("Stopped before anybody was recorded. Run this command again.")
            raise

    async def count_known(self, customers: list[ListedCustomer]) -> int:
        """Return how many of the customers that are listed by id have opted out already."""
        ids = {str(customer.recipient.id) for customer in customers if customer.recipient.id}
        return await self._database.read(opt_outs.count_known, map(self._recipient_key, ids))

    async def record(self, customer: ListedCustomer) -> ImportResult:
        """Record a customer, once X has said who they are; raises `TransportError` or `DatabaseError`."""
        try:
            recipient_id = customer.recipient.id or await self._look_up(customer.recipient)
        except (RecipientUnknown, RecipientSuspended, NotLookedUp) as refusal:
            problem = f"{name_customer(customer.recipient)}: {refusal.advice}"
            return ImportResult(problem=LineProblem(customer.line, problem))
        is_new = await self._database.run_with_retry(
            opt_outs.record,
            self._recipient_key(recipient_id),
            how=How.FILE,
            team="",
            by=OPERATOR,
            reason=customer.reason,
            now=utc_now(),
            since=customer.since,
        )
        return ImportResult(is_new=is_new)

    async def _look_up(self, recipient: Recipient) -> str:
        if self._x is None:
            raise NotLookedUp
        for tries in range(1, MAX_TRIES):
            try:
                return (await self._x.look_up_user(recipient)).id
            except RetryLater as error:
                seconds = _seconds_until(error.until) or backoff(tries).total_seconds()
                log.warning("Waiting %.0f seconds for X: %s", seconds, explain(error))
                await self._sleep(seconds)
        return (await self._x.look_up_user(recipient)).id


async def import_file(settings: Settings, source: Path, *, apply: bool, from_line: int) -> None:
    """Record the customers of a list, or say what that would do; exit with 1 if a line has a problem."""
    try:
        lines = list(read_list(source, utc_now(), from_line))
    except OSError as error:
        raise CommandError(f"{source} can't be read: {error.strerror}.") from error
    if not lines:
        where = f" from line {from_line} on" if from_line > 1 else ""
        raise CommandError(f"{source} lists nobody{where}. Is it the right file?")
    problems = [line for line in lines if isinstance(line, LineProblem)]
    customers = [line for line in lines if isinstance(line, ListedCustomer)]
    async with open_importer(settings) as importer:
        resolved = await importer.resolve(customers)
        problems = sorted(problems + resolved.problems)
        for line in filter(None, (*problems, resolved.remark)):
            typer.echo(line)
        if not apply:
            known = await importer.count_known(resolved.customers)
            rest = f" --from-line {from_line}" if from_line > 1 else ""
            command = f"python app.py opt-outs import {source} --apply{rest}"
            for line in _describe(resolved.customers, known, command, asks_x=bool(settings.x_account_id)):
                typer.echo(line)
        else:
            problems += await _import(importer, resolved.customers, source)
    if problems:
        raise typer.Exit(1)


@contextlib.asynccontextmanager
async def open_importer(settings: Settings) -> AsyncIterator[Importer]:
    """Connect to the database, X and Slack until the block ends; raises `DatabaseError`."""
    with open_existing(settings) as database:
        async with open_x(settings) as x, open_slack(settings) as web:
            people = PeopleInSlack(web, database)
            yield Importer(database, x, people, await load_recipient_key(settings, database))


async def _import(importer: Importer, customers: list[ListedCustomer], source: Path) -> list[LineProblem]:
    """Record customers, print what has become of them, and return the problems.

    Those whom X has to look up are last, so that no other waits for X.
    """
    cancel_on_sigterm()
    customers = sorted(customers, key=lambda customer: customer.recipient.id is None)
    results: list[ImportResult] = []
    bar = typer.progressbar(customers, label="Recording")
    try:
        with bar:
            for customer in bar:
                result = await importer.record(customer)
                results.append(result)
    except TransportError as error:
        raise CommandError(f"X can't be asked who has a handle: {explain(error)}.") from error
    finally:
        problems = [result.problem for result in results if result.problem]
        new = sum(result.is_new for result in results)
        known = len(results) - new - len(problems)
        typer.echo(
            "\n".join(
                [*map(str, problems), f"Recorded {pluralize(new, 'opt-out')}; {known} were on file already."]
            )
        )
        if rest := customers[len(results) :]:
            line = min(customer.line for customer in rest)
            typer.echo(f"To go on: python app.py opt-outs import {source} --apply --from-line {line}")
    return problems


def _describe(customers: list[ListedCustomer], known: int, command: str, *, asks_x: bool) -> list[str]:
    """Return what an import would do, and the command that does so."""
    handles = sum(customer.recipient.id is None for customer in customers)
    found = f"{pluralize(len(customers), 'customer')}, {known} of them on file already."
    look_up = f" {pluralize(handles, 'handle')} would be looked up on X, which may charge for each."
    if not asks_x:
        look_up = f" {pluralize(handles, 'handle')} can't be looked up without the keys of X."
    return [
        f"{found}{look_up if handles else ''}",
        f"Nothing was changed. To record them: {command}",
    ]


def _seconds_until(moment: datetime | None) -> float:
    return max((moment - utc_now()).total_seconds(), 1.0) if moment else 0.0
