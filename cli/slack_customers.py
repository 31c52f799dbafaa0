"""The people in Slack whom an operator names: in which workspace, and whether Slack knows them."""

from collections.abc import Collection, Mapping

from cli.errors import CommandError
from csat.db.database import Database
from csat.reporting.export_queries import list_teams
from csat.slack_api.error_explanations import explain
from csat.slack_api.errors import SlackError, is_rejection
from csat.slack_api.member_existence import ListedMembers, Problem
from csat.slack_api.responses import AuthTest, parse_response
from csat.slack_api.web_client import WebClient
from csat.surveys.recipients import Recipient, SlackPerson


class UnknownWorkspace(CommandError):
    """The app asks nobody in the workspace that was named; `str()` says which one to name."""


class OwnWorkspaceUnknown(CommandError):
    """Slack does not tell which workspace is the app's own; `str()` says why, and what to do."""


class PeopleInSlack:
    """Asks Slack with the app's token.

    Args:
        web: the client of Slack's Web API.
        database: has the surveys of all workspaces.
    """

    def __init__(self, web: WebClient, database: Database) -> None:
        self._web = web
        self._database = database
        self._own_team = ""
        self._teams_with_surveys: Collection[str] | None = None

    async def with_workspace(self, recipient: Recipient) -> Recipient:
        """Return a customer, if in Slack with the app's own workspace unless they have one.

        Raises:
            UnknownWorkspace: neither the app nor a survey is of the workspace that they have.
            OwnWorkspaceUnknown: Slack does not tell which workspace is the app's own.
            DatabaseError: the database is unavailable.
        """
        if not isinstance(recipient, SlackPerson) or await self._has_surveys(recipient.team):
            return recipient
        person = recipient.model_copy(update={"team": await self._find_own_team()})
        if recipient.team and recipient != person:
            raise UnknownWorkspace(
                f"{recipient.id}: this app doesn't ask anybody in the workspace {recipient.team}. Name the "
                f"workspace that asks them, which is not the customer's own: {person.id}."
            )
        return person

    async def select_own(self, teams: Collection[str]) -> Collection[str]:
        """Return the app's own of these workspaces; raises `OwnWorkspaceUnknown`, unless there are none."""
        return {await self._find_own_team()} & set(teams) if teams else ()

    async def look_up(self, people: Collection[SlackPerson]) -> Mapping[str, Problem | SlackError | None]:
        """Return, by id, what is wrong with each person of the app's own workspace, or why it is unknown."""
        if not people:
            return {}
        try:
            team = await self._ask_own_team()
        except SlackError as error:
            return {each.id: error for each in people}
        ids = {each.user: each.id for each in people if each.team == team}
        results = await ListedMembers(self._web, team).look_up(ids)
        return {ids[user]: result for user, result in results.items()}

    async def _find_own_team(self) -> str:
        """Return the app's own workspace; raises `OwnWorkspaceUnknown`."""
        try:
            return await self._ask_own_team()
        except SlackError as error:
            advice = "Check SLACK_BOT_TOKEN" if is_rejection(error) else "Try again later"
            raise OwnWorkspaceUnknown(
                f"Slack does not say which workspace is this app's: {explain(error)}. {advice}."
            ) from error

    async def _has_surveys(self, team: str) -> bool:
        if self._teams_with_surveys is None:
            self._teams_with_surveys = await self._database.read(list_teams)
        return bool(team) and team in self._teams_with_surveys

    async def _ask_own_team(self) -> str:
        if not self._own_team:
            self._own_team = parse_response(AuthTest, await self._web.auth_test()).team_id
        return self._own_team
