"""Finds the surveys to a customer who is to be erased, and those of them that can be erased here."""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from cli.slack_customers import PeopleInSlack
from cli.slack_customers_on_file import PeopleOnFile
from csat.db import erasure, opt_outs
from csat.db.database import Database
from csat.reporting.formatting import pluralize
from csat.surveys.recipients import Recipient, XAccount
from csat.surveys.transport_errors import TransportError
from csat.x_api.client import XClient
from csat.x_api.error_explanations import explain
from csat.x_api.refusals import RecipientUnknown

WITHOUT_X = (
    "Without the keys of X this app can't ask X who has this handle. Surveys under earlier handles of this "
    "customer may be left. To find them, run this command with the customer's numeric id. A person in Slack "
    "is named by their member ID (U...)."
)

OPT_OUT_KEPT = "They asked not to be surveyed: that stays on file, as a keyed hash, so that nobody asks them."

KEPT = (
    "Kept {surveys} of the workspace {team}: only its own token can change the messages there. Run this "
    "command again with that SLACK_BOT_TOKEN, or erase the database alone with --without-slack."
)


class SearchResult(NamedTuple):
    """The surveys of a customer that were found."""

    survey_ids: list[int]
    """The surveys of the app's own workspace; without Slack, those of all."""
    total: int
    """The number of surveys in all workspaces."""
    remark: str
    """A warning to the operator before they are erased, or ""."""
    left_out: list[str]
    """Sentences on data that is kept or was not searched: why, and how to deal with it."""


class CustomerSearch:
    """Finds a customer's surveys.

    Args:
        database: has the surveys of all workspaces.
        x: tells who has a handle; `None` without an account on X.
        people: tells in which workspace a person in Slack is, and the surveys of which are erased.
        recipient_key: returns the keyed hash of a customer's id.
    """

    def __init__(
        self,
        database: Database,
        x: XClient | None,
        people: PeopleInSlack | PeopleOnFile,
        recipient_key: Callable[[str], str],
    ) -> None:
        self._database = database
        self._x = x
        self.people = people
        self._recipient_key = recipient_key

    async def find(self, recipient: Recipient) -> SearchResult:
        """Find the customer's surveys, also under their earlier handles if X says who they are.

        Raises:
            OwnWorkspaceUnknown: Slack does not tell which workspace is the app's own.
            DatabaseError: the database is unavailable.
        """
        recipient, not_searched = await self._look_up(recipient)
        found = await self._database.read(erasure.find_surveys, recipient)
        own = await self.people.select_own(found.teams.values())
        kept = Counter(team for team in found.teams.values() if team not in own)
        left_out = [
            KEPT.format(surveys=pluralize(count, "survey"), team=team) for team, count in kept.items()
        ]
        return SearchResult(
            survey_ids=[survey_id for survey_id, team in found.teams.items() if team in own],
            total=len(found.teams),
            remark=await self._remark_on(found.recipient_ids),
            left_out=[*left_out, not_searched] if not_searched else left_out,
        )

    async def _look_up(self, recipient: Recipient) -> tuple[Recipient, str]:
        """Add the id of a handle's current owner, or say what is not searched without it."""
        if recipient.id:
            return recipient, ""
        if self._x is None:
            return recipient, WITHOUT_X
        try:
            account = await self._x.look_up_user(recipient)
        except RecipientUnknown:
            return recipient, ""
        except TransportError as error:
            return recipient, (
                f"X did not say who has this handle: {explain(error)}. Surveys under earlier handles of this "
                "customer may be left. Run this command again later, or with the customer's numeric id."
            )
        return XAccount(handle=recipient.handle, id=account.id), ""

    async def _remark_on(self, recipient_ids: list[str]) -> str:
        remarks = []
        if len(recipient_ids) > 1:
            owners = ", ".join(recipient_ids)
            remarks.append(
                f"This handle has had several owners on X ({owners}). To erase only one, enter their id."
            )
        if await self._database.read(opt_outs.count_known, map(self._recipient_key, recipient_ids)):
            remarks.append(OPT_OUT_KEPT)
        return " ".join(remarks)
