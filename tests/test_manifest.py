import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import jsonschema
import pytest
import yaml
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from typer.testing import CliRunner

import handlers
from app import cli
from cli import manifest
from handlers.services import Services
from sandbox.slack.manifest import Manifest

ROOT = Path(manifest.__file__).parent.parent
SCHEMA: dict[str, Any] = json.loads(
    (Path(__file__).parent / "data" / "manifest.schema.1.0.0.json").read_text(encoding="utf-8")
)
"""https://raw.githubusercontent.com/slackapi/manifest-schema/main/manifest.schema.1.0.0.json"""

SOCKET_MODE = manifest.load()
HTTP = manifest.over_http(SOCKET_MODE, "https://csat.northwind.example/")

SCOPES_BY_METHOD = {
    "auth_test": set[str](),
    "views_open": set[str](),
    "views_update": set[str](),
    "views_publish": set[str](),
    "apps_connections_open": set[str](),  # uses the app-level token
    "chat_postMessage": {"chat:write"},
    "chat_postEphemeral": {"chat:write"},
    "chat_update": {"chat:write"},
    "users_info": {"users:read"},
    "usergroups_users_list": {"usergroups:read"},
    "conversations_info": {"channels:read", "groups:read"},
    "conversations_members": {"channels:read", "groups:read"},
    "chat_getPermalink": set[str](),
    "files_getUploadURLExternal": {"files:write"},
    "files_completeUploadExternal": {"files:write"},
    "conversations_open": {"im:write"},
    "conversations_history": {"im:history"},
}
"""The Web API methods that the app calls, each with its scopes: https://docs.slack.dev/reference/methods."""
OTHER_SCOPES = {
    "commands": "the slash command and the shortcut",
    "chat:write.public": "confirmations in public channels without the app",
}
OPTIONAL = {
    "chat:write.public",
    "usergroups:read",
    "channels:read",
    "groups:read",
    "files:write",
    "im:write",
    "im:history",
}
"""The app works without these, with fewer features."""


class RecordingApp(AsyncApp):
    """A Bolt app that records its listeners' constraints."""

    def __init__(self) -> None:
        super().__init__(token="xoxb-1", signing_secret="secret")
        self.registered: dict[str, list[object]] = {}

    def __getattribute__(self, name: str) -> object:
        method = super().__getattribute__(name)
        if name not in {
            "command",
            "shortcut",
            "message_shortcut",
            "global_shortcut",
            "event",
            "message",
            "function",
        }:
            return method

        def register(constraint: object = name, *args: object, **kwargs: object) -> object:
            self.registered.setdefault(name, []).append(constraint)
            return method(constraint, *args, **kwargs)

        return register


@pytest.fixture(name="registered", scope="module")
def _registered() -> dict[str, list[object]]:
    app = RecordingApp()
    handlers.register(app, cast("Services", None))
    return app.registered


def find_modules() -> Iterator[Path]:
    """Yield the app's own modules, without the sandbox."""
    packages = {path.parent for path in ROOT.glob("*/__init__.py")} - {ROOT / "sandbox"}
    yield from ROOT.glob("*.py")
    for package in packages:
        yield from package.glob("**/*.py")


def find_called_methods() -> set[str]:
    """Return the methods of Slack's Web API that the app calls."""
    methods = {name for name in dir(AsyncWebClient) if "_" in name.strip("_") and not name.startswith("_")}
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in find_modules()]
    return {
        node.attr for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)
    } & methods


@pytest.mark.parametrize("document", [SOCKET_MODE, HTTP], ids=["socket mode", "http"])
def test_the_manifest_is_valid_by_slack_s_schema(document: dict[str, Any]) -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)

    assert [error.message for error in jsonschema.Draft7Validator(SCHEMA).iter_errors(document)] == []


