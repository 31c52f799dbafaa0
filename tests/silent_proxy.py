"""A TCP proxy before PostgreSQL that can swallow packets, as a firewall does."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator

import sqlalchemy


class SilentProxy:
    """Forwards connections to a PostgreSQL server, in a thread and an event loop of its own.

    A connection that has lost packets stays silent for ever, and the server does not learn of its end.

    Args:
        url: the URL of a database on a server that listens on a Unix socket.
    """

    def __init__(self, url: str) -> None:
        self._url = sqlalchemy.make_url(url)
        self._port = 0
        self._is_silent = False
        self._last_words: tuple[bytes, ...] = ()
        self._cuts, self._stops, self._is_stopped = False, False, False
        self._is_listening, self._stop = threading.Event(), asyncio.Event()
        self._loop: asyncio.AbstractEventLoop

    @property
    def direct_url(self) -> str:
        """The URL of the database, past this proxy."""
        return self._url.render_as_string(hide_password=False)

    @property
    def url(self) -> str:
        """The URL of the database behind this proxy."""
        proxied = self._url.set(host="127.0.0.1", port=self._port, query={})
        return proxied.render_as_string(hide_password=False)

    def silence(self) -> None:
        """Swallow everything; connections can still be opened, but nobody answers."""
        self._is_silent = True

    def silence_after(self, *words: bytes) -> None:
        """Be silent once messages with these words were forwarded, one after the other on one connection."""
        self._last_words = words

    def cut_after(self, *words: bytes) -> None:
        """Close a connection instead of forwarding the response to these words, one after the other on it."""
        self._last_words, self._cuts = words, True

    def stop_after(self, *words: bytes) -> None:
        """Do as `cut_after`, and close all other connections, new ones as well."""
        self.cut_after(*words)
        self._stops = True

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """Close all connections that are used, and new ones, until the block ends."""
        self._is_stopped = True
        yield
        self.resume()

    def resume(self) -> None:
        """Forward new connections, and those that have lost nothing."""
        self._is_silent, self._is_stopped, self._last_words = False, False, ()
        self._cuts, self._stops = False, False

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Accept connections until the block ends."""
        thread = threading.Thread(target=asyncio.run, args=(self._serve(),))
        thread.start()
        self._is_listening.wait()
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(self._stop.set)
            thread.join()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        forwarding: set[asyncio.Task[None]] = set()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            forwarding.add(asyncio.create_task(self._forward(reader, writer)))

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        self._port = server.sockets[0].getsockname()[1]
        self._is_listening.set()
        await self._stop.wait()
        server.close()
        for task in forwarding:
            task.cancel()
        await asyncio.gather(*forwarding, return_exceptions=True)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_stopped:
            writer.close()
            return
        socket = f"{self._url.query['host']}/.s.PGSQL.5432"
        server_reader, server_writer = await asyncio.open_unix_connection(socket)
        has_lost = asyncio.Event()
        try:
            await asyncio.gather(
                self._pump(reader, server_writer, has_lost, is_from_client=True),
                self._pump(server_reader, writer, has_lost, is_from_client=False),
            )
        finally:
            writer.close()
            server_writer.close()

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        has_lost: asyncio.Event,
        *,
        is_from_client: bool,
    ) -> None:
        data, heard = b"the first", 0
        while data:
            try:
                data = await reader.read(65536)
            except ConnectionError:
                data = b""
            if self._is_silent or self._is_stopped:
                has_lost.set()
            if has_lost.is_set():
                if self._is_stopped or (self._cuts and not is_from_client):
                    writer.close()
                continue
            writer.write(data) if data else writer.close()
            if is_from_client and heard < len(self._last_words) and self._last_words[heard] in data:
                heard += 1
                if heard == len(self._last_words):
                    self._on_last_words(has_lost)

    def _on_last_words(self, has_lost: asyncio.Event) -> None:
        if self._cuts:
            self._last_words, self._is_stopped = (), self._stops
            has_lost.set()
        else:
            self._is_silent = True
