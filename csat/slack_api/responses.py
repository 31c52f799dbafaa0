"""The successful responses of Slack's Web API, with the fields that the app reads."""

from typing import TypeVar

from pydantic import ValidationError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from csat.slack_api.errors import NoResponse
from csat.slack_api.payloads import Payload

Response = TypeVar("Response", bound=Payload)


class AuthTest(Payload):
    """The response of auth.test."""

    team_id: str
    team: str
    user: str
    url: str
    """The workspace's URL, with a slash at the end."""


class Channel(Payload):
    """A conversation object."""

    name: str = ""
    is_private: bool = True
    is_im: bool = False
    is_member: bool = False
    is_archived: bool = False
    is_ext_shared: bool = False
    is_pending_ext_shared: bool = False

    @property
    def has_strangers(self) -> bool:
        """True if people of other organizations read it (Slack Connect), or are invited to."""
        return self.is_ext_shared or self.is_pending_ext_shared


class ChannelInfo(Payload):
    """The response of conversations.info."""

    channel: Channel


class _Metadata(Payload):
    next_cursor: str = ""


class ChannelMembers(Payload):
    """A page of the response of conversations.members."""

    members: frozenset[str]
    response_metadata: _Metadata = _Metadata()


class _Block(Payload):
    block_id: str = ""


class HistoryMessage(Payload):
    """A message of a conversation."""

    ts: str
    blocks: tuple[_Block, ...] = ()

    def has_block(self, block_id: str) -> bool:
        """Return True if one of the blocks has this id."""
        return any(block.block_id == block_id for block in self.blocks)


class History(Payload):
    """The response of conversations.history."""

    messages: tuple[HistoryMessage, ...]


class _Conversation(Payload):
    id: str


class OpenedConversation(Payload):
    """The response of conversations.open."""

    channel: _Conversation


class GroupMembers(Payload):
    """The response of usergroups.users.list."""

    users: frozenset[str]


class Permalink(Payload):
    """The response of chat.getPermalink."""

    permalink: str


class PostedMessage(Payload):
    """The response of chat.postMessage."""

    channel: str
    ts: str


class SocketUrl(Payload):
    """The response of apps.connections.open."""

    url: str


class UploadTarget(Payload):
    """The response of files.getUploadURLExternal."""

    upload_url: str
    file_id: str


def parse_response(model: type[Response], response: AsyncSlackResponse) -> Response:
    """Return a response as a model; raises `NoResponse` if a field is missing or has a wrong type."""
    try:
        return model.model_validate(response.data)
    except ValidationError as error:
        raise NoResponse(f"unreadable {model.__name__}") from error
