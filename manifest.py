"""The app's manifest for Slack, for Socket Mode as it stands in manifest.yml, or for HTTP."""

from pathlib import Path
from typing import Any

import yaml

PATH = Path(__file__).with_name("manifest.yml")
EVENTS = "/slack/events"
"""The one path that Slack calls."""


def load() -> dict[str, Any]:
    """Return the manifest for Socket Mode."""
    manifest: dict[str, Any] = yaml.safe_load(PATH.read_text(encoding="utf-8"))
    return manifest


def over_http(manifest: dict[str, Any], base_url: str) -> dict[str, Any]:
    """Return the manifest of an app that Slack reaches at `base_url`."""
    url = base_url.rstrip("/") + EVENTS
    features, settings = manifest["features"], manifest["settings"]
    commands = [{**command, "url": url} for command in features["slash_commands"]]
    return {
        **manifest,
        "features": {**features, "slash_commands": commands},
        "settings": {
            **settings,
            "interactivity": {**settings["interactivity"], "request_url": url},
            "socket_mode_enabled": False,
        },
    }


def scopes(manifest: dict[str, Any]) -> tuple[set[str], set[str]]:
    """Return the bot's required and its optional scopes."""
    bot = manifest["oauth_config"]["scopes"]
    return set(bot["bot"]), set(bot.get("bot_optional", ()))


def dumps(manifest: dict[str, Any]) -> str:
    """Return a manifest as YAML, in its own order."""
    return yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True, width=100)
