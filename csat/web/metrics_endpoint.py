"""`GET /metrics`: the app's metrics, in Prometheus' text format."""

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from csat.db.backlog import read_backlog
from csat.db.errors import DatabaseError
from csat.shared_resources import Resources

PATH = "/metrics"


class MetricsEndpoint:
    """Respond with the metrics; what waits is counted in the database for each response."""

    def __init__(self, resources: Resources) -> None:
        self._database = resources.database
        self._resources = resources
        self._metrics = resources.metrics

    async def handle(self, _request: Request) -> Response:
        """Respond with 200, also while the database can't be read."""
        try:
            await self._database.check()
            backlog = await self._database.read(read_backlog, self._resources.accounts)
        except DatabaseError:
            backlog = None
        self._metrics.set_backlog(backlog)
        return Response(generate_latest(self._metrics.registry), media_type=CONTENT_TYPE_LATEST)
