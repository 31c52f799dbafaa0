"""The methods that open and change views."""

import json

from sandbox.slack.blockkit import find_unsupported_blocks, validate_view
from sandbox.slack.errors import Json, SlackError, invalid_arguments
from sandbox.slack.triggers import Trigger
from sandbox.slack.views import View
from sandbox.slack.workspace_state import State

LARGEST = 250_000
"""How many bytes of JSON a view has at most."""


def accepted(state: State, view: object, *kinds: str) -> Json:
    """Return a view that Slack accepts; `SlackError` says what is wrong with it."""
    if len(json.dumps(view, ensure_ascii=False).encode()) > LARGEST:
        raise SlackError("view_too_large")
    if problems := validate_view(view, *kinds):
        raise invalid_arguments(*problems)
    content: Json = view if isinstance(view, dict) else {}
    faults = state.faults
    if problems := find_unsupported_blocks(content["blocks"], faults.unsupported_blocks, "/view/blocks"):
        messages = [f"[ERROR] {problem}" for problem in problems]
        raise SlackError(faults.unsupported_view_error, response_metadata={"messages": messages})
    return content


def open_view(state: State, args: Json) -> Json:
    """https://docs.slack.dev/reference/methods/views.open."""
    content = accepted(state, args["view"], "modal")
    trigger = _exchange(state, args)
    return _told(state, state.views.open(trigger.user, content, trigger.channel))


def push(state: State, args: Json) -> Json:
    """https://docs.slack.dev/reference/methods/views.push."""
    content = accepted(state, args["view"], "modal")
    below = state.views.find(_exchange(state, args).view_id, "")
    return _told(state, state.views.push(below, content))


def update(state: State, args: Json) -> Json:
    """https://docs.slack.dev/reference/methods/views.update."""
    if not (args.get("view_id") or args.get("external_id")):
        raise invalid_arguments("missing required field: view_id")
    view = state.views.find(args.get("view_id", ""), args.get("external_id", ""))
    content = accepted(state, args["view"], view.content["type"])
    return _told(state, state.views.update(view, content, args.get("hash")))


def publish(state: State, args: Json) -> Json:
    """https://docs.slack.dev/reference/methods/views.publish."""
    if not state.manifest.has_home_tab:
        raise SlackError("not_enabled")
    user = state.directory.user(args["user_id"])
    content = accepted(state, args["view"], "home")
    return _told(state, state.views.publish(user.id, content, args.get("hash")))


def _exchange(state: State, args: Json) -> Trigger:
    return state.triggers.exchange(args.get("trigger_id") or args.get("interactivity_pointer") or "")


def _told(state: State, view: View) -> Json:
    directory = state.directory
    return {"view": view.as_json(directory.team.id, directory.app_id, directory.bot.bot_id)}
