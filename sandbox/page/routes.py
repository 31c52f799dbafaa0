"""The routes of the page."""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import cast
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from sandbox.page.actions import Actions
from sandbox.page.page_renderer import REGIONS, PageContext, Renderer
from sandbox.page.security import SecurityMiddleware
from sandbox.page.url_state import UrlState
from sandbox.slack import SlackError

STATIC = Path(__file__).with_name("static")
SHUTDOWN = "shutdown"
"""Topic that ends all event streams, so that the server can stop."""


def create_page(context: PageContext) -> Starlette:
    """Return the page as an ASGI app."""
    renderer = Renderer(context)
    content = Content(renderer)
    return Starlette(
        routes=[
            Route("/", content.page),
            Route("/events", content.events),
            Route("/exchange/{number:int}", content.exchange),
            Route("/options", content.options),
            Route("/file/{file_id}", content.file),
            *Actions(renderer).routes(),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[Middleware(SecurityMiddleware)],
    )


class Content:
    """Everything that the page can request with GET."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    async def page(self, request: Request) -> Response:
        """Return the page, or the regions named in the header `Regions`."""
        url_state = UrlState.parse(request.query_params)
        names = request.headers.get("regions", "").split()
        regions = tuple(name for name in names if name in REGIONS)
        return HTMLResponse(self._renderer.render(url_state, regions))

    async def events(self, _: Request) -> Response:
        """Stream the topics that change."""
        return StreamingResponse(self._stream_topics(), media_type="text/event-stream")

    async def exchange(self, request: Request) -> Response:
        """Return the request and response of an exchange."""
        return HTMLResponse(self._renderer.render_exchange(request.path_params["number"]))

    async def options(self, request: Request) -> Response:
        """Return the app's options for the text typed into an external select."""
        params = request.query_params
        try:
            options = await self._renderer.context.workspace.load_options(
                params["person"],
                params["action_id"],
                params["query"],
                block_id=params["block_id"],
                channel=params.get("channel", ""),
                ts=params.get("ts", ""),
                home="home" in params,
            )
        except SlackError:
            options = []
        return HTMLResponse(self._renderer.render_options(params["field"], options))

    async def file(self, request: Request) -> Response:
        """Return a file shared by the app."""
        file = self._renderer.context.workspace.files.get(request.path_params["file_id"])
        if file is None or file.content is None or not file.is_complete:
            return PlainTextResponse("File not found.", status_code=404)
        headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"}
        return Response(file.content, headers=headers, media_type=file.mimetype)

    async def _stream_topics(self) -> AsyncIterator[str]:
        yield "retry: 500\n\n"
        topics = cast("AsyncGenerator[str]", self._renderer.context.pubsub.subscribe())
        async with contextlib.aclosing(topics):
            async for topic in topics:
                if topic == SHUTDOWN:
                    break
                yield f"data: {topic}\n\n"
