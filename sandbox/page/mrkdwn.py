"""Render Slack's mrkdwn as safe HTML; unknown markup stays text."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from html import unescape
from itertools import groupby

from markupsafe import Markup, escape

from sandbox.page.emoji import render_emoji

NameLookup = Callable[[str, str], str]
"""Return a name by sigil and id: `("@", "U07...")` for a person or group, `("#", "C07...")` for a channel."""

_SPAN = re.compile(
    r"`(?P<code>[^`\n]+)`"
    r"|<(?P<angle>(?:[@#!]|[a-z]+:)[^<>\n]+)>"
    r"|(?P<url>https?://[^\s<>|]*[^\s<>|.,;:!?)])"
    r"|(?<![\w:]):(?P<emoji>[a-z0-9_+'-]+(?:::skin-tone-\d)?):"
    r"|(?<![\w*])\*(?P<strong>[^\s*](?:[^*\n]*[^\s*])?)\*(?![\w*])"
    r"|(?<![\w_])_(?P<em>[^\s_](?:[^_\n]*[^\s_])?)_(?![\w_])"
    r"|(?<![\w~])~(?P<s>[^\s~](?:[^~\n]*[^\s~])?)~(?![\w~])"
)
_PREFORMATTED = re.compile(r"```(.+?)```", re.DOTALL)
_SAFE_SCHEME = re.compile(r"(?:https?|mailto|tel):", re.IGNORECASE)
_DATE = re.compile(r"date\^(\d{1,12})\^([^^]+)(?:\^(.+))?", re.DOTALL)
_QUOTE = re.compile(r"\s?(?:>|&gt;) ?")

BROADCASTS = {"channel", "here", "everyone"}


class MrkdwnRenderer:
    """Render mrkdwn and plain text."""

    def __init__(self, look_up_name: NameLookup) -> None:
        self._look_up_name = look_up_name

    def render(self, text: str) -> Markup:
        """Render mrkdwn: code blocks, quotes and lines."""
        parts = enumerate(_PREFORMATTED.split(text))
        return Markup().join(
            _render_preformatted(part) if index % 2 else self._render_lines(part) for index, part in parts
        )

    def render_plain(self, text: str) -> Markup:
        """Render plain text with emoji."""
        return escape(re.sub(r"(?<![\w:]):([a-z0-9_+'-]+):", lambda found: render_emoji(found[1]), text))

    def link(self, url: str, label: str = "") -> Markup:
        """Render a link, or only its label if the URL is unsafe."""
        if not safe_url(url):
            return escape(label or url)
        return Markup('<a href="{}" target="_blank" rel="noreferrer">{}</a>').format(url, label or url)

    def mention(self, sigil: str, id_: str) -> Markup:
        """Render a mention of a person, a user group or a channel."""
        return Markup('<span class="mention">{}{}</span>').format(sigil, self._look_up_name(sigil, id_))

    def broadcast(self, audience: str) -> Markup:
        """Render `@channel`, `@here` or `@everyone`."""
        return Markup('<span class="mention broadcast">@{}</span>').format(audience)

    def date(self, stamp: int, tokens: str, url: str = "") -> Markup:
        """Render `<!date^...>` in this machine's time zone."""
        text = format_date_tokens(datetime.fromtimestamp(stamp, UTC).astimezone(), tokens)
        return self.link(url, text) if url else escape(text)

    def _render_lines(self, text: str) -> Markup:
        groups = groupby(text.strip("\n").split("\n"), lambda line: bool(_QUOTE.match(line)))
        return Markup().join(self._render_line_group(list(lines), quoted=quoted) for quoted, lines in groups)

    def _render_line_group(self, lines: list[str], *, quoted: bool) -> Markup:
        if not quoted:
            return Markup("<br>").join(map(self._render_spans, lines))
        inside = Markup("<br>").join(self._render_spans(_QUOTE.sub("", line, count=1)) for line in lines)
        return Markup("<blockquote>{}</blockquote>").format(inside)

    def _render_spans(self, text: str) -> Markup:
        parts, end = [], 0
        for found in _SPAN.finditer(text):
            parts += [_escape_text(text[end : found.start()]), self._render_span(found)]
            end = found.end()
        return Markup().join([*parts, _escape_text(text[end:])])

    def _render_span(self, found: re.Match[str]) -> Markup:
        kind, inside = str(found.lastgroup), found[str(found.lastgroup)]
        match kind:
            case "code":
                return Markup("<code>{}</code>").format(_escape_text(inside))
            case "angle":
                return self._render_angle(inside)
            case "url":
                return self.link(unescape(inside))
            case "emoji":
                return escape(render_emoji(inside))
        return Markup("<{0}>{1}</{0}>").format(Markup(kind), self._render_spans(inside))  # noqa: S704 - a group name of _SPAN

    def _render_angle(self, inside: str) -> Markup:
        target, _, label = unescape(inside).partition("|")
        match target[0]:
            case "@" | "#":
                return self.mention(target[0], target[1:])
            case "!":
                return self._render_special(target[1:], label)
        return self.link(target, label)

    def _render_special(self, target: str, label: str) -> Markup:
        if target in BROADCASTS:
            return self.broadcast(target)
        if target.startswith("subteam^"):
            return self.mention("@", target.removeprefix("subteam^"))
        if date := _DATE.fullmatch(target):
            return self.date(int(date[1]), date[2], date[3] or "")
        return escape(label or f"<!{target}>")


def format_date_tokens(at: datetime, tokens: str) -> str:
    """Replace Slack's date tokens, as in `{date_short} at {time}`."""
    day = f"{at:%B} {at.day}, {at.year}"
    values = {
        "date_num": f"{at:%Y-%m-%d}",
        "date": day,
        "date_short": f"{at:%b} {at.day}, {at.year}",
        "date_long": f"{at:%A}, {day}",
        "time": format_time(at),
        "time_secs": f"{at:%H:%M:%S}",
        "ago": format_time(at),
    }
    values |= {f"{name}_pretty": values[name] for name in ("date", "date_short", "date_long")}
    return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], found[0]), tokens)


def format_time(at: datetime) -> str:
    """Format a time like Slack: 9:41 AM."""
    return f"{at.hour % 12 or 12}:{at:%M} {'AM' if at.hour < 12 else 'PM'}"  # noqa: PLR2004 - noon


def safe_url(url: str) -> str:
    """Return a URL that is safe to link to, or an empty string."""
    return url if _SAFE_SCHEME.match(url) else ""


def _escape_text(text: str) -> Markup:
    """Replace Slack's escapes with HTML's."""
    return escape(text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


def _render_preformatted(text: str) -> Markup:
    return Markup("<pre>{}</pre>").format(_escape_text(text.strip("\n")))
