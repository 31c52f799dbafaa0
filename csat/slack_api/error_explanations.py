"""Slack's error codes, explained to an operator.

Source: the errors listed at docs.slack.dev/reference/methods for auth.test, apps.connections.open and
conversations.info.
"""

from csat.slack_api.errors import NoResponse, SlackError, SlackUnavailable

_TOO_MANY_REQUESTS = "there are too many requests at the moment"
_UNAVAILABLE = "Slack has a problem at the moment"
_NO_CONNECTION = "Slack can't be reached"
_CONNECTION_LOST = "the connection to Slack broke"

_EXPLANATIONS = {
    "invalid_auth": "Slack does not accept the token",
    "not_authed": "Slack got no token",
    "account_inactive": "the token is of a user or workspace that was deactivated",
    "token_revoked": "the token was revoked",
    "token_expired": "the token has expired",
    "not_allowed_token_type": "this is the wrong kind of token",
    "missing_scope": "the token lacks a scope",
    "team_access_not_granted": "the token gives no access to this workspace",
    "access_denied": "the token gives no access here",
    "no_permission": "the token's user may not do this",
    "org_login_required": "the workspace is being moved to an organization",
    "team_added_to_org": "the workspace is being moved to an organization",
    "channel_not_found": "there is no such channel, or it is private and without the app",
    "ratelimited": _TOO_MANY_REQUESTS,
    "rate_limited": _TOO_MANY_REQUESTS,
    "HTTP 429": _TOO_MANY_REQUESTS,
    "accesslimited": _UNAVAILABLE,
    "internal_error": _UNAVAILABLE,
    "fatal_error": _UNAVAILABLE,
    "service_unavailable": _UNAVAILABLE,
    "request_timeout": _UNAVAILABLE,
    "ClientConnectorError": _NO_CONNECTION,
    "ClientConnectorDNSError": f"{_NO_CONNECTION}, its host name is not known",
    "ClientConnectorCertificateError": f"{_NO_CONNECTION}, its certificate is not trusted",
    "ServerDisconnectedError": _CONNECTION_LOST,
    "ClientOSError": _CONNECTION_LOST,
    "ConnectionTimeoutError": f"{_NO_CONNECTION} in time",
    "TimeoutError": "Slack did not respond in time",
}


def explain(error: SlackError) -> str:
    """Return an error in words, with its code in parentheses."""
    return f"{_explain(error)} ({error})"


def is_busy(error: SlackError) -> bool:
    """Return True if Slack has answered that it can't handle the request at the moment."""
    return _explain(error) in (_TOO_MANY_REQUESTS, _UNAVAILABLE)


def _explain(error: SlackError) -> str:
    if error.needed_scope:
        return f"the token lacks the scope {error.needed_scope}"
    return _EXPLANATIONS.get(str(error)) or _explain_kind(error)


def _explain_kind(error: SlackError) -> str:
    if isinstance(error, NoResponse):
        return "Slack sent no response that can be read"
    return _UNAVAILABLE if isinstance(error, SlackUnavailable) else "Slack refused"
