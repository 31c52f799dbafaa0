"""Where the app's requests come in."""

import copy
import json
import time
from http import HTTPStatus

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from sandbox.slack.calls import ApiCall
from sandbox.slack.errors import Json, SlackError
from sandbox.slack.faults import InjectedError
from sandbox.slack.files import PATH
from sandbox.slack.responding import respond
from sandbox.slack.webapi.arguments import arguments
from sandbox.slack.webapi.methods import METHODS, run
from sandbox.slack.workspace_state import State

RESPONSE_URL = "response_url"
UPLOAD = "upload"
"""What the address for a file's bytes is called here, beside the methods."""
GONE = {"expired_url", "used_url", "no_service"}


class Door:
    """Answers calls of the Web API and posts to a `response_url`, and keeps what was called."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.routes: list[BaseRoute] = [
            Route("/api/{method}", self.call, methods=["GET", "POST"]),
            Route("/commands/{rest:path}", self.response, methods=["POST"]),
            Route("/actions/{rest:path}", self.response, methods=["POST"]),
            Route("/app/{rest:path}", self.response, methods=["POST"]),
            Route(PATH + "{ticket}", self.upload, methods=["POST"]),
            WebSocketRoute("/link/", state.sockets.connect),
        ]

    async def call(self, request: Request) -> Response:
        """Answer one call of the Web API."""
        started, name, args = time.perf_counter(), request.path_params["method"], Json()
        status, headers = int(HTTPStatus.OK), dict[str, str]()
        self._state.base_url = self._state.base_url or str(request.base_url).rstrip("/")
        try:
            args = await arguments(request)
            token = _token(request, args)
            await self._state.faults.apply(name)
            answer, headers = run(self._state, name, token, args), self._scopes(name)
            await self._state.faults.apply(name, after=True)
        except SlackError as refused:
            answer, status, headers = self._refusal(refused, HTTPStatus.OK)
        call = ApiCall(name, args, copy.deepcopy(answer), status)
        self._keep(call, f"{request.method} {name}", time.perf_counter() - started)
        return _response(answer, status, headers)

    async def response(self, request: Request) -> Response:
        """Take a post to a `response_url`."""
        started, args, answer = time.perf_counter(), Json(), {"ok": True}
        status, headers = int(HTTPStatus.OK), dict[str, str]()
        try:
            args = await _payload(request)
            await self._state.faults.apply(RESPONSE_URL)
            respond(self._state, request.url.path.removeprefix(request.scope.get("root_path", "")), args)
            await self._state.faults.apply(RESPONSE_URL, after=True)
        except SlackError as refused:
            usual = HTTPStatus.NOT_FOUND if refused.error in GONE else HTTPStatus.BAD_REQUEST
            answer, status, headers = self._refusal(refused, usual)
        call = ApiCall(RESPONSE_URL, args, answer, status)
        self._keep(call, "POST response_url", time.perf_counter() - started)
        return _response(answer, status, headers)

    async def upload(self, request: Request) -> Response:
        """Take the bytes of a file, as they are or in a form."""
        started, args = time.perf_counter(), Json()
        status, headers, answer = int(HTTPStatus.OK), dict[str, str](), {"ok": True}
        try:
            content = await _content(request)
            args = {"bytes": len(content)}
            await self._state.faults.apply(UPLOAD)
            args["file"] = self._state.files.upload(request.path_params["ticket"], content).id
            await self._state.faults.apply(UPLOAD, after=True)
        except SlackError as refused:
            answer, status, headers = self._refusal(refused, HTTPStatus.BAD_REQUEST)
        self._keep(ApiCall(UPLOAD, args, answer, status), "POST upload", time.perf_counter() - started)
        said = f"OK - {args['bytes']}" if status == HTTPStatus.OK else str(answer["error"])
        return PlainTextResponse(said, status, headers)

    def _keep(self, call: ApiCall, title: str, seconds: float) -> None:
        self._state.calls.append(call)
        status = call.error or "ok"
        self._state.record("app", title, status, seconds, call.args, call.response)

    def _scopes(self, name: str) -> dict[str, str]:
        accepted = METHODS[name].scopes
        return {
            "x-oauth-scopes": ",".join(self._state.manifest.scopes),
            "x-accepted-oauth-scopes": ",".join(accepted),
        }

    @staticmethod
    def _refusal(refused: SlackError, usual: HTTPStatus) -> tuple[Json, int, dict[str, str]]:
        if isinstance(refused, InjectedError):
            forced = usual if refused.status == HTTPStatus.OK else refused.status
            return refused.as_json(), forced, refused.headers
        return refused.as_json(), usual, {}


def _token(request: Request, args: Json) -> str:
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    sent = args.pop("token", "")
    return bearer.strip() if scheme.lower() == "bearer" else str(sent or "")


async def _payload(request: Request) -> Json:
    try:
        payload = json.loads(await request.body())
    except ValueError:
        raise SlackError("invalid_payload") from None
    if not isinstance(payload, dict):
        raise SlackError("invalid_payload")
    return payload


async def _content(request: Request) -> bytes:
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await request.body()
    async with request.form() as form:
        sent = [part for part in form.values() if isinstance(part, UploadFile)]
        if len(sent) != 1:
            raise SlackError("no_file_data")
        return await sent[0].read()


def _response(answer: Json, status: int, headers: dict[str, str]) -> Response:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return PlainTextResponse(HTTPStatus(status).phrase, status, headers)
    return JSONResponse(answer, status, headers)
