"""Payloads of the right signature and a wrong shape get a 200 or 400, and nothing escapes."""

import asyncio
import copy
import json
import logging
import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sandbox.slack import Delivery, fixtures
from sandbox.slack.transport import encode_body, request_headers
from tests.local_client import local_client
from tests.strategies import FEW_EXAMPLES
from tests.world import World, is_app_idle, running_world

MISSING = object()
WRONG: tuple[object, ...] = (
    MISSING,
    None,
    [],
    {},
    "",
    5,
    True,
    [None],
    [[]],
    {"id": []},
    "http://[",
    "\x00",
    "9" * 40,
)
MAX_DEPTH = 5
SAMPLES = FEW_EXAMPLES // 2
"""How many shallow and how many other parts of each payload are changed."""


@pytest.fixture(name="http")
async def _http(tmp_path: Path) -> AsyncIterator[World]:
    async with running_world(tmp_path, socket=False, csat_supervisors=fixtures.CLEO) as world:
        yield world


async def record_deliveries(world: World) -> dict[str, Delivery]:
    """Use the app, and return a delivery of each kind."""
    world.insert_rated([5] * 6)
    await world.send_survey("/csat @mira_k")
    seen = {delivery.title: delivery for delivery in world.workspace.deliveries}
    await world.open_form("/csat 1820000000000000011")
    await world.fill_in(message="Hello there")
    await world.open_home(fixtures.CLEO)
    await world.choose_in_home("home_period", "90")
    asked = next(m for m in world.workspace.messages(fixtures.SUPPORT, fixtures.BEN) if not m.bot_id)
    await world.workspace.run_shortcut(fixtures.BEN, fixtures.SUPPORT, asked.ts, "send_survey")
    seen |= {delivery.title: delivery for delivery in world.workspace.deliveries}
    return seen


async def deliver(world: World, delivery: Delivery) -> int:
    """Deliver a payload with a valid signature, and return the status once the app is idle."""
    body, content_type = encode_body(delivery)
    headers = request_headers(world.workspace.signing_secret, world.clock(), body, content_type, 0)
    async with local_client() as client:
        response = await client.post(f"{world.url}/slack/events", content=body, headers=headers)
    await world.wait_until(is_app_idle)
    return response.status_code


def find_paths(value: Any, depth: int = 0) -> Iterator[tuple[str | int, ...]]:
    """Yield the paths to all parts of a payload, but its deepest ones."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (key,)
        if depth < MAX_DEPTH:
            yield from ((key, *path) for path in find_paths(inner, depth + 1))


def change(payload: Any, path: tuple[str | int, ...], wrong: object) -> Any:
    """Return a payload with one part changed."""
    changed = copy.deepcopy(payload)
    part = changed
    for key in path[:-1]:
        part = part[key]
    if wrong is MISSING:
        del part[path[-1]]
    else:
        part[path[-1]] = wrong
    return changed


@pytest.mark.unmeasured
async def test_no_wrong_shape_escapes(http: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    deliveries = await record_deliveries(http)
    assert len(deliveries) >= 6, list(deliveries)
    chooser = random.Random(1)  # noqa: S311 - the same examples in every run
    for delivery in deliveries.values():
        paths = list(find_paths(delivery.payload))
        shallow = [path for path in paths if len(path) <= 2]
        for path in [
            *chooser.sample(shallow, min(len(shallow), SAMPLES)),
            *chooser.choices(paths, k=SAMPLES),
        ]:
            wrong = chooser.choice(WRONG)
            forged = replace(delivery, payload=change(delivery.payload, path, wrong))
            caplog.clear()
            status = await deliver(http, forged)
            case = f"{delivery.title} {path} {wrong!r}: {status} {caplog.text}"
            assert status in {200, 400, 404}, case
            failures = [line for line in caplog.messages if "failed" in line and "telling of" not in line]
            assert len(failures) <= 1, case
            assert "answering" not in caplog.text, case


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"type": []},
        {"type": "block_actions", "actions": []},
        {"type": "block_actions", "actions": [{}], "user": {"id": fixtures.ADA}},
        {"type": "block_actions", "actions": [{"action_id": "cancel_survey"}], "user": []},
        {"type": "view_submission", "view": {"callback_id": "survey"}},
        {"type": "view_submission", "view": "survey"},
        {"type": "event_callback", "event": {"type": "app_home_opened"}},
        {"type": "event_callback", "event": []},
        {"type": "event_callback", "authorizations": 5},
        {"type": "message_action", "callback_id": "send_survey", "message": "text"},
        {"type": "url_verification", "challenge": {"a": 1}},
        {"ssl_check": 1},
        {"command": ["/csat"]},
        {"command": "/csat"},
    ],
    ids=json.dumps,
)
@pytest.mark.parametrize("kind", ["interactive", "events_api"])
async def test_a_payload_without_its_fields_is_answered(
    http: World, caplog: pytest.LogCaptureFixture, payload: dict[str, Any], kind: str
) -> None:
    caplog.set_level(logging.WARNING)
    status = await deliver(http, Delivery(kind, payload, "envelope-1"))

    assert status in {200, 400, 404}
    assert "answering" not in caplog.text
    assert len(caplog.messages) <= 1


async def test_over_socket_mode_the_app_goes_on_after_a_payload_without_its_fields(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    broken = Delivery("interactive", {"type": "block_actions", "actions": []}, "envelope-1")
    delivering = asyncio.create_task(world.workspace.redeliver(broken))
    await world.wait_until(lambda: caplog.messages)
    await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, "/csat help")
    await world.wait_for_message("opens the survey form")
    delivering.cancel()

    (line,) = caplog.messages
    assert line.endswith("reading a request from Slack failed")
