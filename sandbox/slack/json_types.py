"""Types of JSON values."""

import json
from typing import Any

Json = dict[str, Any]
"""A JSON object."""

StateValues = dict[str, dict[str, Json]]
"""The values of input elements by `block_id` and `action_id`, as in `view.state.values`."""


def copy_json(value: Json) -> Json:
    """Return a deep copy, several times faster than `copy.deepcopy` does."""
    copied: Json = json.loads(json.dumps(value))
    return copied
