"""Find responses that leaked to people who must not read them."""

import contextlib
import io
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeVar

import httpx
import pytest

from sandbox.slack import ApiCall, Delivery
from tests.world import World

EVERYONE = "everyone"
NON_DIGITS = re.compile(r"\D+")
Readers = frozenset[str]
PUBLIC: Final[Readers] = frozenset([EVERYONE])
CHANNEL_ARGS: Final = {
    "chat.postMessage": "channel",
    "chat.update": "channel",
    "files.completeUploadExternal": "channels",
}
USER_ARGS: Final = {"chat.postEphemeral": "user", "views.publish": "user_id"}
"""The arguments that name the channel or the reader; calls of other methods count as public."""
MODAL_METHODS: Final = {"views.open", "views.push", "views.update"}
RESPONSE_URL: Final = "response_url"

T = TypeVar("T")


class Secret(NamedTuple):
    """Part of a response: a word or a number that occurs nowhere else."""

    name: str
    marker: str
    requester: str = ""
    """The one person who must not see it even as a supervisor."""
    customer: str = ""
    """The customer in Slack who responded so."""

    @property
    def is_rating(self) -> bool:
        """True for a number."""
        return self.marker.isdecimal()

    def is_in(self, text: str) -> bool:
        """True if a text contains it, ignoring case and separators between digits."""
        if not self.is_rating:
            return self.marker in text.lower()
        return self.marker in NON_DIGITS.sub("", text) and bool(re.search(r"\D?".join(self.marker), text))


class Output(NamedTuple):
    """A text that left the app, with its readers."""

    source: str
    readers: Readers
    text: str


