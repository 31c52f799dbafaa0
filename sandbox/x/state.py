"""State of the fake X, and the actions of its customers."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from sandbox.pubsub import PubSub
from sandbox.traffic_log import TrafficLog
from sandbox.x.accounts import ACCOUNT, CUSTOMERS, KEYS, Account, Customer, Keys
from sandbox.x.active_faults import FaultInjection
from sandbox.x.behavior_options import BehaviorOptions
from sandbox.x.direct_messages import DirectMessages, Message
from sandbox.x.errors import ApiError, FeedbackNotFound
from sandbox.x.event_listing import CREATED, UPDATED, Event
from sandbox.x.feedback_card import SCALES, DirectMessage, Feedback
from sandbox.x.feedback_create_params import CreateParams
from sandbox.x.oauth_verification import SignatureVerifier
from sandbox.x.questions import render_question
from sandbox.x.rate_limits import DAY
from sandbox.x.recorded_request import RecordedRequest
from sandbox.x.serializers import Json, JsonStyle, serialize_event
from sandbox.x.webhook import Webhook, WebhookClient, WebhookPost

FIRST_ID = 1_900_000_000_000_000_001
"""Like X's ids, above what a double holds exactly."""
_IDS = itertools.count(FIRST_ID)
"""The ids of all accounts' feedback and messages, as each is unique on X."""

USER_NOT_FOUND = (404, 108, "Cannot find specified user.")
USER_SUSPENDED = (403, 63, "User has been suspended.")
MESSAGES_CLOSED = (403, 349, "You cannot send messages to this user.")
RECENTLY_SURVEYED = (403, 481, "You have already sent a feedback request to this user in the last 24 hours.")
"""X documents this limit but not its error; the code is made up."""


def utc_now() -> datetime:
    """Return the current time."""
    return datetime.now(UTC)


