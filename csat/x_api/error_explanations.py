"""X's errors, explained to an operator."""

from csat.surveys.transport_errors import Refused, RetryLater, TransportError
from csat.x_api.errors import AccountRefused, RateLimited, Unreadable
from csat.x_api.refusals import RecipientUnknown

_UNREACHABLE = "it can't be reached"
_TOO_SLOW = "it didn't respond in time"
_CONNECTION_LOST = "the connection broke"

_CONNECTION_ERRORS = {
    "OSError": _UNREACHABLE,
    "ConnectionRefusedError": f"{_UNREACHABLE}, as it refuses the connection",
    "ClientConnectorDNSError": f"{_UNREACHABLE}, its host name is not known",
    "ClientConnectorCertificateError": f"{_UNREACHABLE}, its certificate is not trusted",
    "ClientConnectorSSLError": f"{_UNREACHABLE} over https",
    "ConnectError": _UNREACHABLE,
    "ConnectTimeout": _UNREACHABLE,
    "ReadTimeout": _TOO_SLOW,
    "WriteTimeout": _TOO_SLOW,
    "PoolTimeout": _TOO_SLOW,
    "TimeoutError": _TOO_SLOW,
    "ConnectionResetError": _CONNECTION_LOST,
    "ServerDisconnectedError": _CONNECTION_LOST,
    "ReadError": _CONNECTION_LOST,
    "WriteError": _CONNECTION_LOST,
    "RemoteProtocolError": _CONNECTION_LOST,
}


def explain(error: TransportError) -> str:
    """Return an error in words, a clause in which "it" is X, with its code in parentheses."""
    return f"{_CONNECTION_ERRORS.get(str(error)) or _explain_kind(error)} ({error})"


def is_busy(error: TransportError) -> bool:
    """Return True if X has answered that it can't handle the request at the moment."""
    is_answer = str(error) not in _CONNECTION_ERRORS
    return is_answer and isinstance(error, RetryLater) and not isinstance(error, Unreadable)


def _explain_kind(error: TransportError) -> str:
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
