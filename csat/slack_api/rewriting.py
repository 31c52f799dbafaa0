"""Messages that are in Slack already, and are to say something else."""

from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from csat.slack_api.errors import as_slack_error


async def update_message(
    web: AsyncWebClient, channel: str, ts: str, text: str, blocks: list[dict[str, Any]]
) -> None:
    """Replace a message of ours (chat.update); raises `SlackError`.

    https://docs.slack.dev/reference/methods/chat.update
    """
    with as_slack_error():
        await web.chat_update(channel=channel, ts=ts, text=text, blocks=blocks)
