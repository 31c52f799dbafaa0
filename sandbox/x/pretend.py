"""The facade of the pretend X."""

from collections.abc import Callable
from datetime import datetime

from starlette.types import ASGIApp

from sandbox.pubsub import PubSub
from sandbox.traffic import TrafficLog
from sandbox.x.people import ACCOUNT, Account, Keys, keys_of
from sandbox.x.reception import Reception
from sandbox.x.routes import served
from sandbox.x.world import World, utc_now


class PretendX(World):
    """X as far as Customer Feedback needs it, on this machine and in memory.

    Serve `app`; sign with `keys`; judge by `feedbacks` and `requests`; act for customers with `rate`,
    `comment` and `dismiss`; the switches make X go wrong.
    """

    def __init__(
        self,
        clock: Callable[[], datetime] = utc_now,
        pubsub: PubSub | None = None,
        traffic: TrafficLog | None = None,
        keys: Keys | None = None,
        account: Account = ACCOUNT,
    ) -> None:
        super().__init__(clock, pubsub, traffic, keys or keys_of(account), account)
        self.app: ASGIApp = Reception(served(self), self)
