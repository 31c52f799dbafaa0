"""Blocks as JSON, without the models' checks of themselves: those take ten times as long; tests do them."""

from typing import Any

from slack_sdk.models.basic_objects import JsonObject


def render(part: Any) -> Any:  # noqa: ANN401 - blocks, or whatever is in one
    """Return what `to_dict` returns, unless a model is wrong."""
    if isinstance(part, (list, tuple)):
        return [render(inner) for inner in part]
    to_dict = getattr(type(part), "to_dict", None)
    if to_dict is not JsonObject.to_dict:
        return to_dict(part) if to_dict else part
    named = ((name, getattr(part, name, None)) for name in part.attributes)
    return {name: render(value) for name, value in named if value not in (None, "", [])}
