from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.world import World, living


@pytest.fixture(name="world")
async def _world(tmp_path: Path) -> AsyncIterator[World]:
    """The app in Socket Mode."""
    async with living(tmp_path) as world:
        yield world


@pytest.fixture(name="either_world", params=["socket mode", "http"])
async def _either_world(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """The app in Socket Mode, and once more over HTTP."""
    async with living(tmp_path, socket=request.param == "socket mode") as world:
        yield world


@pytest.fixture(name="impatient")
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call to X is given up after a moment."""
    monkeypatch.setattr("x.client.WHOLE_CALL", 0.2)
