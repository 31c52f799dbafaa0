"""The customer's phone."""

from datetime import datetime

from sandbox.page.url_state import UrlState
from sandbox.x import Customer, DirectMessage, FakeX


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
    def messages(self) -> list[DirectMessage]:
        """The customer's messages, oldest first."""
        return self._x.direct_messages(self.customer)

    @property
    def other_recipient(self) -> Customer | None:
        """The recipient of the latest survey, if it is not the customer shown."""
        latest = self.latest_recipient
        return latest if latest and latest.id != self.customer.id else None

    def _find_customer(self, handle: str) -> Customer | None:
        return next((customer for customer in self.customers if customer.handle == handle), None)

    def _find_latest_recipient(self) -> Customer | None:
        if not self._x.feedbacks:
            return None
        recipient = self._x.feedbacks[-1].to_user_id
        return next((customer for customer in self.customers if customer.id == recipient), None)


def to_local(at: datetime) -> datetime:
    """Convert a time to this machine's time zone."""
    return at.astimezone()
