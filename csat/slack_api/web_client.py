"""slack_sdk's client of Slack's Web API, made to end in time and to survive every response."""

import logging
from typing import Any

import aiohttp
from pydantic import SecretStr
from pydantic_core import to_json
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncConnectionErrorRetryHandler
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from csat.outgoing_request_timing import Observe, Timed, ignore
from csat.slack_api.errors import TOKEN_ERRORS, SlackError, as_slack_error, error_from_response
from csat.timeouts import Timeouts

POSTING_METHODS = ("/chat.postMessage", "/chat.postEphemeral")
"""The methods that would post a second message if they were repeated."""

APP_TOKEN_METHOD = "apps.connections.open"  # noqa: S105 - a method, and no password
"""The only method that is called with the app-level token, and not with the bot's."""


class WebClient(AsyncWebClient):
    """The client of the app; all failures are raised as a `SlackError`.

    Given a body that is not a JSON object, slack_sdk raises an `AttributeError`, or passes it on.
    """

    timeouts: Timeouts
    observe: Observe = staticmethod(ignore)
    """Observes each request, by the name of its method."""
    rejection: SlackError | None = None
    """Why Slack has rejected the bot's token at the latest call, or `None`."""

    async def _send(self, http_verb: str, api_url: str, req_args: dict[str, Any]) -> AsyncSlackResponse:
        method = api_url.rpartition("/")[2]
        try:
            with Timed(self.observe, method), as_slack_error():
                response = await super()._send(http_verb, api_url, req_args)
        except SlackError as error:
            if method != APP_TOKEN_METHOD and str(error) in TOKEN_ERRORS:
                self.rejection = error
            raise
        if method != APP_TOKEN_METHOD:
            self.rejection = None
        return response

    async def _request(self, *, http_verb: str, api_url: str, req_args: dict[str, Any]) -> dict[str, Any]:
        try:
            response = await super()._request(http_verb=http_verb, api_url=api_url, req_args=req_args)
        except SlackApiError as error:  # only here its response is aiohttp's
            raise error_from_response(error.response.status, error.response.headers, None) from error
        if not isinstance(response["data"], dict):
            raise error_from_response(response["status_code"], response["headers"], None)
        return response


class ConnectionRetries(AsyncConnectionErrorRetryHandler):
    """Repeats a call once whose connection has failed, unless Slack may have posted its message."""

    async def _can_retry_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        has_left = not isinstance(error, aiohttp.ClientConnectorError)
        if has_left and request.url.endswith(POSTING_METHODS):
            return False
        return await super()._can_retry_async(state=state, request=request, response=response, error=error)


def open_session(timeouts: Timeouts) -> aiohttp.ClientSession:
    """Return an HTTP session for all calls to Slack; call this inside the event loop, and close the session.

    The session has the timeout because slack_sdk ignores its own if it is given a session.
    """
    timeout = aiohttp.ClientTimeout(total=timeouts.slack_call)
    return aiohttp.ClientSession(json_serialize_bytes=to_json, timeout=timeout)


def build_web_client(
    token: SecretStr,
    api_url: str,
    session: aiohttp.ClientSession,
    timeouts: Timeouts,
    observe: Observe = ignore,
) -> WebClient:
    """Return a client that authenticates with a bot token."""
    client = WebClient(
        token.get_secret_value(),
        base_url=f"{api_url}/",
        session=session,
        logger=logging.getLogger("slack_sdk"),  # its own has no level, and formats each call for nobody
        retry_handlers=[ConnectionRetries()],
    )
    client.timeouts, client.observe = timeouts, observe
    return client
