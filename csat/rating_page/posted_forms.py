"""Read what the page's forms post."""

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from csat.web.request_body import read_body

MAX_BODY_BYTES = 16 * 1024
MAX_FIELDS = 10

_OWN_SITE = ("same-origin", "none")


class InvalidForm(ValueError):
    """The body is no form of the page."""


def is_cross_site(request: Request, public_url: str) -> bool:
    """Return True if a browser says that a form of another site was posted."""
    if site := request.headers.get("sec-fetch-site"):
        return site not in _OWN_SITE
    origin = request.headers.get("origin")
    # browsers send "null" from a page without referrers, such as ours
    return origin not in (None, "null") and not f"{public_url}/".startswith(f"{origin}/")


async def read_form(request: Request) -> FormData:
    """Return the fields; raises `InvalidForm`, `BodyTooLarge`, or Starlette's `ClientDisconnect`."""
    body = await read_body(request, MAX_BODY_BYTES)

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    try:
        return await Request(request.scope, receive).form(
            max_files=0, max_fields=MAX_FIELDS, max_part_size=MAX_BODY_BYTES
        )
    except (HTTPException, ValueError) as error:
        raise InvalidForm from error


def get_text(form: FormData, name: str) -> str:
    """Return a field's text, or "" if there is none."""
    value = form.get(name)
    return value if isinstance(value, str) else ""
