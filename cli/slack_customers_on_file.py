"""The people in Slack whom an operator names where Slack can't be asked: as the database knows them."""

from collections.abc import Collection

from cli.named_customers import name_customer
from cli.slack_customers import UnknownWorkspace
from csat.db.database import Database
from csat.reporting.export_queries import list_teams
from csat.surveys.recipients import Recipient, SlackPerson

ASKING = "Name {the_one} that asks them, which is not the customer's own, like {example}."


class PeopleOnFile:
    """Does for `forget --without-slack` what `PeopleInSlack` does with the app's token.

    Args:
        database: has the surveys of all workspaces.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def with_workspace(self, recipient: Recipient) -> Recipient:
        """Return a customer, if in Slack with the only workspace on file unless they have one.

        Raises:
            UnknownWorkspace: they have one without surveys, or none where there are several.
            DatabaseError: the database is unavailable.
        """
        if not isinstance(recipient, SlackPerson):
            return recipient
        teams = await self._database.read(list_teams)
        team = recipient.team or (teams[0] if len(teams) == 1 else "")
        if team not in teams:
            raise UnknownWorkspace(f"{name_customer(recipient)}: {_explain(recipient, teams)}")
        return recipient.model_copy(update={"team": team})

    async def select_own(self, teams: Collection[str]) -> Collection[str]:
        """Return all of these workspaces: no token is needed for the database."""
        return teams


def _explain(person: SlackPerson, teams: list[str]) -> str:
    if not teams:
        return "the database has no surveys."
    example = f"{teams[0]}/{person.user}"
    if person.team:
        asking = ASKING.format(the_one="the workspace", example=example)
        return f"the database has no surveys of the workspace {person.team}. {asking}"
    asking = ASKING.format(the_one="the one", example=example)
    return f"the database has surveys of several workspaces ({', '.join(teams)}). {asking}"
