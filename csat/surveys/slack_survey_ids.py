"""How a survey in Slack, its message and the buttons in it know each other again."""

import re
from datetime import datetime

_KEY = re.compile("([0-9]{1,18}):([0-9]{1,11})")


def make_key(survey_id: int, accepted_at: datetime) -> str:
    """Return what names a survey in its message: always the same, and never that of another one."""
    return f"{survey_id}:{int(accepted_at.timestamp())}"


def parse_key(key: str) -> tuple[int, int]:
    """Return a survey's id, and when it was accepted, in whole seconds since 1970; zeros for another text."""
    match = _KEY.fullmatch(key)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def make_block_id(key: str) -> str:
    """Return the id of the block with which a survey can be answered."""
    return f"ratings:{key}"


def make_receipt_id(channel: str, ts: str) -> str:
    """Return the id of the receipt for a message; "" if Slack did not say where it is."""
    return f"{channel}/{ts}" if ts else ""


def parse_receipt_id(receipt_id: str) -> tuple[str, str]:
    """Return a message's channel and its `ts`; both are empty if they are not known."""
    channel, _, ts = receipt_id.partition("/")
    return channel, ts
