"""Who this app is in Slack: asked once, then remembered."""

import asyncio

from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_sdk.web.async_client import AsyncWebClient

from slack.errors import as_slack_error


class Identity(AsyncAuthorize):
    """The bot behind the token; Bolt asks it for every request.

    Args:
        web: Slack's Web API, with the bot's token.
    """

    def __init__(self, web: AsyncWebClient) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._web = web
        self._known: AuthorizeResult | None = None
        self._asking = asyncio.Lock()

    async def __call__(self, **_: object) -> AuthorizeResult:
        """Tell who the app is; raises `SlackError` while Slack can't be asked."""
        async with self._asking:
            if self._known is None:
                with as_slack_error():
                    answer = await self._web.auth_test()
                self._known = AuthorizeResult.from_auth_test_response(
                    auth_test_response=answer, bot_token=self._web.token
                )
        return self._known

    async def team(self) -> str:
        """Return the id of the workspace that the app is installed in."""
        return (await self()).team_id or ""
