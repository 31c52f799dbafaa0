"""What the pretend X remembers, and what customers do on their phones."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from sandbox.pubsub import PubSub
from sandbox.traffic import TrafficLog
from sandbox.x.calls import Call
from sandbox.x.errors import NoSuchFeedback, Refusal
from sandbox.x.events import CREATED, UPDATED, Event
from sandbox.x.feedback import SCALES, DirectMessage, Feedback
from sandbox.x.parameters import Order
from sandbox.x.people import ACCOUNT, CUSTOMERS, KEYS, Account, Customer, Keys
from sandbox.x.questions import asked
from sandbox.x.quota import DAY
from sandbox.x.signature import Verifier
from sandbox.x.switches import Switches
from sandbox.x.webhook import Push, Pusher, Webhook
from sandbox.x.wire import Json, Style
from sandbox.x.wire import event as printed

FIRST_ID = 1_900_000_000_000_000_001
"""Ids of X are beyond what a double holds exactly."""

NOT_FOUND = (404, 108, "Cannot find specified user.")
SUSPENDED = (403, 63, "User has been suspended.")
CLOSED = (403, 349, "You cannot send messages to this user.")
ASKED_BEFORE = (403, 481, "You have already sent a feedback request to this user in the last 24 hours.")
"""X documents this limit but not its error: the code is in no table of X's."""


def utc_now() -> datetime:
    """The time of this machine."""
    return datetime.now(UTC)


class World(Switches):
    """X's memory; time comes from `clock`."""

    def __init__(
        self,
        clock: Callable[[], datetime] = utc_now,
        pubsub: PubSub | None = None,
        traffic: TrafficLog | None = None,
        keys: Keys = KEYS,
        account: Account = ACCOUNT,
    ) -> None:
        super().__init__()
        self.clock = clock
        self.pubsub = pubsub or PubSub()
        self.traffic = traffic or TrafficLog(self.pubsub)
        self.keys = keys
        self.account = account
        self.verifier = Verifier(keys, clock)

        self.customers: list[Customer] = list(CUSTOMERS)
        """Who exists on X; append others at will."""
        self.feedbacks: list[Feedback] = []
        """What was created, oldest first: the judge of what the app really sent."""
        self.events: list[Event] = []
        """What `feedback/events` lists, oldest first."""
        self.requests: list[Call] = []
        """Every request, refused ones too, oldest first."""
        self.held: list[Json] = []
        """Events that were not pushed, because `holds_pushes` is set; oldest first."""

        self._pusher = Pusher(clock, self.traffic)
        self._ids = itertools.count(FIRST_ID)
        self._by_id: dict[str, Feedback] = {}
        self._asked: dict[str, datetime] = {}

    def customer(self, handle: str) -> Customer:
        """Find a customer by handle, in upper or lower case; KeyError if there is none."""
        for customer in self.customers:
            if customer.handle.lower() == handle.lower():
                return customer
        raise KeyError(handle)

    def feedback(self, feedback_id: str) -> Feedback:
        """Find a feedback by its id, or raise NoSuchFeedback."""
        if feedback_id not in self._by_id:
            raise NoSuchFeedback(f"There is no feedback {feedback_id}.")
        return self._by_id[feedback_id]

    def direct_messages(self, customer: Customer) -> list[DirectMessage]:
        """What the customer's phone shows, oldest first."""
        return [self._shown(it) for it in self.feedbacks if it.to_user_id == customer.id]

    def rate(self, feedback_id: str, score: int) -> None:
        """The customer chooses a score; raises NotPossible."""
        self.respond(feedback_id, score=score)

    def comment(self, feedback_id: str, text: str) -> None:
        """The customer writes a text; raises NotPossible."""
        self.respond(feedback_id, text=text)

    def respond(self, feedback_id: str, score: int | None = None, text: str | None = None) -> Feedback:
        """The customer gives a score, a text or both at once; raises NotPossible."""
        it = self.feedback(feedback_id)
        it.respond(self.clock(), score, text)
        self._happened(UPDATED, it)
        return it

    def dismiss(self, feedback_id: str) -> None:
        """The customer puts the card away, which is no event of X's; raises NotPossible."""
        self.feedback(feedback_id).dismiss(self.clock())
        self.pubsub.publish("phone")

    @property
    def pushes(self) -> list[Push]:
        """What was pushed to a webhook, and what it answered; oldest first."""
        return self._pusher.pushes

    async def push(self, body: Json | str, to: Webhook | None = None) -> Push:
        """Push any event, such as one of `held` or of `pushes`, and return it with its answer.

        `to` is another webhook than `webhook`, such as one with a wrong password.
        """
        target = to or self.webhook
        if target is None:
            raise ValueError("Set `webhook` first, or say where to push.")
        return await self._pusher.push(body, target)

    async def pushed(self) -> None:
        """Wait until every push under way has got its answer."""
        await self._pusher.finished()

    def create(self, order: Order) -> Feedback:
        """Send a survey, or raise Refusal: no such customer, not reachable, or asked before."""
        recipient, now = self._recipient(order.to_user_id), self.clock()
        self._check_asked_before(recipient, now)
        self._asked[recipient.id] = now
        it = self._written(order, now)
        self.feedbacks.append(it)
        self._by_id[it.id] = it
        self._happened(CREATED, it)
        return it

    def _recipient(self, user_id: str) -> Customer:
        known = next((customer for customer in self.customers if customer.id == user_id), None)
        if known is None and self.knows_every_id:
            return Customer(user_id, f"u{user_id}"[:15], f"Customer {user_id}")
        if known is None:
            raise Refusal(*NOT_FOUND)
        if known.suspended:
            raise Refusal(*SUSPENDED)
        if not known.accepts_messages:
            raise Refusal(*CLOSED)
        return known

    def _check_asked_before(self, recipient: Customer, now: datetime) -> None:
        exempt = recipient.handle.lower() in {handle.lower() for handle in self.allowlist}
        last = self._asked.get(recipient.id)
        if last is not None and now - last < DAY and not exempt:
            raise Refusal(*ASKED_BEFORE)

    def _written(self, order: Order, now: datetime) -> Feedback:
        return Feedback(
            id=str(next(self._ids)),
            type=order.type,
            dm_id=str(next(self._ids)),
            from_user_id=self.account.id,
            to_user_id=order.to_user_id,
            message=order.message,
            privacy_url=order.privacy_url,
            question_variant_id=order.question_variant_id,
            display_name=order.display_name or self.account.name,
            test=order.test,
            created_at=now,
            updated_at=now,
            external_id=order.external_id,
        )

    def _happened(self, event_type: str, it: Feedback) -> None:
        self.events.append(Event(event_type, it.updated_at, replace(it)))
        if self.webhook or self.holds_pushes:
            style = Style(self.prints_dates_without_spaces, variants_as_integers=True)
            self._tell(printed(event_type, it.updated_at, it, style))
        self.pubsub.publish("phone")

    def _tell(self, body: Json) -> None:
        if self.holds_pushes:
            self.held.append(body)
        elif self.webhook:
            self._pusher.start(body, self.webhook)

    def _shown(self, it: Feedback) -> DirectMessage:
        return DirectMessage(
            id=it.dm_id,
            feedback_id=it.id,
            at=it.created_at,
            sender=self.account.name,
            text=it.message,
            question=asked(it.type, it.question_variant_id, it.display_name),
            scale=tuple(SCALES[it.type]),
            privacy_url=it.privacy_url,
            test=it.test,
            state=it.state,
            rating=it.score.value if it.score else None,
            comment=it.text.value if it.text else None,
        )
