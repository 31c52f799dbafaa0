"""Trigger ids, with which an app may open a view once, within three seconds of an interaction."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.slack.errors import SlackError
from sandbox.slack.ids import IdGenerator

TRIGGER_LIFETIME = timedelta(seconds=3)
TRIGGER_ID = re.compile(r"\d+\.\d+\.[0-9a-f]+")


@dataclass
class Trigger:
    """A user's interaction with the app."""

    id: str
    user: str
    issued_at: datetime
    channel: str = ""
    view_id: str = ""
    """The view of the interaction, if it was in one."""
    exchanged: bool = False


class Triggers:
    """The triggers that were issued; each can be used within its `lifetime`."""

    def __init__(self, clock: Callable[[], datetime], ids: IdGenerator, lifetime: timedelta) -> None:
        self._clock = clock
        self._ids = ids
        self._lifetime = lifetime
        self._issued: dict[str, Trigger] = {}

    def issue(self, user: str, channel: str = "", view_id: str = "") -> str:
        """Return a new `trigger_id`."""
        trigger = Trigger(self._ids.new_trigger_id(), user, self._clock(), channel, view_id)
        self._issued[trigger.id] = trigger
        return trigger.id

    def exchange(self, trigger_id: str) -> Trigger:
        """Mark a trigger as used and return it; raises `SlackError` if it is unknown, expired or used."""
        trigger = self._issued.get(trigger_id) if TRIGGER_ID.fullmatch(trigger_id) else None
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if self._clock() - trigger.issued_at > self._lifetime:
            raise SlackError("expired_trigger_id")
        if trigger.exchanged:
            raise SlackError("exchanged_trigger_id")
        trigger.exchanged = True
        return trigger
