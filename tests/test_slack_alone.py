"""A team without the keys of X: the app has surveys in Slack alone."""

import logging
from pathlib import Path
from typing import Any

import pytest

from csat.db import tables
from sandbox.slack import fixtures
from tests.local_client import local_client
from tests.world import WITHOUT_X, idle_world, running_app, running_world


async def test_the_app_runs_healthily_and_never_asks_x(tmp_path: Path, database_url: str) -> None:
    async with (
        running_world(tmp_path, database_url=database_url, **WITHOUT_X) as world,
        local_client() as http,
    ):
        await world.open_home(fixtures.ADA)
        response = await http.get(f"{world.url}/readyz")

        assert response.json() == {"ok": True, "reasons": [], "degraded": []}
        assert world.rows(tables.accounts.c.id) == []
        assert world.x.requests == []


async def test_the_log_says_which_transports_the_app_has(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with idle_world(tmp_path, **WITHOUT_X) as world, running_app(world):
        pass

    assert "Transports: slack; there are no keys of X" in caplog.messages


async def test_x_has_no_webhook_there(tmp_path: Path) -> None:
    webhook: dict[str, Any] = {"x_webhook_user": "x", "x_webhook_password": "secret"}
    async with running_world(tmp_path, **webhook, **WITHOUT_X) as world, local_client() as http:
        response = await http.post(f"{world.url}/x/feedback", json={}, auth=("x", "secret"))

    assert response.status_code == 404
