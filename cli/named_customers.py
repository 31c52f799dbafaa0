"""The customers that an operator names: on X as people do in Slack, or in Slack by their member id."""

import re
from collections.abc import Sequence

from cli.errors import CommandError
from csat.settings import SettingsWithoutXKeys
from csat.slack_api.error_explanations import explain
from csat.slack_api.errors import SlackError
from csat.slack_api.responses import AuthTest, parse_response
from csat.slack_api.web_client import build_web_client, open_session
from csat.surveys.recipients import InvalidRecipient, Recipient, SlackPerson, parse_recipient

_PERSON = re.compile(r"(?:(?P<team>T[A-Z0-9]{2,})/)?(?P<user>[UW][A-Z0-9]{7,})")
_LIKE_A_HANDLE = re.compile("[A-Z]+[0-9]*")
"""Member ids have digits among their letters, with few exceptions."""

AMBIGUOUS = (
    "{text} can be a handle on X or a member ID of Slack. Write @{text} for the handle, or the workspace too "
    "for the person, like T012AB3CD/{text}."
)


def parse_customer(text: str) -> Recipient:
    """Parse a handle, a numeric id, a link, or a person in Slack; raises `InvalidRecipient`.

    `U012AB3CD` is a person in the app's own workspace, whose id is not known yet, and `T012AB3CD/U012AB3CD`
    one in any; `@U012AB3CD` is a handle on X. What can be either of them is invalid.
    """
    if person := _PERSON.fullmatch(text.strip()):
        if not person["team"] and _LIKE_A_HANDLE.fullmatch(person["user"]):
            raise InvalidRecipient(AMBIGUOUS.format(text=person["user"]))
        return SlackPerson(team=person["team"] or "", user=person["user"])
    return parse_recipient(text)


def name_customer(recipient: Recipient) -> str:
    """Return a customer as an operator would type them."""
    return recipient.id if isinstance(recipient, SlackPerson) else recipient.label


async def with_workspace(
    settings: SettingsWithoutXKeys, recipients: Sequence[Recipient]
) -> Sequence[Recipient]:
    """Return the customers, those in Slack with the app's workspace if they have none yet.

    Raises `CommandError` if Slack does not tell which it is.
    """
    if not any(map(_lacks_team, recipients)):
        return recipients
    try:
        async with open_session() as session:
            web = build_web_client(settings.slack_bot_token, settings.slack_api_url, session)
            team = parse_response(AuthTest, await web.auth_test()).team_id
    except SlackError as error:
        raise CommandError(
            f"Slack does not say which workspace a member ID belongs to: {explain(error)}. "
            "Name both, like T012AB3CD/U012AB3CD."
        ) from error
    return [each.model_copy(update={"team": team}) if _lacks_team(each) else each for each in recipients]


def _lacks_team(recipient: Recipient) -> bool:
    return isinstance(recipient, SlackPerson) and not recipient.team
