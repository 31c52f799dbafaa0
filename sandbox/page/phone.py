"""What stands on the right: a customer's phone."""

from datetime import datetime

from sandbox.page.url_state import UrlState
from sandbox.x import Customer, DirectMessage, FakeX


class Phone:
    """One customer's direct messages with the brand."""

    def __init__(self, x: FakeX, look: UrlState) -> None:
        self._x = x
        self.brand = x.account
        self.customers = x.customers
        self.follows = not look.customer
        self.newest = self._newest()
        """Whose phone got the newest message."""
        self.customer = self._named(look.customer) or self.newest or x.customers[0]

    @property
    def is_somebody_s(self) -> bool:
        """Tell whether the phone belongs to anybody yet."""
        return bool(self.newest) or not self.follows

    @property
    def messages(self) -> list[DirectMessage]:
        """What the phone shows, oldest first."""
        return self._x.direct_messages(self.customer)

    @property
    def news(self) -> Customer | None:
        """Somebody else whose phone has got the newest message."""
        return self.newest if self.newest and self.newest.id != self.customer.id else None

    def _named(self, handle: str) -> Customer | None:
        return next((customer for customer in self.customers if customer.handle == handle), None)

    def _newest(self) -> Customer | None:
        if not self._x.feedbacks:
            return None
        recipient = self._x.feedbacks[-1].to_user_id
        return next((customer for customer in self.customers if customer.id == recipient), None)


def local(at: datetime) -> datetime:
    """Tell a time in this machine's time zone."""
    return at.astimezone()
