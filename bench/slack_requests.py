"""Signed requests as Slack sends them: slash commands and form submissions."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

from bench.made_up_values import CHANNEL, PRIVACY_URL, SIGNING_SECRET, TEAM, USER, external_id

RequestBuilder = Callable[[str], bytes]
"""Build the request of an operation from its key."""

_VERIFICATION_TOKEN = "gIkuvaNzQIHg97ATvDxqgjtO"  # noqa: S105 - from Slack's documentation


def command_builder(path: str) -> RequestBuilder:
    """Return a builder of commands for the app at `path`."""
    return partial(build_command, path)


def build_command(path: str, key: str) -> bytes:
    """Build the request for `/csat KEY`, typed in a channel."""
    fields = {
        "token": _VERIFICATION_TOKEN,
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
        "response_url": f"https://hooks.slack.example/commands/{TEAM}/1234567890/aBcDeFgHiJkLmNoPqRsTuVwX",
        "trigger_id": _trigger_id(key),
    }
    return _build_signed(path, urlencode(fields).encode())


def submission_builder(path: str, view: Mapping[str, Any], opened_by: str) -> RequestBuilder:
    """Return a builder of submissions, as Slack sends them, for the app at `path`.

    Args:
        path: the app's path for requests from Slack.
        view: the form that the app opened.
        opened_by: the key of the operation that opened it.
    """
    payload = {
        "type": "view_submission",
        "team": {"id": TEAM, "domain": "bench"},
        "user": {"id": USER, "username": "ada", "name": "ada", "team_id": TEAM},
        "api_app_id": "A0BENCH00",
        "token": _VERIFICATION_TOKEN,
        "trigger_id": _trigger_id(opened_by),
        "view": _submitted_view(view, opened_by),
        "response_urls": [],
        "is_enterprise_install": False,
        "enterprise": None,
    }
    template = urlencode({"payload": json.dumps(payload)}).encode()
    return lambda key: _build_signed(path, template.replace(opened_by.encode(), key.encode()))


def _submitted_view(view: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return the view with its initial values, a typed external id and a typed URL as its state.

    As the URL must be typed, our form opens with all its fields, like those of the baselines.
    """
    values = {
        block["block_id"]: {block["element"]["action_id"]: _element_state(block["element"], key)}
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


def _element_state(element: Mapping[str, Any], key: str) -> dict[str, Any]:
    match element["type"]:
        case "checkboxes" as kind:
            return {"type": kind, "selected_options": element.get("initial_options", [])}
        case "radio_buttons" | "static_select" as kind:
            return {"type": kind, "selected_option": element.get("initial_option")}
        case kind if element["action_id"] == "external_id":
            return {"type": kind, "value": external_id(key)}
        case kind if element["action_id"] == "privacy_url":
            return {"type": kind, "value": PRIVACY_URL}
        case kind:
            return {"type": kind, "value": element.get("initial_value")}


def _trigger_id(key: str) -> str:
    return f"{key}.1234567890.0123456789abcdef0123456789abcdef"


def _build_signed(path: str, body: bytes) -> bytes:
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
