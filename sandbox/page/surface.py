"""What Block Kit stands on: a form or a message, with what is chosen, typed and wrong in it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from sandbox.slack import Message, View

Json = dict[str, Any]

NAMING = ("selected_user", "selected_conversation", "selected_channel")


@dataclass(frozen=True)
class Surface:
    """One place with blocks; it names its elements to the browser and to the routes."""

    key: str
    """Told apart from other surfaces by this, in the ids of the browser."""
    place: Mapping[str, str]
    """Where it is, in the words of `Workspace.act`."""
    blocks: list[Json]
    values: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    is_live: bool = True
    """Whether its buttons reach the app; those of other apps reach nobody."""

    @classmethod
    def of_form(cls, view: View) -> "Surface":
        """Take the form on top."""
        return cls(f"form-{view.id}", {"person": view.user}, view.blocks, view.values, view.errors)

    @classmethod
    def of_home(cls, view: View) -> "Surface":
        """Take somebody's Home."""
        return cls(f"home-{view.id}", {"person": view.user, "home": "1"}, view.blocks, view.values)

    @classmethod
    def of_message(cls, message: Message, viewer: str, blocks: list[Json], key: str, app: str) -> "Surface":
        """Take some blocks of a message, as somebody sees them; `app` is the id of the app under trial."""
        place = {"person": viewer, "channel": message.channel, "ts": message.ts}
        return cls(key, place, blocks, message.values, is_live=message.app_id == app)

    def id(self, *parts: str) -> str:
        """Name something on this surface for the browser."""
        return re.sub(r"[^\w-]", "_", "-".join([self.key, *parts]))

    def url(self, verb: str, block: Json, element: Json) -> str:
        """Return where a route acts on an element."""
        names = {"block_id": block.get("block_id", ""), "action_id": element.get("action_id", "")}
        return f"/{verb}?{urlencode({**self.place, **names})}"

    def held(self, block: Json, element: Json) -> Json:
        """Return what an element holds, as `state.values` has it."""
        return dict(self.values.get(block.get("block_id", ""), {}).get(element.get("action_id", ""), {}))

    def named(self, block: Json, element: Json) -> str:
        """Return the id that is chosen in an element for people or conversations."""
        held = self.held(block, element)
        return next((str(held[name]) for name in NAMING if held.get(name)), "")

    def picked(self, block: Json, element: Json) -> list[Json]:
        """Return the options that are chosen in an element."""
        held = self.held(block, element)
        one = held.get("selected_option")
        return [one] if one else list(held.get("selected_options") or [])

    @property
    def focused(self) -> str:
        """Return the id of the field to begin with; nothing leaves the choice to the browser."""
        for block in self.blocks:
            element = block.get("element", {})
            if element.get("focus_on_load"):
                return self.id(block["block_id"], element["action_id"])
        return ""
