"""How a command's text reaches an app whose manifest says `should_escape`."""

import html
import re

from sandbox.slack.workspace_state import State

TOKEN = re.compile(r"(?P<user>@[\w.-]+)|(?P<channel>#[\w-]+)|(?P<url>https?://[^\s<>|]+)")


def escaped(state: State, text: str) -> str:
    """Escape `&`, `<` and `>`, and turn members, channels and links into Slack's own markup."""
    handles = {f"@{user.name}": user.id for user in state.directory.users.values()}
    names = {f"#{channel.name}": channel.id for channel in state.conversations.channels.values()}

    def markup(found: re.Match[str]) -> str:
        token = found[0]
        if token in handles:
            return f"<@{handles[token]}|{token[1:]}>"
        if token in names:
            return f"<#{names[token]}|{token[1:]}>"
        return f"<{token}>" if found["url"] else token

    return TOKEN.sub(markup, html.escape(text, quote=False))
