"""The transports: the ways in which a survey can reach its customer, and what is true of each."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from csat.surveys.frozen_model import FrozenModel
from csat.surveys.networks import Network
from csat.surveys.poll_schedule import expires_at, first_poll

MAX_MESSAGE_LENGTH = 10_000
"""X's limit for the text of a direct message."""

MAX_DAILY_MESSAGES = 500
"""X's limit for the direct messages that an account writes in a day, those that people write included."""


class TransportName(StrEnum):
    """A transport; the values are in the database and in the settings."""

    X_CARD = "x_card"
    X_LINK = "x_link"
    SLACK = "slack"


class Facts(FrozenModel):
    """Properties of a transport that the rest of the app asks for."""

    label: str
    """Its name where people choose one."""
    noun: str
    """Its name within a sentence, after "as" or "by"."""
    report_word: str
    """The word that limits `/csat report` to its surveys."""
    network: Network
    """Where the customers are whom it reaches."""
    max_message_length: int
    daily_quota: int
    """How many surveys an account may send in 24 hours, unless the operator sets another number."""
    quota_setting: str
    """The setting with that other number."""
    shares_message_limit: bool
    """Whether its surveys count toward X's limit for all direct messages of an account."""
    recipient_window: timedelta
    """How long a customer can't be asked again by this transport; zero if only the cooldown counts."""
    is_polled: bool
    """Whether X is asked for the answers; else they come by themselves."""
    asks_on_page: bool
    """Whether the question is on the app's rating page, which customers must be able to open."""
    fills_in_display_name: bool
    """Whether the brand's name may be left out."""
    requires_privacy_url: bool
    """Whether a survey must name a privacy policy."""
    shows_question_in_apps_alone: bool
    """Whether customers see nothing but the message on x.com."""
    may_show_bare_nps: bool
    """Whether an NPS question may be shown as just a number."""
    works_unenrolled: bool
    """Whether it sends for an app that X doesn't let look up handles."""
    receipt_names_customer: bool
    """Whether a receipt's id leads to the customer, so that it is erased with them."""
    settles_after: timedelta
    """How old an uncertain survey is before its transport can tell whether it arrived."""
    absence_is_proof: bool
    """Whether a survey that its transport does not find has surely not arrived."""
    price: str
    """X's price of a survey: a clause, or "" if it charges for none by itself."""
    settling: str
    """How an uncertain survey is settled if its requester can't: a clause."""
    unfit_words: tuple[str, ...] = ()
    """Questions with one of these words can't be asked by it."""

    @property
    def hint_if_uncertain(self) -> str:
        """Advice to the requester of an uncertain survey who can't tell whether it arrived."""
        return f"If you can't tell, leave it: {self.settling}."

    @property
    def promise_if_left(self) -> str:
        """The reply to a requester who leaves an uncertain survey as it is."""
        return f"{self.settling[0].upper()}{self.settling[1:]}, and we'll tell you."

    def fits(self, question: str) -> bool:
        """Return True if a question can be asked by this transport."""
        return not any(word in question for word in self.unfit_words)

    def first_poll(self, sent_at: datetime) -> datetime:
        """Return when to poll for the answer for the first time, or when the survey expires without one."""
        return first_poll(sent_at) if self.is_polled else expires_at(sent_at)


FACTS: Mapping[TransportName, Facts] = MappingProxyType(
    {
        TransportName.X_CARD: Facts(
            label="X's feedback card",
            noun="X's feedback card",
            report_word="card",
            network=Network.X,
            max_message_length=MAX_MESSAGE_LENGTH,
            daily_quota=1_000,
            quota_setting="CSAT_DAILY_LIMIT",
            shares_message_limit=False,
            recipient_window=timedelta(hours=24),
            is_polled=True,
            asks_on_page=False,
            fills_in_display_name=True,
            requires_privacy_url=True,
            shows_question_in_apps_alone=True,
            may_show_bare_nps=True,
            works_unenrolled=True,
            receipt_names_customer=False,
            settles_after=timedelta(hours=24, minutes=10),
            absence_is_proof=True,
            price="",
            settling="X's records usually settle it tomorrow",
        ),
        TransportName.X_LINK: Facts(
            label="Link in a direct message",
            noun="a link in a direct message",
            report_word="link",
            network=Network.X,
            max_message_length=9_000,
            daily_quota=300,
            quota_setting="CSAT_DAILY_LINK_LIMIT",
            shares_message_limit=True,
            recipient_window=timedelta(0),
            is_polled=False,
            asks_on_page=True,
            fills_in_display_name=False,
            requires_privacy_url=True,
            shows_question_in_apps_alone=False,
            may_show_bare_nps=False,
            works_unenrolled=False,
            receipt_names_customer=False,
            settles_after=timedelta(minutes=5),
            absence_is_proof=False,
            price=(
                "a survey costs about 1.5 to 2.5 US cents: X charges $0.015 for the message, and $0.010 to "
                "look up a handle (prices as of August 2026, see developer.x.com)"
            ),
            settling="we look at the conversation, which usually settles it within minutes",
            unfit_words=("Twitter",),
        ),
        TransportName.SLACK: Facts(
            label="Message in Slack",
            noun="a message in Slack",
            report_word="slack",
            network=Network.SLACK,
            max_message_length=2_500,
            daily_quota=1_000,
            quota_setting="CSAT_DAILY_SLACK_LIMIT",
            shares_message_limit=False,
            recipient_window=timedelta(0),
            is_polled=False,
            asks_on_page=False,
            fills_in_display_name=False,
            requires_privacy_url=False,
            shows_question_in_apps_alone=False,
            may_show_bare_nps=False,
            works_unenrolled=False,
            receipt_names_customer=True,
            settles_after=timedelta(minutes=1),
            absence_is_proof=True,
            price="",
            settling="we look for the message, which usually settles it within minutes",
            unfit_words=("Twitter",),
        ),
    }
)
"""The facts of every transport, in the order in which they are offered."""
