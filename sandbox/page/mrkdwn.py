"""Slack's mrkdwn as safe markup: whatever is not known to be markup stays text."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from html import unescape
from itertools import groupby

from markupsafe import Markup, escape

from sandbox.page.emoji import emoji

Namer = Callable[[str, str], str]
"""Names what an id stands for: `("@", "U07...")` is a person or a user group, `("#", "C07...")` a channel."""

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
_WEB = re.compile(r"(?:https?|mailto|tel):", re.IGNORECASE)
_DATE = re.compile(r"date\^(\d{1,12})\^([^^]+)(?:\^(.+))?", re.DOTALL)
_QUOTE = re.compile(r"\s?(?:>|&gt;) ?")

BROADCASTS = {"channel", "here", "everyone"}


class Mrkdwn:
    """Draws mrkdwn and plain text; `name` tells what people and channels are called."""

    def __init__(self, name: Namer) -> None:
        self.name = name

    def __call__(self, text: str) -> Markup:
        """Draw a whole text: code blocks, quotes and lines."""
        parts = enumerate(_PREFORMATTED.split(text))
        return Markup().join(_preformatted(part) if index % 2 else self._lines(part) for index, part in parts)

    def plain(self, text: str) -> Markup:
        """Draw plain text, where only emoji are more than text."""
        drawn = re.sub(r"(?<![\w:]):([a-z0-9_+'-]+):", lambda found: emoji(found[1]), text)
        return escape(drawn)

    def link(self, url: str, label: str = "") -> Markup:
        """Draw a link to the web, or only its label where it leads anywhere else."""
        if not web(url):
            return escape(label or url)
        return Markup('<a href="{}" target="_blank" rel="noreferrer">{}</a>').format(url, label or url)

    def mention(self, sigil: str, id_: str) -> Markup:
        """Draw the mention of a person, a user group or a channel."""
        return Markup('<span class="mention">{}{}</span>').format(sigil, self.name(sigil, id_))

    def broadcast(self, whom: str) -> Markup:
        """Draw a mention that alerts everybody."""
        return Markup('<span class="mention broadcast">@{}</span>').format(whom)

    def date(self, stamp: int, tokens: str, url: str = "") -> Markup:
        """Draw a date in the words of `<!date^...>`, in this machine's time zone."""
        words = dated(datetime.fromtimestamp(stamp, UTC).astimezone(), tokens)
        return self.link(url, words) if url else escape(words)

    def _lines(self, text: str) -> Markup:
        runs = groupby(text.strip("\n").split("\n"), lambda line: bool(_QUOTE.match(line)))
        return Markup().join(self._run(list(lines), quoted=quoted) for quoted, lines in runs)

    def _run(self, lines: list[str], *, quoted: bool) -> Markup:
        if not quoted:
            return Markup("<br>").join(map(self._spans, lines))
        inside = Markup("<br>").join(self._spans(_QUOTE.sub("", line, count=1)) for line in lines)
        return Markup("<blockquote>{}</blockquote>").format(inside)

    def _spans(self, text: str) -> Markup:
        drawn, end = [], 0
        for found in _SPAN.finditer(text):
            drawn += [_text(text[end : found.start()]), self._span(found)]
            end = found.end()
        return Markup().join([*drawn, _text(text[end:])])

    def _span(self, found: re.Match[str]) -> Markup:
        kind, inside = str(found.lastgroup), found[str(found.lastgroup)]
        match kind:
            case "code":
                return Markup("<code>{}</code>").format(_text(inside))
            case "angle":
                return self._angle(inside)
            case "url":
                return self.link(unescape(inside))
            case "emoji":
                return escape(emoji(inside))
        return Markup("<{0}>{1}</{0}>").format(Markup(kind), self._spans(inside))  # noqa: S704 - a group of ours

    def _angle(self, inside: str) -> Markup:
        target, _, label = unescape(inside).partition("|")
        match target[0]:
            case "@" | "#":
                return self.mention(target[0], target[1:])
            case "!":
                return self._special(target[1:], label)
        return self.link(target, label)

    def _special(self, target: str, label: str) -> Markup:
        if target in BROADCASTS:
            return self.broadcast(target)
        if target.startswith("subteam^"):
            return self.mention("@", target.removeprefix("subteam^"))
        if date := _DATE.fullmatch(target):
            return self.date(int(date[1]), date[2], date[3] or "")
        return escape(label or f"<!{target}>")


def dated(at: datetime, tokens: str) -> str:
    """Put a time into a sentence with Slack's tokens, such as `{date_short} at {time}`."""
    day = f"{at:%B} {at.day}, {at.year}"
    words = {
        "date_num": f"{at:%Y-%m-%d}",
        "date": day,
        "date_short": f"{at:%b} {at.day}, {at.year}",
        "date_long": f"{at:%A}, {day}",
        "time": clock(at),
        "time_secs": f"{at:%H:%M:%S}",
        "ago": clock(at),
    }
    words |= {f"{name}_pretty": words[name] for name in ("date", "date_short", "date_long")}
    return re.sub(r"\{(\w+)\}", lambda found: words.get(found[1], found[0]), tokens)


def clock(at: datetime) -> str:
    """Tell the time as Slack does: 9:41 AM."""
    return f"{at.hour % 12 or 12}:{at:%M} {'AM' if at.hour < 12 else 'PM'}"  # noqa: PLR2004 - noon


def web(url: str) -> str:
    """Return an address that a browser may follow, or nothing."""
    return url if _WEB.match(url) else ""


def _text(text: str) -> Markup:
    """Undo Slack's three escapes, and escape for HTML."""
    return escape(text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


def _preformatted(text: str) -> Markup:
    return Markup("<pre>{}</pre>").format(_text(text.strip("\n")))
