"""User lookup of X's API v2."""

import re

from sandbox.x.accounts import Account, Customer
from sandbox.x.errors import ApiError
from sandbox.x.serializers import Json

USER_FIELDS = frozenset(
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
"""User fields documented by X; the fake X returns only `receives_your_dm` of the optional ones."""

_HANDLE = re.compile(r"[A-Za-z0-9_]{1,15}")


def check_handle(handle: str) -> None:
    """Raise ApiError if `handle` is not a valid handle."""
    if not _HANDLE.fullmatch(handle):
        raise ApiError(400, 0, f"The `username` value [{handle}] does not match ^[A-Za-z0-9_]{{1,15}}$")


def parse_fields(params: dict[str, str]) -> frozenset[str]:
    """Parse `user.fields`, the only parameter; raise ApiError for anything else."""
    for name in params.keys() - {"user.fields"}:
        raise ApiError(400, 0, f"The query parameter [{name}] is not one of [user.fields]")
    fields = frozenset(params["user.fields"].split(",")) if "user.fields" in params else frozenset[str]()
    for field in sorted(fields - USER_FIELDS):
        raise ApiError(
            400, 0, f"The `user.fields` query parameter value [{field}] is not one of {sorted(USER_FIELDS)}"
        )
    return fields


def serialize_user(user: Customer | Account, fields: frozenset[str]) -> Json:
    """Return a user, with `receives_your_dm` if it was requested."""
    data: Json = {"id": user.id, "name": user.name, "username": user.handle}
    if isinstance(user, Customer) and "receives_your_dm" in fields:
        data["receives_your_dm"] = user.accepts_messages
    return {"data": data}


def user_not_found(handle: str) -> Json:
    """Return X's body for an unknown handle."""
    return _build_error(handle, "Not Found Error", f"Could not find user with username: [{handle}].")


def id_not_found(user_id: str) -> Json:
    """Return X's body for an unknown id."""
    return _build_error(user_id, "Not Found Error", f"Could not find user with id: [{user_id}].", "id")


def user_suspended(handle: str) -> Json:
    """Return X's body for a suspended account; as on X, its `type` is the same as for an unknown handle."""
    return _build_error(handle, "Forbidden", f"User has been suspended: [{handle}].")


def _build_error(value: str, title: str, detail: str, parameter: str = "username") -> Json:
    error = {
        "value": value,
        "detail": detail,
        "title": title,
        "resource_type": "user",
        "parameter": parameter,
        "resource_id": value,
        "type": "https://api.twitter.com/2/problems/resource-not-found",
    }
    return {"errors": [error]}
