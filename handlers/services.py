"""The services that the listeners use."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from blocks.elements import Message
from blocks.survey_form import SurveyForm
from csat.clock import Clock
from csat.db.database import Database
from csat.delivery.send_worker import SendWorker
from csat.resources import Notify
from csat.slack_api.client import SlackClient
from csat.surveys.limits import Limits
from csat.surveys.prefill import TicketPattern
from csat.surveys.survey import Draft, Origin
from csat.x_api.client import XClient
from notifications.app_home import AppHome


@dataclass(frozen=True)
class Services:
    """Everything that a listener may need."""

    slack: SlackClient
    x: XClient
    database: Database
    worker: SendWorker
    notify: Notify
    app_home: AppHome
    form: SurveyForm
    defaults: Draft
    """The form's initial values."""
    tickets: Sequence[TicketPattern]
    account: str
    """The id of the X account that sends the surveys."""
    instance: str
    clock: Clock
    limits: Limits
    recipient_key: Callable[[str], str]
    """Returns the keyed hash of a recipient's id, by which the database knows them."""
    timezone: ZoneInfo
    """The time zone of reports' days."""

    async def tell(self, origin: Origin, message: Message) -> None:
        """Tell something to the person who asked, and nobody else; raises `SlackError`."""
        await self.slack.poster.post_ephemeral(origin, *message)
