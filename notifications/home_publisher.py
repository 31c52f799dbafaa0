"""App Home: results for supervisors, and for everybody else the state of their own surveys."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from weakref import WeakValueDictionary

from blocks.agent_home import OwnSurveys, SurveyStatus, agent_home, unavailable_home
from blocks.supervisor_home import (
    MAX_CLOSED,
    MAX_LOW_RATINGS,
    LinkedComment,
    LinkedLowRating,
    SupervisorHome,
    supervisor_home,
)
from blocks.tables_and_charts import HomePart, home_view
from csat.db import account_pauses, low_ratings, surveys_by_requester
from csat.db.errors import DatabaseError
from csat.db.survey_records import SENT_AGAIN, SurveyRecord
from csat.reporting import published_homes
from csat.reporting.home_report_choices import DEFAULT_DAYS, ReportQuery
from csat.reporting.own_survey_counts import count_own
from csat.reporting.periods import InvalidPeriod, last_days
from csat.reporting.report_builder import fetch_report
from csat.scheduler import PeriodicTask
from csat.shared_resources import Resources
from csat.slack_api.errors import NoResponse, SlackError
from csat.slack_api.user_permissions import PermissionUnknown
from csat.surveys.states import State
from csat.surveys.transports import FACTS
from notifications.wait_reasons import explain_wait

MAX_SURVEYS = 10
"""How many of somebody's own surveys are listed."""
MAX_SURVEYS_BELOW_RESULTS = 5

CHECK_SECONDS = 30.0
"""Between two checks that everybody who sees results is still a supervisor."""

CONCURRENCY = 16
"""How many Homes are published at a time after a check: a silent Slack must not keep the others waiting."""

Change = Callable[[ReportQuery], ReportQuery]
"""Changes that somebody made in their report's controls."""

log = logging.getLogger(__name__)


def unchanged(query: ReportQuery) -> ReportQuery:
    """Return the query as it was."""
    return query