@pytest.mark.parametrize("document", [SOCKET_MODE, HTTP], ids=["socket mode", "http"])
def test_the_manifest_is_within_slack_s_limits(document: dict[str, Any]) -> None:
    about, features = document["display_information"], document["features"]

    assert len(about["name"]) <= 35
    assert len(about["description"]) <= 140
    assert 174 <= len(about["long_description"]) <= 4000
    assert len(features["bot_user"]["display_name"]) <= 80
    for command in features["slash_commands"]:
        assert len(command["command"]) <= 32
        assert len(command["description"]) <= 2000
        assert len(command["usage_hint"]) <= 1000
    for shortcut in features["shortcuts"]:
        assert len(shortcut["name"]) <= 24
        assert len(shortcut["callback_id"]) <= 255
        assert len(shortcut["description"]) <= 150


def test_every_command_in_the_manifest_has_a_listener_and_no_other(
    registered: dict[str, list[object]],
) -> None:
    offered = [command["command"] for command in SOCKET_MODE["features"]["slash_commands"]]

    assert registered["command"] == offered


def test_every_shortcut_in_the_manifest_has_a_listener_and_no_other(
    registered: dict[str, list[object]],
) -> None:
    offered = [shortcut["callback_id"] for shortcut in SOCKET_MODE["features"]["shortcuts"]]

    assert registered["shortcut"] == offered
    assert registered.keys() <= {"command", "shortcut", "event", "message", "function"}


def test_every_event_in_the_manifest_has_a_listener_and_no_other(registered: dict[str, list[object]]) -> None:
    subscriptions = SOCKET_MODE["settings"].get("event_subscriptions", {})

    assert registered.get("event", []) == subscriptions.get("bot_events", [])
    assert "message" not in registered
    assert "function" not in registered


def test_mentions_in_a_command_s_text_are_escaped() -> None:
    assert all(command["should_escape"] for command in SOCKET_MODE["features"]["slash_commands"])


def test_the_scopes_of_every_called_method_are_known() -> None:
    assert find_called_methods() == SCOPES_BY_METHOD.keys()


def test_the_manifest_requests_exactly_the_needed_scopes() -> None:
    required, optional = manifest.scopes(SOCKET_MODE)

    needed = set[str]().union(*(SCOPES_BY_METHOD[method] for method in find_called_methods()), OTHER_SCOPES)
    assert required | optional == needed
    assert optional == OPTIONAL
    assert not required & optional


@pytest.mark.parametrize("document", [SOCKET_MODE, HTTP], ids=["socket mode", "http"])
def test_the_optional_scopes_are_requested_too(document: dict[str, Any]) -> None:
    scopes = document["oauth_config"]["scopes"]

    assert set(scopes["bot_optional"]) <= set(scopes["bot"])
    assert set(Manifest.parse(document).scopes) == {*scopes["bot"], *OPTIONAL}


@pytest.mark.parametrize("document", [SOCKET_MODE, HTTP], ids=["socket mode", "http"])
def test_people_can_get_direct_messages_but_not_write_them(document: dict[str, Any]) -> None:
    app_home = document["features"]["app_home"]

    assert app_home["messages_tab_enabled"]
    assert app_home["messages_tab_read_only_enabled"]


def test_over_http_all_requests_go_to_one_url() -> None:
    url = "https://csat.northwind.example/slack/events"

    assert [command["url"] for command in HTTP["features"]["slash_commands"]] == [url]
    assert HTTP["settings"]["event_subscriptions"] == {"bot_events": ["app_home_opened"], "request_url": url}
    assert HTTP["settings"]["interactivity"] == {"is_enabled": True, "request_url": url}
    assert HTTP["settings"]["socket_mode_enabled"] is False


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://csat.northwind.example", "https://csat.northwind.example"),
        ("https://csat.northwind.example//", "https://csat.northwind.example"),
        ("https://csat.northwind.example/slack/events", "https://csat.northwind.example"),
        ("https://csat.northwind.example/slack/events/", "https://csat.northwind.example"),
        ("HTTPS://northwind.example:8443/csat/", "https://northwind.example:8443/csat"),
        (" https://northwind.example/csat/slack/events ", "https://northwind.example/csat"),
    ],
)
def test_the_url_may_end_with_a_slash_or_the_events_path(url: str, base: str) -> None:
    document = manifest.over_http(SOCKET_MODE, url)

    assert document["settings"]["interactivity"]["request_url"] == f"{base}/slack/events"


