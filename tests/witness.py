"""Who could read what the app said, and whether somebody's answer was in it."""

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

ANYBODY = "anybody"
NO_DIGIT = re.compile(r"\D+")
Readers = frozenset[str]
PUBLIC: Final[Readers] = frozenset([ANYBODY])
PLACES: Final = {
    "chat.postMessage": "channel",
    "chat.update": "channel",
    "files.completeUploadExternal": "channel_id",
}
PERSONS: Final = {"chat.postEphemeral": "user", "views.publish": "user_id"}
"""Which argument says where something is read, or by whom; what a call of another method holds is public."""
FORMS: Final = {"views.open", "views.push", "views.update"}
RESPONSE_URL: Final = "response_url"

T = TypeVar("T")


class Secret(NamedTuple):
    """A part of an answer: a word that stands nowhere else, or a number."""

    name: str
    marker: str
    requester: str = ""
    """Who must not see it even as a supervisor."""

    def is_in(self, text: str) -> bool:
        """Tell whether it is in a text, in letters of either case, or with whatever between its digits."""
        if not self.marker.isdecimal():
            return self.marker in text.lower()
        return self.marker in NO_DIGIT.sub("", text) and bool(re.search(r"\D?".join(self.marker), text))


class Heard(NamedTuple):
    """Something that the app said, and who can read it."""

    what: str
    readers: Readers
    text: str


@dataclass
class Witness:
    """Looks at every byte that left the app.

    Args:
        open_to_all: private channels that are taken to be read by anybody.
        logged: returns all that was logged and printed so far.
    """

    world: World
    secrets: list[Secret]
    supervisors: set[str]
    """Who may see results now; before that changes, `testify`."""
    open_to_all: set[str]
    logged: Callable[[], str]
    shown: set[tuple[str, str]] = field(default_factory=set)
    """Who was rightly shown which secret, by its name."""
    heard: list[Heard] = field(default_factory=list)
    """All that was looked at so far."""
    _answers: list[httpx.Response] = field(default_factory=list)
    _viewers: dict[str, str] = field(default_factory=dict)
    _seen: dict[str, int] = field(default_factory=dict)

    def testify(self) -> list[str]:
        """Return a sentence for each secret that reached somebody since the last time."""
        news = list(self._news())
        self.heard += news
        return [leak for heard in news for leak in self._judged(heard)]

    def answered(self, answer: httpx.Response) -> None:
        """Remember what a route of the app's own answered to anybody."""
        self._answers.append(answer)

    def _judged(self, heard: Heard) -> Iterator[str]:
        for secret in self.secrets:
            if secret.is_in(heard.text):
                allowed = {reader for reader in heard.readers if self._may_read(reader, secret)}
                self.shown |= {(reader, secret.name) for reader in allowed}
                for reader in sorted(heard.readers - allowed):
                    yield f"{secret.name} reached {reader} in {heard.what}"

    def _may_read(self, reader: str, secret: Secret) -> bool:
        return reader in self.supervisors and reader != secret.requester

    def _news(self) -> Iterator[Heard]:
        """Yield what was said since the last time, also what Slack refused, and what stands in Homes."""
        workspace, x = self.world.workspace, self.world.x
        for call in self._new("calls", workspace.api_calls):
            yield Heard(call.method, self._readers(call), f"{call.args} {call.response}")
            yield from self._files(call)
        for delivery in self._new("deliveries", workspace.deliveries):
            yield Heard(f"the answer to {delivery.title}", _answering(delivery), str(delivery.response))
        for person in workspace.users:
            if home := workspace.home_view(person):
                yield Heard(f"the Home of {person}", frozenset([person]), str(home.content))
        for request in self._new("requests", x.requests):
            yield Heard(f"a request of X's {request.path}", PUBLIC, str(request.params))
        for push in self._new("pushes", x.webhook_posts):
            yield Heard("the webhook's answer", PUBLIC, f"{push.status} {push.response}")
        for answer in self._new("answers", self._answers):
            yield Heard(f"HTTP {answer.request.url.path}", PUBLIC, f"{answer.headers} {answer.text}")
        yield Heard("the log", PUBLIC, "".join(self._new("log", self.logged())))

    def _new(self, kind: str, everything: Sequence[T]) -> Sequence[T]:
        seen = self._seen.get(kind, 0)
        self._seen[kind] = len(everything)
        return everything[seen:]

    def _files(self, call: ApiCall) -> Iterator[Heard]:
        if call.method == "files.completeUploadExternal":
            for file in call.args["files"]:
                told = self.world.workspace.files[file["id"]]
                yield Heard(f"the file {told.name}", self._readers(call), str(told.content))

    def reads(self, person: str, method: str) -> int:
        """Return how many calls of a method were for a person's eyes so far."""
        calls = [call for call in self.world.workspace.api_calls if call.method == method]
        return sum(self._readers(call) == {person} for call in calls)

    def _readers(self, call: ApiCall) -> Readers:
        if name := PLACES.get(call.method):
            return self._in(call.args[name])
        if name := PERSONS.get(call.method):
            return frozenset([call.args[name]])
        if call.method in FORMS:
            return frozenset([self._viewer(call)])
        return self._responded(call) if call.method == RESPONSE_URL else PUBLIC

    def _in(self, channel_id: str) -> Readers:
        workspace = self.world.workspace
        channel = workspace.channels.get(channel_id)
        if channel is None:
            return frozenset([channel_id if channel_id in workspace.users else ANYBODY])
        hidden = channel.is_im or (channel.is_private and channel_id not in self.open_to_all)
        return frozenset(channel.members - {workspace.bot.id}) if hidden else PUBLIC

    def _viewer(self, call: ApiCall) -> str:
        view_id = (call.response.get("view") or call.args).get("id") or call.args.get("view_id", "")
        trigger = call.args.get("trigger_id")
        payloads = [delivery.payload for delivery in self.world.workspace.deliveries]
        fitting = [_user(payload) for payload in payloads if trigger and payload.get("trigger_id") == trigger]
        viewer = fitting[0] if fitting else self._viewers.get(view_id, ANYBODY)
        self._viewers[view_id] = viewer
        return viewer

    def _responded(self, call: ApiCall) -> Readers:
        """Return who sees a response: of one that is ephemeral, whoever the message appeared for."""
        if call.args.get("response_type") != "ephemeral":
            return PUBLIC
        channels = self.world.workspace.channels.values()
        same = [it for channel in channels for it in channel.messages if it.text == call.args.get("text")]
        readers = frozenset(message.visible_to for message in same if message.visible_to)
        return readers or PUBLIC


def _answering(delivery: Delivery) -> Readers:
    """Return who sees what a delivery was acknowledged with: whoever it is about, or a whole channel."""
    user = _user(delivery.payload)
    return frozenset([user]) if user and "in_channel" not in str(delivery.response) else PUBLIC


def _user(payload: dict[str, Any]) -> str:
    user = payload.get("user") or payload.get("user_id") or payload.get("event", {}).get("user", "")
    return str(user["id"] if isinstance(user, dict) else user)


@contextlib.contextmanager
def logging_to(capture: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """Keep all that is logged, from the lowest level on, and printed; yields what returns it."""
    root, kept = logging.getLogger(), io.StringIO()
    handler, level = logging.StreamHandler(kept), root.level

    def logged() -> str:
        kept.write("".join(capture.readouterr()))
        return kept.getvalue()

    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield logged
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
