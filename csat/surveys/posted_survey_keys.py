"""How what was posted about a survey names it, so that it never means another one."""

import re
from datetime import datetime

_KEY = re.compile("([0-9]{1,18}):([0-9]{1,11})")
_ID_ALONE = re.compile("[0-9]{1,18}")


def make_key(survey_id: int, accepted_at: datetime) -> str:
    """Return what names a survey: always the same, and never that of another one.

    After a backup was restored, or the newest surveys were pruned, another survey can get the same id.
    """
    return f"{survey_id}:{int(accepted_at.timestamp())}"


def parse_key(key: str) -> tuple[int, int]:
    """Return a survey's id, and when it was accepted, in whole seconds since 1970; zeros for another text."""
    match = _KEY.fullmatch(key)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def parse_id_alone(key: str) -> int:
    """Return the id in a key that has nothing else, as earlier versions posted them; 0 for another text."""
    return int(key) if _ID_ALONE.fullmatch(key) else 0
