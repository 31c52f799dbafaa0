"""Modals and App Homes: their content, and the values that a user has entered."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sandbox.pubsub import PubSub
from sandbox.slack.errors import SlackError
from sandbox.slack.ids import IdGenerator
from sandbox.slack.interactive_elements import add_missing_ids, state_values
from sandbox.slack.json_types import Json, StateValues

MAX_STACKED_VIEWS = 3

CONTENT_FIELDS = (
    "type",
    "title",
    "submit",
    "close",
    "blocks",
    "private_metadata",
    "callback_id",
    "external_id",
    "clear_on_close",
    "notify_on_close",
    "submit_disabled",
)
"""The fields that the app sends and Slack returns."""
DEFAULTS: Json = {
    "private_metadata": "",
    "callback_id": "",
    "external_id": "",
    "clear_on_close": False,
    "notify_on_close": False,
    "submit": None,
    "close": None,
}


@dataclass
class View:
    """A view of one user."""

    id: str
    user: str
    content: Json
    """The view as the app sent it, with every missing `block_id` and `action_id` added."""
    hash: str
    root_view_id: str
    previous_view_id: str | None = None
    conversation: str = ""
    """The conversation in which it was opened, for `default_to_current_conversation`."""
    values: StateValues = field(default_factory=dict)
    """The values of its elements."""
    errors: dict[str, str] = field(default_factory=dict)
    """An error message below each block, by `block_id`."""
    failure: str = ""
    """Slack's error message at the top, if the app did not respond as expected."""

    @property
    def blocks(self) -> list[Json]:
        """The blocks, with their ids."""
        blocks: list[Json] = self.content["blocks"]
        return blocks

    @property
    def callback_id(self) -> str:
        """The `callback_id`, or an empty string."""
        return str(self.content["callback_id"])

    @property
    def private_metadata(self) -> str:
        """The `private_metadata`, or an empty string."""
        return str(self.content["private_metadata"])

    @property
    def external_id(self) -> str:
        """The `external_id`, unique in the team, or an empty string."""
        return str(self.content["external_id"])

    def as_json(self, team: str, installed_team: str, app_id: str, bot_id: str) -> Json:
        """Return the view as in Slack's API; the first team is the user's."""
        return {
            **self.content,
            "id": self.id,
            "team_id": team,
            "app_id": app_id,
            "app_installed_team_id": installed_team,
            "bot_id": bot_id,
            "hash": self.hash,
            "root_view_id": self.root_view_id,
            "previous_view_id": self.previous_view_id,
            "state": {"values": self.values},
        }


class Views:
    """Each user's stack of modals and App Home."""

    def __init__(self, ids: IdGenerator, pubsub: PubSub) -> None:
        self.stacks: dict[str, list[View]] = {}
        self.homes: dict[str, View] = {}
        self._ids = ids
        self._pubsub = pubsub

    def current(self, user: str) -> View | None:
        """Return the view on top of a user's stack."""
        stack = self.stacks.get(user)
        return stack[-1] if stack else None

    def open(self, user: str, content: Json, conversation: str = "") -> View:
        """Open a view, replacing the user's stack."""
        self._check_external_id(content.get("external_id", ""))
        view = self._create(user, content, conversation)
        self.stacks[user] = [view]
        self.publish_change()
        return view

    def push(self, parent: View, content: Json) -> View:
        """Push a view onto the stack of another one."""
        stack = self.stacks.get(parent.user, [])
        if parent not in stack:
            raise SlackError("not_found")
        if len(stack) >= MAX_STACKED_VIEWS:
            raise SlackError("push_limit_reached")
        self._check_external_id(content.get("external_id", ""))
        view = self._create(parent.user, content, parent.conversation)
        view.root_view_id, view.previous_view_id = parent.root_view_id, stack[-1].id
        stack.append(view)
        self.publish_change()
        return view

    def update(self, view: View, content: Json, expected_hash: str | None = None) -> View:
        """Replace the content of a view, and keep the values of elements that stay."""
        if expected_hash and expected_hash != view.hash:
            raise SlackError("hash_conflict")
        if content.get("external_id", "") != view.external_id:
            self._check_external_id(content.get("external_id", ""))
        view.content = self._complete(content)
        view.values = state_values(view.blocks, view.values, view.conversation)
        view.hash, view.errors, view.failure = self._ids.new_hash(), {}, ""
        self.publish_change()
        return view

    def publish(self, user: str, content: Json, expected_hash: str | None = None) -> View:
        """Create or update a user's App Home."""
        if home := self.homes.get(user):
            return self.update(home, content, expected_hash)
        self.homes[user] = self._create(user, content, "")
        self.publish_change()
        return self.homes[user]

    def close(self, view: View) -> None:
        """Close a view, and those above it."""
        stack = self.stacks.get(view.user, [])
        if view in stack:
            del stack[stack.index(view) :]
        self.publish_change()

    def close_all(self, user: str) -> None:
        """Close a user's whole stack."""
        self.stacks.pop(user, None)
        self.publish_change()

    def find(self, view_id: str, external_id: str) -> View:
        """Return the open view with this id or external id; raises `SlackError("not_found")`."""
        for view in self._all():
            if view_id == view.id or (external_id and not view_id and external_id == view.external_id):
                return view
        raise SlackError("not_found")

    def publish_change(self) -> None:
        """Publish that a view changed."""
        self._pubsub.publish("view")

    def _all(self) -> Iterator[View]:
        for stack in self.stacks.values():
            yield from stack
        yield from self.homes.values()

    def _check_external_id(self, external_id: str) -> None:
        if external_id and any(view.external_id == external_id for view in self._all()):
            raise SlackError("duplicate_external_id")

    def _create(self, user: str, content: Json, conversation: str) -> View:
        view_id = self._ids.new_id("V")
        view = View(
            view_id, user, self._complete(content), self._ids.new_hash(), view_id, conversation=conversation
        )
        view.values = state_values(view.blocks, None, conversation)
        return view

    def _complete(self, content: Json) -> Json:
        sent = {name: content[name] for name in CONTENT_FIELDS if content.get(name) is not None}
        return {**DEFAULTS, **sent, "blocks": add_missing_ids(content["blocks"], self._ids.new_block_id)}
