"""Check that each operation did what it should, exactly once and with the right contents.

Anything else fails the bench, so that no app can be fast by leaving something out.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, parse_qsl

from bench import made_up_values
from bench.errors import BenchError
from bench.slack_and_x_stub import (
    AUTH_TEST,
    CHANNEL_INFO,
    CREATE,
    ME,
    POST_MESSAGE,
    SHOW,
    USERS_INFO,
    VIEWS_OPEN,
    Call,
)
from sandbox.x.oauth_verification import build_base_string, parse_authorization, sign

IGNORED_PATHS = (AUTH_TEST, USERS_INFO, CHANNEL_INFO, ME, SHOW)
"""Methods that an app may call at any time: identity, user, channel, and (only ours) a survey's response."""


def check_opened_forms(calls: Sequence[Call], keys: Sequence[str], expected_form: str) -> None:
    """Raise BenchError unless each command opened one form that looks as expected."""
    _check_called_once(calls, keys, VIEWS_OPEN)
    for call in calls:
        if call.path == VIEWS_OPEN and normalize_view(parse_view(call), call.key) != expected_form:
            raise BenchError(f"unexpected form: {call.body[:500]}")


def check_sent_surveys(calls: Sequence[Call], keys: Sequence[str], stub_url: str) -> None:
    """Raise BenchError unless each submission was sent to X once, and then confirmed once."""
    _check_called_once(calls, keys, CREATE, POST_MESSAGE)
    received_at = {(call.path, call.key): call.at for call in calls}
    for key in keys:
        if received_at[CREATE, key] > received_at[POST_MESSAGE, key]:
            raise BenchError(f"confirmed before it was sent: {key}")
    for call in calls:
        if call.path == CREATE:
            _check_feedback(call, f"{stub_url}{CREATE}")
        elif call.path == POST_MESSAGE:
            _check_message(call)


def parse_view(call: Call) -> dict[str, Any]:
    """Return the view in a call of views.open."""
    view = _parse_arguments(call)["view"]
    parsed: dict[str, Any] = json.loads(view) if isinstance(view, str) else view
    return parsed


def normalize_view(view: Mapping[str, Any], key: str) -> str:
    """Return what a user sees of a view as JSON; it is equal for all keys and apps."""
    visible = {name: value for name, value in view.items() if name != "private_metadata"}
    visible["blocks"] = [
        {**block, "block_id": "recipient"} if _is_recipient(block) else block for block in view["blocks"]
    ]
    return json.dumps(visible, sort_keys=True).replace(key, "KEY")


def baseline_form(view: Mapping[str, Any]) -> dict[str, Any]:
    """Return our form as the baseline apps need it: the recipient's field first, and empty."""
    recipient, *others = view["blocks"]
    if not _is_recipient(recipient):
        raise BenchError(
            "the form no longer begins with the recipient: see python_baseline_survey.py and plain_js"
        )
    element = {name: value for name, value in recipient["element"].items() if name != "initial_value"}
    return {**view, "blocks": [{**recipient, "block_id": "recipient", "element": element}, *others]}


def _is_recipient(block: Mapping[str, Any]) -> bool:
    return bool(block.get("element", {}).get("action_id") == "recipient")


def _check_called_once(calls: Sequence[Call], keys: Iterable[str], *paths: str) -> None:
    expected = Counter((path, key) for path in paths for key in keys)
    counts = Counter((call.path, call.key) for call in calls if not call.path.startswith(IGNORED_PATHS))
    wrong = [call for call in counts | expected if counts[call] != expected[call]]
    if wrong:
        examples = ", ".join(f"{path} {key}: {counts[path, key]}x" for path, key in wrong[:3])
        raise BenchError(f"{len(wrong)} calls were not made exactly once: {examples}")


def _check_feedback(call: Call, url: str) -> None:
    fields = parse_qsl(call.body, keep_blank_values=True)
    expected = {
        "type": "csat",
        "to_user_id": call.key,
        "message": made_up_values.MESSAGE,
        "privacy_url": made_up_values.PRIVACY_URL,
        "external_id": made_up_values.external_id(call.key),
        "question_variant_id": "0",
        "display_name": made_up_values.DISPLAY_NAME,
        "test": "false",
    }
    if sorted(fields) != sorted(expected.items()):
        raise BenchError(f"unexpected fields sent to X: {call.body[:500]}")
    oauth = parse_authorization(call.authorization)
    signature = oauth.pop("oauth_signature")
    base_string = build_base_string("POST", url, [*fields, *oauth.items()])
    if signature != sign(base_string, made_up_values.X_API_SECRET, made_up_values.X_ACCESS_TOKEN_SECRET):
        raise BenchError(f"invalid OAuth signature: {call.authorization}")


def _check_message(call: Call) -> None:
    arguments = _parse_arguments(call)
    has_text = re.search(rf"sent a survey to {call.key}\b", str(arguments["text"]))
    if arguments["channel"] != made_up_values.CHANNEL or not has_text:
        raise BenchError(f"unexpected message: {call.body[:500]}")


def _parse_arguments(call: Call) -> dict[str, Any]:
    """Return the arguments of a call of Slack's Web API: JSON from Python, a form from JavaScript."""
    if call.body.startswith("{"):
        parsed: dict[str, Any] = json.loads(call.body)
        return parsed
    return {name: values[0] for name, values in parse_qs(call.body).items()}
