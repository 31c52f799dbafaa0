"""`python app.py rotate-link-secret`, while the app runs and customers have links."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy

from csat.db import tables
from csat.db.audit_log import AuditAction
from csat.db.rating_link_secrets import (
    ensure_rating_link_secret,
    load_rating_link_secrets,
    rotate_rating_link_secret,
)
from csat.english_dates import format_day
from csat.rating_page.tokens import make_token
from sandbox.x import Endpoint, Fault
from tests.app_process import fake_environment, run_command
from tests.check_kit import check_page
from tests.databases import KINDS, SLOW_KINDS, Databases
from tests.rating_page_kit import RatingPages, running_pages
from tests.world import World, change_settings, running_app, visible_text

COMMAND = "rotate-link-secret"


@pytest.fixture(name="pages", params=SLOW_KINDS)
async def _pages(
    databases: Databases, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[RatingPages]:
    url = databases.make(request.param, tmp_path)
    async with running_pages(tmp_path, database_url=url, csat_transports=("x_link",)) as pages:
        yield pages


def rotate(world: World, *, is_effective: bool = True) -> None:
    """Rotate the secret in the database, of which the app is told nothing."""
    with world.engine.begin() as connection:
        assert rotate_rating_link_secret(connection, world.clock())
    if is_effective:
        world.clock.advance(minutes=2)


async def ask(pages: RatingPages) -> str:
    """Send a survey, and return the path of the link that its customer gets."""
    await pages.world.submit_survey("/csat @mira_k")
    sent = await pages.world.wait_until(lambda: pages.world.x.messages.sent)
    return str(sent[-1].urls[0]).removeprefix(pages.world.settings.csat_public_url)


async def test_links_from_before_a_rotation_and_from_after_it_can_be_answered(pages: RatingPages) -> None:
    before = pages.path(pages.insert_survey())
    rotate(pages.world)

    after = await ask(pages)

    for path in (before, after):
        assert (await pages.rate(path, 4)).status_code == 303
    assert pages.world.rows(tables.surveys.c.rating) == [(4,), (4,)]


async def test_a_replaced_secret_makes_no_link_to_a_later_survey(pages: RatingPages) -> None:
    [stolen] = pages.world.rows(tables.rating_link_secrets.c.value)[0]
    rotate(pages.world)
    survey_id = pages.insert_survey()

    forged = f"/r/{make_token(stolen, survey_id, pages.world.clock())}"

    assert (await pages.browser.get(forged)).status_code == 404
    assert (await pages.browser.get(pages.path(survey_id))).status_code == 200


async def test_a_link_that_was_made_while_the_secret_was_rotated_stays_valid(pages: RatingPages) -> None:
    early = pages.path(pages.insert_survey())
    rotate(pages.world, is_effective=False)
    meanwhile = await ask(pages)
    pages.world.clock.advance(minutes=2)

    for path in (early, meanwhile):
        assert (await pages.browser.get(path)).status_code == 200


async def test_a_survey_that_waits_during_a_rotation_gets_a_link_that_works(pages: RatingPages) -> None:
    world = pages.world
    world.x.fail(Fault.OVER_CAPACITY, Endpoint.SEND_MESSAGE, times=1)
    await world.submit_survey("/csat @mira_k")
    await world.wait_until(lambda: ("accepted",) in world.rows(tables.attempts.c.outcome))
    rotate(world)

    await world.advance(minutes=20)
    await world.wait_for_message("sent a survey to @mira_k on X.")

    [link] = world.x.messages.sent[-1].urls
    assert (await pages.browser.get(str(link))).status_code == 200


async def test_an_unconfirmed_survey_finds_its_link_after_a_rotation(pages: RatingPages) -> None:
    world = pages.world
    world.x.fail(Fault.GATEWAY_TIMEOUT_AFTER, Endpoint.SEND_MESSAGE, times=1)
    await world.submit_survey("/csat @mira_k")
    await world.wait_for_dm("may not have arrived")
    rotate(world)

    await world.advance(minutes=6)

    await world.wait_for_message("sent a survey to @mira_k on X.")
    assert len(world.x.messages.sent) == 1


async def test_a_survey_waits_while_the_database_does_not_tell_the_secret(pages: RatingPages) -> None:
    world = pages.world
    rename_secrets(world, "rating_link_secrets", "away")
    await world.submit_survey("/csat @mira_k")
    waiting = visible_text(await world.wait_for_waiting_message())
    rename_secrets(world, "away", "rating_link_secrets")
    await world.advance(minutes=20)
    await world.wait_for_message("sent a survey to @mira_k on X.")

    assert "The app's database is unavailable." in waiting
    assert len(world.x.messages.sent) == 1


def rename_secrets(world: World, before: str, after: str) -> None:
    with world.engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {before} RENAME TO {after}")


async def test_a_replaced_secret_is_deleted_once_its_last_link_has_expired(pages: RatingPages) -> None:
    world = pages.world
    rotate(world, is_effective=False)
    day_later = world.clock() + timedelta(days=1)
    last = pages.path(pages.insert_survey(sent_at=day_later))

    await world.advance(days=28, hours=23)
    await run_periodic_tasks(world)
    assert (await pages.browser.get(last)).status_code == 200
    await world.advance(days=2)
    await run_periodic_tasks(world)

    await world.wait_until(lambda: len(world.rows(tables.rating_link_secrets.c.value)) == 1)
    assert (await pages.browser.get(last)).status_code == 404


async def run_periodic_tasks(world: World) -> None:
    """Start another instance, without the page, which does all periodic tasks at once."""
    without_page = {"csat_transports": ("x_card",), "csat_public_url": ""}
    settings = change_settings(world.settings, **without_page)
    async with running_app(replace(world, settings=settings)):
        pass


@pytest.mark.parametrize("kind", KINDS)
async def test_the_command_rotates_once_a_minute_and_is_audited(
    databases: Databases, tmp_path: Path, kind: str
) -> None:
    url = databases.make(kind, tmp_path)
    async with running_pages(tmp_path, database_url=url) as pages, fake_environment(tmp_path) as (_, _, env):
        printed = [await run_command(tmp_path, {**env, "DATABASE_URL": url}, COMMAND) for _ in range(2)]
        audited = pages.world.rows(tables.audit.c.viewer, tables.audit.c.action)
        values = pages.world.rows(tables.rating_link_secrets.c.value)
        ((since,), _) = sorted(pages.world.rows(tables.rating_link_secrets.c.since), reverse=True)

    (code, text), repeated = printed
    assert (code, repeated) == (0, printed[0])
    assert "on, new surveys get links with a new secret; no instance has to be restarted." in text
    deleted = format_day(since + timedelta(days=30))
    assert f"The old secret is deleted after {deleted}, when all of them have expired." in text
    assert not [value for (value,) in values if value in text]
    assert len(set(values)) == 2
    assert audited == [("operator", AuditAction.ROTATE_LINKS)]


async def test_without_a_secret_the_command_says_how_to_get_one(databases: Databases, tmp_path: Path) -> None:
    url = databases.make("sqlite", tmp_path)
    async with fake_environment(tmp_path) as (_, _, environment):
        code, text = await run_command(tmp_path, {**environment, "DATABASE_URL": url}, COMMAND)

    assert code == 1
    assert "Not rotated: the app makes the first secret when it is started with CSAT_PUBLIC_URL." in text


async def test_check_knows_the_page_after_a_rotation_and_says_until_when_older_links_work(
    pages: RatingPages,
) -> None:
    rotate(pages.world)

    finding = await check_page(pages.world)

    assert finding.ok
    assert "; its links have a new secret since " in finding.message
    assert ", and the older ones work until " in finding.message


def test_all_instances_have_the_same_secret(databases: Databases, tmp_path: Path) -> None:
    engine = sqlalchemy.create_engine(databases.make("sqlite", tmp_path))
    for _ in range(2):
        with engine.begin() as connection:
            ensure_rating_link_secret(connection)
    with engine.begin() as connection:
        [secret] = load_rating_link_secrets(connection)
    engine.dispose()

    assert len(secret.value) >= 32
