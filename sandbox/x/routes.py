"""Routes of the fake X: signatures, rate limits, faults and holds around the endpoints."""

from collections.abc import Awaitable, Callable
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.x import regular_responses
from sandbox.x.errors import ApiError
from sandbox.x.faulty_responses import build_response
from sandbox.x.rate_limits import Endpoint
from sandbox.x.recorded_request import RecordedRequest
from sandbox.x.regular_responses import PAGE_NOT_FOUND, JsonResult
from sandbox.x.serializers import AsciiJSONResponse, serialize_error
from sandbox.x.state import XState

Handler = Callable[..., JsonResult]
RouteEndpoint = Callable[[Request], Awaitable[Response]]


def build_routes(x: XState) -> Starlette:
    """Return the routes: eight signed ones for the app, and two for the customer's phone."""
    signed, unsigned = partial(_signed, x), partial(_unsigned, x)
    return Starlette(
        routes=[
            Route(
                "/1.1/feedback/create.json",
                signed(Endpoint.CREATE, regular_responses.create),
                methods=["POST"],
            ),
            Route("/1.1/feedback/show/{feedback_id}.json", signed(Endpoint.SHOW, regular_responses.show)),
            Route("/1.1/feedback/events.json", signed(Endpoint.EVENTS, regular_responses.list_events)),
            Route("/2/users/by/username/{handle}", signed(Endpoint.LOOKUP, regular_responses.look_up_user)),
            Route("/2/users/me", signed(Endpoint.ME, regular_responses.show_me)),
            Route("/2/users/{user_id}", signed(Endpoint.LOOKUP, regular_responses.show_user)),
            Route(
                "/2/dm_conversations/with/{participant_id}/messages",
                signed(Endpoint.SEND_MESSAGE, regular_responses.send_message),
                methods=["POST"],
            ),
            Route(
                "/2/dm_conversations/with/{participant_id}/dm_events",
                signed(Endpoint.LIST_MESSAGES, regular_responses.list_messages),
            ),
            Route(
                "/1.1/feedback/submit/{feedback_id}.json",
                unsigned(regular_responses.submit),
                methods=["POST"],
            ),
            Route(
                "/1.1/feedback/dismiss/{feedback_id}.json",
                unsigned(regular_responses.dismiss),
                methods=["POST"],
            ),
        ],
        exception_handlers={HTTPException: _respond_not_found},
    )


def _signed(x: XState, endpoint: Endpoint, handler: Handler) -> RouteEndpoint:
    async def respond(request: Request) -> Response:
        recorded: RecordedRequest = request.state.recorded
        await x.wait_for_release(endpoint, after=False)
        try:
            response = _respond(x, endpoint, recorded, partial(handler, x, recorded, **request.path_params))
        except ApiError as error:
            response = _error_response(recorded.path, error)
        for name, value in x.rate_limits[endpoint].headers(x.clock()).items():
            response.headers.setdefault(name, value)
        await x.wait_for_release(endpoint, after=True)
        return response

    return respond


def _unsigned(x: XState, handler: Handler) -> RouteEndpoint:
    async def respond(request: Request) -> Response:
        recorded: RecordedRequest = request.state.recorded
        try:
            return _json_response(handler(x, recorded, **request.path_params))
        except ApiError as error:
            return _error_response(recorded.path, error)

    return respond


def _respond(
    x: XState, endpoint: Endpoint, recorded: RecordedRequest, handle: Callable[[], JsonResult]
) -> Response:
    parameters = [*recorded.query, *recorded.form]
    x.signature_verifier.verify(recorded.method, recorded.url, recorded.authorization, parameters)
    fault = x.take_fault(endpoint)
    if fault and not fault.value.has_effect:
        return build_response(fault, x, recorded.path, Response())
    regular = _json_response(_handle_within_limit(x, endpoint, handle))
    return build_response(fault, x, recorded.path, regular) if fault else regular


def _handle_within_limit(x: XState, endpoint: Endpoint, handle: Callable[[], JsonResult]) -> JsonResult:
    """Check and count the rate limit; failed attempts to create a survey don't count."""
    rate_limit, now = x.rate_limits[endpoint], x.clock()
    rate_limit.check(now)
    if endpoint is not Endpoint.CREATE:
        rate_limit.count(now)
        return handle()
    result = handle()
    rate_limit.count(now)
    return result


def _json_response(result: JsonResult) -> Response:
    return AsciiJSONResponse(result.body, result.status)


def _error_response(path: str, error: ApiError) -> Response:
    return AsciiJSONResponse(serialize_error(path, error.status, error.code, error.message), error.status)


async def _respond_not_found(request: Request, _: Exception) -> Response:
    return _error_response(request.url.path, ApiError(*PAGE_NOT_FOUND))
