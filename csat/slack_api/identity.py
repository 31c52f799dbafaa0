"""Who this app is in Slack: asked once, then remembered."""

from slack_sdk.web.async_client import AsyncWebClient

from csat.slack_api.errors import as_slack_error


class Identity:
    """The bot behind the token.

    Args:
        web: Slack's Web API, with the bot's token.
    """

    def __init__(self, web: AsyncWebClient) -> None:
        self._web = web
        self._team: tuple[str, str] | None = None

    async def team(self) -> str:
        """Return the id of the workspace that the app is installed in; raises `SlackError`."""
        return (await self._asked())[0]

    async def url(self) -> str:
        """Return the workspace's address, with a slash at its end; raises `SlackError`."""
        return (await self._asked())[1]

    async def _asked(self) -> tuple[str, str]:
        if self._team is None:
            with as_slack_error():
                answer = await self._web.auth_test()
            self._team = str(answer["team_id"]), str(answer["url"])
        return self._team
