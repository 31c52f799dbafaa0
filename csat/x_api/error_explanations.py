"""What X's errors mean, in words for an operator."""

from csat.x_api.errors import AccountRefused, RateLimited, Refused, Unreadable, XError
from csat.x_api.refusals import RecipientUnknown

_UNREACHABLE = "it can't be reached"
_TOO_SLOW = "it didn't respond in time"
_CONNECTION_LOST = "the connection broke"

_TRANSPORT_ERRORS = {
    "ConnectError": _UNREACHABLE,
    "ConnectTimeout": _UNREACHABLE,
    "ReadTimeout": _TOO_SLOW,
    "WriteTimeout": _TOO_SLOW,
    "PoolTimeout": _TOO_SLOW,
    "TimeoutError": _TOO_SLOW,
    "ReadError": _CONNECTION_LOST,
    "WriteError": _CONNECTION_LOST,
    "RemoteProtocolError": _CONNECTION_LOST,
}


def explain(error: XError) -> str:
    """Return an error in words, a clause in which "it" is X, with its code in parentheses."""
    return f"{_TRANSPORT_ERRORS.get(str(error)) or _explain_kind(error)} ({error})"


def _explain_kind(error: XError) -> str:
    match error:
        case AccountRefused():
            return error.reason
        case RecipientUnknown():
            return "it knows no such account, or isn't at this address"
        case Refused():
            return "it refused"
        case Unreadable():
            return "its response can't be read"
        case RateLimited():
            return "it accepts no more requests for now"
        case _:
            return "it is busy or has a problem at the moment"
