"""`GET /healthz`: whether the app can do its work, and if not, why."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from csat.db.database import Database
from csat.db.errors import DatabaseError
from csat.delivery.send_worker import SendWorker


class Health:
    """Answers 200, or 503 with the reasons.

    Args:
        connected: whether the socket to Slack is alive; `None` where Slack comes over HTTP.
    """

    def __init__(
        self, database: Database, worker: SendWorker, connected: Callable[[], Awaitable[bool]] | None
    ) -> None:
        self._database = database
        self._worker = worker
        self._connected = connected

    async def answer(self, _request: Request) -> Response:
        """Check the database, the send worker and the socket."""
        reasons = []
        try:
            await self._database.check()
        except DatabaseError as error:
            reasons.append(f"database: {error}")
        if not self._worker.is_healthy:
            reasons.append("send worker: has not polled for a minute")
        if self._connected and not await self._connected():
            reasons.append("socket: not connected to Slack")
        return JSONResponse({"ok": not reasons, "reasons": reasons}, 503 if reasons else 200)
