"""Making trouble: what goes wrong at X and in Slack, because somebody wants to see it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from sandbox.slack import Workspace
from sandbox.x import Endpoint, FakeX, Fault

ALWAYS = 1_000_000
"""How many calls fail until everything is back to normal."""
SLOWLY = 2.5
"""Seconds that Slack takes for a call when it is slow."""

POSTING = "chat.postMessage"
OPENING = "views.open"

NEW_BLOCKS = ("data_visualization", "data_table")

POSTING_ERRORS = {
    "ratelimited": "ratelimited: posting too fast",
    "channel_not_found": "channel_not_found: the app can't see it",
    "not_in_channel": "not_in_channel: the app is no member",
    "is_archived": "is_archived: the channel is closed",
    "restricted_action": "restricted_action: an admin forbids it",
    "msg_blocks_too_long": "msg_blocks_too_long: too much to say",
    "503": "HTTP 503: Slack is down",
}
OPENING_ERRORS = {
    "expired_trigger_id": "expired_trigger_id: the form came too late",
    "ratelimited": "ratelimited: too many forms",
    "internal_error": "internal_error: Slack does not know",
    "503": "HTTP 503: Slack is down",
}

FAMILIES = {
    "refusal": "X refuses",
    "later": "X says: later",
    "unknown": "Nobody knows whether it was sent",
    "network": "The network",
    "odd": "X answers oddly",
}


def families() -> list[tuple[str, list[Fault]]]:
    """Group everything that can go wrong at X, each group with its heading."""
    order = list(FAMILIES)
    every = sorted(Fault, key=lambda trouble: order.index(_family(trouble)))
    return [(FAMILIES[name], list(group)) for name, group in groupby(every, _family)]


@dataclass(frozen=True)
class FaultControls:
    """The switches of the two pretend services."""

    workspace: Workspace
    x: FakeX

    def sentences(self) -> Iterator[str]:
        """Say what goes wrong at present."""
        slack = self.workspace.faults
        if fault := self.x.fault():
            yield f"X answers surveys with “{fault.title}”"
        if fault := self.x.fault(Endpoint.LOOKUP):
            yield f"X answers look-ups with “{fault.title}”"
        for method, trouble in slack.failures.items():
            if trouble.times:
                yield f"Slack answers {method} with “{trouble.error}”"
        if slack.delays:
            yield "Slack is slow"
        if slack.duplicate_deliveries:
            yield "Slack delivers everything twice"
        if slack.unsupported_blocks:
            yield "Slack has no charts and tables yet"

    def failing(self, method: str) -> str:
        """Name the error that a method of Slack's ends in; nothing when it works."""
        trouble = self.workspace.faults.failures.get(method)
        return trouble.error if trouble and trouble.times else ""

    def apply(self, wishes: Mapping[str, str]) -> None:
        """Set every switch as the panel's form says."""
        times = 1 if wishes.get("once") else ALWAYS
        self._apply_to_x(wishes, times)
        slack = self.workspace.faults
        slack.clear()
        for method in (POSTING, OPENING):
            if error := wishes.get(method):
                slack.fail(method, error, times)
            if wishes.get("slow"):
                slack.delay(method, SLOWLY)
        slack.duplicate_deliveries = 1 if wishes.get("repeats") else 0
        if wishes.get("plain"):
            slack.disable_blocks(*NEW_BLOCKS)

    def clear(self) -> None:
        """Let everything go well again; who is in which channel stays."""
        self.x.recover()
        self.workspace.faults.clear()

    def _apply_to_x(self, wishes: Mapping[str, str], times: int) -> None:
        self.x.recover()
        if create := wishes.get("create"):
            self.x.fail(Fault[create], times=times)
        if lookup := wishes.get("lookup"):
            self.x.fail(Fault[lookup], Endpoint.LOOKUP, times=times)


def _family(trouble: Fault) -> str:
    status = trouble.value.status
    match status:
        case None:
            return "network"
        case 420 | 429 | 503:
            return "later"
        case 500 | 502 | 504:
            return "unknown"
    return "odd" if status < 300 else "refusal"  # noqa: PLR2004 - every success
