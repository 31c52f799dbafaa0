"""What the app's manifest tells Slack: https://docs.slack.dev/reference/app-manifest."""

from dataclasses import dataclass

from sandbox.slack.errors import Json, SlackError


@dataclass(frozen=True)
class Manifest:
    """The app, as Slack knows it once it is installed; optional scopes count as granted."""

    name: str
    bot_name: str
    scopes: tuple[str, ...]
    escapes: dict[str, bool]
    """For each slash command, whether its text arrives escaped."""
    shortcuts: frozenset[tuple[str, str]]
    """Type (`message` or `global`) and `callback_id`."""
    events: frozenset[str]
    has_messages_tab: bool
    """Slack documents no default for its tabs: what a manifest does not ask for counts as off."""
    has_home_tab: bool

    @classmethod
    def read(cls, manifest: Json) -> "Manifest":
        """Take from a manifest what Slack acts on."""
        features = manifest.get("features", {})
        app_home = features.get("app_home", {})
        scopes = manifest.get("oauth_config", {}).get("scopes", {})
        name = manifest["display_information"]["name"]
        return cls(
            name=name,
            bot_name=features.get("bot_user", {}).get("display_name", name),
            scopes=(*scopes.get("bot", []), *scopes.get("bot_optional", [])),
            escapes={
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
            has_home_tab=app_home.get("home_tab_enabled", False),
        )

    def require(self, *scopes: str) -> None:
        """Refuse with `missing_scope` unless one of these scopes was granted."""
        if scopes and not set(scopes) & set(self.scopes):
            raise SlackError("missing_scope", needed=scopes[0], provided=",".join(self.scopes))
