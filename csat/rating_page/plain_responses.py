"""The responses of the rating page that are no page, and the headers of all its responses."""

from http import HTTPStatus
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex, nofollow",
}


def redirect(request: Request, step: str | None = None) -> Response:
    """Redirect to a step of the same page, by an address that does not repeat the page's own."""
    query = {"step": step, "lang": request.query_params.get("lang")}
    location = "?" + urlencode({name: value for name, value in query.items() if value})
    return RedirectResponse(location, HTTPStatus.SEE_OTHER, HEADERS)


async def handle_robots(_request: Request) -> Response:
    """Ask crawlers to stay away."""
    return PlainTextResponse("User-agent: *\nDisallow: /\n", headers=HEADERS)


async def handle_favicon(_request: Request) -> Response:
    """Respond that there is no icon, for which browsers ask by themselves."""
    return Response(status_code=HTTPStatus.NO_CONTENT, headers=HEADERS)
