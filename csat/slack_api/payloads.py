"""What Slack sends when people do something, as far as the app needs it."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import AliasPath, Field, model_validator

from csat.surveys.frozen_model import FrozenModel
from csat.surveys.survey import Origin


class Payload(FrozenModel):
    """Something that Slack sends, in which what is missing may also be null."""

    @model_validator(mode="before")
    @classmethod
    def _null_is_missing(cls, body: Any) -> Any:  # noqa: ANN401 - whatever Slack sent
        if not isinstance(body, Mapping):
            return body
        return {name: _without_null(part) for name, part in body.items() if part is not None}


def _without_null(part: Any) -> Any:  # noqa: ANN401 - whatever Slack sent
    return (
        {name: inner for name, inner in part.items() if inner is not None} if isinstance(part, dict) else part
    )


def parse_id(text: str) -> int:
    """Return an id of the ledger's that came back from Slack; 0 of what can be none."""
    return int(text) if re.fullmatch("[0-9]{1,18}", text) else 0


class Command(Payload):
    """A slash command."""

    text: str = ""
    trigger_id: str
    team: str = Field(alias="team_id")
    enterprise: str = Field("", alias="enterprise_id")
    channel: str = Field(alias="channel_id")
    user: str = Field(alias="user_id")
    response_url: str = ""

    def origin(self, now: datetime) -> Origin:
        """Return where the command was given; commands are never given in a thread."""
        return Origin(
            team=self.team,
            enterprise=self.enterprise,
            channel=self.channel,
            requester=self.user,
            response_url=self.response_url,
            received_at=now,
        )


class HomeOpened(Payload):
    """Somebody opened a tab of the app's."""

    user: str = Field(validation_alias=AliasPath("event", "user"))
    tab: str = Field("", validation_alias=AliasPath("event", "tab"))


class Chosen(Payload):
    """A choice that somebody made: of an option, a person, a channel or a date."""

    user: str = Field(validation_alias=AliasPath("user", "id"))
    action_id: str = Field(validation_alias=AliasPath("actions", 0, "action_id"))
    option: str | None = Field(None, validation_alias=AliasPath("actions", 0, "selected_option", "value"))
    person: str | None = Field(None, validation_alias=AliasPath("actions", 0, "selected_user"))
    channel: str | None = Field(None, validation_alias=AliasPath("actions", 0, "selected_conversation"))
    date: str | None = Field(None, validation_alias=AliasPath("actions", 0, "selected_date"))

    @property
    def value(self) -> str:
        """What was chosen; "" for nothing, and for a button."""
        return self.option or self.person or self.channel or self.date or ""


class _Message(Payload):
    ts: str = ""
    thread_ts: str = ""


class Interaction(Payload):
    """A message shortcut, a button or a change in a form, or a form that was submitted."""

    trigger_id: str = ""
    user: str = Field(validation_alias=AliasPath("user", "id"))
    team: str = Field("", validation_alias=AliasPath("team", "id"))
    enterprise: str = Field("", validation_alias=AliasPath("enterprise", "id"))
    channel: str = Field("", validation_alias=AliasPath("channel", "id"))
    message: _Message = _Message()
    response_url: str = ""
    value: str | None = Field(None, validation_alias=AliasPath("actions", 0, "value"))
    """The value of the button that was pressed, or of the input that was changed."""

    @property
    def number(self) -> int:
        """The id that the button's value is; 0 of a value that is none."""
        return parse_id(self.value or "")

    def origin(self, now: datetime) -> Origin:
        """Return where a message stands: its thread, or the one that an answer to it would begin."""
        return Origin(
            team=self.team,
            enterprise=self.enterprise,
            channel=self.channel,
            thread=self.message.thread_ts or self.message.ts,
            in_thread=bool(self.message.thread_ts),
            requester=self.user,
            response_url=self.response_url,
            received_at=now,
        )
