"""Restrict the page to this machine: accepted hosts and origins, and security headers."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = {"127.0.0.1", "localhost"}

SECURITY_HEADERS = {
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
    """Reject requests for other hosts or from other sites, and add security headers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            return
        app = self.app
        if reason := find_refusal(scope["method"], Headers(scope=scope), scope["server"][1]):
            app = PlainTextResponse(reason, status_code=403)
        await app(scope, receive, _add_headers(send))


def find_refusal(method: str, headers: Headers, port: int) -> str:
    """Return why a request must be rejected, or an empty string.

    `Host` reveals DNS rebinding, and `Origin` a request from another site.
    """
    host = headers.get("host", "")
    if host not in {f"{name}:{port}" for name in HOSTS}:
        return "This page is available on 127.0.0.1 and localhost only."
    if method not in {"GET", "HEAD"} and urlsplit(headers.get("origin", "")) != urlsplit(f"http://{host}"):
        return "This request is allowed only from the page itself."
    return ""


def _add_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(SECURITY_HEADERS)
        await send(message)

    return send_with_headers
