"""Slack's rules of Block Kit, as tables: what may stand where, and how long it may be."""

from sandbox.slack.blockkit.validation import (
    problems_of_blocks,
    problems_of_new_blocks,
    problems_of_options,
    problems_of_view,
)

__all__ = ["problems_of_blocks", "problems_of_new_blocks", "problems_of_options", "problems_of_view"]
