"""The result of one check of `app.py check`."""

from typing import NamedTuple


class Finding(NamedTuple):
    """The result of one check."""

    ok: bool
    message: str
    advice: str = ""
