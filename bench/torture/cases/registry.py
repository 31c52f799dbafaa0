"""The registry of all cases, and how often each one strikes."""

import random
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Final, NamedTuple

from bench.torture.cases import api_faults, kills, locked_or_full_sqlite, two_instances
from bench.torture.cases.push_responses import push_responses
from bench.torture.checker import CaseResult
from bench.torture.failpoints import FAILPOINTS
from bench.torture.harness import Harness
from csat.surveys.transports import TransportName

SQLITE: Final = ("sqlite",)
POSTGRESQL: Final = ("postgresql",)
LINK_FAILPOINTS: Final = (
    "begin_attempt:after",
    "x_create:before",
    "x_create:sent",
    "x_create:responded",
    "x_create:after",
    "mark_sent:before",
    "mark_uncertain:before",
)
"""Where a link may be lost or sent twice."""

SLACK_FAILPOINTS: Final = (
    "begin_attempt:after",
    "slack_post:sent",
    "slack_post:responded",
    "mark_sent:before",
)
"""Where a survey in Slack may be lost or sent twice."""


class Amounts(NamedTuple):
    """How often each kind of case strikes."""

    failpoints: tuple[str, ...]
    kills_per_failpoint: int
    random_kills: int
    fault_rounds: int
    """How often each fault is injected."""
    outages: int
    """How often an instance, a server or a file is unavailable."""
    webhook_events: int
    overlap_seconds: int
    """How long two instances share the work."""


FULL: Final = Amounts(
    FAILPOINTS,
    kills_per_failpoint=20,
    random_kills=100,
    fault_rounds=3,
    outages=20,
    webhook_events=10_000,
    overlap_seconds=60,
)
QUICK: Final = Amounts(
    (
        "accept:after",
        "begin_attempt:after",
        "x_create:sent",
        "x_create:responded",
        "mark_sent:before",
        "slack_post:sent",
        "mark_uncertain:before",
    ),
    kills_per_failpoint=1,
    random_kills=3,
    fault_rounds=1,
    outages=2,
    webhook_events=1_000,
    overlap_seconds=30,
)


class Case(NamedTuple):
    """A case, and where it applies."""

    name: str
    run: Callable[[Harness, random.Random, int], Awaitable[CaseResult]]
    amount: int
    databases: tuple[str, ...] = SQLITE + POSTGRESQL
    socket_mode: bool = False
    transport: TransportName = TransportName.X_CARD
    in_thread: bool = False
    """Whether customers in Slack are invited in their thread, as they get no direct message."""


def list_cases(amounts: Amounts) -> Iterator[Case]:
    """Yield all cases, most important first."""
    for name in amounts.failpoints:
        yield Case(
            f"killed at {name}", partial(kills.kill_at_failpoint, failpoint=name), amounts.kills_per_failpoint
        )
    outages = amounts.outages
    yield Case("killed at random", kills.kill_at_random, amounts.random_kills)
    yield Case("faults of X", api_faults.inject_x_faults, amounts.fault_rounds)
    yield Case("faults of Slack", api_faults.inject_slack_faults, amounts.fault_rounds, socket_mode=True)
    yield Case("responses in any order", push_responses, amounts.webhook_events)
    yield Case("one of two killed", two_instances.kill_one, outages, POSTGRESQL, socket_mode=True)
    yield Case(
        "one of two frozen", two_instances.freeze_one, amounts.fault_rounds, POSTGRESQL, socket_mode=True
    )
    yield Case("server restarted", two_instances.restart_server, outages, POSTGRESQL, socket_mode=True)
    yield Case("two beside a slow X", two_instances.overlap, amounts.overlap_seconds, socket_mode=True)
    yield Case(
        "two with clocks 10 min apart",
        partial(two_instances.overlap, clock_skews=(-two_instances.TEN_MINUTES, two_instances.TEN_MINUTES)),
        amounts.overlap_seconds,
        socket_mode=True,
    )
    yield from _list_link_cases(amounts)
    yield from _list_slack_cases(amounts)
    yield Case("file locked", locked_or_full_sqlite.lock_file, outages, SQLITE)
    yield Case("file full", locked_or_full_sqlite.fill_file, outages, SQLITE)


def _list_link_cases(amounts: Amounts) -> Iterator[Case]:
    """Yield the cases of surveys by a link, whose customers rate meanwhile."""
    for name in LINK_FAILPOINTS:
        if name in amounts.failpoints:
            kill = partial(kills.kill_at_failpoint, failpoint=name)
            yield Case(
                f"link, killed at {name}",
                kill,
                amounts.kills_per_failpoint,
                SQLITE,
                transport=TransportName.X_LINK,
            )
    yield Case(
        "link, killed at random", kills.kill_at_random, amounts.random_kills, transport=TransportName.X_LINK
    )
    yield Case(
        "link, faults of X", api_faults.inject_x_faults, amounts.fault_rounds, transport=TransportName.X_LINK
    )
    case = partial(Case, databases=POSTGRESQL, socket_mode=True, transport=TransportName.X_LINK)
    yield case("link, one of two killed", two_instances.kill_one, amounts.outages)
    yield case("link, one of two frozen", two_instances.freeze_one, amounts.fault_rounds)
    yield case("link, two beside a slow X", two_instances.overlap, amounts.overlap_seconds)


def _list_slack_cases(amounts: Amounts) -> Iterator[Case]:
    """Yield the cases of surveys in Slack, whose customers rate meanwhile."""
    case = partial(Case, transport=TransportName.SLACK)
    for name in SLACK_FAILPOINTS:
        kill = partial(kills.kill_at_failpoint, failpoint=name)
        yield case(f"in Slack, killed at {name}", kill, amounts.kills_per_failpoint, SQLITE)
    yield case("in Slack, killed at random", kills.kill_at_random, amounts.random_kills)
    faults = api_faults.inject_slack_faults
    yield case("in Slack, faults of Slack", faults, amounts.fault_rounds, socket_mode=True)
    for name in SLACK_FAILPOINTS:
        kill = partial(kills.kill_at_failpoint, failpoint=name)
        yield case(
            f"in a thread, killed at {name}", kill, amounts.kills_per_failpoint, SQLITE, in_thread=True
        )
    yield case("in a thread, faults of Slack", faults, amounts.fault_rounds, socket_mode=True, in_thread=True)
    kill_one = two_instances.kill_one
    yield case("in Slack, one of two killed", kill_one, amounts.outages, POSTGRESQL, socket_mode=True)
