"""The visible part of a text."""

import unicodedata

_VISIBLE = frozenset("LNPS")
"""The first letters of Unicode's categories of letters, numbers, punctuation and symbols."""
_BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Hangul's fillers, which are letters, and Braille's pattern without dots, which is a symbol."""


def is_blank(text: str) -> bool:
    """Return True if a text has nothing but space, marks, and characters that are not shown."""
    seen = (character for character in text if character not in _BLANKS)
    return not any(unicodedata.category(character)[0] in _VISIBLE for character in seen)
