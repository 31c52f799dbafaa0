"""A person's App Home, which nobody else sees."""

import logging
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from csat.slack_api.errors import Unreachable, as_slack_error

NOT_KNOWN = frozenset({"invalid_blocks", "invalid_arguments"})
"""What a workspace says to blocks that it does not have yet."""

Json = dict[str, Any]

log = logging.getLogger(__name__)


async def publish(web: AsyncWebClient, user: str, view: Json, in_words: Json) -> None:
    """Show somebody their Home, in words where Slack refuses charts and tables; raises `SlackError`.

    https://docs.slack.dev/reference/methods/views.publish
    """
    try:
        await _publish(web, user, view)
    except Unreachable as refusal:
        if str(refusal) not in NOT_KNOWN or view == in_words:
            raise
        log.info("Slack takes no charts in the Home of %s (%s), so it gets words", user, refusal)
        await _publish(web, user, in_words)


async def _publish(web: AsyncWebClient, user: str, view: Json) -> None:
    with as_slack_error():
        await web.views_publish(user_id=user, view=view)
