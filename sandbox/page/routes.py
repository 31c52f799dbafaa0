"""The addresses of the page."""

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
from sandbox.page.renderer import REGIONS, PageContext, Renderer
from sandbox.page.security import SecurityMiddleware
from sandbox.page.url_state import UrlState
from sandbox.slack import SlackError

STATIC = Path(__file__).with_name("static")
CLOSING = "closing"
"""The last topic: who rings it lets every browser go, so that the server can end."""


def page(sources: PageContext) -> Starlette:
    """Return the page on these two pretend services."""
    stage = Renderer(sources)
    show = Showing(stage)
    return Starlette(
        routes=[
            Route("/", show.page),
            Route("/rings", show.rings),
            Route("/exchange/{number:int}", show.exchange),
            Route("/options", show.options),
            Route("/file/{file_id}", show.file),
            *Actions(stage).routes(),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[Middleware(SecurityMiddleware)],
    )


class Showing:
    """Everything that the page can be asked to show."""

    def __init__(self, stage: Renderer) -> None:
        self._stage = stage

    async def page(self, request: Request) -> Response:
        """Show the page, or those regions of it that the header `Regions` names."""
        look = UrlState.read(request.query_params)
        wanted = request.headers.get("regions", "").split()
        return HTMLResponse(self._stage.draw(look, tuple(name for name in wanted if name in REGIONS)))

    async def rings(self, _: Request) -> Response:
        """Tell what changes, as it changes."""
        return StreamingResponse(self._rings(), media_type="text/event-stream")

    async def exchange(self, request: Request) -> Response:
        """Show what one request said and was answered."""
        return HTMLResponse(self._stage.draw_exchange(request.path_params["number"]))

    async def options(self, request: Request) -> Response:
        """Ask the app what it suggests for what somebody typed, and show that."""
        asked = request.query_params
        try:
            offered = await self._stage.sources.workspace.load_options(
                asked["person"],
                asked["action_id"],
                asked["query"],
                block_id=asked["block_id"],
                channel=asked.get("channel", ""),
                ts=asked.get("ts", ""),
                home="home" in asked,
            )
        except SlackError:
            offered = []
        return HTMLResponse(self._stage.draw_options(asked["field"], offered))

    async def file(self, request: Request) -> Response:
        """Hand out a file that the app shared."""
        file = self._stage.sources.workspace.files.get(request.path_params["file_id"])
        if file is None or file.content is None or not file.is_complete:
            return PlainTextResponse("There is no such file.", status_code=404)
        headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"}
        return Response(file.content, headers=headers, media_type=file.mimetype)

    async def _rings(self) -> AsyncIterator[str]:
        yield "retry: 500\n\n"
        topics = cast("AsyncGenerator[str]", self._stage.sources.pubsub.subscribe())
        async with contextlib.aclosing(topics):
            async for topic in topics:
                if topic == CLOSING:
                    break
                yield f"data: {topic}\n\n"
