"""The Slack app manifest: manifest.yml for Socket Mode, or a variant for HTTP."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from csat.web import paths

PATH = Path(__file__).parent.with_name("manifest.yml")
EXAMPLE_URL = "https://csat.your-company.example"
URL_NEEDED = (
    "By your settings Slack reaches this app over HTTP, and the manifest for Socket Mode would cut it off: "
    f"add --url {EXAMPLE_URL}, with your own address. For Socket Mode, set SLACK_APP_TOKEN first."
)


class InvalidUrl(ValueError):
    """Slack can't send requests to this URL; `str()` says why."""


def load() -> dict[str, Any]:
    """Return the manifest for Socket Mode."""
    manifest: dict[str, Any] = yaml.safe_load(PATH.read_text(encoding="utf-8"))
    return manifest


def over_http(manifest: dict[str, Any], base_url: str) -> dict[str, Any]:
    """Return the manifest of an app that Slack reaches at `base_url`; raises `InvalidUrl`."""
    url = _base(base_url) + paths.SLACK_EVENTS
    features, settings = manifest["features"], manifest["settings"]
    commands = [{**command, "url": url} for command in features["slash_commands"]]
    return {
        **manifest,
        "features": {**features, "slash_commands": commands},
        "settings": {
            **settings,
            "event_subscriptions": {**settings["event_subscriptions"], "request_url": url},
            "interactivity": {**settings["interactivity"], "request_url": url},
            "socket_mode_enabled": False,
        },
    }


def _base(url: str) -> str:
    try:
        parts = urlsplit(url.strip())
        parts.port  # noqa: B018 - raises if it is not a number
    except ValueError:
        raise InvalidUrl(f"is not a URL: give one like {EXAMPLE_URL}") from None
    if parts.scheme != "https":
        raise InvalidUrl(f"must begin with https://, like {EXAMPLE_URL}")
    if not parts.hostname or re.search(r"\s", parts.netloc):
        raise InvalidUrl(f"must name your host, like {EXAMPLE_URL}")
    if parts.query or parts.fragment or re.search(r"\s", parts.path):
        raise InvalidUrl(f"must not contain spaces, ? or #, like {EXAMPLE_URL}")
    return f"https://{parts.netloc}{parts.path.rstrip('/').removesuffix(paths.SLACK_EVENTS).rstrip('/')}"


def scopes(manifest: dict[str, Any]) -> tuple[set[str], set[str]]:
    """Return the bot's required and optional scopes; Slack requests the ones in `bot`, which has both."""
    bot = manifest["oauth_config"]["scopes"]
    optional = set(bot.get("bot_optional", ()))
    return set(bot["bot"]) - optional, optional


def dumps(manifest: dict[str, Any]) -> str:
    """Return a manifest as YAML, with its keys in order."""
    return yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True, width=100)
