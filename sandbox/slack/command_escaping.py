"""Escape the text of slash commands for apps with `should_escape` in their manifest."""

import html
import re

from sandbox.slack.workspace_state import WorkspaceState

TOKEN = re.compile(r"(?P<user>@[\w.-]+)|(?P<channel>#[\w-]+)|(?P<url>https?://[^\s<>|]+)")


def escape_command_text(state: WorkspaceState, text: str) -> str:
    """Escape `&`, `<` and `>`, and replace users, channels and URLs with Slack's markup."""
    users = {f"@{user.name}": user.id for user in state.directory.users.values()}
    channels = {f"#{channel.name}": channel.id for channel in state.conversations.channels.values()}

    def replace(match: re.Match[str]) -> str:
        token = match[0]
        if token in users:
            return f"<@{users[token]}|{token[1:]}>"
        if token in channels:
            return f"<#{channels[token]}|{token[1:]}>"
        return f"<{token}>" if match["url"] else token

    return TOKEN.sub(replace, html.escape(text, quote=False))
