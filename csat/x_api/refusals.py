"""The reasons for which X refuses a survey.

The codes are those of X's error table for API v1.1 (https://docs.x.com/x-api/fundamentals/response-codes-and-errors)
and of its direct message endpoints. API v2 has no codes: there the words in `PROBLEMS` name the reason.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from csat.surveys.transport_errors import Refused
from csat.x_api.errors import AccountRefused, XRefusal

OTHER_CAUSES = (
    "a wrong clock on this machine (compare date -u), your brand's account is locked or suspended "
    "(log in at x.com), the app is suspended (see developer.x.com)."
)
"""Another possible cause of a refusal that X doesn't explain."""


class InvalidCredentials(AccountRefused):
    codes = frozenset({32, 89})
    reason = "it rejects this app's keys"
    fix = (
        "Compare the X_ settings with developer.x.com (your app, Keys and tokens), "
        "make a new access token if the old one was revoked, and restart the app. "
        f"If they are right, other causes are: {OTHER_CAUSES}"
    )


class ClockSkew(AccountRefused):
    codes = frozenset({135})
    reason = "the clock of this app's server is wrong"
    fix = "Correct the server's clock, and keep it synchronized (NTP)."


class AppSuspended(AccountRefused):
    codes = frozenset({416})
    reason = "it has suspended this app"
    fix = "See at developer.x.com why the app is suspended, and resolve that with X."


class NotAllowed(AccountRefused):
    codes = frozenset({87, 220, 453, 93, 261})
    concerns_all_requests = False
    reason = "it doesn't allow this app to send them"
    fix = (
        "Check at developer.x.com that the app is active and may write direct messages. For feedback cards, "
        "ask your X account manager whether it may use the Customer Feedback API, or send links instead "
        "(CSAT_TRANSPORTS)."
    )


class NotSigned(AccountRefused):
    codes = frozenset({215})
    reason = "it gets this app's requests unsigned"
    fix = "Check X_API_URL, and that no proxy in between removes the Authorization header."


class AppNotEnrolled(AccountRefused):
    concerns_all_requests = False
    reason = "this app is not enrolled in its API"
    fix = (
        "At developer.x.com, move the app to the package Pay-per-use and the environment Production, "
        "or attach it to a project, and restart this app if its keys changed."
    )


class DirectMessagesNotAllowed(AccountRefused):
    concerns_all_requests = False
    reason = "it doesn't let this app write direct messages"
    fix = (
        "At developer.x.com, let the app read, write and use direct messages (User authentication settings), "
        "make a new access token, and restart this app with it."
    )


class OutOfCredit(AccountRefused):
    """Credit or a limit is used up; X's message is not kept, as it holds the id of the account that pays."""

    concerns_all_requests = False
    reason = "this app has no API credit left"
    fix = "Buy credit for the app's project at developer.x.com, or raise its spending limit there."


class ParameterMissing(XRefusal):
    codes = frozenset({38})
    shows_api_message = True
    advice = "X says that part of the survey is missing. Check the form and send it again."


class RecipientSuspended(XRefusal):
    codes = frozenset({63})
    concerns_recipient = True
    advice = "X has suspended this customer's account, so they can't get a survey."


class RecipientUnknown(XRefusal):
    codes = frozenset({34, 50, 108})
    concerns_recipient = True
    advice = (
        "There is no such customer on X: the account may have been deleted or renamed. "
        "Check the handle or ID."
    )


class RecipientClosed(XRefusal):
    codes = frozenset({150, 349, 214})
    concerns_recipient = True
    shows_api_message = True
    advice = (
        "This customer can't be messaged: they turned off messages, blocked you, or don't follow you. "
        "Ask them on X to write to you first, then send the survey."
    )


class RecipientDoesNotFollow(RecipientClosed):
    codes = frozenset({326})
    message_pattern = re.compile(r"follow", re.IGNORECASE)
    advice = (
        "This customer can't be messaged, because they don't follow your brand. "
        "Ask them on X to follow you or to write to you first, then send the survey."
    )


class MessageRejected(RecipientClosed):
    codes = frozenset({151})
    advice = (
        "This customer can't be messaged for now. "
        "Ask them on X to accept your messages or to write to you first, then send the survey."
    )


class TakesVerifiedOnly(XRefusal):
    codes = frozenset({476})
    concerns_recipient = True
    advice = (
        "This customer takes messages from strangers only if those are verified, and your brand isn't. "
        "Ask them on X to write to you first, then send the survey."
    )


