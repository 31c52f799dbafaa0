import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import jsonschema
import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from typer.testing import CliRunner

import handlers
from app import cli
from cli import manifest
from handlers.services import Services

ROOT = Path(manifest.__file__).parent.parent
SCHEMA: dict[str, Any] = json.loads(
    (Path(__file__).parent / "data" / "manifest.schema.1.0.0.json").read_text(encoding="utf-8")
)
"""https://raw.githubusercontent.com/slackapi/manifest-schema/main/manifest.schema.1.0.0.json"""

SOCKET = manifest.load()
HTTP = manifest.over_http(SOCKET, "https://csat.northwind.example/")

NEEDED_BY = {
    "auth_test": set[str](),
    "views_open": set[str](),
    "views_update": set[str](),
    "views_publish": set[str](),
    "apps_connections_open": set[str](),  # it takes the app-level token
    "chat_postMessage": {"chat:write"},
    "chat_postEphemeral": {"chat:write"},
    "chat_update": {"chat:write"},
    "users_info": {"users:read"},
    "usergroups_users_list": {"usergroups:read"},
    "conversations_info": {"channels:read"},
    "chat_getPermalink": set[str](),
    "files_getUploadURLExternal": {"files:write"},
    "files_completeUploadExternal": {"files:write"},
}
"""The Web API methods that the app calls, each with its scopes: https://docs.slack.dev/reference/methods."""
NEEDED_BESIDE = {
    "commands": "the slash command and the shortcut",
    "chat:write.public": "confirmations in public channels that the app is no member of",
}
OPTIONAL = {"chat:write.public", "usergroups:read", "channels:read", "files:write"}
"""Without these the app works, with less."""


class Registered(AsyncApp):
    """A Bolt app that remembers what was asked for."""

    def __init__(self) -> None:
        super().__init__(token="xoxb-1", signing_secret="secret")
        self.asked: dict[str, list[object]] = {}

    def __getattribute__(self, name: str) -> object:
        found = super().__getattribute__(name)
        if name not in {
            "command",
            "shortcut",
            "message_shortcut",
            "global_shortcut",
            "event",
            "message",
            "function",
        }:
            return found

        def register(what: object = name, *args: object, **kwargs: object) -> object:
            self.asked.setdefault(name, []).append(what)
            return found(what, *args, **kwargs)

        return register


@pytest.fixture(name="asked", scope="module")
def _asked() -> dict[str, list[object]]:
    app = Registered()
    handlers.register(app, cast("Services", None))
    return app.asked


def sources() -> Iterator[Path]:
    """Yield the app's own modules, without the sandbox."""
    rooms = {path.parent for path in ROOT.glob("*/__init__.py")} - {ROOT / "sandbox"}
    yield from ROOT.glob("*.py")
    for room in rooms:
        yield from room.glob("**/*.py")


def called() -> set[str]:
    """Return the methods of Slack's Web API that the app calls."""
    methods = {name for name in dir(AsyncWebClient) if "_" in name.strip("_") and not name.startswith("_")}
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in sources()]
    return {
        node.attr for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)
    } & methods


@pytest.mark.parametrize("document", [SOCKET, HTTP], ids=["socket mode", "http"])
def test_the_manifest_fits_slack_s_schema(document: dict[str, Any]) -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)

    assert [error.message for error in jsonschema.Draft7Validator(SCHEMA).iter_errors(document)] == []


@pytest.mark.parametrize("document", [SOCKET, HTTP], ids=["socket mode", "http"])
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


def test_every_command_that_slack_offers_is_answered_and_no_other(asked: dict[str, list[object]]) -> None:
    offered = [command["command"] for command in SOCKET["features"]["slash_commands"]]

    assert asked["command"] == offered


def test_every_shortcut_that_slack_offers_is_answered_and_no_other(asked: dict[str, list[object]]) -> None:
    offered = [shortcut["callback_id"] for shortcut in SOCKET["features"]["shortcuts"]]

    assert asked["shortcut"] == offered
    assert asked.keys() <= {"command", "shortcut", "event", "message", "function"}


