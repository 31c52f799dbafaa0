"""Parse the arguments of a Web API call: a form, a query string or JSON."""

import json

from starlette.requests import Request

from sandbox.slack.errors import SlackError
from sandbox.slack.json_types import Json

JSON_ARGUMENTS = ("view", "blocks", "attachments", "metadata", "files")
"""Arguments that are encoded as JSON in a form."""

BOOLEAN_ARGUMENTS = ("unfurl_links", "unfurl_media", "reply_broadcast", "include_num_members")


async def parse_arguments(request: Request) -> Json:
    """Return the arguments of a call, with nested JSON decoded; raises `SlackError` for invalid JSON."""
    args: Json = dict(request.query_params)
    if request.headers.get("content-type", "").startswith("application/json"):
        args |= await _parse_json(request)
    else:
        async with request.form() as form:
            args |= {name: value for name, value in form.items() if isinstance(value, str)}
    for name in JSON_ARGUMENTS:
        if isinstance(args.get(name), str):
            args[name] = _decode(args[name])
    for name in BOOLEAN_ARGUMENTS:
        if isinstance(args.get(name), str):
            args[name] = args[name].lower() in {"1", "true"}
    return args


def pop_token(request: Request, args: Json) -> str:
    """Return the token from the `Authorization` header or the arguments, and remove it from those."""
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    token = args.pop("token", "")
    return bearer.strip() if scheme.lower() == "bearer" else str(token or "")


async def _parse_json(request: Request) -> Json:
    try:
        body = await request.json()
    except json.JSONDecodeError:
        raise SlackError("invalid_json") from None
    if not isinstance(body, dict):
        raise SlackError("json_not_object")
    return body


def _decode(text: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
