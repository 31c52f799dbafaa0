"""The list of requests between the app, Slack and X."""

import json
from collections.abc import Iterable, Iterator

from sandbox.page.url_state import UrlState
from sandbox.traffic_log import Exchange, TrafficLog

OLDEST_FIRST = "oldest"
OK_STATUSES = {"ok", "acknowledged"}


def list_exchanges(traffic: TrafficLog, url_state: UrlState) -> Iterator[Exchange]:
    """Yield the exchanges filtered and ordered by the URL."""
    exchanges: Iterable[Exchange] = traffic.exchanges
    if url_state.order != OLDEST_FIRST:
        exchanges = reversed(traffic.exchanges)
    for exchange in exchanges:
        if url_state.traffic in {"", exchange.sender, exchange.receiver}:
            yield exchange


def is_success(exchange: Exchange) -> bool:
    """Return True if the request succeeded."""
    return exchange.status in OK_STATUSES or exchange.status.startswith("2")


def format_body(body: str) -> str:
    """Indent a JSON body; return any other body unchanged."""
    try:
        parsed = json.loads(body)
    except ValueError:
        return body
    return json.dumps(parsed, indent=2, ensure_ascii=False)
