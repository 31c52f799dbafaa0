"""The health check of the image, which Docker runs in the container."""

import http.server
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

DOCKERFILE = Path(__file__).parents[1] / "Dockerfile"


class Page(http.server.BaseHTTPRequestHandler):
    """Serves `/readyz` with the server's status."""

    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/readyz" else 404)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Log nothing."""


@pytest.fixture(name="port", params=[200, 503])
def _port(request: pytest.FixtureRequest) -> Iterator[tuple[int, int]]:
    page = type("PageWithStatus", (Page,), {"status": request.param})
    with http.server.HTTPServer(("127.0.0.1", 0), page) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port, request.param
        server.shutdown()
        thread.join()


def test_the_container_is_healthy_while_the_app_is_ready_at_its_port(port: tuple[int, int]) -> None:
    number, status = port
    (command,) = re.findall(
        r"^HEALTHCHECK .*\\\n +CMD (\[.*\])$", DOCKERFILE.read_text("utf-8"), re.MULTILINE
    )
    _, *arguments = json.loads(command)
    environment = {"PATH": os.environ["PATH"], "PORT": str(number)}
    done = subprocess.run(  # noqa: S603
        [sys.executable, *arguments], env=environment, stderr=subprocess.DEVNULL, check=False
    )

    assert (done.returncode == 0) is (status == 200)
