"""The payloads that Slack sends for commands, shortcuts, actions, view submissions and events."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import AliasChoices, AliasPath, Field, model_validator

from csat.surveys.frozen_model import FrozenModel
from csat.surveys.origin import Origin


class Payload(FrozenModel):
    """A JSON object from Slack, where null means the same as a missing field."""

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, body: Any) -> Any:  # noqa: ANN401 - any JSON
        if not isinstance(body, Mapping):
            return body
        return {name: _without_nulls(value) for name, value in body.items() if value is not None}


def _without_nulls(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if not isinstance(value, dict):
        return value
    return {name: inner for name, inner in value.items() if inner is not None}


class SlashCommand(Payload):
    """A slash command."""

    text: str = ""
    trigger_id: str
    team: str = Field(alias="team_id")
    enterprise: str = Field("", alias="enterprise_id")
    channel: str = Field(alias="channel_id")
    user: str = Field(alias="user_id")
    response_url: str = ""

    def origin(self, now: datetime) -> Origin:
        """Return where the command was used; commands don't work in threads."""
        return Origin(
            team=self.team,
            enterprise=self.enterprise,
            channel=self.channel,
            requester=self.user,
            response_url=self.response_url,
            received_at=now,
        )


class AppHomeOpened(Payload):
    """An `app_home_opened` event."""

    user: str = Field(validation_alias=AliasPath("event", "user"))
    tab: str = Field("", validation_alias=AliasPath("event", "tab"))


class BlockAction(Payload):
    """A `block_actions` payload of a select menu or a date picker."""

    user: str = Field(validation_alias=AliasPath("user", "id"))
    action_id: str = Field(validation_alias=AliasPath("actions", 0, "action_id"))
    selected_option: str | None = Field(
        None, validation_alias=AliasPath("actions", 0, "selected_option", "value")
    )
    selected_user: str | None = Field(None, validation_alias=AliasPath("actions", 0, "selected_user"))
    selected_conversation: str | None = Field(
        None, validation_alias=AliasPath("actions", 0, "selected_conversation")
    )
    selected_date: str | None = Field(None, validation_alias=AliasPath("actions", 0, "selected_date"))

    @property
    def value(self) -> str:
        """The selected value; "" if none is selected, and for a button."""
        return (
            self.selected_option
            or self.selected_user
            or self.selected_conversation
            or self.selected_date
            or ""
        )


class _Block(Payload):
    type: str
    block_id: str = ""


class SubmittedForm(Payload):
    """The blocks of a `view_submission` payload."""

    blocks: tuple[_Block, ...] = Field(validation_alias=AliasPath("view", "blocks"))

    @property
    def first_input(self) -> str | None:
        """The id of the first block that can show an error."""
        return next((block.block_id for block in self.blocks if block.type == "input"), None)


class _Message(Payload):
    user: str = ""
    team: str = ""
    """The author's workspace."""
    bot_id: str = ""
    ts: str = ""
    thread_ts: str = ""
    subtype: str = ""

    @property
    def is_in_channel(self) -> bool:
        """Whether it can be read without opening a thread."""
        return self.thread_ts in ("", self.ts) or self.subtype == "thread_broadcast"


_TEAM = AliasChoices(
    AliasPath("view", "app_installed_team_id"),
    AliasPath("team", "id"),
    AliasPath("view", "team_id"),
    AliasPath("user", "team_id"),
)
"""Where the workspace is: `team` is null if the app is installed in a whole organization."""


class Interaction(Payload):
    """A message shortcut, a click on a button, an input's change, or a view submission."""

    trigger_id: str = ""
    user: str = Field(validation_alias=AliasPath("user", "id"))
    team: str = Field("", validation_alias=_TEAM)
    enterprise: str = Field("", validation_alias=AliasPath("enterprise", "id"))
    channel: str = Field("", validation_alias=AliasPath("channel", "id"))
    message: _Message = _Message()
    response_url: str = ""
    value: str | None = Field(None, validation_alias=AliasPath("actions", 0, "value"))
    """The value of the button or of the input."""
    action_id: str = Field("", validation_alias=AliasPath("actions", 0, "action_id"))
    action_ts: float | None = Field(None, validation_alias=AliasPath("actions", 0, "action_ts"))
    """When it was used, in seconds since 1970; the same in each delivery."""

    @property
    def author(self) -> str:
        """The person who wrote the message; "" if an app did."""
        return "" if self.message.bot_id else self.message.user

    @property
    def is_author_external(self) -> bool:
        """Whether the message is by somebody of another workspace."""
        return self.message.team not in ("", self.team)

    def origin(self, now: datetime) -> Origin:
        """Return where the message is: its thread, or the one that a reply to it would start."""
        return Origin(
            team=self.team,
            enterprise=self.enterprise,
            channel=self.channel,
            thread=self.message.thread_ts or self.message.ts,
            in_thread=not self.message.is_in_channel,
            requester=self.user,
            response_url=self.response_url,
            received_at=now,
        )
