"""Forms and Homes: what the app sent, and what a person has put into it."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class View:
    """A view as the person sees it."""

    id: str
    user: str
    content: dict[str, Any]
    """What the app sent, with every missing `block_id` and `action_id` given."""
    hash: str
    root_view_id: str
    previous_view_id: str | None = None
    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What is chosen and typed, by `block_id` and `action_id`, as in `state.values`."""
    errors: dict[str, str] = field(default_factory=dict)
    """A sentence under each block, by `block_id`."""
    failure: str = ""
    """Slack's own sentence at the top, when the app failed to answer."""

    @property
    def blocks(self) -> list[dict[str, Any]]:
        """The blocks to draw."""
        blocks: list[dict[str, Any]] = self.content["blocks"]
        return blocks

    @property
    def callback_id(self) -> str:
        """The app's own name for the view."""
        return str(self.content.get("callback_id", ""))

    @property
    def private_metadata(self) -> str:
        """What the app carries along."""
        return str(self.content.get("private_metadata", ""))
