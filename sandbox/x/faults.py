"""Faults that the fake X can simulate: X's documented errors, network failures, and invalid responses."""

import enum
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.x.rate_limits import Endpoint


@dataclass(frozen=True)
class FaultyResponse:
    """How X responds under a fault."""

    title: str
    """Title shown in a list of faults."""
    status: int | None = None
    """HTTP status; None if it depends on X's regular response."""
    code: int | None = None
    message: str = ""
    body: str | None = None
    """Raw body, sent instead of X's JSON."""
    has_effect: bool = False
    """True if X processes the request before it fails."""
    problem: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of the problem in API v2."""
    endpoints: Collection[Endpoint] = tuple(Endpoint)
    """The endpoints at which it can occur."""


LOCKED_MESSAGE = (
    "To protect our users from spam and other malicious activity, this account is temporarily locked. "
    "Please log in to https://x.com to unlock your account."
)
AUTOMATED_MESSAGE = (
    "This request looks like it might be automated. To protect our users from spam and other malicious "
    "activity, we can't complete this action right now. Please try again later."
)
PLAN_MESSAGE = (
    "You currently have access to a subset of X API V2 endpoints and limited v1.1 endpoints (e.g. media "
    "post, oauth) only. If you need access to this endpoint, you may need a different access level. "
    "You can learn more here: https://developer.x.com/en/portal/product"
)
READ_ONLY_MESSAGE = (
    "Application cannot perform write actions. Contact X Platform Operations through "
    "https://help.x.com/forms/platform."
)
ERROR_PAGE = (
    "<!DOCTYPE html>\n<html><head><title>X / Over capacity</title></head>"
    "<body><h1>Something went wrong.</h1></body></html>"
)


V2_ENDPOINTS = (Endpoint.LOOKUP, Endpoint.ME, Endpoint.SEND_MESSAGE, Endpoint.LIST_MESSAGES)
MESSAGE_ENDPOINTS = (Endpoint.SEND_MESSAGE, Endpoint.LIST_MESSAGES)
PROBLEMS = "https://api.twitter.com/2/problems"
PAYER = "[1780000000000000009]"
"""The account that pays for the app, as X names it."""
VERIFIED_ONLY_MESSAGE = "Sender is not verified to send message requests"
NO_CREDIT_MESSAGE = f"Your enrolled account {PAYER} does not have any credits to fulfill this request."


class Fault(enum.Enum):
    """A way in which X can fail."""

    WRONG_KEYS = FaultyResponse("401 / 32: wrong API keys", 401, 32, "Could not authenticate you.")
    TOKEN_REVOKED = FaultyResponse("401 / 89: token revoked", 401, 89, "Invalid or expired token.")
    TOKEN_REFUSED = FaultyResponse("403 / 89: token revoked", 403, 89, "Invalid or expired token.")
    CLOCK_SKEW = FaultyResponse("401 / 135: clock out of sync", 401, 135, "Timestamp out of bounds.")
    APP_SUSPENDED = FaultyResponse("401 / 416: X app suspended", 401, 416, "Invalid / suspended application")
    NOT_PERMITTED = FaultyResponse(
        "403 / 87: not permitted", 403, 87, "Client is not permitted to perform this action."
    )
    NO_DM_PERMISSION = FaultyResponse(
        "403 / 93: no direct message permission",
        403,
        93,
        "This application is not allowed to access or delete your direct messages.",
    )
    NO_ACCESS = FaultyResponse(
        "403 / 220: no access to this resource",
        403,
        220,
        "Your credentials do not allow access to this resource.",
    )
    READ_ONLY = FaultyResponse("403 / 261: read-only app", 403, 261, READ_ONLY_MESSAGE)
    WRONG_PLAN = FaultyResponse("403 / 453: not included in the API plan", 403, 453, PLAN_MESSAGE)
    NO_CREDENTIALS = FaultyResponse("400 / 215: credentials missing", 400, 215, "Bad Authentication data.")
    PARAMETER_MISSING = FaultyResponse(
        "403 / 38: parameter missing", 403, 38, "privacy_url parameter is missing."
    )
    RECIPIENT_SUSPENDED = FaultyResponse("403 / 63: customer suspended", 403, 63, "User has been suspended.")
    PAGE_MISSING = FaultyResponse(
        "404 / 34: page does not exist", 404, 34, "Sorry, that page does not exist."
    )
    RECIPIENT_NOT_FOUND = FaultyResponse("404 / 50: customer not found", 404, 50, "User not found.")
    RECIPIENT_MISSING = FaultyResponse(
        "404 / 108: customer not found", 404, 108, "Cannot find specified user."
    )
    SENDER_SUSPENDED = FaultyResponse(
        "403 / 64: brand account suspended",
        403,
        64,
        "Your account is suspended and is not permitted to access this feature.",
    )
    SENDER_LOCKED = FaultyResponse("403 / 326: brand account locked", 403, 326, LOCKED_MESSAGE)
    NOT_FOLLOWING_326 = FaultyResponse(
        "403 / 326: customer doesn't follow the brand",
        403,
        326,
        "You cannot send messages to users who are not following you.",
    )
    NOT_FOLLOWING = FaultyResponse(
        "403 / 150: customer doesn't follow the brand",
        403,
        150,
        "You cannot send messages to users who are not following you.",
    )
    MESSAGE_ERROR = FaultyResponse(
        "403 / 151: message rejected with a reason",
        403,
        151,
        "There was an error sending your message: the recipient has not accepted your last message request.",
    )
    DMS_CLOSED = FaultyResponse(
        "403 / 349: direct messages closed", 403, 349, "You cannot send messages to this user."
    )
    UNPRINTABLE = FaultyResponse(
        "403 / 150 with invalid characters", 403, 150, "You cannot send messages\0 to this user \ud83d."
    )
    BLOCKED = FaultyResponse(
        "403 / 214: customer can't be messaged", 403, 214, "Bad request: you cannot message this user."
    )
    LOOKS_AUTOMATED = FaultyResponse("403 / 226: looks automated", 403, 226, AUTOMATED_MESSAGE)
    MESSAGE_TOO_LONG = FaultyResponse(
        "403 / 354: message too long",
        403,
        354,
        "The text of your direct message is over the max character limit.",
    )
    NO_CREDIT = FaultyResponse(
        "402: no API credits left",
        402,
        0,
        NO_CREDIT_MESSAGE,
        problem={"title": "CreditsDepleted", "type": f"{PROBLEMS}/credits"},
    )
    USAGE_CAPPED = FaultyResponse(
        "429: monthly usage cap exceeded",
        429,
        message="Usage cap exceeded: Monthly product cap",
        problem={"title": "UsageCapExceeded", "type": f"{PROBLEMS}/usage-capped", "period": "Monthly"},
        endpoints=V2_ENDPOINTS,
    )
    SPENDING_LIMIT = FaultyResponse(
        "403: spending limit reached",
        403,
        message=f"Your enrolled account {PAYER} has reached its billing cycle spend cap.",
        problem={"title": "SpendCapReached", "type": f"{PROBLEMS}/credits"},
        endpoints=V2_ENDPOINTS,
    )
    NOT_ENROLLED = FaultyResponse(
        "403: X app not enrolled",
        403,
        message="When authenticating requests to the Twitter API v2 endpoints, you must use keys and tokens "
        "from a Twitter developer App that is attached to a Project.",
        problem={
            "title": "Client Forbidden",
            "type": f"{PROBLEMS}/client-forbidden",
            "reason": "client-not-enrolled",
            "required_enrollment": "Appropriate Level of API Access",
        },
        endpoints=V2_ENDPOINTS,
    )
    UNSUPPORTED_AUTHENTICATION = FaultyResponse(
        "403: unsupported authentication",
        403,
        message="Authenticating with OAuth 1.0a User Context is forbidden for this endpoint.",
        problem={"title": "Unsupported Authentication", "type": f"{PROBLEMS}/unsupported-authentication"},
        endpoints=V2_ENDPOINTS,
    )
    NO_MESSAGE_PERMISSION = FaultyResponse(
        "403: X app may not write direct messages",
        403,
        message="Your client app is not configured with the appropriate oauth1 app permissions "
        "for this endpoint.",
        problem={"type": f"{PROBLEMS}/oauth1-permissions"},
        endpoints=MESSAGE_ENDPOINTS,
    )
    NOT_OPEN_TO_MESSAGES = FaultyResponse(
        "403: customer takes no direct messages",
        403,
        message="You do not have permission to DM one or more participants.",
        endpoints=(Endpoint.SEND_MESSAGE,),
    )
    OPERATION_NOT_PERMITTED = FaultyResponse(
        "403: operation not permitted",
        403,
        message="This operation is not permitted.",
        endpoints=(Endpoint.SEND_MESSAGE,),
    )
    VERIFIED_ONLY = FaultyResponse(
        "403 / 476: customer takes messages from verified accounts only",
        403,
        476,
        VERIFIED_ONLY_MESSAGE,
        problem={"errors": [{"code": 476, "message": VERIFIED_ONLY_MESSAGE}]},
        endpoints=(Endpoint.SEND_MESSAGE,),
    )
    RATE_LIMITED = FaultyResponse("429 / 88: rate limit", 429, 88, "Rate limit exceeded")
    DAILY_LIMIT = FaultyResponse("429 / 88: 24-hour limit", 429, 88, "Rate limit exceeded.")
    APP_DAILY_LIMIT = FaultyResponse(
        "429: 24-hour limit of the X app",
        429,
        message="Too Many Requests",
        endpoints=MESSAGE_ENDPOINTS,
    )
    ENHANCE_YOUR_CALM = FaultyResponse("420: enhance your calm", 420, 420, "Enhance Your Calm")
    OVER_CAPACITY = FaultyResponse("503 / 130: over capacity", 503, 130, "Over capacity")

    INTERNAL_ERROR = FaultyResponse("500 / 131: internal error", 500, 131, "Internal error")
    BAD_GATEWAY = FaultyResponse("502: bad gateway", 502, body=ERROR_PAGE)
    GATEWAY_TIMEOUT = FaultyResponse("504: gateway timeout", 504, body=ERROR_PAGE)
    INTERNAL_ERROR_AFTER = FaultyResponse(
        "500 / 131, but X processed the request", 500, 131, "Internal error", has_effect=True
    )
    BAD_GATEWAY_AFTER = FaultyResponse(
        "502, but X processed the request", 502, body=ERROR_PAGE, has_effect=True
    )
    GATEWAY_TIMEOUT_AFTER = FaultyResponse(
        "504, but X processed the request", 504, body=ERROR_PAGE, has_effect=True
    )

    SLOW = FaultyResponse("responds late", has_effect=True)
    HANG = FaultyResponse("never responds")
    HANG_AFTER = FaultyResponse("never responds, but X processed the request", has_effect=True)
    RESET = FaultyResponse("closes the connection")
    RESET_AFTER = FaultyResponse("closes the connection, but X processed the request", has_effect=True)

    MESSAGE_REQUEST = FaultyResponse(
        "201, but hidden among message requests", 201, has_effect=True, endpoints=(Endpoint.SEND_MESSAGE,)
    )

    EMPTY_BODY = FaultyResponse("200 with an empty body", 200, body="", has_effect=True)
    HTML = FaultyResponse("200 with an HTML page", 200, body=ERROR_PAGE, has_effect=True)
    TRUNCATED = FaultyResponse("200 with a truncated body", 200, has_effect=True)
    LIST = FaultyResponse("200 with a JSON list", 200, body="[]", has_effect=True)
    NUMBER = FaultyResponse("200 with a JSON number", 200, body="42", has_effect=True)
    OVERSIZED = FaultyResponse("200 with 2 MB, compressed", 200, has_effect=True)
    IDS_MISSING = FaultyResponse("200 without ids", 200, has_effect=True)

    @property
    def title(self) -> str:
        """Title shown in a list of faults."""
        return self.value.title
