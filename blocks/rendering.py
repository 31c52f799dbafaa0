"""Render Block Kit models as JSON, without their own validation, which takes ten times as long."""

from typing import Any

from slack_sdk.models.basic_objects import JsonObject


def render(part: Any) -> Any:  # noqa: ANN401 - blocks, or any value in one
    """Return the same as `to_dict` for blocks that are valid; the tests check that all of ours are."""
    if isinstance(part, (list, tuple)):
        return [render(item) for item in part]
    to_dict = getattr(type(part), "to_dict", None)
    if to_dict is not JsonObject.to_dict:
        return to_dict(part) if to_dict else part
    attributes = ((name, getattr(part, name, None)) for name in part.attributes)
    return {name: render(value) for name, value in attributes if value not in (None, "", [])}
