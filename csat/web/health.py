"""`GET /healthz`: is the app working, and if not, why."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from csat.db.database import Database
from csat.db.errors import DatabaseError
from csat.delivery.send_worker import SendWorker


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

    async def handle(self, _request: Request) -> Response:
        """Check the database, the send worker and the connection to Slack."""
        reasons = []
        try:
            await self._database.check()
        except DatabaseError as error:
            reasons.append(f"database: {error}")
        if not self._worker.is_healthy:
            reasons.append("send worker: has not polled for a minute")
        if self._is_connected and not await self._is_connected():
            reasons.append("socket: not connected to Slack")
        return JSONResponse({"ok": not reasons, "reasons": reasons}, 503 if reasons else 200)
