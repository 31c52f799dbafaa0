"""How much an address on the internet may ask of the page; addresses are kept in memory only."""

import ipaddress
from collections.abc import Callable

from cachetools import LRUCache

CAPACITY = 30
"""How many requests at once."""
REFILL_PER_SECOND = 0.5
MAX_ADDRESSES = 10_000
"""How many addresses are remembered, those that asked last."""

IPV6_NETWORK_BITS = 64
"""One subscriber has all addresses of such a network."""


class AddressBuckets:
    """A bucket of tokens for each address; a request that counts takes one.

    Args:
        clock: returns seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._buckets: LRUCache[str, tuple[float, float]] = LRUCache(MAX_ADDRESSES)

    def take(self, address: str) -> bool:
        """Take a token; return False if the bucket of the address is empty."""
        key, now = _to_network(address), self._clock()
        tokens, filled_at = self._buckets.get(key, (float(CAPACITY), now))
        tokens = min(CAPACITY, tokens + max(0.0, now - filled_at) * REFILL_PER_SECOND)
        self._buckets[key] = (max(0.0, tokens - 1), now) if tokens >= 1 else (tokens, now)
        return tokens >= 1


def _to_network(address: str) -> str:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address) and not ip.ipv4_mapped:
        return str(ipaddress.ip_network((ip, IPV6_NETWORK_BITS), strict=False))
    return str(ip)
