"""slack_sdk's client of Slack's Web API, made to survive every response."""

from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from csat.slack_api.errors import as_slack_error, error_from_response


class WebClient(AsyncWebClient):
    """The client of the app; all failures are raised as a `SlackError`.

    Given a body that is not a JSON object, slack_sdk raises an `AttributeError`, or passes it on.
    """

    async def _send(self, http_verb: str, api_url: str, req_args: dict[str, Any]) -> AsyncSlackResponse:
        with as_slack_error():
            return await super()._send(http_verb, api_url, req_args)

    async def _request(self, *, http_verb: str, api_url: str, req_args: dict[str, Any]) -> dict[str, Any]:
        try:
            response = await super()._request(http_verb=http_verb, api_url=api_url, req_args=req_args)
        except SlackApiError as error:  # only here its response is aiohttp's
            raise error_from_response(error.response.status, error.response.headers, None) from error
        if not isinstance(response["data"], dict):
            raise error_from_response(response["status_code"], response["headers"], None)
        return response
