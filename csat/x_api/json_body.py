"""Parse the JSON of X's responses and webhook, so that its texts can be stored whatever they contain."""

import json
import re
from typing import Any

_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_HALF_SURROGATES = re.compile(r"[\ud800-\udfff]")


def parse_json(body: bytes) -> Any:  # noqa: ANN401 - any JSON
    """Return the value in a body, with texts that every database can store; raises `ValueError`.

    Control characters are removed, and what is not Unicode is replaced by U+FFFD.
    """
    try:
        return _make_storable(json.loads(body.decode(errors="replace")))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _make_storable(value: Any) -> Any:  # noqa: ANN401 - any JSON
    match value:
        case str():
            return _HALF_SURROGATES.sub("\ufffd", _CONTROL_CHARACTERS.sub("", value))
        case list():
            return [_make_storable(item) for item in value]
        case dict():
            return {name: _make_storable(item) for name, item in value.items()}
        case _:
            return value
