"""The panel that simulates problems at X and in Slack."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from sandbox.slack import Workspace
from sandbox.x import Endpoint, FakeX, Fault

UNLIMITED = 1_000_000
"""Calls that fail in Slack until the faults are cleared."""
SLACK_DELAY_SECONDS = 2.5

POST_MESSAGE = "chat.postMessage"
OPEN_VIEW = "views.open"

NEW_BLOCKS = ("data_visualization", "data_table")

POST_MESSAGE_ERRORS = {
    "ratelimited": "ratelimited: too many messages",
    "channel_not_found": "channel_not_found: the app can't see the channel",
    "not_in_channel": "not_in_channel: the app isn't a member",
    "is_archived": "is_archived: the channel is archived",
    "restricted_action": "restricted_action: not allowed by an admin",
    "msg_blocks_too_long": "msg_blocks_too_long: the message is too long",
    "503": "HTTP 503: Slack is down",
}
OPEN_VIEW_ERRORS = {
    "expired_trigger_id": "expired_trigger_id: the app was too slow",
    "ratelimited": "ratelimited: too many requests",
    "internal_error": "internal_error: something failed in Slack",
    "503": "HTTP 503: Slack is down",
}

GROUPS = {
    "rejected": "Rejected by X",
    "retry": "Try again later",
    "unknown": "Unknown outcome",
    "network": "Network problems",
    "invalid": "Invalid responses",
    "unseen": "Accepted, but not seen",
}
X_REQUESTS = {
    Endpoint.CREATE: "Sending a survey",
    Endpoint.SEND_MESSAGE: "Sending a direct message",
    Endpoint.LOOKUP: "Looking up a handle",
}
"""The requests to X that can fail, with their labels."""


def group_faults(endpoint: Endpoint) -> list[tuple[str, list[Fault]]]:
    """Return the faults of an endpoint of X by group heading."""
    order = list(GROUPS)
    possible = [fault for fault in Fault if endpoint in fault.value.endpoints]
    faults = sorted(possible, key=lambda fault: order.index(_group_of(fault)))
    return [(GROUPS[name], list(group)) for name, group in groupby(faults, _group_of)]


@dataclass(frozen=True)
class FaultControls:
    """The simulated problems of the fake Slack and X."""

    workspace: Workspace
    x: FakeX

    def describe(self) -> Iterator[str]:
        """Yield a sentence for each simulated problem."""
        slack = self.workspace.faults
        if fault := self.x.fault(Endpoint.CREATE):
            yield f"X responds to surveys with “{fault.title}”"
        if fault := self.x.fault(Endpoint.SEND_MESSAGE):
            yield f"X responds to direct messages with “{fault.title}”"
        if fault := self.x.fault(Endpoint.LOOKUP):
            yield f"X responds to user lookups with “{fault.title}”"
        for method, failure in slack.failures.items():
            if failure.times:
                yield f"Slack responds to {method} with “{failure.error}”"
        if slack.delays:
            yield "Slack is slow"
        if slack.duplicate_deliveries:
            yield "Slack delivers everything twice"
        if slack.unsupported_blocks:
            yield "Slack doesn't support charts and tables"

    def slack_error(self, method: str) -> str:
        """Return the simulated error of a Web API method, or an empty string."""
        failure = self.workspace.faults.failures.get(method)
        return failure.error if failure and failure.times else ""

    def apply(self, form: Mapping[str, str]) -> None:
        """Simulate the problems selected in the panel, and only those."""
        self._apply_to_x(form)
        self._apply_to_slack(form)

    def clear(self) -> None:
        """Stop simulating problems; the app's channel memberships are kept."""
        self.x.recover()
        self.workspace.faults.clear()

    def _apply_to_x(self, form: Mapping[str, str]) -> None:
        times = 1 if form.get("once") else None
        self.x.recover()
        for endpoint in X_REQUESTS:
            if name := form.get(endpoint):
                self.x.fail(Fault[name], endpoint, times=times)

    def _apply_to_slack(self, form: Mapping[str, str]) -> None:
        slack = self.workspace.faults
        slack.clear()
        for method in (POST_MESSAGE, OPEN_VIEW):
            if error := form.get(method):
                slack.fail(method, error, 1 if form.get("once") else UNLIMITED)
            if form.get("slow"):
                slack.delay(method, SLACK_DELAY_SECONDS)
        slack.duplicate_deliveries = 1 if form.get("duplicates") else 0
        if form.get("old_blocks"):
            slack.disable_blocks(*NEW_BLOCKS)


def _group_of(fault: Fault) -> str:
    status = fault.value.status
    match status:
        case None:
            return "network"
        case 201:
            return "unseen"
        case 420 | 429 | 503:
            return "retry"
        case 500 | 502 | 504:
            return "unknown"
    return "invalid" if status < 300 else "rejected"  # noqa: PLR2004 - every success
