"""The HTTP and WebSocket endpoints that the app calls."""

import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from sandbox.slack.app_messages import handle_response_url
from sandbox.slack.calls_and_deliveries import ApiCall
from sandbox.slack.errors import SlackError
from sandbox.slack.faults import RESPONSE_URL, UPLOAD, InjectedError
from sandbox.slack.files import UPLOAD_PATH
from sandbox.slack.json_types import Json, copy_json
from sandbox.slack.webapi.arguments import parse_arguments, pop_token
from sandbox.slack.webapi.methods import call_method, scope_headers
from sandbox.slack.workspace_state import WorkspaceState

NOT_FOUND_ERRORS = {"expired_url", "used_url", "no_service"}


@dataclass
class Exchange:
    """A call in progress: its arguments, and the response to send."""

    args: Json = field(default_factory=dict)
    body: Json = field(default_factory=lambda: {"ok": True})
    status: int = HTTPStatus.OK
    headers: dict[str, str] = field(default_factory=dict)

    def fail(self, error: SlackError, status: HTTPStatus) -> None:
        """Respond with an error; one that was injected has its own status and headers."""
        self.body, self.status, self.headers = error.as_json(), status, {}
        if isinstance(error, InjectedError):
            self.headers = error.headers
            self.status = status if error.status == HTTPStatus.OK else error.status


class Endpoints:
    """The routes of the fake Slack; every call is recorded."""

    def __init__(self, state: WorkspaceState) -> None:
        self._state = state
        self.routes: list[BaseRoute] = [
            Route("/api/{method}", self.handle_call, methods=["GET", "POST"]),
            Route("/commands/{rest:path}", self.handle_response_url, methods=["POST"]),
            Route("/actions/{rest:path}", self.handle_response_url, methods=["POST"]),
            Route("/app/{rest:path}", self.handle_response_url, methods=["POST"]),
            Route(UPLOAD_PATH + "{ticket}", self.handle_upload, methods=["POST"]),
            WebSocketRoute("/link/", state.socket_mode.handle_connection),
        ]

    async def handle_call(self, request: Request) -> Response:
        """Respond to a call of the Web API."""
        method = request.path_params["method"]
        self._state.base_url = self._state.base_url or str(request.base_url).rstrip("/")
        async with self._exchange(method, f"{request.method} {method}") as exchange:
            exchange.args = await parse_arguments(request)
            token = pop_token(request, exchange.args)
            await self._state.faults.apply(method)
            exchange.body = call_method(self._state, method, token, exchange.args)
            exchange.headers = scope_headers(self._state, method)
            await self._state.faults.apply(method, after=True)
        if garbage := self._state.faults.take_garbage(method):
            return Response(garbage.body, media_type=garbage.content_type)
        return _json_response(exchange)

    async def handle_response_url(self, request: Request) -> Response:
        """Respond to a post to a `response_url`."""
        async with self._exchange(RESPONSE_URL, "POST response_url", _response_url_status) as exchange:
            exchange.args = await _parse_payload(request)
            await self._state.faults.apply(RESPONSE_URL)
            path = request.url.path.removeprefix(request.scope.get("root_path", ""))
            handle_response_url(self._state, path, exchange.args)
            await self._state.faults.apply(RESPONSE_URL, after=True)
        return _json_response(exchange)

    async def handle_upload(self, request: Request) -> Response:
        """Store the bytes of a file, sent as the body or in a form."""
        async with self._exchange(UPLOAD, "POST upload", _bad_request) as exchange:
            content = await _read_file(request)
            exchange.args = {"bytes": len(content)}
            await self._state.faults.apply(UPLOAD)
            exchange.args["file"] = self._state.files.upload(request.path_params["ticket"], content).id
            await self._state.faults.apply(UPLOAD, after=True)
        is_ok = exchange.status == HTTPStatus.OK
        text = f"OK - {exchange.args['bytes']}" if is_ok else str(exchange.body["error"])
        return PlainTextResponse(text, exchange.status, exchange.headers)

    @contextlib.asynccontextmanager
    async def _exchange(
        self,
        method: str,
        title: str,
        error_status: Callable[[SlackError], HTTPStatus] = lambda _: HTTPStatus.OK,
    ) -> AsyncIterator[Exchange]:
        """Record a call and hold its response if requested; a `SlackError` becomes the response."""
        started, exchange = time.perf_counter(), Exchange()
        try:
            yield exchange
        except SlackError as error:
            exchange.fail(error, error_status(error))
        call = ApiCall(method, exchange.args, copy_json(exchange.body), exchange.status)
        self._state.api_calls.append(call)
        seconds = time.perf_counter() - started
        self._state.record_exchange("app", title, call.error or "ok", seconds, call.args, call.response)
        await self._state.faults.hold_response(method)


def _bad_request(_: SlackError) -> HTTPStatus:
    return HTTPStatus.BAD_REQUEST


def _response_url_status(error: SlackError) -> HTTPStatus:
    return HTTPStatus.NOT_FOUND if error.error in NOT_FOUND_ERRORS else HTTPStatus.BAD_REQUEST


async def _parse_payload(request: Request) -> Json:
    try:
        payload = json.loads(await request.body())
    except ValueError:
        raise SlackError("invalid_payload") from None
    if not isinstance(payload, dict):
        raise SlackError("invalid_payload")
    return payload


async def _read_file(request: Request) -> bytes:
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await request.body()
    async with request.form() as form:
        files = [part for part in form.values() if isinstance(part, UploadFile)]
        if len(files) != 1:
            raise SlackError("no_file_data")
        return await files[0].read()


def _json_response(exchange: Exchange) -> Response:
    if exchange.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return PlainTextResponse(HTTPStatus(exchange.status).phrase, exchange.status, exchange.headers)
    return JSONResponse(exchange.body, exchange.status, exchange.headers)
