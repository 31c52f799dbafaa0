"""Render Block Kit models as JSON, without their own validation, which takes ten times as long."""

from collections.abc import Callable, Iterable
from functools import cache, wraps
from typing import Any, ParamSpec, cast

from slack_sdk.models.basic_objects import JsonObject
from slack_sdk.models.blocks import Block

P = ParamSpec("P")

BlockDict = dict[str, Any]
"""A rendered block. It may be cached and shared: never change it."""


def render(block: Block) -> BlockDict:
    """Return the same as `to_dict` for a valid block; the tests check that all of ours are valid."""
    return cast("BlockDict", _render(block))


def render_all(blocks: Iterable[Block]) -> list[BlockDict]:
    """Return rendered blocks."""
    return [render(block) for block in blocks]


def render_once(build: Callable[P, Block]) -> Callable[P, BlockDict]:
    """Decorate a builder of a block to render it once for the same arguments."""

    @wraps(build)
    def build_and_render(*args: P.args, **kwargs: P.kwargs) -> BlockDict:
        return render(build(*args, **kwargs))

    return cast("Callable[P, BlockDict]", cache(build_and_render))


def _render(part: Any) -> Any:  # noqa: ANN401 - a block, or any value in one
    if isinstance(part, (list, tuple)):
        return [_render(item) for item in part]
    to_dict = getattr(type(part), "to_dict", None)
    if to_dict is not JsonObject.to_dict:
        return to_dict(part) if to_dict else part
    attributes = ((name, getattr(part, name, None)) for name in part.attributes)
    return {name: _render(value) for name, value in attributes if value not in (None, "", [])}
