"""The fake X as an ASGI app."""

from collections.abc import Callable
from datetime import datetime

from starlette.types import ASGIApp

from sandbox.pubsub import PubSub
from sandbox.traffic_log import TrafficLog
from sandbox.x.accounts import ACCOUNT, Account, Keys, keys_for
from sandbox.x.request_recording import RecordingMiddleware
from sandbox.x.routes import build_routes
from sandbox.x.state import XState, utc_now


class FakeX(XState):
    """X's Customer Feedback API and direct messages, in memory and on this machine.

    Serve `app` and sign with `keys`; inspect `feedbacks`, `messages` and `requests`; act as a customer with
    `rate`, `comment`, `dismiss` and `messages.open_requests`; simulate failures with `fail`, and hold
    responses with `hold`.
    """

    def __init__(
        self,
        clock: Callable[[], datetime] = utc_now,
        pubsub: PubSub | None = None,
        traffic: TrafficLog | None = None,
        keys: Keys | None = None,
        account: Account = ACCOUNT,
    ) -> None:
        super().__init__(clock, pubsub, traffic, keys or keys_for(account), account)
        self.app: ASGIApp = RecordingMiddleware(build_routes(self), self)
