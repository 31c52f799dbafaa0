"""A report as the ledger has it now, read in small parts at once: nobody waits for the whole of it."""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from itertools import groupby
from operator import attrgetter

from ledger import tallies
from ledger.engine import Ledger
from ledger.tallies import Cell
from surveys.periods import Period
from surveys.reports import Bucket, Filters, Report, Tally

NEWEST = 5
"""How many comments are shown."""


async def report(ledger: Ledger, filters: Filters, period: Period) -> Report:
    """Return the figures of a period, and of as many days before; raises `LedgerError`.

    Who calls has asked whether the viewer supervises, and noted it in the audit.
    """
    buckets = period.buckets()
    parts, (before, followed, comments) = await asyncio.gather(
        asyncio.gather(*(ledger.read(tallies.cells, filters, bucket) for bucket in buckets)),
        asyncio.gather(
            ledger.read(tallies.total, filters, period.previous()),
            ledger.read(tallies.followed, filters, period),
            ledger.read(tallies.comments, filters, period, NEWEST),
        ),
    )
    all_cells = [cell for part in parts for cell in part]
    counted = [cell for cell in all_cells if cell.agent != filters.without]
    return Report(
        filters=filters,
        period=period,
        now=_total(counted),
        before=before,
        trend=tuple(map(partial(_bucket, filters), buckets, parts)),
        by_agent=_by(attrgetter("agent"), counted),
        by_channel=_by(attrgetter("channel"), counted),
        follow_up=followed,
        comments=comments,
        left_out=_total(all_cells).sent - _total(counted).sent,
    )


def _bucket(filters: Filters, period: Period, cells: Iterable[Cell]) -> Bucket:
    others = (cell for cell in cells if cell.agent != filters.without)
    return Bucket(period=period, label=period.label, tally=_total(others))


def _by(name: Callable[[Cell], str], cells: Iterable[Cell]) -> dict[str, Tally]:
    grouped = groupby(sorted(cells, key=name), name)
    return {of: _total(some) for of, some in grouped}


def _total(cells: Iterable[Cell]) -> Tally:
    return Tally.total(cell.tally for cell in cells)
