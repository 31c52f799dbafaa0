"""The customers that an operator names: on X as people do in Slack, or in Slack by their member id."""

import re

from csat.surveys.recipients import InvalidRecipient, Recipient, SlackPerson, parse_recipient

_PERSON = re.compile(r"(?:(?P<team>T[A-Z0-9]{2,})/)?(?P<user>[UW][A-Z0-9]{7,})")
_LIKE_A_HANDLE = re.compile("[A-Z]+[0-9]*")
"""Member ids have digits among their letters, with few exceptions."""

AMBIGUOUS = (
    "{text} can be a handle on X or a member ID of Slack. Write @{text} for the handle, or the workspace "
    "that asks them too for the person, like T012AB3CD/{text}."
)


def parse_customer(text: str) -> Recipient:
    """Parse a handle, a numeric id, a link, or a person in Slack; raises `InvalidRecipient`.

    `U012AB3CD` is a person whom the app's own workspace asks, whose id is not known yet, and
    `T012AB3CD/U012AB3CD` one whom any asks; `@U012AB3CD` is a handle on X. What can be either of them is
    invalid.
    """
    if person := _PERSON.fullmatch(text.strip()):
        if not person["team"] and _LIKE_A_HANDLE.fullmatch(person["user"]):
            raise InvalidRecipient(AMBIGUOUS.format(text=person["user"]))
        return SlackPerson(team=person["team"] or "", user=person["user"])
    return parse_recipient(text)


def name_customer(recipient: Recipient) -> str:
    """Return a customer as an operator would type them."""
    if isinstance(recipient, SlackPerson):
        return recipient.id if recipient.team else recipient.user
    return recipient.label