class SenderSuspended(AccountRefused):
    codes = frozenset({64})
    reason = "it has suspended your brand's account"
    fix = "The account's owner has to resolve this with X."


class SenderLocked(AccountRefused):
    codes = frozenset({326})
    reason = "it has locked your brand's account"
    fix = "Log in to the account on x.com to unlock it."


class SenderRestricted(AccountRefused):
    """X does not say it at once: it is `OperationNotPermitted` for one customer after another."""

    concerns_all_requests = False
    reason = "it refuses your brand's messages, whoever the customer is"
    fix = (
        "Log in to the account on x.com, and see whether X limits it. If it doesn't, the messages look like "
        "spam to X: put CSAT_MESSAGE in other words, and send fewer surveys a day (CSAT_DAILY_LINK_LIMIT)."
    )


class LooksAutomated(XRefusal):
    codes = frozenset({226})
    advice = "X thinks this message looks automated. Put it in your own words and send it again."


class OperationNotPermitted(XRefusal):
    advice = (
        "X doesn't let your brand send this message: it looks like spam to X, or X limits your account. "
        "Try again later in your own words, or ask an admin of this app."
    )


class MessageTooLong(XRefusal):
    codes = frozenset({354})
    advice = "X says the message is too long. Shorten it and send it again."


class LookUpRefused(XRefusal):
    advice = (
        "X doesn't allow this app to look up handles. "
        "Enter the customer's numeric ID, or ask an admin of this app."
    )


class RefusedByX(XRefusal):
    shows_api_message = True
    advice = "X refused the survey. Check the form and try again later, or ask an admin of this app."


def _all_subclasses(kind: type[XRefusal]) -> list[type[XRefusal]]:
    return [cls for subclass in kind.__subclasses__() for cls in (*_all_subclasses(subclass), subclass)]


REFUSALS: tuple[type[XRefusal], ...] = tuple(
    sorted(
        (kind for kind in _all_subclasses(XRefusal) if kind is not AccountRefused),
        key=lambda kind: kind.message_pattern is None,
    )
)
"""Every refusal; those with a `message_pattern` come first, as their codes have other meanings too."""

ACCOUNT_REFUSALS: Mapping[str, type[AccountRefused]] = MappingProxyType(
    {kind.__name__: kind for kind in REFUSALS if issubclass(kind, AccountRefused)}
)
"""The reasons for which an account is paused, by the cause that the database keeps."""

PARTIAL_REFUSALS = frozenset(
    cause for cause, kind in ACCOUNT_REFUSALS.items() if not kind.concerns_all_requests
)
"""The causes that the database keeps of pauses during which X answers other requests than surveys."""

RECIPIENT_REFUSALS = frozenset(kind.__name__ for kind in REFUSALS if kind.concerns_recipient)
"""The reasons that the database keeps of surveys refused because of the customer's account."""

IF_REPEATED: Mapping[type[Refused], type[AccountRefused]] = MappingProxyType(
    {OperationNotPermitted: SenderRestricted}
)
"""The error for a refusal that surveys to other customers meet too."""

PROBLEMS: Mapping[re.Pattern[str], type[XRefusal]] = MappingProxyType(
    {
        re.compile(words, re.IGNORECASE): kind
        for words, kind in (
            (r"problems/credits\b|credits ?depleted|usage[- ]?cap|spend(ing)? ?(cap|limit)", OutOfCredit),
            (r"client-not-enrolled", AppNotEnrolled),
            (r"oauth1-permissions|unsupported[- ]authentication", DirectMessagesNotAllowed),
            (r"permission to DM one or more participants", RecipientClosed),
            (r"cannot (send messages to|message) this user", RecipientClosed),
            (r"users who are not following you", RecipientDoesNotFollow),
            (r"over the max character limit", MessageTooLong),
            (r"might be automated", LooksAutomated),
            (r"not verified to send message requests", TakesVerifiedOnly),
            (r"this operation is not permitted", OperationNotPermitted),
            (r"user has been suspended", RecipientSuspended),
            (r"problems/resource-not-found\b", RecipientUnknown),
        )
    }
)
"""The refusals by words in the type, title, reason or detail of v2's problems; the first that match count."""


def find_refusal(code: int | None, message: str, problem: str) -> type[XRefusal] | None:
    """Return the refusal that X means by a code and its message, or by the words of a problem."""
    for kind in REFUSALS:
        if code in kind.codes and (kind.message_pattern is None or kind.message_pattern.search(message)):
            return kind
    return next((kind for words, kind in PROBLEMS.items() if words.search(problem)), None)
