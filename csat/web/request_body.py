"""What comes with a request, never more than is allowed."""

from starlette.requests import Request


class BodyTooLarge(Exception):
    """The body is larger than anything that its sender sends."""


async def read_body(request: Request, largest: int) -> bytes:
    """Return a body of so many bytes at most; raises `BodyTooLarge`, or Starlette's `ClientDisconnect`."""
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > largest:
            raise BodyTooLarge
    return bytes(raw)
