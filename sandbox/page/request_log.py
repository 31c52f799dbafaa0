"""What stands below: every request between the app, Slack and X."""

import json
from collections.abc import Iterable, Iterator

from sandbox.page.url_state import UrlState
from sandbox.traffic import Exchange, TrafficLog

OLDEST = "oldest"
WELL = {"ok", "acknowledged"}


def listed(traffic: TrafficLog, look: UrlState) -> Iterator[Exchange]:
    """Yield the exchanges that a look asks for, in its order."""
    exchanges: Iterable[Exchange] = traffic.exchanges
    if look.order != OLDEST:
        exchanges = reversed(traffic.exchanges)
    for exchange in exchanges:
        if look.traffic in {"", exchange.sender, exchange.receiver}:
            yield exchange


def went_well(exchange: Exchange) -> bool:
    """Tell whether an exchange ended as one hopes."""
    return exchange.status in WELL or exchange.status.startswith("2")


def pretty(body: str) -> str:
    """Print JSON over several lines; anything else stays as it is."""
    try:
        parsed = json.loads(body)
    except ValueError:
        return body
    return json.dumps(parsed, indent=2, ensure_ascii=False)
