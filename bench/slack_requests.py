"""What Slack sends: signed commands and signed submissions of an open form."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from bench.fixtures import CHANNEL, SIGNING_SECRET, TEAM, USER, external_id

Requests = Callable[[str], bytes]
"""Makes the request of the operation with a given key."""

_TOKEN = "gIkuvaNzQIHg97ATvDxqgjtO"  # noqa: S105 - Slack's own sample
_CHOSEN = {"radio_buttons": "selected_option", "static_select": "selected_option"}


def command(path: str, key: str) -> bytes:
    """Return `/csat KEY`, given in a channel."""
    fields = {
        "token": _TOKEN,
        "team_id": TEAM,
        "team_domain": "bench",
        "channel_id": CHANNEL,
        "channel_name": "support",
        "user_id": USER,
        "user_name": "ada",
        "command": "/csat",
        "text": key,
        "api_app_id": "A0BENCH00",
        "is_enterprise_install": "false",
        "response_url": f"https://hooks.slack.com/commands/{TEAM}/1234567890/aBcDeFgHiJkLmNoPqRsTuVwX",
        "trigger_id": _trigger(key),
    }
    return _signed(path, urlencode(fields).encode())


def commands(path: str) -> Requests:
    """Return what makes commands for the app at `path`."""
    return lambda key: command(path, key)


def submissions(path: str, view: Mapping[str, Any], opened_by: str) -> Requests:
    """Return what makes submissions of the form that an app opened for the operation `opened_by`.

    The form comes back as Slack would send it: with all of its blocks, what the app keeps in it, and in its
    state what it was filled in with, beside a case number that is typed.
    """
    payload = {
        "type": "view_submission",
        "team": {"id": TEAM, "domain": "bench"},
        "user": {"id": USER, "username": "ada", "name": "ada", "team_id": TEAM},
        "api_app_id": "A0BENCH00",
        "token": _TOKEN,
        "trigger_id": _trigger(opened_by),
        "view": shown(view, opened_by),
        "response_urls": [],
        "is_enterprise_install": False,
        "enterprise": None,
    }
    template = urlencode({"payload": json.dumps(payload)}).encode()
    return lambda key: _signed(path, template.replace(opened_by.encode(), key.encode()))


def shown(view: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return an opened form as Slack knows it, with a case number typed."""
    values = {
        block["block_id"]: {block["element"]["action_id"]: _state(block["element"], key)}
        for block in view["blocks"]
        if block["type"] == "input"
    }
    return {
        "id": f"V{key}",
        "team_id": TEAM,
        **view,
        "state": {"values": values},
        "hash": "1700000000.aBcDeFgH",
        "clear_on_close": False,
        "notify_on_close": False,
        "previous_view_id": None,
        "root_view_id": f"V{key}",
        "app_id": "A0BENCH00",
        "external_id": "",
        "app_installed_team_id": TEAM,
        "bot_id": "B0BOT0000",
    }


def _state(element: Mapping[str, Any], key: str) -> dict[str, Any]:
    kind = element["type"]
    if kind == "checkboxes":
        return {"type": kind, "selected_options": element.get("initial_options", [])}
    if kind in _CHOSEN:
        return {"type": kind, _CHOSEN[kind]: element.get("initial_option")}
    typed = external_id(key) if element["action_id"] == "external_id" else element.get("initial_value")
    return {"type": kind, "value": typed}


def _trigger(key: str) -> str:
    return f"{key}.1234567890.0123456789abcdef0123456789abcdef"


def _signed(path: str, body: bytes) -> bytes:
    now = b"%d" % time.time()
    signature = hmac.new(SIGNING_SECRET.encode(), b"v0:%b:%b" % (now, body), hashlib.sha256).hexdigest()
    return b"\r\n".join(
        [
            b"POST %b HTTP/1.1" % path.encode(),
            b"Host: csat.northwind.example",
            b"User-Agent: Slackbot 1.0 (+https://api.slack.com/robots)",
            b"Accept-Encoding: gzip,deflate",
            b"Accept: application/json,*/*",
            b"X-Slack-Signature: v0=%b" % signature.encode(),
            b"X-Slack-Request-Timestamp: %b" % now,
            b"Content-Type: application/x-www-form-urlencoded",
            b"Content-Length: %d" % len(body),
            b"",
            body,
        ]
    )
