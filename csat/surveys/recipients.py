"""Who a survey is for, read from whatever a person types or pastes."""

import re

from csat.surveys.frozen_model import FrozenModel

MAX_HANDLE_LENGTH = 15
MAX_ID = 2**63 - 1
"""X's ids are signed 64-bit integers."""

HOSTS = r"(?:https?://)?(?:www\.|mobile\.|m\.)?(?:x|twitter)\.com"
_LINK = re.compile(
    HOSTS + r"/(?:(?:i/user/|intent/(?:user|follow)\?user_id=|messages/compose\?recipient_id=)(?P<id>[0-9]+)"
    r"|(?:intent/(?:user|follow)\?screen_name=)?@?(?P<handle>\w+))(?:[/?#&]\S*)?",
    re.IGNORECASE,
)
INVISIBLE_CHARACTERS = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""What comes along unseen when a handle is copied: zero-width characters and marks of direction."""
_PAGES = (
    "i home explore search hashtag intent share compose messages notifications settings account login logout"
    " signup download oauth about jobs tos privacy"
)
_NOT_PEOPLE = frozenset(_PAGES.split())
"""First parts of x.com addresses that are pages of X itself."""


class InvalidRecipient(ValueError):
    """The text names nobody on X; `str()` says what to type instead."""


class Recipient(FrozenModel):
    """A customer on X, by handle, by numeric id, or by both."""

    handle: str | None = None
    """Without the "@"."""
    id: str | None = None
    """Digits; a string, because X's ids are larger than 2^53."""

    @property
    def label(self) -> str:
        """How a person would type it: `@handle` or the id; "" of somebody who was forgotten."""
        return f"@{self.handle}" if self.handle else self.id or ""

    @property
    def is_erased(self) -> bool:
        """Whether all that names them was erased."""
        return self.handle is None and self.id is None


def parse_recipient(text: str) -> Recipient:
    """Read a handle, a numeric id or a link to a profile or post; raises `InvalidRecipient`.

    `783214` is an id and `@783214` is a handle, as on X.
    """
    text = INVISIBLE_CHARACTERS.sub("", text).strip()
    if not text:
        raise InvalidRecipient("Enter the customer's X handle, like @handle, or their numeric id.")
    if link := _LINK.fullmatch(text):
        return _from_link(link)
    if re.fullmatch("[0-9]+", text):
        return Recipient(id=_valid_id(text))
    return Recipient(handle=_valid_handle(text.removeprefix("@")))


def _from_link(link: re.Match[str]) -> Recipient:
    if link["id"]:
        return Recipient(id=_valid_id(link["id"]))
    if link["handle"].lower() in _NOT_PEOPLE:
        raise InvalidRecipient("That link names no customer. Paste their profile or one of their posts.")
    return Recipient(handle=_valid_handle(link["handle"]))


def _valid_id(digits: str) -> str:
    number = digits.lstrip("0")
    if not number or len(number) > len(str(MAX_ID)) or int(number) > MAX_ID:
        raise InvalidRecipient(
            "That is not an X id: they are numbers of at most 19 digits. For a handle, put @ in front."
        )
    return number


def _valid_handle(handle: str) -> str:
    if not re.fullmatch("[A-Za-z0-9_]+", handle):
        raise InvalidRecipient("X handles have only the letters a-z, digits and _: enter it like @handle.")
    if len(handle) > MAX_HANDLE_LENGTH:
        raise InvalidRecipient(
            f"X handles have at most {MAX_HANDLE_LENGTH} characters; this one has {len(handle)}."
        )
    return handle
