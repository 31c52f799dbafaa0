"""The app's manifest: https://docs.slack.dev/reference/app-manifest."""

from dataclasses import dataclass

from sandbox.slack.errors import SlackError
from sandbox.slack.json_types import Json


@dataclass(frozen=True)
class Manifest:
    """The configuration of an installed app.

    Every scope in `bot` is granted; Slack does not request the ones in `bot_optional` alone.
    """

    name: str
    bot_name: str
    scopes: tuple[str, ...]
    commands: dict[str, bool]
    """The slash commands; True if `should_escape` is set."""
    shortcuts: frozenset[tuple[str, str]]
    """The type (`message` or `global`) and `callback_id` of each shortcut."""
    events: frozenset[str]
    has_messages_tab: bool
    """False if the manifest does not enable it; Slack documents no default."""
    is_messages_tab_read_only: bool
    """Whether users can't write to the app."""
    has_home_tab: bool
    """False if the manifest does not enable it; Slack documents no default."""

    @classmethod
    def parse(cls, manifest: Json) -> "Manifest":
        """Parse the parts of a manifest that the fake Slack uses."""
        features = manifest.get("features", {})
        app_home = features.get("app_home", {})
        scopes = manifest.get("oauth_config", {}).get("scopes", {})
        name = manifest["display_information"]["name"]
        return cls(
            name=name,
            bot_name=features.get("bot_user", {}).get("display_name", name),
            scopes=tuple(scopes.get("bot", [])),
            commands={
                command["command"]: command.get("should_escape", False)
                for command in features.get("slash_commands", [])
            },
            shortcuts=frozenset(
                (shortcut["type"], shortcut["callback_id"]) for shortcut in features.get("shortcuts", [])
            ),
            events=frozenset(
                manifest.get("settings", {}).get("event_subscriptions", {}).get("bot_events", [])
            ),
            has_messages_tab=app_home.get("messages_tab_enabled", False),
            is_messages_tab_read_only=app_home.get("messages_tab_read_only_enabled", False),
            has_home_tab=app_home.get("home_tab_enabled", False),
        )

    def require_scope(self, *scopes: str) -> None:
        """Raise `SlackError("missing_scope")` unless one of these scopes is granted."""
        if scopes and not set(scopes) & set(self.scopes):
            raise SlackError("missing_scope", needed=scopes[0], provided=",".join(self.scopes))
