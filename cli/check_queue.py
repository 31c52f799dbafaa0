"""The checks of what the database holds: surveys that wait, are uncertain, or can still be answered."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import NamedTuple

from bootstrap.values_from_settings import open_x
from cli.check_x import XFindings
from cli.errors import CommandError
from cli.existing_database import open_existing
from cli.finding import Finding, warning
from csat.clock import utc_now
from csat.db import account_scope, poll_queue
from csat.db.backlog import Backlog, Uncertain, count_uncertain, read_backlog
from csat.db.errors import DatabaseError
from csat.reporting.formatting import pluralize
from csat.settings import Settings
from csat.surveys.transport_errors import TransportError
from csat.x_api.client import XClient
from csat.x_api.errors import AccountRefused
from csat.x_api.refusals import ACCOUNT_REFUSALS, ClockSkew, InvalidCredentials

REPAIRED_ADVICE = (
    "X accepts the account now. Restart the app if you changed its settings, then run python app.py resume."
)


class Queue(NamedTuple):
    """Surveys that wait or are uncertain: of the settings' X account and workspace, and of the others."""

    on_x: Backlog
    in_slack: Backlog
    uncertain: Uncertain
    others: Mapping[str, int]
    polled_by_others: Mapping[str, int]
    """Feedback cards of other X accounts that customers can still answer, by account."""
    open_links: int
    """Links to the rating page that customers can still answer."""


async def read_queue(settings: Settings, team: str) -> Queue | None:
    """Return what waits or is uncertain, or `None` if the database can't tell."""
    accounts = (settings.x_account_id, team)
    try:
        with open_existing(settings) as database:
            on_x, in_slack = [await database.read(read_backlog, (account,)) for account in accounts]
            uncertain = await database.read(count_uncertain, accounts)
            others = await database.read(account_scope.count_waiting_for_others, accounts)
            polled = await database.read(poll_queue.count_of_others, settings.x_account_id)
            links = await database.read(poll_queue.count_open_links, utc_now())
            return Queue(on_x, in_slack, uncertain, others, polled, links)
    except (CommandError, DatabaseError):
        return None  # it has no tables yet, or older ones


async def check_queue(
    settings: Settings, queue: Queue, x: XFindings | None, team: str
) -> AsyncIterator[Finding]:
    """Yield what waits, what is uncertain, and what needs the keys of another account or a rating page."""
    if x:
        yield _queue_of_x(queue.on_x, x)
    if team:
        yield Finding(ok=True, message=f"Queue: {_wait(queue.in_slack.waiting)} to be sent in Slack")
    if any(queue.uncertain):
        yield _uncertain_surveys(queue.uncertain)
    async for finding in _other_queues(settings, queue, team):
        yield finding
    if queue.open_links and not settings.csat_public_url:
        yield warning(
            f"Answers: {pluralize(queue.open_links, 'link')} can still be opened, but without "
            "CSAT_PUBLIC_URL there is no rating page: set it until they expire"
        )


async def _other_queues(settings: Settings, queue: Queue, team: str) -> AsyncIterator[Finding]:
    async with open_x(settings) as x:
        for account, number in sorted(queue.others.items()):
            name, keys = await _describe_account(account, x), "keys" if account.isdigit() else "token"
            advice = f"start an instance with its {keys}, or let the requesters cancel"
            if not (account.isdigit() or team):
                advice = "it may be this app's, which Slack doesn't tell"
            yield warning(f"Queue: {_wait(number)} for {name}: {advice}")
        for account, number in sorted(queue.polled_by_others.items()):
            name = await _describe_account(account, x)
            yield warning(
                f"Answers: {pluralize(number, 'feedback card')} of {name} can still be answered: "
                "only an instance with its keys fetches the answers",
            )


def _wait(number: int) -> str:
    return f"{pluralize(number, 'survey')} {'waits' if number == 1 else 'wait'}"


def _uncertain_surveys(uncertain: Uncertain) -> Finding:
    message = (
        f"Uncertain: {pluralize(sum(uncertain), 'survey')} may or may not have arrived: the app still looks "
        f"for {uncertain.looked_for:,}, and leaves {uncertain.left:,} to those who asked for them"
    )
    return Finding(ok=True, message=message)


def _queue_of_x(backlog: Backlog, x: XFindings) -> Finding:
    wait = f"{_wait(backlog.waiting)} to be sent on X"
    if not backlog.pause_cause:
        return Finding(ok=True, message=f"Queue: {wait}")
    refusal = ACCOUNT_REFUSALS.get(backlog.pause_cause, AccountRefused)
    if refusal is InvalidCredentials and x.clock:
        refusal = ClockSkew
    is_repaired = x.account.ok and refusal.concerns_all_requests
    return Finding(
        ok=False,
        message=f"Queue: the account is paused, as X refused it ({refusal.reason}); {wait}",
        advice=REPAIRED_ADVICE if is_repaired else f"{refusal.fix} Then run python app.py resume.",
    )


async def _describe_account(account: str, x: XClient | None) -> str:
    """Return the handle and the id of an account on X, or the id alone if X does not tell the handle."""
    if x and account.isdigit():
        with contextlib.suppress(TransportError):
            return f"@{(await x.get_account(account)).handle} (id {account})"
    return account_scope.describe(account)
