"""The people in Slack who can be customers: nobody else than people, and not oneself."""

import asyncio
import logging

from csat.slack_api.errors import SlackError
from csat.slack_api.user_permissions import AgentUnknown, PermissionDenied
from csat.slack_api.users import User
from csat.surveys.recipients import InvalidRecipient, Recipient, SlackPerson
from handlers.services import Services

ONESELF = "You can't send a survey to yourself. Choose the customer."
AN_APP = "This is an app, not a person. Choose the customer."
DEACTIVATED = "This person's account in Slack is deactivated, so they can't answer."
STRANGER = (
    "This person shares no channel with this app, so Slack doesn't let it write to them. "
    "Invite the app to a channel that they are in, then try again."
)

log = logging.getLogger(__name__)


async def check_customer(services: Services, recipient: Recipient | None, requester: str) -> None:
    """Raise `InvalidRecipient` for somebody in Slack who can't be a customer.

    Slack does not always say who people of other companies are: then they can.
    """
    if not isinstance(recipient, SlackPerson):
        return
    if recipient.user == requester:
        raise InvalidRecipient(ONESELF)
    if (user := await _find_user(services, recipient.user)) and (problem := _find_problem(user)):
        raise InvalidRecipient(problem)


async def find_problem(services: Services, recipient: Recipient | None, requester: str) -> str:
    """Return why somebody in Slack can't be a customer; "" if they can."""
    try:
        await check_customer(services, recipient, requester)
    except InvalidRecipient as problem:
        return str(problem)
    return ""


async def is_customer(services: Services, person: SlackPerson, requester: str, *, is_external: bool) -> bool:
    """Return True if the author of a message is a person other than the requester, and no agent.

    While Slack can't tell who is an agent, only people of other workspaces are none.
    """
    user, is_agent = await asyncio.gather(
        _find_user(services, person.user), _is_agent(services, person.user, if_unknown=not is_external)
    )
    is_app = user is not None and user.is_app
    return not (person.user == requester or is_app or is_agent)


async def _is_agent(services: Services, user: str, *, if_unknown: bool) -> bool:
    try:
        await services.slack.permissions.require_agent(user)
    except AgentUnknown:
        return if_unknown
    except PermissionDenied:
        return False
    return True


async def _find_user(services: Services, user: str) -> User | None:
    try:
        async with asyncio.timeout(services.timeouts.slack_person):
            return await services.slack.users.get(user)
    except (SlackError, TimeoutError) as error:
        log.info("Slack does not say who a customer is: %s", error)
        return None


def _find_problem(user: User) -> str:
    if user.is_app:
        return AN_APP
    if user.deleted:
        return DEACTIVATED
    return STRANGER if user.is_stranger else ""
