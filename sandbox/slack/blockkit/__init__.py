"""Validation of Block Kit, with the limits that Slack documents."""

from sandbox.slack.blockkit.surface_validation import (
    find_unsupported_blocks,
    validate_blocks,
    validate_options,
    validate_view,
)

__all__ = ["find_unsupported_blocks", "validate_blocks", "validate_options", "validate_view"]