INVALID_URLS = [
    ("", "must begin with https://"),
    ("http://csat.northwind.example", "must begin with https://"),
    ("csat.northwind.example", "must begin with https://"),
    ("https://", "must name your host"),
    ("https:///slack/events", "must name your host"),
    ("https://north wind.example", "must name your host"),
    ("https://northwind.example/?a=b", "must not contain spaces, ? or #"),
    ("https://northwind.example/a b", "must not contain spaces, ? or #"),
    ("https://[northwind", "is not a URL"),
    ("https://northwind.example:port", "is not a URL"),
]


@pytest.mark.parametrize(("url", "expected"), INVALID_URLS)
def test_a_url_that_slack_can_not_reach_is_invalid(url: str, expected: str) -> None:
    with pytest.raises(manifest.InvalidUrl) as error:
        manifest.over_http(SOCKET_MODE, url)

    assert expected in str(error.value)
    assert "https://csat.your-company.example" in str(error.value)


@pytest.mark.parametrize(("url", "expected"), INVALID_URLS)
def test_the_command_reports_an_invalid_url(url: str, expected: str) -> None:
    run = CliRunner().invoke(cli, ["manifest", "--url", url])

    assert run.exit_code == 1
    assert run.stderr.startswith("--url ")
    assert expected in run.stderr
    assert run.stdout == ""


def test_the_help_names_what_runs_without_a_command() -> None:
    printed = CliRunner().invoke(cli, ["--help"]).stdout

    assert "Without a command, it does what serve does" in " ".join(printed.split())


def test_the_command_prints_the_manifest_for_socket_mode_or_http() -> None:
    socket = CliRunner().invoke(cli, ["manifest"])
    http = CliRunner().invoke(cli, ["manifest", "--url", "https://csat.northwind.example/slack/events/"])

    assert (socket.stdout, http.stdout) == (manifest.dumps(SOCKET_MODE), manifest.dumps(HTTP))


@pytest.mark.parametrize("secret", ["SLACK_SIGNING_SECRET=secret", "SLACK_SIGNING_SECRET_FILE=/run/secret"])
def test_an_app_over_http_gets_no_manifest_that_would_cut_it_off_from_slack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    (tmp_path / ".env").write_text(f"{secret}\nSLACK_APP_TOKEN=\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    refused = CliRunner().invoke(cli, ["manifest"])
    http = CliRunner().invoke(cli, ["manifest", "--url", "https://csat.northwind.example"])
    socket = CliRunner().invoke(cli, ["manifest"], env={"SLACK_APP_TOKEN": "xapp-1"})

    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "add --url https://csat.your-company.example" in refused.stderr
    assert (http.stdout, socket.stdout) == (manifest.dumps(HTTP), manifest.dumps(SOCKET_MODE))


def test_the_socket_mode_manifest_has_no_urls() -> None:
    assert SOCKET_MODE["settings"]["socket_mode_enabled"] is True
    assert "url" not in json.dumps(SOCKET_MODE)


def test_building_the_http_manifest_does_not_change_the_other() -> None:
    before = json.dumps(SOCKET_MODE)

    manifest.over_http(SOCKET_MODE, "https://elsewhere.example")

    assert json.dumps(SOCKET_MODE) == before
    assert json.dumps(manifest.load()) == before


@pytest.mark.parametrize("document", [SOCKET_MODE, HTTP], ids=["socket mode", "http"])
def test_a_printed_manifest_can_be_read_back(document: dict[str, Any]) -> None:
    again = yaml.safe_load(manifest.dumps(document))

    assert again == document
    assert list(again) == list(document)
