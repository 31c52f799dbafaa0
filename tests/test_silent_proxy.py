"""The proxy of the tests before PostgreSQL."""

import socket
import struct

import psycopg
import sqlalchemy

from tests.silent_proxy import SilentProxy

RESET_AT_CLOSE = struct.pack("ii", 1, 0)


def test_the_proxy_forgets_a_connection_that_its_client_has_reset(proxy: SilentProxy) -> None:
    url = sqlalchemy.make_url(proxy.url)
    with socket.create_connection((url.host, url.port)) as client:
        client.sendall(struct.pack("!ii", 8, 80877103))  # asks for TLS
        assert client.recv(1) == b"N"
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)

    with psycopg.connect(host=url.host, port=url.port, user=url.username, dbname=url.database) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
