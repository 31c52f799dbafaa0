"""Slack's rules of Block Kit, as tables: what may stand where, and how long it may be."""

from sandbox.slack.blockkit.validation import (
    find_unsupported_blocks,
    validate_blocks,
    validate_options,
    validate_view,
)

__all__ = ["find_unsupported_blocks", "validate_blocks", "validate_options", "validate_view"]