@dataclass
class LeakDetector:
    """Checks every byte that leaves the app.

    Args:
        public_channels: private channels that count as public.
        logged: returns everything logged and printed so far.
    """

    world: World
    secrets: list[Secret]
    supervisors: set[str]
    """The people who may see results now; call `find_leaks` before changing this."""
    public_channels: set[str]
    logged: Callable[[], str]
    customers: set[str] = field(default_factory=set)
    """Those in Slack, who are shown the whole scale."""
    shown: set[tuple[str, str]] = field(default_factory=set)
    """Pairs of a permitted reader and the name of a secret they were shown."""
    outputs: list[Output] = field(default_factory=list)
    """Everything checked so far."""
    _responses: list[httpx.Response] = field(default_factory=list)
    _viewers: dict[str, str] = field(default_factory=dict)
    _seen: dict[str, int] = field(default_factory=dict)

    def find_leaks(self) -> list[str]:
        """Return a sentence for each leak since the previous call."""
        outputs = list(self._new_outputs())
        self.outputs += outputs
        return [leak for output in outputs for leak in self._check(output)]

    def add_response(self, response: httpx.Response) -> None:
        """Add a response of one of the app's HTTP endpoints."""
        self._responses.append(response)

    def _check(self, output: Output) -> Iterator[str]:
        for secret in self.secrets:
            if secret.is_in(output.text):
                allowed = {reader for reader in output.readers if self._may_read(reader, secret)}
                self.shown |= {(reader, secret.name) for reader in allowed}
                for reader in sorted(output.readers - allowed):
                    yield f"{secret.name} reached {reader} in {output.source}"

    def _may_read(self, reader: str, secret: Secret) -> bool:
        if reader in self.customers:
            return secret.is_rating or reader == secret.customer
        return reader in self.supervisors and reader != secret.requester

    def _new_outputs(self) -> Iterator[Output]:
        """Yield the outputs since the previous call, including calls that Slack rejected, and every Home."""
        workspace, x = self.world.workspace, self.world.x
        for call in self._unseen("calls", workspace.api_calls):
            yield Output(call.method, self._readers(call), f"{call.args} {call.response}")
            yield from self._file_outputs(call)
        for delivery in self._unseen("deliveries", workspace.deliveries):
            readers = _delivery_readers(delivery)
            yield Output(f"the response to {delivery.title}", readers, str(delivery.response))
        for person in workspace.users:
            if home := workspace.home_view(person):
                yield Output(f"the Home of {person}", frozenset([person]), str(home.content))
        for request in self._unseen("requests", x.requests):
            yield Output(f"a request to X's {request.path}", PUBLIC, str(request.params))
        for push in self._unseen("pushes", x.webhook_posts):
            yield Output("the webhook's response", PUBLIC, f"{push.status} {push.response}")
        for response in self._unseen("responses", self._responses):
            yield Output(f"HTTP {response.request.url.path}", PUBLIC, f"{response.headers} {response.text}")
        yield Output("the log", PUBLIC, "".join(self._unseen("log", self.logged())))

    def _unseen(self, kind: str, items: Sequence[T]) -> Sequence[T]:
        seen = self._seen.get(kind, 0)
        self._seen[kind] = len(items)
        return items[seen:]

    def _file_outputs(self, call: ApiCall) -> Iterator[Output]:
        if call.method == "files.completeUploadExternal":
            for file in call.args["files"]:
                uploaded = self.world.workspace.files[file["id"]]
                yield Output(f"the file {uploaded.name}", self._readers(call), str(uploaded.content))

    def count_calls(self, person: str, method: str) -> int:
        """Count the calls of a method that only this person could read."""
        calls = [call for call in self.world.workspace.api_calls if call.method == method]
        return sum(self._readers(call) == {person} for call in calls)

    def _readers(self, call: ApiCall) -> Readers:
        if name := CHANNEL_ARGS.get(call.method):
            return self._channel_readers(call.args[name])
        if name := USER_ARGS.get(call.method):
            return frozenset([call.args[name]])
        if call.method in MODAL_METHODS:
            return frozenset([self._viewer(call)])
        return self._response_readers(call) if call.method == RESPONSE_URL else PUBLIC

    def _channel_readers(self, channel_id: str) -> Readers:
        workspace = self.world.workspace
        channel = workspace.channels.get(channel_id)
        if channel is None:
            return frozenset([channel_id if channel_id in workspace.users else EVERYONE])
        hidden = channel.is_im or (channel.is_private and channel_id not in self.public_channels)
        return frozenset(channel.members - {workspace.bot.id}) if hidden else PUBLIC

    def _viewer(self, call: ApiCall) -> str:
        view_id = (call.response.get("view") or call.args).get("id") or call.args.get("view_id", "")
        trigger = call.args.get("trigger_id")
        payloads = [delivery.payload for delivery in self.world.workspace.deliveries]
        users = [_user(payload) for payload in payloads if trigger and payload.get("trigger_id") == trigger]
        viewer = users[0] if users else self._viewers.get(view_id, EVERYONE)
        self._viewers[view_id] = viewer
        return viewer

    def _response_readers(self, call: ApiCall) -> Readers:
        """Return the readers of a `response_url` message."""
        if call.args.get("response_type") != "ephemeral":
            return PUBLIC
        channels = self.world.workspace.channels.values()
        messages = [message for channel in channels for message in channel.messages]
        posted = [message for message in messages if message.text == call.args.get("text")]
        readers = frozenset(message.visible_to for message in posted if message.visible_to)
        return readers or PUBLIC


def _delivery_readers(delivery: Delivery) -> Readers:
    """Return the readers of an acknowledgement: its user, or a whole channel."""
    user = _user(delivery.payload)
    return frozenset([user]) if user and "in_channel" not in str(delivery.response) else PUBLIC


def _user(payload: dict[str, Any]) -> str:
    user = payload.get("user") or payload.get("user_id") or payload.get("event", {}).get("user", "")
    return str(user["id"] if isinstance(user, dict) else user)


@contextlib.contextmanager
def capture_logs(capture: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """Capture logs of every level and printed text; yield a function that returns them."""
    root, output = logging.getLogger(), io.StringIO()
    handler, level = logging.StreamHandler(output), root.level

    def logged() -> str:
        output.write("".join(capture.readouterr()))
        return output.getvalue()

    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield logged
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
