"""As much of HTTP/1.1 as a stub and a load generator need, so that both cost next to nothing."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:\s*chunked", re.IGNORECASE)
_END_OF_HEAD = b"\r\n\r\n"


class Message(NamedTuple):
    """A request or an answer."""

    head: bytes
    body: bytes


class Reader:
    """Cuts what arrives on a connection into messages."""

    def __init__(self) -> None:
        self._arrived = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """Take some bytes, and yield every message that is whole now."""
        self._arrived += data
        while (end := self._arrived.find(_END_OF_HEAD)) >= 0:
            head = bytes(self._arrived[:end])
            read = self._chunks if _CHUNKED.search(head) else self._counted
            found = read(head, end + len(_END_OF_HEAD))
            if found is None:
                return
            body, stop = found
            del self._arrived[:stop]
            yield Message(head, body)

    def _counted(self, head: bytes, start: int) -> tuple[bytes, int] | None:
        length = _LENGTH.search(head)
        stop = start + (int(length[1]) if length else 0)
        return (bytes(self._arrived[start:stop]), stop) if len(self._arrived) >= stop else None

    def _chunks(self, _head: bytes, start: int) -> tuple[bytes, int] | None:
        body = bytearray()
        while (end := self._arrived.find(b"\r\n", start)) >= 0:
            size, start = int(self._arrived[start:end], 16), end + 2
            if len(self._arrived) < start + size + 2:
                return None
            if not size:
                return bytes(body), start + 2
            body += self._arrived[start : start + size]
            start += size + 2
        return None


def answer(body: bytes) -> bytes:
    """Return a JSON answer that keeps the connection open."""
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        len(body),
        body,
    )
