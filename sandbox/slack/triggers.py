"""What lets an app open a form: a `trigger_id` lives three seconds and works once."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.slack.errors import SlackError
from sandbox.slack.ids import Identifiers

LIFE = timedelta(seconds=3)
SHAPE = re.compile(r"\d+\.\d+\.[0-9a-f]+")


@dataclass
class Trigger:
    """Somebody's interaction, which one form may follow."""

    id: str
    user: str
    at: datetime
    channel: str = ""
    view_id: str = ""
    """The form in which it happened, if it was one."""
    exchanged: bool = False


class Triggers:
    """All triggers that were issued."""

    def __init__(self, clock: Callable[[], datetime], ids: Identifiers) -> None:
        self._clock = clock
        self._ids = ids
        self._issued: dict[str, Trigger] = {}

    def issue(self, user: str, channel: str = "", view_id: str = "") -> str:
        """Return a new `trigger_id`."""
        trigger = Trigger(self._ids.trigger(), user, self._clock(), channel, view_id)
        self._issued[trigger.id] = trigger
        return trigger.id

    def exchange(self, trigger_id: str) -> Trigger:
        """Use a trigger up; `SlackError` when it is unknown, too old or used."""
        trigger = self._issued.get(trigger_id) if SHAPE.fullmatch(trigger_id) else None
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if self._clock() - trigger.at > LIFE:
            raise SlackError("expired_trigger_id")
        if trigger.exchanged:
            raise SlackError("exchanged_trigger_id")
        trigger.exchanged = True
        return trigger
