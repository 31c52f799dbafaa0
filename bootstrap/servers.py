"""Serve what others connect to: Slack, X, those who watch over the app, and customers."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Generator
from typing import NamedTuple

from starlette.routing import Route

from csat.delivery.send_worker import SendWorker
from csat.feedback.x_update_intake import Intake
from csat.rating_page.routes import RatingPageEndpoint
from csat.settings import Settings
from csat.shared_resources import Resources
from csat.slack_api.dispatch_interface import Dispatch
from csat.slack_api.socket_mode import SocketMode
from csat.web import metrics_endpoint, paths, slack_events
from csat.web.health import HealthCheck, handle_liveness
from csat.web.metrics_endpoint import MetricsEndpoint
from csat.web.server import bind
from csat.web.server import serve as serve_http
from csat.web.slack_events import SlackEndpoint
from csat.web.x_webhook import XWebhook

log = logging.getLogger(__name__)


class Listeners(NamedTuple):
    """A bound socket for each port that the settings ask for."""

    slack_and_x: socket.socket
    metrics: socket.socket | None
    rating_page: socket.socket | None


@contextlib.contextmanager
def bind_listeners(settings: Settings) -> Generator[Listeners]:
    """Keep the ports for this app until the block ends; raises `OSError`, which names the setting."""
    with contextlib.ExitStack() as stack:

        def keep(host: str, port: int, setting: str) -> socket.socket:
            return stack.enter_context(bind(host, port, setting))

        slack_and_x, metrics, rating_page = keep(settings.host, settings.port, "PORT"), None, None
        if settings.metrics_port is not None:
            metrics = keep(settings.metrics_host, settings.metrics_port, "METRICS_PORT")
        if settings.csat_public_url:
            rating_page = keep(settings.csat_public_host, settings.csat_public_port, "CSAT_PUBLIC_PORT")
        yield Listeners(slack_and_x, metrics, rating_page)


@contextlib.asynccontextmanager
async def serve(
    resources: Resources, listeners: Listeners, worker: SendWorker, intake: Intake, dispatch: Dispatch
) -> AsyncIterator[str]:
    """Serve on all listeners until the block ends, and yield the base URL for Slack and X."""
    slack_and_x = serve_slack_and_x(resources, listeners.slack_and_x, worker, intake, dispatch)
    async with contextlib.AsyncExitStack() as stack:
        url = await stack.enter_async_context(slack_and_x)
        if listeners.metrics:
            await stack.enter_async_context(serve_metrics(resources, listeners.metrics))
        if listeners.rating_page:
            await stack.enter_async_context(serve_rating_page(resources, listeners.rating_page))
        yield url


@contextlib.asynccontextmanager
async def serve_slack_and_x(
    resources: Resources, listener: socket.socket, worker: SendWorker, intake: Intake, dispatch: Dispatch
) -> AsyncIterator[str]:
    """Accept requests of Slack, in Socket Mode if there is an app-level token, else over HTTP; and of X."""
    settings = resources.settings
    async with contextlib.AsyncExitStack() as stack:
        if settings.slack_app_token:
            slack = SocketMode(dispatch, settings.slack_app_token.get_secret_value(), resources.slack.web)
            stack.push_async_callback(slack.close)
            stack.callback(asyncio.create_task(slack.connect()).cancel)
            health, routes = HealthCheck(resources, worker, slack.find_problem), []
        else:
            health, routes = HealthCheck(resources, worker, None), _slack_routes(resources, dispatch)
        routes += [
            Route("/livez", handle_liveness),
            Route("/readyz", health.handle),
            Route("/healthz", health.handle),
            *(_webhook_routes(settings, intake) if resources.x else []),
        ]
        yield await stack.enter_async_context(serve_http(routes, listener, settings.timeouts))


@contextlib.asynccontextmanager
async def serve_metrics(resources: Resources, listener: socket.socket) -> AsyncIterator[None]:
    """Serve the metrics on a port of their own until the block ends."""
    routes = [Route(metrics_endpoint.PATH, MetricsEndpoint(resources).handle)]
    async with serve_http(routes, listener, resources.settings.timeouts) as url:
        log.info("Metrics at %s%s", url, metrics_endpoint.PATH)
        yield


@contextlib.asynccontextmanager
async def serve_rating_page(resources: Resources, listener: socket.socket) -> AsyncIterator[None]:
    """Serve the page on which customers rate, and nothing else, on a port of its own until the block ends."""
    page = RatingPageEndpoint(resources)
    timeouts, handlers = resources.settings.timeouts, page.exception_handlers()
    async with serve_http(page.routes(), listener, timeouts, handlers) as url:
        log.info("The rating page for %s is at %s", resources.settings.csat_public_url, url)
        yield


def _slack_routes(resources: Resources, dispatch: Dispatch) -> list[Route]:
    secret = resources.settings.slack_signing_secret
    endpoint = SlackEndpoint(dispatch, secret.get_secret_value() if secret else "", resources.clock)
    return [
        Route(paths.SLACK_EVENTS, endpoint.handle, methods=["POST"]),
        Route(paths.SLACK_EVENTS, slack_events.handle_get, methods=["GET"]),
    ]


def _webhook_routes(settings: Settings, intake: Intake) -> list[Route]:
    """Return the route of X's webhook; without a name and a password there is none."""
    user, password = settings.x_webhook_user, settings.x_webhook_password.get_secret_value()
    if not (user and password):
        return []
    return [Route(paths.X_FEEDBACK, XWebhook(intake, user, password).handle, methods=["POST"])]
