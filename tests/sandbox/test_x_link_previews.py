"""The programs that fetch the links in direct messages."""

import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox.local_asgi_server import serve
from sandbox.x import FakeX
from sandbox.x.link_previews import USER_AGENTS
from tests.sandbox.x_kit import ADA_ID, ApiClient


class RatingPage:
    """A web server that records its requests."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, str]] = []
        """Method, path and user agent of each request."""

    @contextlib.asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        """Serve the page, and yield its base URL."""
        app = Starlette(routes=[Route("/{path:path}", self.respond, methods=["GET", "POST", "HEAD"])])
        async with serve(app) as url:
            yield url

    async def respond(self, request: Request) -> Response:
        self.requests.append((request.method, request.url.path, request.headers["user-agent"]))
        match request.url.path:
            case "/moved":
                return RedirectResponse("/r/secret")
            case "/away":
                return RedirectResponse("https://elsewhere.example/r/secret")
            case "/loop":
                return RedirectResponse("/loop")
            case "/missing":
                return PlainTextResponse("Gone", status_code=410)
        return PlainTextResponse("How did we do?")


async def preview(path: str) -> tuple[RatingPage, FakeX]:
    """Send a message with a link to a page, and wait until it is fetched."""
    page, x = RatingPage(), FakeX()
    async with page.serve() as url:
        x.send_message(ADA_ID, f"Tell us: {url}{path}.")
        await x.messages.previewer.wait()
    return page, x


async def test_a_link_is_fetched_once_by_each_program_and_never_posted_to() -> None:
    page, x = await preview("/r/secret")

    assert sorted(page.requests) == sorted(("GET", "/r/secret", agent) for agent in USER_AGENTS.values())
    assert {preview.status for preview in x.messages.previewer.previews} == {200}
    assert {(it.sender, it.receiver, it.status) for it in x.traffic.exchanges} == {("x", "app", "200")}
    assert len(x.traffic.exchanges) == len(USER_AGENTS) == 5


async def test_redirects_are_followed_on_this_machine() -> None:
    page, _ = await preview("/moved")

    assert [path for _, path, _ in page.requests].count("/r/secret") == len(USER_AGENTS)


async def test_no_link_is_followed_to_other_machines() -> None:
    page, x = await preview("/away")

    assert {path for _, path, _ in page.requests} == {"/away"}
    assert {preview.status for preview in x.messages.previewer.previews} == {307}


async def test_endless_redirects_end() -> None:
    page, _ = await preview("/loop")

    assert len(page.requests) == 5 * len(USER_AGENTS)


async def test_an_error_of_the_page_is_kept() -> None:
    _, x = await preview("/missing")

    assert {preview.status for preview in x.messages.previewer.previews} == {410}


async def test_only_links_to_this_machine_are_fetched() -> None:
    client = ApiClient()

    await client.send_message("https://nimbus.example/r/x http://127.0.0.1.nimbus.example/ http://[::1/")

    assert client.x.messages.previewer.previews == []


async def test_a_page_that_is_down_is_no_problem_for_the_sender() -> None:
    async with RatingPage().serve() as url:
        pass
    client = ApiClient()

    response = await client.send_message(f"{url}/r/secret")
    await client.x.messages.previewer.wait()

    assert response.status_code == 201
    assert {preview.error for preview in client.x.messages.previewer.previews} == {"ClientConnectorError"}