def test_every_event_that_slack_sends_is_answered_and_no_other(asked: dict[str, list[object]]) -> None:
    subscriptions = SOCKET["settings"].get("event_subscriptions", {})

    assert asked.get("event", []) == subscriptions.get("bot_events", [])
    assert "message" not in asked
    assert "function" not in asked


def test_members_arrive_in_a_command_s_text_as_members() -> None:
    assert all(command["should_escape"] for command in SOCKET["features"]["slash_commands"])


def test_the_app_calls_no_method_whose_scopes_are_not_known() -> None:
    assert called() == NEEDED_BY.keys()


def test_the_app_asks_for_the_scopes_that_it_needs_and_no_other() -> None:
    required, optional = manifest.scopes(SOCKET)

    needed = set[str]().union(*(NEEDED_BY[method] for method in called()), NEEDED_BESIDE)
    assert required | optional == needed
    assert optional == OPTIONAL
    assert not required & optional


def test_over_http_slack_has_one_address_for_everything() -> None:
    url = "https://csat.northwind.example/slack/events"

    assert [command["url"] for command in HTTP["features"]["slash_commands"]] == [url]
    assert HTTP["settings"]["event_subscriptions"] == {"bot_events": ["app_home_opened"], "request_url": url}
    assert HTTP["settings"]["interactivity"] == {"is_enabled": True, "request_url": url}
    assert HTTP["settings"]["socket_mode_enabled"] is False


@pytest.mark.parametrize(
    ("given", "base"),
    [
        ("https://csat.northwind.example", "https://csat.northwind.example"),
        ("https://csat.northwind.example//", "https://csat.northwind.example"),
        ("https://csat.northwind.example/slack/events", "https://csat.northwind.example"),
        ("https://csat.northwind.example/slack/events/", "https://csat.northwind.example"),
        ("HTTPS://northwind.example:8443/csat/", "https://northwind.example:8443/csat"),
        (" https://northwind.example/csat/slack/events ", "https://northwind.example/csat"),
    ],
)
def test_an_address_is_taken_however_it_ends(given: str, base: str) -> None:
    document = manifest.over_http(SOCKET, given)

    assert document["settings"]["interactivity"]["request_url"] == f"{base}/slack/events"


NO_ADDRESSES = [
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


@pytest.mark.parametrize(("given", "told"), NO_ADDRESSES)
def test_what_slack_can_not_reach_is_no_address(given: str, told: str) -> None:
    with pytest.raises(manifest.InvalidUrl) as problem:
        manifest.over_http(SOCKET, given)

    assert told in str(problem.value)
    assert "https://csat.your-company.example" in str(problem.value)


@pytest.mark.parametrize(("given", "told"), NO_ADDRESSES)
def test_the_command_says_what_is_wrong_with_an_address(given: str, told: str) -> None:
    run = CliRunner().invoke(cli, ["manifest", "--url", given])

    assert run.exit_code == 1
    assert run.stderr.startswith("--url ")
    assert told in run.stderr
    assert run.stdout == ""


def test_the_command_prints_the_manifest_for_either_way() -> None:
    socket = CliRunner().invoke(cli, ["manifest"])
    http = CliRunner().invoke(cli, ["manifest", "--url", "https://csat.northwind.example/slack/events/"])

    assert (socket.stdout, http.stdout) == (manifest.dumps(SOCKET), manifest.dumps(HTTP))


def test_in_socket_mode_slack_has_no_address() -> None:
    assert SOCKET["settings"]["socket_mode_enabled"] is True
    assert "url" not in json.dumps(SOCKET)


def test_the_manifest_for_http_leaves_the_other_as_it_was() -> None:
    before = json.dumps(SOCKET)

    manifest.over_http(SOCKET, "https://elsewhere.example")

    assert json.dumps(SOCKET) == before
    assert json.dumps(manifest.load()) == before


@pytest.mark.parametrize("document", [SOCKET, HTTP], ids=["socket mode", "http"])
def test_a_printed_manifest_reads_as_the_same(document: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "manifest.yml"
    path.write_text(manifest.dumps(document), encoding="utf-8")

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(manifest, "PATH", path)
        again = manifest.load()

    assert again == document
    assert list(again) == list(document)
