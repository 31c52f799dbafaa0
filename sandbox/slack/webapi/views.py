"""The `views.*` methods."""

import json

from sandbox.slack.blockkit import find_unsupported_blocks, validate_view
from sandbox.slack.errors import SlackError, error_messages, invalid_arguments
from sandbox.slack.json_types import Json
from sandbox.slack.payloads import view_as_json
from sandbox.slack.trigger_ids import Trigger
from sandbox.slack.views import View
from sandbox.slack.workspace_state import WorkspaceState

MAX_VIEW_BYTES = 250_000
"""The limit for a view, as JSON."""


def parse_view(state: WorkspaceState, view: object, *types: str) -> Json:
    """Return a view of one of these types; raises `SlackError` if Slack would reject it."""
    if len(json.dumps(view, ensure_ascii=False).encode()) > MAX_VIEW_BYTES:
        raise SlackError("view_too_large")
    if problems := validate_view(view, *types):
        raise invalid_arguments(*problems)
    content: Json = view if isinstance(view, dict) else {}
    faults = state.faults
    if problems := find_unsupported_blocks(content["blocks"], faults.unsupported_blocks, "/view/blocks"):
        raise SlackError(faults.unsupported_view_error, response_metadata=error_messages(problems))
    return content


def open_view(state: WorkspaceState, args: Json) -> Json:
    """https://docs.slack.dev/reference/methods/views.open."""
    content = parse_view(state, args["view"], "modal")
    trigger = _exchange_trigger(state, args)
    return _response(state, state.views.open(trigger.user, content, trigger.channel))


def push(state: WorkspaceState, args: Json) -> Json:
    """https://docs.slack.dev/reference/methods/views.push."""
    content = parse_view(state, args["view"], "modal")
    parent = state.views.find(_exchange_trigger(state, args).view_id, "")
    return _response(state, state.views.push(parent, content))


def update(state: WorkspaceState, args: Json) -> Json:
    """https://docs.slack.dev/reference/methods/views.update."""
    if not (args.get("view_id") or args.get("external_id")):
        raise invalid_arguments("missing required field: view_id")
    view = state.views.find(args.get("view_id", ""), args.get("external_id", ""))
    content = parse_view(state, args["view"], view.content["type"])
    return _response(state, state.views.update(view, content, args.get("hash")))


def publish(state: WorkspaceState, args: Json) -> Json:
    """https://docs.slack.dev/reference/methods/views.publish."""
    if not state.manifest.has_home_tab:
        raise SlackError("not_enabled")
    user = state.directory.get_user(args["user_id"])
    content = parse_view(state, args["view"], "home")
    return _response(state, state.views.publish(user.id, content, args.get("hash")))


def _exchange_trigger(state: WorkspaceState, args: Json) -> Trigger:
    return state.triggers.exchange(args.get("trigger_id") or args.get("interactivity_pointer") or "")


def _response(state: WorkspaceState, view: View) -> Json:
    return {"view": view_as_json(state, view)}
