"""Forms and Homes: what the app sent, and what a person has put into it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sandbox.pubsub import PubSub
from sandbox.slack.elements import Values, add_missing_ids, state_values
from sandbox.slack.errors import Json, SlackError
from sandbox.slack.ids import Identifiers

STACK = 3
"""How many forms lie on one another at most."""

SENT_BACK = (
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
    """A view as the person sees it."""

    id: str
    user: str
    content: Json
    """What the app sent, with every missing `block_id` and `action_id` given."""
    hash: str
    root_view_id: str
    previous_view_id: str | None = None
    conversation: str = ""
    """Where the person was, for `default_to_current_conversation`."""
    values: Values = field(default_factory=dict)
    """What is chosen and typed, by `block_id` and `action_id`, as in `state.values`."""
    errors: dict[str, str] = field(default_factory=dict)
    """A sentence under each block, by `block_id`."""
    failure: str = ""
    """Slack's own sentence at the top, when the app failed to answer."""

    @property
    def blocks(self) -> list[Json]:
        """The blocks to draw."""
        blocks: list[Json] = self.content["blocks"]
        return blocks

    @property
    def callback_id(self) -> str:
        """The app's own name for the view."""
        return str(self.content["callback_id"])

    @property
    def private_metadata(self) -> str:
        """What the app carries along."""
        return str(self.content["private_metadata"])

    @property
    def external_id(self) -> str:
        """The app's own id for the view, unique in the team."""
        return str(self.content["external_id"])

    def as_json(self, team: str, app_id: str, bot_id: str) -> Json:
        """Return the view as Slack tells it to the app."""
        return {
            **self.content,
            "id": self.id,
            "team_id": team,
            "app_id": app_id,
            "app_installed_team_id": team,
            "bot_id": bot_id,
            "hash": self.hash,
            "root_view_id": self.root_view_id,
            "previous_view_id": self.previous_view_id,
            "state": {"values": self.values},
        }


class Views:
    """Everybody's stack of forms, and their Homes."""

    def __init__(self, ids: Identifiers, pubsub: PubSub) -> None:
        self.stacks: dict[str, list[View]] = {}
        self.homes: dict[str, View] = {}
        self._ids = ids
        self._pubsub = pubsub

    def top(self, user: str) -> View | None:
        """Return the form that this person has before them."""
        stack = self.stacks.get(user)
        return stack[-1] if stack else None

    def open(self, user: str, content: Json, conversation: str = "") -> View:
        """Open a form of its own, in place of what was open."""
        self._demand_free(content.get("external_id", ""))
        view = self._make(user, content, conversation)
        self.stacks[user] = [view]
        self.changed()
        return view

    def push(self, below: View, content: Json) -> View:
        """Lay a form on another; `SlackError("push_limit_reached")` on the third."""
        stack = self.stacks.get(below.user, [])
        if below not in stack:
            raise SlackError("not_found")
        if len(stack) >= STACK:
            raise SlackError("push_limit_reached")
        self._demand_free(content.get("external_id", ""))
        view = self._make(below.user, content, below.conversation)
        view.root_view_id, view.previous_view_id = below.root_view_id, stack[-1].id
        stack.append(view)
        self.changed()
        return view

    def update(self, view: View, content: Json, view_hash: str | None = None) -> View:
        """Give a view another content; what a person typed stays where block and element stay."""
        if view_hash and view_hash != view.hash:
            raise SlackError("hash_conflict")
        if content.get("external_id", "") != view.external_id:
            self._demand_free(content.get("external_id", ""))
        view.content = self._completed(content)
        view.values = state_values(view.blocks, view.values, view.conversation)
        view.hash, view.errors, view.failure = self._ids.hash(), {}, ""
        self.changed()
        return view

    def publish(self, user: str, content: Json, view_hash: str | None = None) -> View:
        """Show a Home to somebody."""
        if home := self.homes.get(user):
            return self.update(home, content, view_hash)
        self.homes[user] = self._make(user, content, "")
        self.changed()
        return self.homes[user]

    def pop(self, view: View) -> None:
        """Take a form away, with those on it."""
        stack = self.stacks.get(view.user, [])
        if view in stack:
            del stack[stack.index(view) :]
        self.changed()

    def clear(self, user: str) -> None:
        """Take all forms of somebody away."""
        self.stacks.pop(user, None)
        self.changed()

    def find(self, view_id: str, external_id: str) -> View:
        """Return the open view with either id; `SlackError("not_found")`."""
        for view in self._all():
            if view_id == view.id or (external_id and not view_id and external_id == view.external_id):
                return view
        raise SlackError("not_found")

    def changed(self) -> None:
        """Tell whoever looks that a view is different now."""
        self._pubsub.publish("view")

    def _all(self) -> Iterator[View]:
        for stack in self.stacks.values():
            yield from stack
        yield from self.homes.values()

    def _demand_free(self, external_id: str) -> None:
        if external_id and any(view.external_id == external_id for view in self._all()):
            raise SlackError("duplicate_external_id")

    def _make(self, user: str, content: Json, conversation: str) -> View:
        view_id = self._ids.make("V")
        completed = self._completed(content)
        view = View(view_id, user, completed, self._ids.hash(), view_id, conversation=conversation)
        view.values = state_values(view.blocks, None, conversation)
        return view

    def _completed(self, content: Json) -> Json:
        sent = {name: content[name] for name in SENT_BACK if content.get(name) is not None}
        return {**DEFAULTS, **sent, "blocks": add_missing_ids(content["blocks"], self._ids.block)}
