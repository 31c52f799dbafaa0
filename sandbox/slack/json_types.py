"""Types of JSON values."""

from typing import Any

Json = dict[str, Any]
"""A JSON object."""

StateValues = dict[str, dict[str, Json]]
"""The values of input elements by `block_id` and `action_id`, as in `view.state.values`."""