class XState(BehaviorOptions, FaultInjection):
    """Everything that X stores; `clock` returns the current time."""

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
        self.signature_verifier = SignatureVerifier(keys, clock)

        self.customers: list[Customer] = list(CUSTOMERS)
        """All users of X; tests can append more."""
        self.feedbacks: list[Feedback] = []
        """Surveys created, oldest first: the source of truth about what the app sent."""
        self.events: list[Event] = []
        """Events listed by `feedback/events`, oldest first."""
        self.requests: list[RecordedRequest] = []
        """All requests, including failed ones, oldest first."""
        self.unavailable: set[str] = set()
        """Ids of feedback that X can't show: the response is 503 until they are removed."""
        self.messages = DirectMessages(account, clock, self.pubsub, self.traffic)
        """Ordinary direct messages, without a card: the source of truth about what the app sent."""
        self.pending_events: list[Json] = []
        """Events not posted because `webhook_paused` is set, oldest first."""

        self._webhook_client = WebhookClient(clock, self.traffic)
        self._feedback_by_id: dict[str, Feedback] = {}
        self._last_surveyed: dict[str, datetime] = {}

    def customer(self, handle: str) -> Customer:
        """Return the customer with this handle, ignoring case; raise KeyError if there is none."""
        for customer in self.customers:
            if customer.handle.lower() == handle.lower():
                return customer
        raise KeyError(handle)

    def feedback(self, feedback_id: str) -> Feedback:
        """Return a feedback by id, or raise FeedbackNotFound."""
        if feedback_id not in self._feedback_by_id:
            raise FeedbackNotFound(f"Feedback {feedback_id} does not exist.")
        return self._feedback_by_id[feedback_id]

    def delete_feedback(self, feedback_id: str) -> None:
        """Make X respond as if it had never seen this feedback; it stays in `feedbacks`."""
        del self._feedback_by_id[feedback_id]

    def direct_messages(self, customer: Customer) -> list[DirectMessage]:
        """Return the messages on a customer's phone, oldest first."""
        received = [feedback for feedback in self.feedbacks if feedback.to_user_id == customer.id]
        return [self._build_direct_message(feedback) for feedback in received]

    def rate(self, feedback_id: str, score: int) -> None:
        """Give a score as the customer; raise CustomerActionError if not allowed."""
        self.respond(feedback_id, score=score)

    def comment(self, feedback_id: str, text: str) -> None:
        """Write a text as the customer; raise CustomerActionError if not allowed."""
        self.respond(feedback_id, text=text)

    def respond(self, feedback_id: str, score: int | None = None, text: str | None = None) -> Feedback:
        """Give a score, a text or both as the customer; raise CustomerActionError if not allowed."""
        feedback = self.feedback(feedback_id)
        feedback.respond(self.clock(), score, text)
        self._add_event(UPDATED, feedback)
        return feedback

    def dismiss(self, feedback_id: str) -> None:
        """Dismiss the card as the customer, without an event; raise CustomerActionError if not allowed."""
        self.feedback(feedback_id).dismiss(self.clock())
        self.pubsub.publish("phone")

    @property
    def webhook_posts(self) -> list[WebhookPost]:
        """Posts to webhooks with their responses, oldest first."""
        return self._webhook_client.posts

    async def post_to_webhook(self, body: Json | str, webhook: Webhook | None = None) -> WebhookPost:
        """Post any body to `webhook`, by default the configured one, and wait for the response."""
        target = webhook or self.webhook
        if target is None:
            raise ValueError("Set `webhook` or pass one.")
        return await self._webhook_client.post(body, target)

    async def wait_for_webhook_posts(self) -> None:
        """Wait until every webhook post has finished."""
        await self._webhook_client.wait()

    def create(self, params: CreateParams) -> Feedback:
        """Send a survey; raise ApiError for a recipient that is unknown, unreachable or recently surveyed."""
        recipient, now = self._find_recipient(params.to_user_id), self.clock()
        self._check_recently_surveyed(recipient, now)
        self._last_surveyed[recipient.id] = now
        feedback = self._build_feedback(params, now)
        self.feedbacks.append(feedback)
        self._feedback_by_id[feedback.id] = feedback
        self._add_event(CREATED, feedback)
        return feedback

    def send_message(self, recipient_id: str, text: str) -> Message:
        """Send a direct message; raise ApiError for a recipient that is unknown or unreachable."""
        return self.messages.send(str(next(_IDS)), self._find_recipient(recipient_id).id, text)

    def conversation(self, user_id: str) -> list[Message]:
        """Return all messages to a user, with those that hold a card."""
        cards = [
            Message(feedback.dm_id, feedback.from_user_id, user_id, feedback.message, feedback.created_at)
            for feedback in self.feedbacks
            if feedback.to_user_id == user_id
        ]
        return cards + [message for message in self.messages.sent if message.recipient_id == user_id]

    def _find_recipient(self, user_id: str) -> Customer:
        customer = next((customer for customer in self.customers if customer.id == user_id), None)
        if customer is None and self.accepts_any_recipient:
            return Customer(user_id, f"u{user_id}"[:15], f"Customer {user_id}")
        if customer is None:
            raise ApiError(*USER_NOT_FOUND)
        if customer.suspended:
            raise ApiError(*USER_SUSPENDED)
        if not customer.accepts_messages:
            raise ApiError(*MESSAGES_CLOSED)
        return customer

    def _check_recently_surveyed(self, recipient: Customer, now: datetime) -> None:
        is_exempt = recipient.handle.lower() in {handle.lower() for handle in self.allowlist}
        last = self._last_surveyed.get(recipient.id)
        if last is not None and now - last < DAY and not is_exempt:
            raise ApiError(*RECENTLY_SURVEYED)

    def _build_feedback(self, params: CreateParams, now: datetime) -> Feedback:
        return Feedback(
            id=str(next(_IDS)),
            type=params.type,
            dm_id=str(next(_IDS)),
            from_user_id=self.account.id,
            to_user_id=params.to_user_id,
            message=params.message,
            privacy_url=params.privacy_url,
            question_variant_id=params.question_variant_id,
            display_name=params.display_name or self.account.name,
            test=params.test,
            created_at=now,
            updated_at=now,
            external_id=params.external_id,
        )

    def _add_event(self, event_type: str, feedback: Feedback) -> None:
        self.events.append(Event(event_type, feedback.updated_at, replace(feedback)))
        if self.webhook or self.webhook_paused:
            style = JsonStyle(self.dates_without_spaces, variants_as_integers=True)
            self._notify_webhook(serialize_event(event_type, feedback.updated_at, feedback, style))
        self.pubsub.publish("phone")

    def _notify_webhook(self, event: Json) -> None:
        if self.webhook_paused:
            self.pending_events.append(event)
        elif self.webhook:
            self._webhook_client.start_post(event, self.webhook)

    def _build_direct_message(self, feedback: Feedback) -> DirectMessage:
        return DirectMessage(
            id=feedback.dm_id,
            feedback_id=feedback.id,
            at=feedback.created_at,
            sender=self.account.name,
            text=feedback.message,
            question=render_question(feedback.type, feedback.question_variant_id, feedback.display_name),
            scale=tuple(SCALES[feedback.type]),
            privacy_url=feedback.privacy_url,
            test=feedback.test,
            state=feedback.state,
            rating=feedback.score.value if feedback.score else None,
            comment=feedback.text.value if feedback.text else None,
        )
