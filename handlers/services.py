"""What the journeys work with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from blocks.elements import Message
from blocks.survey_form import SurveyForm
from csat.clock import Clock
from csat.db.database import Database
from csat.delivery.send_worker import SendWorker
from csat.slack_api.client import SlackClient
from csat.surveys.limits import Limits
from csat.surveys.prefill import TicketPattern
from csat.surveys.survey import Draft, Origin
from csat.x_api.client import XClient
from notifications.app_home import Homes


@dataclass(frozen=True)
class Services:
    """Everything that a listener may need, wired once."""

    slack: SlackClient
    x: XClient
    database: Database
    dispatcher: SendWorker
    homes: Homes
    form: SurveyForm
    defaults: Draft
    """What the form says before anybody types."""
    tickets: Sequence[TicketPattern]
    account: str
    """The id of the account on X that the surveys come from."""
    instance: str
    clock: Clock
    limits: Limits
    key: Callable[[str], str]
    """Makes the key by which the ledger knows a customer from their id."""
    zone: ZoneInfo
    """Where the days of reports begin."""

    async def tell(self, origin: Origin, message: Message) -> None:
        """Tell something to the person who asked, and nobody else; raises `SlackError`."""
        await self.slack.poster.post_ephemeral(origin, *message)
