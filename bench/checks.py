"""Whether every operation did what it should: once, and with the right contents.

Anything else fails the bench, so no app can be fast by leaving something out.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, parse_qsl

from bench import fixtures
from bench.load import LoadError
from bench.stub import AUTH_TEST, CREATE, ME, POST_MESSAGE, SHOW, USERS_INFO, VIEWS_OPEN, Call
from sandbox.x.oauth import build_base_string, parse_authorization, sign

BESIDE = (AUTH_TEST, USERS_INFO, ME, SHOW)
"""What an app may ask at any time: who it is, who somebody is, and (ours alone) whether they answered."""

Check = Callable[[Sequence[Call], Sequence[str], str], None]


def check_slash(calls: Sequence[Call], keys: Sequence[str], look: str) -> None:
    """Raise `LoadError` unless each command opened one form, and it looks as the form looks."""
    _check_once(calls, keys, VIEWS_OPEN)
    for call in calls:
        if call.path == VIEWS_OPEN and look_of(opened(call), call.key) != look:
            raise LoadError(f"another form was opened: {call.body[:500]}")


def check_submit(calls: Sequence[Call], keys: Sequence[str], stub_url: str) -> None:
    """Raise `LoadError` unless each submission was sent to X, and then told, once and in full."""
    _check_once(calls, keys, CREATE, POST_MESSAGE)
    at = {(call.path, call.key): call.at for call in calls}
    for key in keys:
        if at[CREATE, key] > at[POST_MESSAGE, key]:
            raise LoadError(f"told before it was sent: {key}")
    for call in calls:
        if call.path == CREATE:
            _check_feedback(call, f"{stub_url}{CREATE}")
        elif call.path == POST_MESSAGE:
            _check_message(call)


def opened(call: Call) -> dict[str, Any]:
    """Return the view that a call opened."""
    view = _arguments(call)["view"]
    parsed: dict[str, Any] = json.loads(view) if isinstance(view, str) else view
    return parsed


def look_of(view: Mapping[str, Any], key: str) -> str:
    """Return what a person sees of a view, the same for every key and for every app."""
    seen = {name: part for name, part in view.items() if name != "private_metadata"}
    seen["blocks"] = [
        {**block, "block_id": "recipient"} if _is_customer(block) else block for block in view["blocks"]
    ]
    return json.dumps(seen, sort_keys=True).replace(key, "KEY")


def plain_form(view: Mapping[str, Any]) -> dict[str, Any]:
    """Return our form as a plain app keeps it: without a customer, the customer's field first."""
    customer, *others = view["blocks"]
    if not _is_customer(customer):
        raise LoadError("the form no longer begins with the customer: see plain_python.py and plain_js")
    element = {name: part for name, part in customer["element"].items() if name != "initial_value"}
    return {**view, "blocks": [{**customer, "block_id": "recipient", "element": element}, *others]}


def _is_customer(block: Mapping[str, Any]) -> bool:
    return bool(block.get("element", {}).get("action_id") == "recipient")


def _check_once(calls: Sequence[Call], keys: Iterable[str], *paths: str) -> None:
    expected = {(path, key): 1 for path in paths for key in keys}
    found = Counter((call.path, call.key) for call in calls if not call.path.startswith(BESIDE))
    wrong = {what: found[what] for what in found.keys() | expected if found[what] != expected.get(what, 0)}
    if wrong:
        examples = ", ".join(f"{path} {key}: {times}x" for (path, key), times in list(wrong.items())[:3])
        raise LoadError(f"{len(wrong)} calls were not made exactly once: {examples}")


def _check_feedback(call: Call, url: str) -> None:
    fields = parse_qsl(call.body, keep_blank_values=True)
    expected = {
        "type": "csat",
        "to_user_id": call.key,
        "message": fixtures.MESSAGE,
        "privacy_url": fixtures.PRIVACY_URL,
        "external_id": fixtures.external_id(call.key),
        "question_variant_id": "0",
        "display_name": fixtures.DISPLAY_NAME,
        "test": "false",
    }
    if sorted(fields) != sorted(expected.items()):
        raise LoadError(f"X was sent other fields: {call.body[:500]}")
    oauth = parse_authorization(call.authorization)
    given = oauth.pop("oauth_signature")
    signed = build_base_string("POST", url, [*fields, *oauth.items()])
    if given != sign(signed, fixtures.X_API_SECRET, fixtures.X_ACCESS_TOKEN_SECRET):
        raise LoadError(f"the signature to X is wrong: {call.authorization}")


def _check_message(call: Call) -> None:
    said = _arguments(call)
    if said["channel"] != fixtures.CHANNEL or not re.search(rf"{call.key} for feedback", str(said["text"])):
        raise LoadError(f"another message was posted: {call.body[:500]}")


def _arguments(call: Call) -> dict[str, Any]:
    """Return the arguments of a call of Slack's Web API: JSON from Python, a form from JavaScript."""
    if call.body.startswith("{"):
        parsed: dict[str, Any] = json.loads(call.body)
        return parsed
    return {name: values[0] for name, values in parse_qs(call.body).items()}
