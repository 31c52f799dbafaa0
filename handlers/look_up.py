"""Who a handle is, if X says so in time."""

import asyncio

from csat.surveys.recipients import Recipient
from csat.x_api.client import XClient
from csat.x_api.errors import RetryLater
from csat.x_api.wire import Account

IN_TIME = 1.5
"""Seconds for X to answer while a person waits."""


async def look_up(x: XClient, recipient: Recipient) -> Account | None:
    """Return the account of a handle; `None` for an id, and where X is busy. Raises `Refused`."""
    if recipient.id:
        return None
    try:
        async with asyncio.timeout(IN_TIME):
            return await x.look_up_user(recipient)
    except (RetryLater, TimeoutError):
        return None
