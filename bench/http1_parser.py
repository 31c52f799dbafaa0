"""A minimal HTTP/1.1 parser, so that the load generator and the stub cost next to nothing."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:\s*chunked", re.IGNORECASE)
_END_OF_HEAD = b"\r\n\r\n"


class Message(NamedTuple):
    """A request or a response."""

    head: bytes
    body: bytes


class Parser:
    """Split the bytes received on a connection into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """Add received bytes, and yield each message that is now complete."""
        self._buffer += data
        while (end := self._buffer.find(_END_OF_HEAD)) >= 0:
            head = bytes(self._buffer[:end])
            parse_body = self._parse_chunks if _CHUNKED.search(head) else self._parse_by_length
            parsed = parse_body(head, end + len(_END_OF_HEAD))
            if parsed is None:
                return
            body, stop = parsed
            del self._buffer[:stop]
            yield Message(head, body)

    def _parse_by_length(self, head: bytes, start: int) -> tuple[bytes, int] | None:
        length = _CONTENT_LENGTH.search(head)
        stop = start + (int(length[1]) if length else 0)
        return (bytes(self._buffer[start:stop]), stop) if len(self._buffer) >= stop else None

    def _parse_chunks(self, _head: bytes, start: int) -> tuple[bytes, int] | None:
        body = bytearray()
        while (end := self._buffer.find(b"\r\n", start)) >= 0:
            size, start = int(self._buffer[start:end], 16), end + 2
            if len(self._buffer) < start + size + 2:
                return None
            if not size:
                return bytes(body), start + 2
            body += self._buffer[start : start + size]
            start += size + 2
        return None
