"""The size-limited HTTP transport to X: it reads and unpacks at most `MAX_RESPONSE_BYTES` of a response."""

import zlib

import httpx
from aiohttp import ClientSession
from httpx_aiohttp import AiohttpTransport

MAX_RESPONSE_BYTES = 1024 * 1024

ACCEPT_ENCODING = "gzip"
"""The only encoding that is unpacked."""
_GZIP_WINDOW_BITS = zlib.MAX_WBITS | 16


class ResponseTooLarge(httpx.DecodingError):
    """The response has more than `MAX_RESPONSE_BYTES`, packed or unpacked."""


class BoundedTransport(AiohttpTransport):
    """Reads each response as a whole; raises `httpx.DecodingError` if that is not possible.

    Each request leaves once, as X takes the nonce of its signature once.
    """

    def get_client(self) -> ClientSession:
        """Return a session that does not repeat a GET whose kept-alive connection breaks."""
        session = super().get_client()
        session._retry_connection = False  # noqa: SLF001 - aiohttp has no option for it
        return session

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and return the response with its body unpacked."""
        response = await super().handle_async_request(request)
        try:
            packed = await _read(response)
        finally:
            await response.aclose()
        body = _unpack(packed, response.headers.pop("content-encoding", ""))
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            content=body,
            request=request,
            extensions=response.extensions,
        )


async def _read(response: httpx.Response) -> bytes:
    packed = bytearray()
    async for chunk in response.aiter_raw():
        packed += chunk
        _check_size(packed)
    return bytes(packed)


def _unpack(packed: bytes, encoding: str) -> bytes:
    if encoding in ("", "identity"):
        return packed
    if encoding != ACCEPT_ENCODING:
        raise httpx.DecodingError(f"the content encoding {encoding[:20]!r} was not asked for")
    try:
        body = zlib.decompressobj(_GZIP_WINDOW_BITS).decompress(packed, MAX_RESPONSE_BYTES + 1)
    except zlib.error as error:
        raise httpx.DecodingError(str(error)) from error
    _check_size(body)
    return body


def _check_size(body: bytes | bytearray) -> None:
    if len(body) > MAX_RESPONSE_BYTES:
        raise ResponseTooLarge(f"more than {MAX_RESPONSE_BYTES:,} bytes")