class AppHome:
    """Publishes the Home that each person may see; their permissions are checked each time."""

    def __init__(self, resources: Resources) -> None:
        self._database = resources.database
        self._slack = resources.slack
        self._catalogue = resources.catalogue
        self._clock = resources.clock
        self._resources = resources
        self._timezone = resources.settings.csat_timezone
        self._transports = resources.settings.csat_transports
        self._networks = frozenset(FACTS[name].network for name in self._transports)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def periodic_task(self) -> PeriodicTask:
        """Return the task for the scheduler."""
        return PeriodicTask("checking who sees results", self.check, CHECK_SECONDS)

    async def show(self, person: str, change: Change = unchanged) -> None:
        """Publish somebody's Home, with a supervisor's query changed; raises `SlackError`."""
        async with self._locks.setdefault(person, asyncio.Lock()):
            team = await self._slack.team_id()
            try:
                await self._show_permitted(team, person, change)
            except DatabaseError as error:
                log.warning("The Home of %s has no data: %s", person, error)
                await self._publish(person, unavailable_home())

    async def refresh(self, person: str) -> None:
        """Publish somebody's Home again if it shows results; raises `SlackError`."""
        shown = await self._database.read(published_homes.find_home, await self._slack.team_id(), person)
        if shown and shown.shows_results:
            await self.show(person)

    async def check(self) -> None:
        """Publish each Home whose owner became a supervisor, or is one no longer; raises `SlackError`."""
        team = await self._slack.team_id()
        published = await self._database.read(published_homes.list_homes, team)
        supervisors = await self._slack.permissions.find_supervisors([shown.user_id for shown in published])
        changed = [shown for shown in published if shown.shows_results != (shown.user_id in supervisors)]
        removed_first = sorted(changed, key=lambda shown: not shown.shows_results)
        slots = asyncio.Semaphore(CONCURRENCY)
        await asyncio.gather(*(self._try_to_show(shown.user_id, slots) for shown in removed_first))

    async def _show_permitted(self, team: str, person: str, change: Change) -> None:
        try:
            is_supervisor = await self._slack.permissions.is_supervisor(person)
        except PermissionUnknown as unknown:
            await self._show_own(team, person, str(unknown))
            return
        if is_supervisor:
            await self._show_results(team, person, change)
        else:
            await self._show_own(team, person)

    async def _try_to_show(self, person: str, slots: asyncio.Semaphore) -> None:
        async with slots:
            try:
                await self.show(person)
            except SlackError as error:
                log.warning("Slack did not publish the Home of %s: %s", person, error)

    async def _show_results(self, team: str, person: str, change: Change) -> None:
        request = await self._database.run(
            published_homes.request_results, team, person, change, self._clock()
        )
        try:
            page = await self._page(team, person, request.query)
            await self._publish(person, supervisor_home(page, self._catalogue))
        except SlackError as error:
            # not shown, so the next check retries
            if not (request.showed_results or isinstance(error, NoResponse)):
                await self._database.run(
                    published_homes.mark_results_hidden, team, person, request.home, self._clock()
                )
            raise
        await self._database.run_with_retry(published_homes.mark_results_shown, team, person, self._clock())

    async def _page(self, team: str, person: str, kept: ReportQuery) -> SupervisorHome:
        query, now = kept.drop_unknown_variant(self._catalogue), self._clock()
        report, problem = None, ""
        try:
            period = query.period(now, self._timezone)
            report = await fetch_report(self._database, query.filters(team, person), period, now)
        except InvalidPeriod as reason:
            problem = str(reason)
        link = self._slack.message_url
        low = await self._database.read(low_ratings.list_open, team, MAX_LOW_RATINGS, person)
        closed = await self._database.read(low_ratings.list_closed, team, MAX_CLOSED + 1, person)
        summary = await self._database.read(low_ratings.summarize_open, team, {person})
        return SupervisorHome(
            query=query,
            report=report,
            comments=[
                LinkedComment(comment, await link(comment.channel, comment.thread))
                for comment in (report.comments if report else ())
            ],
            low_ratings=[
                LinkedLowRating(rating, await link(rating.origin.channel, rating.ts)) for rating in low
            ],
            open_count=summary.number,
            closed=[
                LinkedLowRating(rating, await link(rating.origin.channel, rating.ts)) for rating in closed
            ],
            own=await self._own(team, person, MAX_SURVEYS_BELOW_RESULTS),
            problem=problem,
            may_send=not await self._slack.permissions.find_agent_denial(person),
            reader=person,
            has_transports=len(self._transports) > 1,
            networks=self._networks,
        )

    async def _show_own(self, team: str, person: str, problem: str = "") -> None:
        shown = await self._database.read(published_homes.find_home, team, person)
        own = await self._own(team, person, MAX_SURVEYS)
        has_supervisors = self._slack.permissions.has_supervisors
        denial = await self._slack.permissions.find_agent_denial(person)
        home = agent_home(own, problem, denial, has_supervisors=has_supervisors, networks=self._networks)
        await self._publish(person, home)
        await self._database.run(published_homes.mark_results_hidden, team, person, shown, self._clock())

    async def _own(self, team: str, person: str, limit: int) -> OwnSurveys:
        newest = await self._database.read(surveys_by_requester.list_by_requester, team, person, limit)
        period = last_days(DEFAULT_DAYS, self._clock(), self._timezone)
        counts = await self._database.read(count_own, team, person, period)
        pause_cause = await self._database.read(account_pauses.get_pause_cause, self._resources.account)
        return OwnSurveys([self._status(survey, pause_cause) for survey in newest], counts)

    def _status(self, survey: SurveyRecord, pause_cause: str) -> SurveyStatus:
        advice = survey.refusal.advice if survey.refusal else ""
        if survey.state is State.ACCEPTED:
            advice = explain_wait(survey, self._resources.accounts, pause_cause).sentence
        state = State.UNCERTAIN if survey.refusal == SENT_AGAIN else survey.state
        return SurveyStatus(
            survey.survey, survey.origin.channel, survey.accepted_at, state, advice, survey.is_disowned
        )

    async def _publish(self, person: str, parts: Iterable[HomePart]) -> None:
        kept = list(parts)
        await self._slack.publish_home(person, home_view(kept), home_view(kept, use_fallbacks=True))
