"""Whether the app works, and if not, why: for load balancers, supervisors of processes, and operators.

- `GET /livez`: the process responds; restarting it would not help.
- `GET /readyz`, also as `GET /healthz`: it can do its work. What is `degraded` needs an operator, but nothing
  is lost.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from csat.db import account_pauses
from csat.db.errors import DatabaseError
from csat.delivery.send_worker import SendWorker
from csat.shared_resources import Resources
from csat.slack_api.error_explanations import explain
from csat.x_api.errors import AccountRefused
from csat.x_api.refusals import ACCOUNT_REFUSALS


async def handle_liveness(_request: Request) -> Response:
    """Respond with 200."""
    return JSONResponse({"ok": True})


class HealthCheck:
    """Respond with 200, or with 503 and the reasons; and with what is degraded.

    Args:
        find_socket_problem: returns why Slack doesn't answer in Socket Mode, None if it does; itself None if
            Slack's requests come over HTTP.
    """

    def __init__(
        self,
        resources: Resources,
        worker: SendWorker,
        find_socket_problem: Callable[[], Awaitable[str | None]] | None,
    ) -> None:
        self._database = resources.database
        self._web = resources.slack.web
        self._account = resources.account
        self._worker = worker
        self._find_socket_problem = find_socket_problem
        self._write: asyncio.Future[None] | None = None
        self._written_at = 0.0
        self._write_counts_for = resources.settings.timeouts.health_write

    async def handle(self, _request: Request) -> Response:
        """Check the database, the send worker, Slack's token and the connection to Slack, and X's account."""
        reasons, degraded = [], []
        try:
            await self._database.check()
            await self._check_writes()
            if cause := await self._database.read(account_pauses.get_pause_cause, self._account):
                degraded.append(f"x: {ACCOUNT_REFUSALS.get(cause, AccountRefused).reason} ({cause})")
        except DatabaseError as error:
            reasons.append(f"database: {error}")
        if not self._worker.is_healthy:
            reasons.append("send worker: has not polled for a minute")
        if self._web.rejection:
            reasons.append(f"slack: SLACK_BOT_TOKEN: {explain(self._web.rejection)}")
        if self._find_socket_problem and (problem := await self._find_socket_problem()):
            reasons.append(f"socket: {problem}")
        body = {"ok": not reasons, "reasons": reasons, "degraded": degraded}
        return JSONResponse(body, 503 if reasons else 200)

    async def _check_writes(self) -> None:
        """Write to the database, or share the write of another request; raises `DatabaseError`."""
        now = time.monotonic()
        if self._write is None or (self._write.done() and now >= self._written_at + self._write_counts_for):
            self._written_at = now
            self._write = asyncio.ensure_future(self._database.check_writes())
        await asyncio.shield(self._write)
