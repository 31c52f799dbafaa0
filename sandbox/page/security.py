"""Keep the page to this machine and to itself: who may ask, and what a browser may do with the answer."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = {"127.0.0.1", "localhost"}

HEADERS = {
    "content-security-policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class SecurityMiddleware:
    """Refuse other hosts and other sites, and send the headers that hold the page together."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        answer = self.app
        if refusal := refused(scope["method"], Headers(scope=scope), scope["server"][1]):
            answer = PlainTextResponse(refusal, status_code=403)
        await answer(scope, receive, _guarded(send))


def refused(method: str, headers: Headers, port: int) -> str:
    """Say why a request is refused, or nothing.

    A foreign name that was made to point here (DNS rebinding) shows in `Host`, another site in `Origin`.
    """
    host = headers.get("host", "")
    if host not in {f"{name}:{port}" for name in HOSTS}:
        return "This page answers on 127.0.0.1 and localhost only."
    if method not in {"GET", "HEAD"} and urlsplit(headers.get("origin", "")) != urlsplit(f"http://{host}"):
        return "Only this page itself may do that."
    return ""


def _guarded(send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(HEADERS)
        await send(message)

    return guarded
