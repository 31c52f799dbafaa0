"""A fake X: the Customer Feedback API, direct messages, user lookup, webhooks, and customers' phones."""

from sandbox.x.accounts import ACCOUNT, CUSTOMERS, KEYS, Account, Customer, Keys
from sandbox.x.direct_messages import Message
from sandbox.x.errors import (
    AlreadyAnswered,
    CardDismissed,
    CustomerActionError,
    EmptyResponse,
    FeedbackNotFound,
    ScoreOutOfRange,
)
from sandbox.x.fake_x import FakeX
from sandbox.x.faults import Fault
from sandbox.x.feedback_card import DirectMessage, Feedback, FeedbackState, FeedbackType
from sandbox.x.feedback_create_params import CreateParams
from sandbox.x.link_previews import Preview
from sandbox.x.rate_limits import Endpoint, RateLimit
from sandbox.x.recorded_request import RecordedRequest
from sandbox.x.webhook import Webhook, WebhookPost

__all__ = [
    "ACCOUNT",
    "CUSTOMERS",
    "KEYS",
    "Account",
    "AlreadyAnswered",
    "CardDismissed",
    "CreateParams",
    "Customer",
    "CustomerActionError",
    "DirectMessage",
    "EmptyResponse",
    "Endpoint",
    "FakeX",
    "Fault",
    "Feedback",
    "FeedbackNotFound",
    "FeedbackState",
    "FeedbackType",
    "Keys",
    "Message",
    "Preview",
    "RateLimit",
    "RecordedRequest",
    "ScoreOutOfRange",
    "Webhook",
    "WebhookPost",
]
