"""A pretend X: the Customer Feedback API, the user look-up, and the customers' phones."""

from sandbox.x.calls import Call
from sandbox.x.errors import AlreadyGiven, Dismissed, NoSuchFeedback, NothingGiven, NotPossible, OutOfScale
from sandbox.x.feedback import DirectMessage, Feedback, Kind, State
from sandbox.x.people import ACCOUNT, CUSTOMERS, KEYS, Account, Customer, Keys
from sandbox.x.pretend import PretendX
from sandbox.x.quota import Quota, Way
from sandbox.x.trouble import Trouble
from sandbox.x.webhook import Push, Webhook

__all__ = [
    "ACCOUNT",
    "CUSTOMERS",
    "KEYS",
    "Account",
    "AlreadyGiven",
    "Call",
    "Customer",
    "DirectMessage",
    "Dismissed",
    "Feedback",
    "Keys",
    "Kind",
    "NoSuchFeedback",
    "NotPossible",
    "NothingGiven",
    "OutOfScale",
    "PretendX",
    "Push",
    "Quota",
    "State",
    "Trouble",
    "Way",
    "Webhook",
]
