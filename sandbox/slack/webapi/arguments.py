"""What the app sends with a call: a form, a query or JSON."""

import json

from starlette.requests import Request

from sandbox.slack.errors import Json, SlackError

STRUCTURED = ("view", "blocks", "attachments", "metadata", "files")
"""Arguments that are JSON even in a form."""

FLAGS = ("unfurl_links", "unfurl_media", "reply_broadcast", "include_num_members")


async def arguments(request: Request) -> Json:
    """Return the arguments of a call, JSON inside them decoded."""
    args: Json = dict(request.query_params)
    if request.headers.get("content-type", "").startswith("application/json"):
        args |= await _json(request)
    else:
        async with request.form() as form:
            args |= {name: value for name, value in form.items() if isinstance(value, str)}
    for name in STRUCTURED:
        if isinstance(args.get(name), str):
            args[name] = _decoded(args[name])
    for name in FLAGS:
        if isinstance(args.get(name), str):
            args[name] = args[name].lower() in {"1", "true"}
    return args


async def _json(request: Request) -> Json:
    try:
        body = await request.json()
    except json.JSONDecodeError:
        raise SlackError("invalid_json") from None
    if not isinstance(body, dict):
        raise SlackError("json_not_object")
    return body


def _decoded(text: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
