"""`GET /healthz`: is the app working, and if not, why."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from csat.db.database import Database
from csat.db.errors import DatabaseError
from csat.delivery.send_worker import SendWorker

WRITE_INTERVAL_SECONDS = 1.0
"""How long the outcome of a write to the database counts for those who ask next."""


class HealthCheck:
    """Respond with 200, or with 503 and the reasons.

    Args:
        is_connected: returns whether Slack answers in Socket Mode; None if Slack's requests come over HTTP.
    """

    def __init__(
        self, database: Database, worker: SendWorker, is_connected: Callable[[], Awaitable[bool]] | None
    ) -> None:
        self._database = database
        self._worker = worker
        self._is_connected = is_connected
        self._write: asyncio.Future[None] | None = None
        self._written_at = 0.0

    async def handle(self, _request: Request) -> Response:
        """Check the database, the send worker and the connection to Slack."""
        reasons = []
        try:
            await self._database.check()
            await self._check_writes()
        except DatabaseError as error:
            reasons.append(f"database: {error}")
        if not self._worker.is_healthy:
            reasons.append("send worker: has not polled for a minute")
        if self._is_connected and not await self._is_connected():
            reasons.append("socket: not connected to Slack")
        return JSONResponse({"ok": not reasons, "reasons": reasons}, 503 if reasons else 200)

    async def _check_writes(self) -> None:
        """Write to the database, or share the write of another request; raises `DatabaseError`."""
        now = time.monotonic()
        if self._write is None or (self._write.done() and now >= self._written_at + WRITE_INTERVAL_SECONDS):
            self._written_at = now
            self._write = asyncio.ensure_future(self._database.check_writes())
        await asyncio.shield(self._write)
