"""Two runs that differ in an answer alone look the same to everybody who must not know it."""

import logging
import re
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from blocks import low_rating
from bootstrap import NOISY_LIBRARIES
from csat.db.outbox import NotificationKind
from csat.web.x_webhook import PATH
from sandbox.slack import fixtures
from sandbox.x import Webhook
from tests.databases import Databases
from tests.leak_env import PASSWORD, RESULT_SETTINGS, USER, LeakEnv
from tests.witness import Witness, logging_to
from tests.world import running_world

BY_CHANCE = (
    (r"127\.0\.0\.1:\d+", "a host"),
    (r"\d+\.\d+\.[0-9a-f]+", "a trigger"),
    (r"\d{10}\.\w+|\b\d{10}\b|\bp\d{16}\b", "a moment"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?", "a time"),
    (r"\b[A-Z][A-Z0-9]{8,13}\b", "an id"),
    (r"'block_id': '[^']{5}'", "a block"),
    (r"\b[0-9a-f]{6,64}\b|/upload/v1/[\w-]+", "a token"),
    (r"'(bytes|length)': '?\d+", "the size of a file"),
)
"""What differs between any two runs."""

UNSEEN = ("the log", "a request of X's")
"""What tells how busy the machine was, and is searched for answers elsewhere."""


class Answer(NamedTuple):
    """What a customer says; both of two are low, which is told to all."""

    rating: int
    comment: str


ONE, OTHER = Answer(1, "No."), Answer(2, "I waited for three weeks, and nobody wrote. <!channel>")


@pytest.mark.parametrize("requester", [fixtures.ADA, fixtures.CLEO])
@pytest.mark.parametrize("way", ["socket mode", "http"])
async def test_nobody_else_can_tell_two_answers_apart(
    tmp_path: Path, databases: Databases, capfd: pytest.CaptureFixture[str], requester: str, way: str
) -> None:
    told = []
    for number, answer in enumerate((ONE, OTHER)):
        folder = tmp_path / str(number)
        folder.mkdir()
        url = databases.make("sqlite" if way == "socket mode" else "postgresql", folder)
        told.append(await heard(folder, url, capfd, requester, answer, socket=way == "socket mode"))

    assert told[0] ^ told[1] == set()


async def heard(
    folder: Path,
    url: str,
    capture: pytest.CaptureFixture[str],
    requester: str,
    answer: Answer,
    *,
    socket: bool,
) -> set[str]:
    """Return all that was said and that somebody reads who must not know the answer."""
    for library in NOISY_LIBRARIES:  # the first run would hear more of them than the second
        logging.getLogger(library).setLevel(logging.ERROR)
    with logging_to(capture) as logged:
        async with running_world(folder, socket=socket, database_url=url, **RESULT_SETTINGS) as world:
            env = LeakEnv(world, Witness(world, [], {fixtures.BEN, fixtures.CLEO}, {fixtures.LEADS}, logged))
            await journey(env, requester, answer)
        env.witness.testify()
    knowing = {fixtures.BEN, fixtures.CLEO} - {requester}
    seen = [one for one in env.witness.heard if not one.what.startswith(UNSEEN)]
    public = [one for one in seen if not one.readers <= knowing]
    lines = {line for one in public for line in f"{one.what}: {one.text}".splitlines()}
    numbers = {
        f"{len(world.app_messages(place, fixtures.ADA))} in {place}"
        for place in (fixtures.SUPPORT, fixtures.LEADS)
    }
    return set(map(without_chance, lines | numbers))


async def journey(env: LeakEnv, requester: str, answer: Answer) -> None:
    """Have a customer asked and let them answer; then agent and supervisor look at all there is."""
    world = env.world
    await world.workspace.set_usergroup_members(fixtures.AGENTS, [fixtures.BEN, fixtures.CLEO])
    world.workspace.invite_bot(fixtures.LEADS)
    world.x.webhook = Webhook(f"{world.url}{PATH}", USER, PASSWORD)
    world.insert_rated([5, 4, 4, 3, 2, 1], requester=fixtures.BEN, comment="Fine.")
    feedback = await world.send_survey(user=requester)
    world.x.respond(feedback.id, *answer)
    for kind in (NotificationKind.SENT, NotificationKind.ANSWERED, NotificationKind.LOW_RATING):
        await world.wait_until(lambda kind=kind: world.count_sent_notifications(kind) == 1)  # type: ignore[misc]
    for person in (fixtures.ADA, fixtures.CLEO):
        await world.open_home(person)
        for words in ("status @mira_k", "report", "report nps 7d", "export 90d"):
            asking = world.workspace.run_command(person, fixtures.SUPPORT, f"/csat {words}")
            await answered_to(env, person, asking)
        for action_id in (low_rating.SHOW_ACTION, low_rating.CLOSE_ACTION, low_rating.TAKE_ON_ACTION):
            await answered_to(env, person, env.click(person, action_id, env.alerts()[0]))
    files = world.workspace.files
    await world.wait_until(lambda: len(files) == 2 and all(file.is_complete for file in files.values()))


async def answered_to(env: LeakEnv, person: str, doing: Coroutine[Any, Any, Any]) -> None:
    """Let somebody do something, and wait until they see what came of it."""

    def seen() -> int:
        own = sum(env.witness.reads(person, method) for method in ("chat.postEphemeral", "views.open"))
        return own + sum(call.method == "chat.update" for call in env.world.workspace.api_calls)

    before = seen()
    await doing
    await env.world.wait_until(lambda: seen() > before)


def without_chance(text: str) -> str:
    """Return a text without what differs between any two runs."""
    for pattern, instead in BY_CHANCE:
        text = re.sub(pattern, instead, text)
    return text
