"""How a survey in Slack and its message know each other again."""


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
