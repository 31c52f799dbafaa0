"""The customer's phone."""

from datetime import datetime

from sandbox.page.url_state import UrlState
from sandbox.x import Customer, DirectMessage, FakeX, Message


class Phone:
    """One customer's direct messages from the brand."""

    def __init__(self, x: FakeX, url_state: UrlState) -> None:
        self._x = x
        self.account = x.account
        self.customers = x.customers
        self.shows_latest = not url_state.customer
        """True if the phone belongs to the recipient of the latest survey."""
        self.latest_recipient = self._find_latest_recipient()
        self.customer = self._find_customer(url_state.customer) or self.latest_recipient or x.customers[0]

    @property
    def is_unassigned(self) -> bool:
        """True until a customer is surveyed or selected."""
        return self.shows_latest and self.latest_recipient is None

    @property
    def messages(self) -> list[DirectMessage | Message]:
        """The customer's messages with and without a card, oldest first."""
        messages: list[DirectMessage | Message] = [*self.cards, *self._x.messages.inbox(self.customer)]
        return sorted(messages, key=lambda message: message.at)

    @property
    def cards(self) -> list[DirectMessage]:
        """The customer's messages with a card, oldest first."""
        return self._x.direct_messages(self.customer)

    @property
    def request_count(self) -> int:
        """The number of messages hidden among the customer's message requests."""
        return len(self._x.messages.requests(self.customer))

    @property
    def other_recipient(self) -> Customer | None:
        """The recipient of the latest survey, if it is not the customer shown."""
        latest = self.latest_recipient
        return latest if latest and latest.id != self.customer.id else None

    def _find_customer(self, handle: str) -> Customer | None:
        return next((customer for customer in self.customers if customer.handle == handle), None)

    def _find_latest_recipient(self) -> Customer | None:
        sent = [(feedback.created_at, feedback.to_user_id) for feedback in self._x.feedbacks[-1:]]
        sent += [(message.at, message.recipient_id) for message in self._x.messages.sent[-1:]]
        if not sent:
            return None
        _, recipient = max(sent)
        return next((customer for customer in self.customers if customer.id == recipient), None)


def to_local(at: datetime) -> datetime:
    """Convert a time to this machine's time zone."""
    return at.astimezone()
