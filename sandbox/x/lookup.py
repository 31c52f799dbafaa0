"""Users as v2 of X's API tells of them."""

import re

from sandbox.x.errors import Refusal
from sandbox.x.people import Account, Customer
from sandbox.x.wire import Json

FIELDS = frozenset(
    [
        "affiliation",
        "connection_status",
        "created_at",
        "description",
        "entities",
        "id",
        "location",
        "most_recent_tweet_id",
        "name",
        "parody",
        "pinned_tweet_id",
        "profile_banner_url",
        "profile_image_url",
        "protected",
        "public_metrics",
        "receives_your_dm",
        "subscription_type",
        "url",
        "username",
        "verified",
        "verified_type",
        "withheld",
    ]
)
"""Every field that X documents; of those that can be asked for, this X only knows `receives_your_dm`."""

_HANDLE = re.compile(r"[A-Za-z0-9_]{1,15}")


def check_handle(handle: str) -> None:
    """Refuse what can't be a handle."""
    if not _HANDLE.fullmatch(handle):
        raise Refusal(400, 0, f"The `username` value [{handle}] does not match ^[A-Za-z0-9_]{{1,15}}$")


def wanted_fields(given: dict[str, str]) -> frozenset[str]:
    """Read `user.fields`, the one parameter there is."""
    for name in given.keys() - {"user.fields"}:
        raise Refusal(400, 0, f"The query parameter [{name}] is not one of [user.fields]")
    fields = frozenset(given["user.fields"].split(",")) if "user.fields" in given else frozenset[str]()
    for field in sorted(fields - FIELDS):
        raise Refusal(
            400, 0, f"The `user.fields` query parameter value [{field}] is not one of {sorted(FIELDS)}"
        )
    return fields


def found(user: Customer | Account, fields: frozenset[str]) -> Json:
    """Tell of somebody who is there; `receives_your_dm` only if asked for."""
    data: Json = {"id": user.id, "name": user.name, "username": user.handle}
    if isinstance(user, Customer) and "receives_your_dm" in fields:
        data["receives_your_dm"] = user.accepts_messages
    return {"data": data}


def not_found(handle: str) -> Json:
    """X's answer for a handle that nobody has."""
    return _without_data(handle, "Not Found Error", f"Could not find user with username: [{handle}].")


def suspended(handle: str) -> Json:
    """X's answer for a suspended account: its `type` says not found, its `title` and `detail` don't."""
    return _without_data(handle, "Forbidden", f"User has been suspended: [{handle}].")


def _without_data(handle: str, title: str, detail: str) -> Json:
    error = {
        "value": handle,
        "detail": detail,
        "title": title,
        "resource_type": "user",
        "parameter": "username",
        "resource_id": handle,
        "type": "https://api.twitter.com/2/problems/resource-not-found",
    }
    return {"errors": [error]}
