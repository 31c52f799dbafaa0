"""The rating page of a survey, as its customer's browser sees it."""

import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from html import unescape
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import sqlalchemy
from sqlalchemy import insert

from csat.db import tables
from csat.db.outbox import NotificationKind
from csat.db.rating_link_secrets import load_rating_link_secrets
from csat.rating_page.tokens import make_link
from sandbox.free_ports import find_free_port
from sandbox.slack import fixtures
from tests.factories import make_row
from tests.local_client import local_client
from tests.timeouts import WAIT_SECONDS
from tests.world import World, running_world


@dataclass
class RatingPages:
    """The pages of an app, and a browser without JavaScript."""

    world: World
    browser: httpx.AsyncClient

    def insert_survey(self, **columns: Any) -> int:
        """Insert a survey sent now, and return its number."""
        now = self.world.clock()
        moments = dict.fromkeys(("accepted_at", "due_at", "sent_at", "quota_until"), now)
        place = {
            "team": fixtures.TEAM,
            "channel": fixtures.SUPPORT,
            "thread": "",
            "requester": fixtures.ADA,
            "transport": "x_link",
        }
        row = make_row(**{**place, **moments, **columns})
        statement = insert(tables.surveys).values(row).returning(tables.surveys.c.id)
        with self.world.engine.begin() as connection:
            return int(connection.execute(statement).scalar_one())

    def path(self, survey_id: int) -> str:
        """Return the path of a survey's page."""
        with self.world.engine.connect() as connection:
            secrets = load_rating_link_secrets(connection)
        accepted = self.world.rows(tables.surveys.c.accepted_at, where=tables.surveys.c.id == survey_id)
        return make_link("", secrets, survey_id, accepted[0][0] if accepted else self.world.clock())

    async def post(self, path: str, **fields: str) -> httpx.Response:
        """Post a form, and follow the redirect as a browser does."""
        response = await self.browser.post(path, data=fields)
        return await self.browser.send(response.next_request) if response.next_request else response

    async def rate(self, path: str, rating: int | str, **headers: str) -> httpx.Response:
        """Post a rating without following the redirect."""
        return await self.browser.post(path, data={"rating": str(rating), "action": "rate"}, headers=headers)

    def survey(self, survey_id: int) -> dict[str, Any]:
        """Return the row of a survey."""
        query = sqlalchemy.select(tables.surveys).where(tables.surveys.c.id == survey_id)
        with self.world.engine.connect() as connection:
            return dict(connection.execute(query).mappings().one())

    def follow_ups(self) -> list[int]:
        """Return the surveys with a follow-up."""
        return [survey_id for (survey_id,) in self.world.rows(tables.follow_ups.c.survey_id)]


def visible_text(html: str) -> str:
    """Return the text of a page's body."""
    body = html[html.index("<body>") :]
    return unescape(" ".join(re.sub("<[^>]+>", " ", body).split()))


@contextlib.asynccontextmanager
async def running_pages(folder: Path, **settings: Any) -> AsyncIterator[RatingPages]:
    """Run the app with its rating page until the block ends."""
    port = find_free_port()
    url = f"http://127.0.0.1:{port}"
    async with (
        running_world(folder, **{"csat_public_url": url, "csat_public_port": port, **settings}) as world,
        local_client(base_url=url, timeout=WAIT_SECONDS) as browser,
    ):
        yield RatingPages(world, browser)


def link_settings() -> dict[str, Any]:
    """Return the settings of an app that sends links to its rating page, which is on this machine."""
    port = find_free_port()
    url = f"http://127.0.0.1:{port}"
    return {"csat_transports": ("x_link",), "csat_public_url": url, "csat_public_port": port}


@contextlib.asynccontextmanager
async def linking(folder: Path, **settings: Any) -> AsyncIterator[World]:
    """Run an app whose usual transport is the link."""
    async with running_world(folder, **{**link_settings(), **settings}) as world:
        yield world


async def send_link(
    world: World, command: str = "/csat @mira_k", user: str = fixtures.ADA, *, is_test: bool = False
) -> str:
    """Send a survey, wait until it is confirmed, and return the link that its customer got."""
    confirmed = world.count_sent_notifications(NotificationKind.SENT)
    await world.submit_survey(command, user, is_test=is_test)
    await world.wait_until(lambda: world.count_sent_notifications(NotificationKind.SENT) > confirmed)
    [link] = world.x.messages.sent[-1].urls
    return str(link)


async def answer_on_page(link: str, rating: int, comment: str) -> None:
    """Post a rating and a comment as a customer's browser does; the client does not log the link."""
    async with aiohttp.ClientSession() as browser:
        for form in ({"action": "rate", "rating": str(rating)}, {"action": "comment", "comment": comment}):
            async with browser.post(link, data=form, allow_redirects=False) as response:
                assert response.status == HTTPStatus.SEE_OTHER
