"""Ask Slack again and again whether it accepts the bot's token, and log when that changes."""

import logging

from csat.slack_api.client import SlackClient
from csat.slack_api.error_explanations import explain
from csat.slack_api.errors import SlackError, is_rejection

log = logging.getLogger(__name__)


class TokenWatch:
    """Logs once that Slack rejects the token or can't be reached, and once that it accepts it again."""

    def __init__(self, slack: SlackClient) -> None:
        self._slack = slack
        self._is_rejected: bool | None = None
        """False while Slack can't be reached, and None while it accepts the token."""

    async def run(self) -> None:
        """Ask Slack; the first question also opens the connection before somebody waits for it."""
        try:
            await self._slack.check_token()
        except SlackError as error:
            self._note(error)
        else:
            if self._is_rejected is not None:
                log.info("Slack accepts this app again")
            self._is_rejected = None

    def _note(self, error: SlackError) -> None:
        is_rejected = is_rejection(error)
        is_new = is_rejected is not self._is_rejected
        self._is_rejected = is_rejected
        if is_rejected:
            level, message = logging.ERROR, "Slack rejects this app: %s. Run python app.py check"
        else:
            level, message = logging.WARNING, "Can't reach Slack, retrying: %s"
        log.log(level if is_new else logging.DEBUG, message, explain(error))
