"""The doors of the pretend X: who may pass, how often, and what goes wrong on the way."""

from collections.abc import Awaitable, Callable
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.x import answers
from sandbox.x.answers import NO_PAGE, Answer
from sandbox.x.calls import Call
from sandbox.x.errors import Refusal
from sandbox.x.misbehaviour import misbehaving
from sandbox.x.quota import Way
from sandbox.x.wire import error
from sandbox.x.world import World

Work = Callable[[], Answer]
Endpoint = Callable[[Request], Awaitable[Response]]


def served(world: World) -> Starlette:
    """Make the routes: five that the sender signs, and two for the customer's phone."""
    signed, unsigned = partial(_signed, world), partial(_unsigned, world)
    return Starlette(
        routes=[
            Route("/1.1/feedback/create.json", signed(Way.CREATE, answers.create), methods=["POST"]),
            Route("/1.1/feedback/show/{feedback_id}.json", signed(Way.SHOW, answers.show)),
            Route("/1.1/feedback/events.json", signed(Way.EVENTS, answers.list_events)),
            Route("/2/users/by/username/{handle}", signed(Way.LOOKUP, answers.look_up)),
            Route("/2/users/me", signed(Way.ME, answers.tell_me)),
            Route("/1.1/feedback/submit/{feedback_id}.json", unsigned(answers.submit), methods=["POST"]),
            Route("/1.1/feedback/dismiss/{feedback_id}.json", unsigned(answers.dismiss), methods=["POST"]),
        ],
        exception_handlers={HTTPException: _no_page},
    )


def _signed(world: World, way: Way, answer: Callable[..., Answer]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        call: Call = request.state.call
        try:
            response = _attended(world, way, call, partial(answer, world, call, **request.path_params))
        except Refusal as refusal:
            response = _refused(call.path, refusal)
        for name, value in world.quotas[way].headers(world.clock()).items():
            response.headers.setdefault(name, value)
        return response

    return endpoint


def _unsigned(world: World, answer: Callable[..., Answer]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        call: Call = request.state.call
        try:
            return _said(answer(world, call, **request.path_params))
        except Refusal as refusal:
            return _refused(call.path, refusal)

    return endpoint


def _attended(world: World, way: Way, call: Call, work: Work) -> Response:
    world.verifier.verify(call.method, call.url, call.authorization, [*call.query, *call.form])
    trouble = world.strike(way)
    if trouble and not trouble.value.works:
        return misbehaving(trouble, world, call.path, Response())
    own = _said(_counted(world, way, work))
    return misbehaving(trouble, world, call.path, own) if trouble else own


def _counted(world: World, way: Way, work: Work) -> Answer:
    """Count every question, but only those surveys that were sent."""
    quota, now = world.quotas[way], world.clock()
    quota.check(now)
    if way is not Way.CREATE:
        quota.spend(now)
        return work()
    answer = work()
    quota.spend(now)
    return answer


def _said(answer: Answer) -> Response:
    return JSONResponse(answer.body, answer.status)


def _refused(path: str, refusal: Refusal) -> Response:
    return JSONResponse(error(path, refusal.status, refusal.code, refusal.message), refusal.status)


async def _no_page(request: Request, _: Exception) -> Response:
    return _refused(request.url.path, Refusal(*NO_PAGE))
