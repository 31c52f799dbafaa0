"""The facade of the pretend X: its app, its memory, its customers' phones, and its switches."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.applications import Starlette

from sandbox.bell import Bell
from sandbox.traffic import Traffic
from sandbox.x.feedback import DirectMessage, Feedback
from sandbox.x.people import ACCOUNT, CUSTOMERS, KEYS, Account, Customer, Keys
from sandbox.x.trouble import Trouble


def utc_now() -> datetime:
    """The time of this machine."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Call:
    """One request that reached X, whatever became of it."""

    method: str
    path: str
    params: Mapping[str, str]
    at: datetime


class PretendX:
    """X as far as Customer Feedback needs it, on this machine and in memory.

    Serve `app`; sign with `keys`; judge by `feedbacks` and `requests`; the rest are switches.
    """

    def __init__(
        self,
        clock: Callable[[], datetime] = utc_now,
        bell: Bell | None = None,
        traffic: Traffic | None = None,
        keys: Keys = KEYS,
        account: Account = ACCOUNT,
    ) -> None:
        self.clock = clock
        self.bell = bell or Bell()
        self.traffic = traffic or Traffic(self.bell)
        self.keys = keys
        self.account = account
        self.app = Starlette()

        self.customers: list[Customer] = list(CUSTOMERS)
        """Who exists on X; append others at will."""
        self.feedbacks: list[Feedback] = []
        """What was created, oldest first: the judge of what the app really sent."""
        self.requests: list[Call] = []
        """Every request, refused ones too, oldest first."""

        self.allowlist: set[str] = set()
        """Handles that may be asked more than once per 24 hours."""
        self.knows_every_id = False
        """Accept any numeric recipient, for load tests."""
        self.prints_dates_without_spaces = False
        """Print dates as the documentation does, `SatDec1517:58:20+00002015`."""
        self.prints_variants_as_integers = False
        """Print `question_variant_id` as X's webhooks do."""
        self.answers_404_for_unknown_handles = False
        """Instead of 200 with `errors` and no `data`."""
        self.lists_empty_pages = False
        """Put an empty page, with a cursor, before every page of events."""
        self.delay = 10.0
        """Seconds that `Trouble.SLOW` takes."""
        self.reset_after = 900
        """Seconds until the rate limits that a trouble pretends are reset."""

        self.trouble: Trouble | None = None
        """What goes wrong with `feedback/create` from now on; None: nothing."""
        self.lookup_trouble: Trouble | None = None
        """What goes wrong with the user look-up from now on; None: nothing."""

    def trouble_for_next(self, calls: int, trouble: Trouble) -> None:
        """Let the next `calls` of `feedback/create` go wrong, and those after them go well."""
        raise NotImplementedError

    def lookup_trouble_for_next(self, calls: int, trouble: Trouble) -> None:
        """Let the next `calls` of the user look-up go wrong, and those after them go well."""
        raise NotImplementedError

    def customer(self, handle: str) -> Customer:
        """Find a customer by handle, upper or lower case; KeyError if there is none."""
        raise NotImplementedError

    def direct_messages(self, customer: Customer) -> list[DirectMessage]:
        """What the customer's phone shows, oldest first."""
        raise NotImplementedError

    def feedback(self, feedback_id: str) -> Feedback:
        """Find a feedback by its id, or raise NoSuchFeedback."""
        raise NotImplementedError

    def rate(self, feedback_id: str, score: int) -> None:
        """The customer chooses a score; raises NotPossible."""
        raise NotImplementedError

    def comment(self, feedback_id: str, text: str) -> None:
        """The customer writes a text; raises NotPossible."""
        raise NotImplementedError

    def dismiss(self, feedback_id: str) -> None:
        """The customer puts the card away; raises NotPossible."""
        raise NotImplementedError
