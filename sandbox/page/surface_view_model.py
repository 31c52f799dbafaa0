"""Block Kit surfaces: a modal, a message or a Home tab, with the values and errors of its inputs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from sandbox.slack import Message, View

Json = dict[str, Any]

ID_FIELDS = ("selected_user", "selected_conversation", "selected_channel")


@dataclass(frozen=True)
class Surface:
    """A surface with blocks, and the ids and URLs of its elements."""

    key: str
    """Prefix that makes the ids of its elements unique on the page."""
    location: Mapping[str, str]
    """Parameters that identify the surface in requests."""
    blocks: list[Json]
    values: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    is_interactive: bool = True
    """False for messages of other apps: their buttons do nothing."""

    @classmethod
    def from_modal(cls, view: View) -> "Surface":
        """Return the surface of the open modal."""
        return cls(f"form-{view.id}", {"person": view.user}, view.blocks, view.values, view.errors)

    @classmethod
    def from_home(cls, view: View) -> "Surface":
        """Return the surface of a person's Home tab."""
        return cls(f"home-{view.id}", {"person": view.user, "home": "1"}, view.blocks, view.values)

    @classmethod
    def from_message(
        cls, message: Message, viewer: str, blocks: list[Json], key: str, app_id: str
    ) -> "Surface":
        """Return the surface of some blocks of a message; `app_id` is the installed app."""
        location = {"person": viewer, "channel": message.channel, "ts": message.ts}
        return cls(key, location, blocks, message.values, is_interactive=message.app_id == app_id)

    def element_id(self, *parts: str) -> str:
        """Return the HTML id of an element."""
        return re.sub(r"[^\w-]", "_", "-".join([self.key, *parts]))

    def url(self, path: str, block: Json, element: Json) -> str:
        """Return the URL of an action on an element."""
        ids = {"block_id": block.get("block_id", ""), "action_id": element.get("action_id", "")}
        return f"/{path}?{urlencode({**self.location, **ids})}"

    def element_state(self, block: Json, element: Json) -> Json:
        """Return an element's value, as in `state.values`."""
        return dict(self.values.get(block.get("block_id", ""), {}).get(element.get("action_id", ""), {}))

    def selected_id(self, block: Json, element: Json) -> str:
        """Return the selected person, conversation or channel."""
        state = self.element_state(block, element)
        return next((str(state[name]) for name in ID_FIELDS if state.get(name)), "")

    def selected_options(self, block: Json, element: Json) -> list[Json]:
        """Return the selected options."""
        state = self.element_state(block, element)
        option = state.get("selected_option")
        return [option] if option else list(state.get("selected_options") or [])

    @property
    def initial_focus(self) -> str:
        """The HTML id of the element with `focus_on_load`, or an empty string."""
        for block in self.blocks:
            element = block.get("element", {})
            if element.get("focus_on_load"):
                return self.element_id(block["block_id"], element["action_id"])
        return ""
