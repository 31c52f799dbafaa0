"""Everybody's App Home: results for supervisors, and for all others what became of their own surveys."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import timedelta
from weakref import WeakValueDictionary
from zoneinfo import ZoneInfo

from blocks.agent_home import OwnSurveys, SurveyStatus, agent_home, unavailable_home
from blocks.charts import HomePart, home_view
from blocks.supervisor_home import (
    MAX_LOW_RATINGS,
    LinkedComment,
    LinkedLowRating,
    SupervisorHome,
    supervisor_home,
)
from csat.clock import Clock
from csat.db import follow_ups, requesters
from csat.db.database import Database
from csat.db.errors import DatabaseError
from csat.db.survey_records import SurveyRecord
from csat.reporting import home_views
from csat.reporting.periods import InvalidPeriod, last_days
from csat.reporting.report_builder import fetch_report
from csat.reporting.report_query import DEFAULT, ReportQuery
from csat.slack_api.client import SlackClient
from csat.slack_api.errors import Silent, SlackError
from csat.slack_api.home import publish
from csat.surveys.questions import Catalogue

LATELY = timedelta(days=30)
NEWEST = 10
FEW = 5
"""How many of somebody's own surveys are shown, alone and beside results."""

Change = Callable[[ReportQuery], ReportQuery]

log = logging.getLogger(__name__)


def unchanged(choices: ReportQuery) -> ReportQuery:
    """Ask for the same as before."""
    return choices


class Homes:
    """Shows everybody the Home that they may see.

    Args:
        slack: its members tell who may see results, and are asked before each Home.
        catalogue: the questions to choose from.
        zone: where the days of a report begin.
    """

    def __init__(
        self, database: Database, slack: SlackClient, catalogue: Catalogue, clock: Clock, zone: ZoneInfo
    ) -> None:
        self._database = database
        self._slack = slack
        self._catalogue = catalogue
        self._clock = clock
        self._zone = zone
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def show(self, person: str, change: Change = unchanged) -> None:
        """Publish somebody's Home anew, with what they chose if they may see results; raises `SlackError`."""
        async with self._locks.setdefault(person, asyncio.Lock()):
            team = await self._slack.identity.team()
            try:
                if await self._slack.permissions.is_supervisor(person):
                    await self._show_results(team, person, change)
                else:
                    await self._show_own(team, person)
            except DatabaseError as error:
                log.warning("The ledger had nothing for the Home of %s: %s", person, error)
                await self._publish(person, unavailable_home())

    async def renew(self, person: str) -> None:
        """Publish somebody's Home anew if it shows results; raises `SlackError`."""
        seen = await self._database.read(home_views.find, await self._slack.identity.team(), person)
        if seen and seen.shows_results:
            await self.show(person)

    async def check(self) -> None:
        """Publish each Home anew whose reader began or ceased to supervise; raises `SlackError`."""
        team = await self._slack.identity.team()
        every = await self._database.read(home_views.everybody, team)
        supervising = await self._slack.permissions.supervisors_among(
            [home_view.user_id for home_view in every]
        )
        for each in every:
            if each.shows_results != (each.user_id in supervising):
                await self._try_to_show(each.user_id)

    async def _try_to_show(self, person: str) -> None:
        try:
            await self.show(person)
        except SlackError as error:
            log.warning("Slack did not take the Home of %s: %s", person, error)

    async def _show_results(self, team: str, person: str, change: Change) -> None:
        asked = await self._database.run(home_views.ask, team, person, change, self._clock())
        try:
            page = await self._page(team, person, asked.choices)
            await self._publish(person, supervisor_home(page, self._catalogue))
        except SlackError as error:
            if not (asked.again or isinstance(error, Silent)):  # nothing is shown, so it is to be tried again
                await self._database.run(home_views.shows_none, team, person, asked.home, self._clock())
            raise
        await self._database.run_with_retry(home_views.shows_results, team, person, self._clock())

    async def _page(self, team: str, person: str, kept: ReportQuery) -> SupervisorHome:
        choices, now, problem = kept.known_to(self._catalogue), self._clock(), ""
        try:
            period = choices.period(now, self._zone)
        except InvalidPeriod as reason:
            period, problem = last_days(DEFAULT, now, self._zone), str(reason)
        told = await fetch_report(self._database, choices.filters(team, person), period)
        link = self._slack.link
        low = await self._database.read(follow_ups.list_open, team, MAX_LOW_RATINGS + 1, person)
        return SupervisorHome(
            choices,
            told,
            [LinkedComment(one, await link(one.channel, one.thread)) for one in told.comments],
            [LinkedLowRating(one, await link(one.origin.channel, one.ts)) for one in low],
            await self._own(team, person, FEW),
            problem,
        )

    async def _show_own(self, team: str, person: str) -> None:
        seen = await self._database.read(home_views.find, team, person)
        own = await self._own(team, person, NEWEST)
        await self._publish(
            person, agent_home(own, names_supervisors=self._slack.permissions.names_supervisors)
        )
        await self._database.run(home_views.shows_none, team, person, seen, self._clock())

    async def _own(self, team: str, person: str, most: int) -> OwnSurveys:
        newest = await self._database.read(requesters.newest, team, person, most)
        since = self._clock() - LATELY
        return OwnSurveys(
            list(map(_sent, newest)), await self._database.read(requesters.counts, team, person, since)
        )

    async def _publish(self, person: str, parts: Iterable[HomePart]) -> None:
        kept = list(parts)
        await publish(self._slack.web, person, home_view(kept), home_view(kept, in_words=True))


def _sent(entry: SurveyRecord) -> SurveyStatus:
    advice = entry.refusal.advice if entry.refusal else ""
    return SurveyStatus(entry.survey, entry.origin.channel, entry.accepted_at, entry.state, advice)
