"""What can go wrong at X: every row of its table of errors, and what networks do."""

import enum
from dataclasses import dataclass


@dataclass(frozen=True)
class Manner:
    """How one trouble answers."""

    title: str
    """What a person reads in a list of troubles."""
    status: int | None = None
    """The HTTP status; None: X's own answer."""
    code: int | None = None
    message: str = ""
    body: str | None = None
    """Sent as it is, in the place of X's error."""
    works: bool = False
    """Whether X did what it was asked before it went wrong."""


LOCKED = (
    "To protect our users from spam and other malicious activity, this account is temporarily locked. "
    "Please log in to https://x.com to unlock your account."
)
AUTOMATED = (
    "This request looks like it might be automated. To protect our users from spam and other malicious "
    "activity, we can't complete this action right now. Please try again later."
)
SUBSET = (
    "You currently have access to a subset of X API V2 endpoints and limited v1.1 endpoints (e.g. media "
    "post, oauth) only. If you need access to this endpoint, you may need a different access level. "
    "You can learn more here: https://developer.x.com/en/portal/product"
)
NO_WRITE = (
    "Application cannot perform write actions. Contact X Platform Operations through "
    "https://help.x.com/forms/platform."
)
PAGE = (
    "<!DOCTYPE html>\n<html><head><title>X / Over capacity</title></head>"
    "<body><h1>Something went wrong.</h1></body></html>"
)


class Trouble(enum.Enum):
    """Everything that X can be told to do wrong."""

    WRONG_KEYS = Manner("401 / 32: our keys are wrong", 401, 32, "Could not authenticate you.")
    TOKEN_REVOKED = Manner("401 / 89: our token was revoked", 401, 89, "Invalid or expired token.")
    TOKEN_REFUSED = Manner("403 / 89: our token was revoked", 403, 89, "Invalid or expired token.")
    CLOCK_OFF = Manner("401 / 135: our clock is off", 401, 135, "Timestamp out of bounds.")
    APP_SUSPENDED = Manner("401 / 416: the X app is suspended", 401, 416, "Invalid / suspended application")
    NOT_PERMITTED = Manner(
        "403 / 87: not permitted", 403, 87, "Client is not permitted to perform this action."
    )
    NO_DM_PERMISSION = Manner(
        "403 / 93: no direct messages",
        403,
        93,
        "This application is not allowed to access or delete your direct messages.",
    )
    NO_ACCESS = Manner(
        "403 / 220: no access", 403, 220, "Your credentials do not allow access to this resource."
    )
    NO_WRITE_ACCESS = Manner("403 / 261: read-only app", 403, 261, NO_WRITE)
    WRONG_PLAN = Manner("403 / 453: not in the plan", 403, 453, SUBSET)
    NO_CREDENTIALS = Manner("400 / 215: no credentials", 400, 215, "Bad Authentication data.")
    PARAMETER_MISSING = Manner(
        "403 / 38: a parameter is missing", 403, 38, "privacy_url parameter is missing."
    )
    RECIPIENT_SUSPENDED = Manner("403 / 63: customer suspended", 403, 63, "User has been suspended.")
    PAGE_MISSING = Manner("404 / 34: no such page", 404, 34, "Sorry, that page does not exist.")
    RECIPIENT_NOT_FOUND = Manner("404 / 50: no such customer", 404, 50, "User not found.")
    RECIPIENT_MISSING = Manner("404 / 108: no such customer", 404, 108, "Cannot find specified user.")
    SENDER_SUSPENDED = Manner(
        "403 / 64: our account is suspended",
        403,
        64,
        "Your account is suspended and is not permitted to access this feature.",
    )
    SENDER_LOCKED = Manner("403 / 326: our account is locked", 403, 326, LOCKED)
    NOT_FOLLOWING_326 = Manner(
        "403 / 326: customer does not follow",
        403,
        326,
        "You cannot send messages to users who are not following you.",
    )
    NOT_FOLLOWING = Manner(
        "403 / 150: customer does not follow",
        403,
        150,
        "You cannot send messages to users who are not following you.",
    )
    MESSAGE_ERROR = Manner(
        "403 / 151: message refused, with a reason",
        403,
        151,
        "There was an error sending your message: the recipient has not accepted your last message request.",
    )
    DMS_CLOSED = Manner(
        "403 / 349: direct messages closed", 403, 349, "You cannot send messages to this user."
    )
    BLOCKED = Manner(
        "403 / 214: customer can't be messaged", 403, 214, "Bad request: you cannot message this user."
    )
    LOOKS_AUTOMATED = Manner("403 / 226: looks automated", 403, 226, AUTOMATED)
    MESSAGE_TOO_LONG = Manner(
        "403 / 354: message too long",
        403,
        354,
        "The text of your direct message is over the max character limit.",
    )
    NO_CREDIT = Manner(
        "402: no credit left",
        402,
        0,
        "Your enrolled account does not have any credits to fulfill this request.",
    )
    RATE_LIMITED = Manner("429 / 88: rate limit", 429, 88, "Rate limit exceeded")
    DAILY_LIMIT = Manner("429 / 88: 24-hour limit", 429, 88, "Rate limit exceeded.")
    ENHANCE_YOUR_CALM = Manner("420: enhance your calm", 420, 420, "Enhance Your Calm")
    OVER_CAPACITY = Manner("503 / 130: over capacity", 503, 130, "Over capacity")

    INTERNAL_ERROR = Manner("500 / 131: internal error", 500, 131, "Internal error")
    BAD_GATEWAY = Manner("502: bad gateway", 502, body=PAGE)
    GATEWAY_TIMEOUT = Manner("504: gateway time-out", 504, body=PAGE)
    INTERNAL_ERROR_AFTER = Manner("500 / 131, though it was sent", 500, 131, "Internal error", works=True)
    BAD_GATEWAY_AFTER = Manner("502, though it was sent", 502, body=PAGE, works=True)
    GATEWAY_TIMEOUT_AFTER = Manner("504, though it was sent", 504, body=PAGE, works=True)

    SLOW = Manner("answers late", works=True)
    HANG = Manner("never answers")
    HANG_AFTER = Manner("never answers, though it was sent", works=True)
    RESET = Manner("closes the connection")
    RESET_AFTER = Manner("closes the connection, though it was sent", works=True)

    EMPTY_BODY = Manner("200 with nothing in it", 200, body="", works=True)
    HTML = Manner("200 with a web page", 200, body=PAGE, works=True)
    TRUNCATED = Manner("200 with half of the answer", 200, works=True)
    LIST = Manner("200 with a list", 200, body="[]", works=True)
    NUMBER = Manner("200 with a number", 200, body="42", works=True)
    IDS_MISSING = Manner("200 without ids", 200, works=True)

    @property
    def title(self) -> str:
        """What a person reads in a list of troubles."""
        return self.value.title


@dataclass
class Spell:
    """A trouble, and for how many calls more (None: until told otherwise)."""

    trouble: Trouble | None = None
    calls: int | None = None

    @property
    def current(self) -> Trouble | None:
        """What would go wrong now."""
        return None if self.calls == 0 else self.trouble

    def strike(self) -> Trouble | None:
        """Tell what goes wrong with this call, and count it."""
        trouble = self.current
        if self.calls:
            self.calls -= 1
        return trouble
