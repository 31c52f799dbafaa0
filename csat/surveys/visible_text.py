"""What of a text can be seen."""

import unicodedata

_VISIBLE = frozenset("LNPS")
"""The first letters of Unicode's categories of letters, numbers, punctuation and symbols."""


def is_blank(text: str) -> bool:
    """Return True if a text has nothing but space, marks, and characters that are not shown."""
    return not any(unicodedata.category(character)[0] in _VISIBLE for character in text)
