"""The secret of the recipients' keys: limits hold whatever happens to the keys of X."""

import contextlib
import functools
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update

from csat.db.recipient_keys import FINGERPRINT, RECIPIENT_KEYS, SecretNeeded, make_recipient_key
from csat.db.tables import secrets, surveys
from sandbox.slack import ActionOutcome, fixtures
from sandbox.x import KEYS, FakeX
from tests.databases import SLOW_KINDS, Databases
from tests.world import WITHOUT_X, World, running_world

SECRET = "a secret of the operator's own"
OTHER_SECRET = "another secret of the operator's own"


@pytest.fixture(name="url", params=SLOW_KINDS)
def _url(databases: Databases, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    return databases.make(request.param, tmp_path)


@contextlib.asynccontextmanager
async def world_with_secret(
    tmp_path: Path, url: str, consumer_secret: str, **settings: Any
) -> AsyncIterator[World]:
    """Run the app with an API secret of X, which has forgotten all surveys."""
    keys = replace(KEYS, consumer_secret=consumer_secret)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.world.FakeX", functools.partial(FakeX, keys=keys))
        async with running_world(tmp_path, database_url=url, **settings) as world:
            yield world


async def is_denied(world: World) -> bool:
    """Return True if the limits let nobody ask Mira."""
    result = await world.submit_survey("/csat @mira_k")
    return result.outcome is ActionOutcome.ERRORS and len(world.states()) == 1


async def test_the_cooldown_holds_after_the_api_secret_was_rotated(tmp_path: Path, url: str) -> None:
    async with world_with_secret(tmp_path, url, "old") as world:
        await world.send_survey("/csat @mira_k")
    async with world_with_secret(tmp_path, url, "new") as world:
        assert await is_denied(world)


async def test_a_database_from_before_it_had_a_secret_keeps_its_keys(tmp_path: Path, url: str) -> None:
    async with world_with_secret(tmp_path, url, "old") as world:
        key = make_recipient_key("old", (await world.send_survey("/csat @mira_k")).to_user_id)
        with world.engine.begin() as connection:
            connection.execute(delete(secrets))
            connection.execute(update(surveys).values(recipient_key=key))
    async with world_with_secret(tmp_path, url, "old") as world:
        assert await is_denied(world)
    async with world_with_secret(tmp_path, url, "new") as world:
        assert await is_denied(world)


async def test_such_a_database_is_not_used_without_the_secret_of_its_keys(
    tmp_path: Path, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with world_with_secret(tmp_path, url, "old") as world:
        await world.send_survey("/csat @mira_k")
        with world.engine.begin() as connection:
            connection.execute(delete(secrets))
    with pytest.raises(SecretNeeded, match="set CSAT_SECRET_KEY to that"):
        async with running_world(tmp_path, database_url=url, **WITHOUT_X):
            pass
    assert "takes no writes" not in caplog.text
    async with running_world(tmp_path, database_url=url, csat_secret_key=SECRET, **WITHOUT_X) as world:
        assert [name for name, _ in world.rows(secrets)] == [FINGERPRINT]


async def test_a_new_database_s_secret_is_not_x_s(tmp_path: Path, url: str) -> None:
    async with world_with_secret(tmp_path, url, "old") as world:
        ((stored,),) = world.rows(secrets.c.value, where=secrets.c.name == RECIPIENT_KEYS)

    assert len(stored) > 40
    assert stored != "old"


async def test_the_operator_s_own_secret_is_not_stored(tmp_path: Path, url: str) -> None:
    async with world_with_secret(tmp_path, url, "old", csat_secret_key=SECRET) as world:
        mira = (await world.send_survey("/csat @mira_k")).to_user_id
        assert SECRET not in str(world.rows(secrets))
        assert world.rows(surveys.c.recipient_key) == [(make_recipient_key(SECRET, mira),)]
    async with world_with_secret(tmp_path, url, "new", csat_secret_key=SECRET) as world:
        assert await is_denied(world)


@pytest.mark.parametrize(("before", "after"), [(SECRET, OTHER_SECRET), (SECRET, None), (None, SECRET)])
async def test_an_app_with_another_secret_does_not_start_once_a_customer_has_opted_out(
    tmp_path: Path, url: str, before: str | None, after: str | None
) -> None:
    async with running_world(tmp_path, database_url=url, csat_secret_key=before) as world:
        await world.open_form("/csat stop @mira_k")
        await world.workspace.type_text(fixtures.ADA, "reason", "They said so.")
        await world.workspace.submit_view(fixtures.ADA)
        await world.wait_for_message("Noted: @mira_k won't be asked again.")
    with pytest.raises(SecretNeeded, match="set CSAT_SECRET_KEY to the one that the app had before"):
        async with running_world(tmp_path, database_url=url, csat_secret_key=after):
            pass
    async with running_world(tmp_path, database_url=url, csat_secret_key=before) as world:
        assert (await world.submit_survey("/csat @mira_k")).outcome is ActionOutcome.ERRORS


async def test_without_an_opt_out_the_secret_can_be_changed(tmp_path: Path, url: str) -> None:
    for secret in (SECRET, OTHER_SECRET, None):
        async with running_world(tmp_path, database_url=url, csat_secret_key=secret) as world:
            await world.send_survey("/csat @mira_k")
            assert len(world.rows(secrets.c.name, where=secrets.c.name == FINGERPRINT)) == 1
