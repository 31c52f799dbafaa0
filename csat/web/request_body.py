"""Read request bodies with a size limit."""

from starlette.requests import Request


class BodyTooLarge(Exception):
    """The body is larger than the limit."""


async def read_body(request: Request, max_bytes: int) -> bytes:
    """Return the body; raises `BodyTooLarge`, or Starlette's `ClientDisconnect`."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise BodyTooLarge
    return bytes(body)
