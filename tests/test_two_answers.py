"""Two runs that differ only in a response look the same to everybody who must not see it."""

import logging
import re
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from blocks import low_rating
from csat.db.outbox import NotificationKind
from csat.library_logs import NOISY_LIBRARIES
from csat.web.paths import X_FEEDBACK
from sandbox.slack import fixtures
from sandbox.x import Webhook
from tests.databases import Databases
from tests.leak_detector import LeakDetector, capture_logs
from tests.leak_env import PASSWORD, RESULT_SETTINGS, USER, LeakEnv
from tests.rating_page_kit import answer_on_page, link_settings, send_link
from tests.world import running_world

pytestmark = pytest.mark.unmeasured

RUN_SPECIFIC = (
    (r"127\.0\.0\.1:\d+", "a host"),
    (r"/upload/v1/[\w-]+", "a token"),
    (r"/\w+/T\w+/\d+/[0-9a-f]{24}", "a response URL"),
    (r"\d+\.\d+\.[0-9a-f]+", "a trigger"),
    (r"\d{10}\.\w+|\b\d{10}\b|\bp\d{16}\b", "a timestamp"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?", "a time"),
    (r"[A-Z][a-z]{2} \d\d?, \d{4} at \d\d:\d\d UTC", "a time"),
    (r"\b[A-Z][A-Z0-9]{8,13}\b", "an id"),
    (r"'block_id': '[^']{5}'", "a block"),
    (r"\b[0-9a-f]{6,64}\b", "a token"),
    (r"'(bytes|length)': '?\d+", "the size of a file"),
)
"""Patterns of text that differs between any two runs, with their replacements."""

EXCLUDED_SOURCES = ("the log", "a request to X's")
"""Outputs that depend on the machine's load; `test_leaks` searches them for responses."""


class Answer(NamedTuple):
    """A customer's response; both are low ratings, which everybody may know."""

    rating: int
    comment: str


FIRST, SECOND = Answer(1, "No."), Answer(2, "I waited for three weeks, and nobody wrote. <!channel>")


@pytest.mark.parametrize("requester", [fixtures.ADA, fixtures.CLEO])
@pytest.mark.parametrize("way", ["socket mode", "http", "page"])
async def test_two_responses_look_the_same_to_everybody_without_permission(
    tmp_path: Path, databases: Databases, capfd: pytest.CaptureFixture[str], requester: str, way: str
) -> None:
    outputs = []
    for number, answer in enumerate((FIRST, SECOND)):
        folder = tmp_path / str(number)
        folder.mkdir()
        url = databases.make("postgresql" if way == "http" else "sqlite", folder)
        outputs.append(await run_and_collect(folder, url, capfd, requester, answer, way))

    assert outputs[0] ^ outputs[1] == set()


async def run_and_collect(
    folder: Path,
    url: str,
    capture: pytest.CaptureFixture[str],
    requester: str,
    answer: Answer,
    way: str,
) -> set[str]:
    """Return the lines that reached somebody who must not see the response."""
    for library in NOISY_LIBRARIES:  # they log more in the first run than in the second
        logging.getLogger(library).setLevel(logging.ERROR)
    page, socket = link_settings() if way == "page" else {}, way != "http"
    with capture_logs(capture) as logged:
        async with running_world(folder, socket=socket, database_url=url, **RESULT_SETTINGS, **page) as world:
            env = LeakEnv(
                world, LeakDetector(world, [], {fixtures.BEN, fixtures.CLEO}, {fixtures.LEADS}, logged)
            )
            await journey(env, requester, answer, way)
        env.detector.find_leaks()
    permitted = {fixtures.BEN, fixtures.CLEO} - {requester}
    outputs = [output for output in env.detector.outputs if not output.source.startswith(EXCLUDED_SOURCES)]
    public = [output for output in outputs if not output.readers <= permitted]
    lines = {line for output in public for line in f"{output.source}: {output.text}".splitlines()}
    numbers = {
        f"{len(world.app_messages(place, fixtures.ADA))} in {place}"
        for place in (fixtures.SUPPORT, fixtures.LEADS)
    }
    return set(map(replace_run_specific, lines | numbers))


async def journey(env: LeakEnv, requester: str, answer: Answer, way: str) -> None:
    """Send a survey, respond to it, and open everything as an agent and as a supervisor."""
    world = env.world
    await world.workspace.set_usergroup_members(fixtures.AGENTS, [fixtures.BEN, fixtures.CLEO])
    world.workspace.invite_bot(fixtures.LEADS)
    world.x.webhook = Webhook(f"{world.url}{X_FEEDBACK}", USER, PASSWORD)
    world.insert_rated([5, 4, 4, 3, 2, 1], requester=fixtures.BEN, comment="Fine.")
    if way == "page":
        await answer_on_page(await send_link(world, user=requester), *answer)
    else:
        world.x.respond((await world.send_survey(user=requester)).id, *answer)
    for kind in (NotificationKind.SENT, NotificationKind.ANSWERED, NotificationKind.LOW_RATING):
        await world.wait_until(lambda kind=kind: world.count_sent_notifications(kind) == 1)  # type: ignore[misc]
    for person in (fixtures.ADA, fixtures.CLEO):
        await world.open_home(person)
        for words in ("status @mira_k", "report", "report nps 7d", "export 90d"):
            command = world.workspace.run_command(person, fixtures.SUPPORT, f"/csat {words}")
            await run_until_response(env, person, command)
        for action_id in (low_rating.SHOW_ACTION, low_rating.CLOSE_ACTION, low_rating.TAKE_ON_ACTION):
            await run_until_response(env, person, env.click(person, action_id, env.alerts()[0]))
    files = world.workspace.files
    await world.wait_until(lambda: len(files) == 2 and all(file.is_complete for file in files.values()))


async def run_until_response(env: LeakEnv, person: str, action: Coroutine[Any, Any, Any]) -> None:
    """Run an action, and wait until the app responds to it."""

    def count_responses() -> int:
        own = sum(env.detector.count_calls(person, method) for method in ("chat.postEphemeral", "views.open"))
        return own + sum(call.method == "chat.update" for call in env.world.workspace.api_calls)

    before = count_responses()
    await action
    await env.world.wait_until(lambda: count_responses() > before)


def replace_run_specific(text: str) -> str:
    """Replace everything that differs between any two runs."""
    for pattern, instead in RUN_SPECIFIC:
        text = re.sub(pattern, instead, text)
    return text
