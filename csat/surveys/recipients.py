"""The recipient of a survey, an account on X or a person in Slack, parsed from what people type or paste."""

import re
from functools import lru_cache

from csat.surveys.frozen_model import FrozenModel
from csat.surveys.networks import Network

MAX_HANDLE_LENGTH = 15
MAX_ID = 2**63 - 1
"""X's ids are signed 64-bit integers."""

HOSTS = r"(?:https?://)?(?:www\.|mobile\.|m\.)?(?:x|twitter)\.com"
_LINK = re.compile(
    HOSTS + r"/(?:(?:i/user/|intent/(?:user|follow)\?user_id=|messages/compose\?recipient_id=)(?P<id>[0-9]+)"
    r"|(?:intent/(?:user|follow)\?screen_name=)?@?(?P<handle>\w+))(?:[/?#&]\S*)?",
    re.IGNORECASE,
)
_POST_WITHOUT_AUTHOR = re.compile(HOSTS + r"/i/(?:web/)?status(?:es)?/.*", re.IGNORECASE)
_OF_X = re.compile(r"(?:https?://)?(?:[\w-]+\.)*(?:x|twitter)\.com(?:[/?#:].*)?", re.IGNORECASE)
_ANY_LINK = re.compile(r"https?://.*|www\..*|[\w-]+(?:\.[\w-]+)+/.*", re.IGNORECASE)
_MENTION = re.compile(r"<@(?P<user>[UW][A-Z0-9]+)(?:\|[^>]*)?>")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_SEPARATORS = re.compile(r"[\s,;]+")
_NAMES_SOMEBODY = re.compile(rf"@\w|{HOSTS}/", re.IGNORECASE)
_AT_SIGNS = re.compile("[@\uff20]+")
_POSSESSIVE = re.compile("['\u2019]s$")
INVISIBLE_CHARACTERS = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""Zero-width characters and direction marks, which are often copied along with a handle."""
_PAGES = (
    "i home explore search hashtag intent share compose messages notifications settings account login logout"
    " signup download oauth about jobs tos privacy"
)
RESERVED_PATHS = frozenset(_PAGES.split())
"""First path segments on x.com that are pages of X itself, not handles."""

NO_CUSTOMER_S_LINK = "This link is not a customer's. Paste a link to their profile or a post."
NO_AUTHOR = "This link doesn't name its author. Type their handle, or paste a link to their profile."
ONE_AT_A_TIME = "Name one customer at a time: each gets their own survey."


class InvalidRecipient(ValueError):
    """The text is no recipient; `str()` says what to type instead."""


class XAccount(FrozenModel):
    """A customer on X, by handle, by numeric id, or by both; by neither once erased."""

    handle: str | None = None
    """Without the "@"."""
    id: str | None = None
    """Digits; a string, because X's ids are larger than 2^53."""

    @property
    def network(self) -> Network:
        """Where the customer is."""
        return Network.X

    @property
    def label(self) -> str:
        """The recipient as a person would type it: `@handle`, or the id; "" if erased."""
        return f"@{self.handle}" if self.handle else self.id or ""

    @property
    def is_erased(self) -> bool:
        """Whether handle and id were erased."""
        return self.handle is None and self.id is None


class SlackPerson(FrozenModel):
    """A customer in Slack: of another company in a shared channel, a guest, or a colleague."""

    team: str
    """The workspace that the app is installed in, where alone the user's id means anything."""
    user: str

    @property
    def network(self) -> Network:
        """Where the customer is."""
        return Network.SLACK

    @property
    def id(self) -> str:
        """The key of the person in the database."""
        return f"{self.team}/{self.user}"

    @property
    def handle(self) -> None:
        """Nobody in Slack has a handle on X."""

    @property
    def label(self) -> str:
        """The person as Slack writes a mention, which it shows as their name."""
        return f"<@{self.user}>"

    @property
    def is_erased(self) -> bool:
        """Never: an erased survey has no recipient of any network."""
        return False


Recipient = XAccount | SlackPerson


def from_stored(handle: str | None, recipient_id: str | None) -> Recipient:
    """Return a recipient by their handle and id as the database stores them; both are empty once erased."""
    team, is_in_slack, user = (recipient_id or "").partition("/")
    return SlackPerson(team=team, user=user) if is_in_slack else XAccount(handle=handle, id=recipient_id)


@lru_cache(64)  # a form asks several times for its customer
def parse_recipient(text: str, team: str = "") -> Recipient:
    """Parse a handle, a numeric id, a link to a profile or post, or a mention; raises `InvalidRecipient`.

    `783214` is an id and `@783214` is a handle, as on X. A mention, as Slack writes it, names a person in the
    workspace `team`.
    """
    if mention := _MENTION.fullmatch(text.strip()):
        return SlackPerson(team=team, user=mention["user"])
    text = _POSSESSIVE.sub("", _AT_SIGNS.sub("@", INVISIBLE_CHARACTERS.sub("", text).strip()))
    if not text:
        raise InvalidRecipient("Enter the customer's X handle, like @handle, or their numeric ID.")
    if len([word for word in _SEPARATORS.split(text) if _NAMES_SOMEBODY.match(word)]) > 1:
        raise InvalidRecipient(ONE_AT_A_TIME)
    if _POST_WITHOUT_AUTHOR.fullmatch(text):
        raise InvalidRecipient(NO_AUTHOR)
    if link := _LINK.fullmatch(text):
        return _parse_link(link)
    if _OF_X.fullmatch(text):
        raise InvalidRecipient(NO_CUSTOMER_S_LINK)
    if _ANY_LINK.fullmatch(text):
        raise InvalidRecipient("This link isn't to X. Paste one to their profile or a post on X.")
    if _EMAIL.fullmatch(text):
        raise InvalidRecipient("This is an email address. Enter their X handle, like @handle, instead.")
    if re.fullmatch("[0-9]+", text):
        return XAccount(id=_parse_id(text))
    return XAccount(handle=_parse_handle(text.removeprefix("@")))


def _parse_link(link: re.Match[str]) -> XAccount:
    if link["id"]:
        return XAccount(id=_parse_id(link["id"]))
    if link["handle"].lower() in RESERVED_PATHS:
        raise InvalidRecipient(NO_CUSTOMER_S_LINK)
    return XAccount(handle=_parse_handle(link["handle"]))


def _parse_id(digits: str) -> str:
    number = digits.lstrip("0")
    if not number or len(number) > len(str(MAX_ID)) or int(number) > MAX_ID:
        raise InvalidRecipient(
            "This is not an X ID: IDs are numbers of at most 19 digits. For a handle, put @ in front."
        )
    return number


def _parse_handle(handle: str) -> str:
    if not re.fullmatch("[A-Za-z0-9_]+", handle):
        raise InvalidRecipient("X handles contain only letters a-z, digits and _. Enter one like @handle.")
    if len(handle) > MAX_HANDLE_LENGTH:
        raise InvalidRecipient(
            f"X handles have at most {MAX_HANDLE_LENGTH} characters; this one has {len(handle)}."
        )
    return handle
