import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from bootstrap.values_from_settings import build_credentials, build_default_draft, build_limits
from csat.settings import (
    DEFAULT_MESSAGE,
    DEFAULT_QUESTIONS_FILE,
    MAX_MESSAGE_LENGTH,
    SECRET_LOCATIONS,
    X_KEYS,
    Settings,
)
from csat.settings_from_environment import SECRETS as FILE_SECRETS
from csat.settings_from_environment import SettingsError, load_settings
from csat.surveys.limits import Limits
from csat.surveys.survey import Draft

SLACK_ALONE = {"SLACK_BOT_TOKEN": "xoxb-1-2-abc", "SLACK_APP_TOKEN": "xapp-1-A-2-abc"}
COMPLETE = {
    **SLACK_ALONE,
    "X_API_KEY": "key",
    "X_API_SECRET": "secret",
    "X_ACCESS_TOKEN": "1718260345-abc",
    "X_ACCESS_TOKEN_SECRET": "token secret",
}
SECRETS = [*COMPLETE, "SLACK_SIGNING_SECRET"]


@pytest.fixture(name="folder", autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder without `.env`, and an environment without any of our settings."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.delenv(f"{name.upper()}_FILE", raising=False)
    yield tmp_path
    (tmp_path / ".env").unlink(missing_ok=True)


def load(monkeypatch: pytest.MonkeyPatch, **others: str) -> Settings:
    for name, value in {**COMPLETE, **others}.items():
        monkeypatch.setenv(name, value)
    return load_settings()


def load_slack_alone(monkeypatch: pytest.MonkeyPatch, **others: str) -> Settings:
    for name, value in {**SLACK_ALONE, **others}.items():
        monkeypatch.setenv(name, value)
    return load_settings()


TOO_SHORT = (
    "CSAT_SECRET_KEY must be 16 characters or more, not counting white space around it. See .env.example."
)


def load_problems(monkeypatch: pytest.MonkeyPatch, **others: str) -> list[str]:
    with pytest.raises(SettingsError) as error:
        load(monkeypatch, **others)
    assert str(error.value) == "\n".join(error.value.problems)
    return error.value.problems


def test_the_tokens_and_keys_are_all_that_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch)

    assert settings.slack_app_token
    assert settings.slack_signing_secret is None
    assert settings.slack_api_url == "https://slack.com/api"
    assert settings.x_api_url == "https://api.twitter.com"
    assert settings.database_url.get_secret_value() == "sqlite:///csat.db"
    assert (settings.host, settings.port) == ("127.0.0.1", 3000)
    assert settings.csat_agents == frozenset()
    assert settings.csat_questions_file == DEFAULT_QUESTIONS_FILE
    assert build_default_draft(settings) == Draft(transport="x_card", message=DEFAULT_MESSAGE)
    assert settings.x_account_id == "1718260345"
    assert (credentials := build_credentials(settings))
    assert credentials.access_token_secret.get_secret_value() == "token secret"


def test_without_the_keys_of_x_surveys_go_to_people_in_slack(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_slack_alone(monkeypatch, X_API_KEY="", CSAT_PUBLIC_URL="https://feedback.example.com")

    assert settings.csat_transports == ("slack",)
    assert build_credentials(settings) is None
    assert settings.x_account_id == ""


@pytest.mark.parametrize("given", X_KEYS)
def test_of_the_keys_of_x_each_missing_one_is_named_once_there_is_another(
    given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingsError) as error:
        load_slack_alone(monkeypatch, **{given: COMPLETE[given]})

    assert error.value.problems == [
        f"{name} is missing. Find it at {SECRET_LOCATIONS[name]}." for name in X_KEYS if name != given
    ]


def test_a_transport_on_x_without_the_keys_of_x_is_refused_with_where_to_find_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(SettingsError) as error:
        load_slack_alone(monkeypatch, CSAT_TRANSPORTS="slack, x_link")

    (problem,) = error.value.problems
    assert problem == (
        "CSAT_TRANSPORTS names x_link, which needs X_API_KEY, X_API_SECRET, X_ACCESS_TOKEN and "
        "X_ACCESS_TOKEN_SECRET (developer.x.com, your app, Keys and tokens): set these, or remove it. "
        "See .env.example."
    )


def test_the_webhook_of_x_without_the_keys_of_x_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError) as error:
        load_slack_alone(monkeypatch, X_WEBHOOK_USER="x", X_WEBHOOK_PASSWORD="secret")

    (problem,) = error.value.problems
    assert problem == (
        "X_WEBHOOK_USER and X_WEBHOOK_PASSWORD are set, and X's webhook has no use without X_API_KEY, "
        "X_API_SECRET, X_ACCESS_TOKEN and X_ACCESS_TOKEN_SECRET (developer.x.com, your app, Keys and "
        "tokens): set these, or remove both. See .env.example."
    )


def test_http_needs_a_signing_secret_instead_of_an_app_token(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, SLACK_APP_TOKEN="", SLACK_SIGNING_SECRET="s3cr3t")

    assert settings.slack_app_token is None
    assert settings.slack_signing_secret


def test_all_missing_settings_are_listed_with_where_to_find_them() -> None:
    with pytest.raises(SettingsError) as error:
        load_settings()

    problems = error.value.problems
    assert [line.split()[0] for line in problems] == [
        "SLACK_BOT_TOKEN",
        "SLACK_SIGNING_SECRET",
    ]
    assert all(line.endswith(f" Find it at {SECRET_LOCATIONS[line.split()[0]]}.") for line in problems)
    assert "SLACK_APP_TOKEN" in problems[1]


@pytest.mark.parametrize("name", [name for name in COMPLETE if name != "SLACK_APP_TOKEN"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_or_empty_setting_is_named(
    name: str, value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for other in COMPLETE.keys() - {name}:
        monkeypatch.setenv(other, COMPLETE[other])
    if value is not None:
        monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError) as error:
        load_settings()

    assert error.value.problems == [f"{name} is missing. Find it at {SECRET_LOCATIONS[name]}."]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("SLACK_BOT_TOKEN", "xoxp-1", "SLACK_BOT_TOKEN must begin with xoxb-."),
        ("SLACK_APP_TOKEN", "xoxb-1", "SLACK_APP_TOKEN must begin with xapp-."),
        ("X_ACCESS_TOKEN", "abc", "X_ACCESS_TOKEN must begin with the account's id and a dash"),
        ("X_API_URL", "api.twitter.com", "X_API_URL must be a web address"),
        ("X_API_URL", "ftp://api.twitter.com", "X_API_URL must be a web address"),
        ("X_API_URL", "https://", "X_API_URL must be a web address"),
        ("X_API_URL", "https://api.twitter.com?x=1", "X_API_URL must be a web address"),
        ("X_API_URL", "https://api.twitter.com#x", "X_API_URL must be a web address"),
        ("X_API_URL", "http://[", "X_API_URL must be a web address"),
        ("X_API_URL", "https://ex\u2100mple.com", "X_API_URL must be a web address"),
        ("SLACK_API_URL", "slack.com/api", "SLACK_API_URL must be a web address"),
        ("PORT", "http", "PORT must be a whole number from 0 to 65535."),
        ("PORT", "-1", "PORT must be a whole number from 0 to 65535."),
        ("PORT", "65536", "PORT must be a whole number from 0 to 65535."),
        ("LOG_LEVEL", "loud", "LOG_LEVEL must be debug, info, warning or error."),
        ("LOG_FORMAT", "xml", "LOG_FORMAT must be text or json."),
        ("CSAT_AGENTS", "@ada", "CSAT_AGENTS must list ids of people (U..., W...) or user groups (S...)"),
        ("CSAT_AGENTS", "U012AB3CD, ada, eve", "CSAT_AGENTS must list ids"),
        ("CSAT_AGENTS", "C012AB3CD", "CSAT_AGENTS must list ids"),
        ("CSAT_SUPERVISORS", "cleo", "CSAT_SUPERVISORS must list ids"),
        ("CSAT_OPERATORS", "S07AGENTS3D", "CSAT_OPERATORS must list ids of people (U..., W...)"),
        ("X_WEBHOOK_USER", "x", "X_WEBHOOK_PASSWORD must be set if X_WEBHOOK_USER is, and only then."),
        ("X_WEBHOOK_PASSWORD", "secret", "X_WEBHOOK_PASSWORD must be set if X_WEBHOOK_USER is"),
        ("CSAT_AGENT", "U012AB3CD", "CSAT_AGENT is no setting: did you mean CSAT_AGENTS? See .env.example."),
        ("CSAT_LANGUAGE", "en", "CSAT_LANGUAGE is no setting. See .env.example."),
        (
            "CSAT_SECRET_KEYFILE",
            "/key",
            "CSAT_SECRET_KEYFILE is no setting: did you mean CSAT_SECRET_KEY",
        ),
        ("CSAT_PUBLIC_URL", "http://feedback.example.com", "CSAT_PUBLIC_URL must begin with https://"),
        ("CSAT_PUBLIC_URL", "https://feedback.example.com/r/", "CSAT_PUBLIC_URL must not end in /r/"),
        ("CSAT_PUBLIC_URL", "feedback.example.com", "CSAT_PUBLIC_URL must be a web address"),
        ("CSAT_PUBLIC_PORT", "65536", "CSAT_PUBLIC_PORT must be a whole number from 0 to 65535."),
        (
            "CSAT_TRANSPORTS",
            "x_card, telegram",
            "CSAT_TRANSPORTS must be one or more of x_card, x_link and slack",
        ),
        ("CSAT_DAILY_LINK_LIMIT", "501", "CSAT_DAILY_LINK_LIMIT must be a whole number from 1 to 500."),
        ("CSAT_DAILY_LINK_LIMIT", "0", "CSAT_DAILY_LINK_LIMIT must be a whole number from 1 to 500."),
        ("CSAT_RESULTS_CHANNEL", "#results", "CSAT_RESULTS_CHANNEL must be a channel's id (C... or G...)"),
        ("CSAT_ALLOWLIST", "not a handle!!", "CSAT_ALLOWLIST must list handles on X"),
        ("CSAT_ALLOWLIST", "https://x.com/mira_k", "CSAT_ALLOWLIST must list handles on X"),
        ("CSAT_ALLOWLIST", "@" + "h" * 16, "CSAT_ALLOWLIST must list handles on X"),
        ("CSAT_TIMEZONE", "Berlin", "CSAT_TIMEZONE must be a time zone's name, like Europe/Berlin"),
        (
            "CSAT_QUESTIONS",
            "14, 0",
            "CSAT_QUESTIONS must be ids of questions for each type, like csat: 14, 0; nps",
        ),
        ("CSAT_QUESTIONS", "csat: first", "CSAT_QUESTIONS must be ids of questions for each type"),
        ("CSAT_QUESTIONS", "ces: 1", "CSAT_QUESTIONS must be ids of questions for each type"),
        ("CSAT_QUESTIONS", "csat:; nps: 0", "CSAT_QUESTIONS must be ids of questions for each type"),
        ("CSAT_QUESTIONS", "csat: 1; csat: 2", "CSAT_QUESTIONS must name each type once"),
        ("CSAT_DISPLAY_NAME", "N" * 21, "CSAT_DISPLAY_NAME must be at most 20 characters long."),
        ("CSAT_MESSAGE", "m" * 3001, "CSAT_MESSAGE must be at most 3,000 characters long."),
        ("CSAT_PRIVACY_URL", "northwind.example", "CSAT_PRIVACY_URL must be a whole web address"),
        ("CSAT_PRIVACY_URL", "https://e.co/our policy", "CSAT_PRIVACY_URL must be a whole web address"),
        (
            "CSAT_PRIVACY_URL",
            "https://e.co/" + "p" * 1988,
            "CSAT_PRIVACY_URL must be at most 2,000 characters long.",
        ),
    ],
)
def test_an_invalid_setting_is_named_without_its_value(
    name: str, value: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (problem,) = load_problems(monkeypatch, **{name: value})

    assert problem.startswith(expected)
    assert problem.endswith(
        f"Find it at {SECRET_LOCATIONS[name]}." if name in SECRET_LOCATIONS else "See .env.example."
    )


@pytest.mark.parametrize("key", [" " * 20, "fifteen letters", f"  fifteen letters{' ' * 9}"])
def test_a_secret_key_is_as_long_as_it_is_without_the_white_space_around_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    assert load_problems(monkeypatch, CSAT_SECRET_KEY=key) == [TOO_SHORT]

    (folder / ".env").write_text(f"CSAT_SECRET_KEY='{key}'\n", encoding="utf-8")
    monkeypatch.delenv("CSAT_SECRET_KEY")
    assert load_problems(monkeypatch) == [TOO_SHORT]


def test_a_secret_key_that_is_too_short_in_its_file_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (file := folder / "key").write_text(f"fifteen letters{' ' * 9}\n", encoding="utf-8")

    assert load_problems(monkeypatch, CSAT_SECRET_KEY_FILE=str(file)) == [TOO_SHORT]


@pytest.mark.parametrize("password", ["word@TAIL", "@TAIL", "TAIL@", "a/TAIL@b", "a@TAIL:1", "a@TAIL/c?d#e"])
def test_a_database_password_that_is_not_percent_encoded_is_refused_without_a_part_of_it(
    password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (problem,) = load_problems(
        monkeypatch, DATABASE_URL=f"postgresql+psycopg://csat:{password}@127.0.0.1:1/csat"
    )

    assert problem == (
        "DATABASE_URL must have the special characters of user and password percent-encoded: %40 for @, "
        "%2F for /, %3A for :, %23 for #, %3F for ?, %25 for %. See .env.example."
    )


def test_a_percent_encoded_database_password_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "postgresql+psycopg://csat:word%40TAIL@127.0.0.1:1/csat"

    assert load(monkeypatch, DATABASE_URL=url).database_url.get_secret_value() == url


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("csat: 14, 0; nps: 2", {"csat": (14, 0), "nps": (2,)}),
        ("NPS:2 1 2;", {"nps": (2, 1)}),
    ],
)
def test_the_questions_of_a_team_are_read_in_their_order(
    value: str, expected: dict[str, tuple[int, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load(monkeypatch, CSAT_QUESTIONS=value).csat_questions == expected


@pytest.mark.parametrize(
    ("chosen", "public_url", "expected"),
    [
        ("", "", ["x_card", "slack"]),
        ("", "https://feedback.example.com", ["x_card", "x_link", "slack"]),
        ("slack, x_card", "", ["slack", "x_card"]),
        ("x_link", "https://feedback.example.com", ["x_link"]),
        ("x_link, x_card x_link", "https://feedback.example.com", ["x_link", "x_card"]),
        ("x_card", "https://feedback.example.com", ["x_card"]),
    ],
)
def test_the_transports_are_those_that_the_settings_allow_unless_some_are_chosen(
    chosen: str, public_url: str, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load(monkeypatch, CSAT_TRANSPORTS=chosen, CSAT_PUBLIC_URL=public_url)

    assert list(settings.csat_transports) == expected
    assert build_default_draft(settings).transport == expected[0]


def test_links_without_a_page_to_link_to_are_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    (problem,) = load_problems(monkeypatch, CSAT_TRANSPORTS="x_card, x_link")

    assert problem == (
        "CSAT_TRANSPORTS names x_link, which needs the page at CSAT_PUBLIC_URL: set that, or remove it. "
        "See .env.example."
    )


def test_a_wrong_public_address_is_reported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    problems = load_problems(monkeypatch, CSAT_TRANSPORTS="x_link", CSAT_PUBLIC_URL="http://example.com")

    assert [problem.split()[0] for problem in problems] == ["CSAT_PUBLIC_URL"]


def test_the_limits_of_the_transports_are_their_usual_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    assert build_limits(load(monkeypatch)).daily == Limits().daily


def test_each_transport_has_a_limit_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, CSAT_DAILY_LIMIT="70", CSAT_DAILY_LINK_LIMIT="7", CSAT_DAILY_SLACK_LIMIT="3")

    assert build_limits(settings).daily == {"x_card": 70, "x_link": 7, "slack": 3}


def test_an_invalid_app_token_is_reported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(load_problems(monkeypatch, SLACK_APP_TOKEN="nonsense", X_API_URL="nonsense")) == 2


@given(st.text(st.characters(categories=["L", "N"]), min_size=12, max_size=40), st.sampled_from(SECRETS))
@examples(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_errors_never_contain_a_secret(secret: str, name: str) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        for other in SECRETS:
            monkeypatch.setenv(other, secret)
        monkeypatch.delenv(name)
        monkeypatch.setenv("PORT", secret)
        with pytest.raises(SettingsError) as error:
            load_settings()

    assert secret not in str(error.value)
    assert secret not in repr(error.value)
    assert secret not in str(error.value.__context__)


def test_printed_settings_hide_the_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "sqlite:////srv/passw0rd-/csat.db"
    settings = load(monkeypatch, SLACK_SIGNING_SECRET="s3cr3t-signing", DATABASE_URL=url)

    shown = f"{settings!r} {settings} {settings.model_dump()}"

    assert not any(
        value in shown for value in [*COMPLETE.values(), "s3cr3t-signing", "passw0rd-"] if len(value) > 9
    )


def test_an_env_file_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [
        'CSAT_MESSAGE="Hello,\nhow did we do?"',
        "# a comment",
        "CSAT_DISPLAY_NAME=Café",
        "export PORT=4000",
    ]
    (folder / ".env").write_text("\n".join([*lines, "UNKNOWN=1", "X_API_URL="]), encoding="utf-8")

    settings = load(monkeypatch)

    assert settings.csat_message == "Hello,\nhow did we do?"
    assert settings.csat_display_name == "Café"
    assert settings.port == 4000
    assert settings.x_api_url == "https://api.twitter.com"


@pytest.mark.parametrize("line", ["CSAT_MESSAGE=We are #1", "csat_message = 'We are' # as you said"])
def test_what_may_be_a_comment_in_the_env_file_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    (folder / ".env").write_text(f"UNKNOWN=1 # one\n{line}\n", encoding="utf-8")

    (problem,) = load_problems(monkeypatch)
    assert problem == (
        "CSAT_MESSAGE in .env has a # after a space, where a comment begins for some readers of the file: "
        "put the value into quotes, or the comment into a line of its own."
    )


@pytest.mark.parametrize("value", ["${HOME}", "'${HOME}'"])
def test_what_may_be_a_variable_in_the_env_file_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    (folder / ".env").write_text(f"CSAT_MESSAGE={value}\n", encoding="utf-8")

    assert load_problems(monkeypatch) == [
        "CSAT_MESSAGE in .env has ${...}, which not all readers of the file replace: write it out."
    ]


@pytest.mark.parametrize(
    "line",
    [
        "CSAT_AGENTS='U07ADA4K2QX, U07BEN9M3RT",
        "CSAT_MESSAGE='We're glad'",
        'CSAT_AGENTS="U1""U2"',
        "CSAT_AGENTS: U07ADA4K2QX",
        "CSAT_AGENTS U07ADA4K2QX",
        "CSAT_AGENTS",
    ],
)
def test_a_line_of_the_env_file_that_can_not_be_read_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    (folder / ".env").write_text(
        f"PORT=high\n\n# those who may send\n{line}\nCSAT_DISPLAY_NAME='Northwind'\n", encoding="utf-8"
    )

    problem, *others = load_problems(monkeypatch)
    assert problem.startswith("Line 4 of .env can't be read: write NAME=value")
    assert all("can't be read" in other for other in others)
    assert "U07ADA4K2QX" not in problem


@pytest.mark.parametrize("end", ["CSAT_MESSAGE='", "CSAT_MESSAGE=''"])
def test_a_quote_that_is_closed_some_lines_later_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    (folder / ".env").write_text(f"CSAT_AGENTS='U07ADA4K2QX\nCSAT_SUPERVISORS=U1\n{end}\n", encoding="utf-8")

    assert load_problems(monkeypatch)[0].startswith("Line 1 of .env can't be read")


@pytest.mark.parametrize(
    ("quoted", "value"),
    [
        ("'We are #1, not $2'", "We are #1, not $2"),
        ('"We\'re #1"', "We're #1"),
        ("Thanks#1 'you'", "Thanks#1 'you'"),
    ],
)
@pytest.mark.parametrize("is_in_file", [True, False])
def test_quotes_around_a_value_are_no_part_of_it_whoever_reads_the_file(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    quoted: str,
    value: str,
    is_in_file: bool,  # noqa: FBT001
) -> None:
    if is_in_file:
        (folder / ".env").write_text(f"CSAT_MESSAGE={quoted}\nX_API_URL=''\n", encoding="utf-8")
        settings = load(monkeypatch)
    else:
        settings = load(monkeypatch, CSAT_MESSAGE=quoted, X_API_URL="''")

    assert (settings.csat_message, settings.x_api_url) == (value, "https://api.twitter.com")


@pytest.mark.parametrize("name", ["X_WEBHOOK_USER_FILE", "CSAT_AGENTS_FILE", "PORT_FILE"])
def test_a_file_for_what_is_no_secret_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert load_problems(monkeypatch, **{name: "/run/secrets/it"}) == [
        f"{name} is no setting: only secrets can be in files, so set {name.removesuffix('_FILE')} itself."
    ]


def test_the_environment_overrides_the_env_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".env").write_text("PORT=4000\nHOST=0.0.0.0\n", encoding="utf-8")

    settings = load(monkeypatch, PORT="5000", HOST="")

    assert (settings.port, settings.host) == (5000, "0.0.0.0")  # noqa: S104 - read, not listened on


def test_a_misspelled_setting_in_the_env_file_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".env").write_text("csat_supervisor=U012AB3CD\n", encoding="utf-8")

    assert load_problems(monkeypatch) == [
        "CSAT_SUPERVISOR is no setting: did you mean CSAT_SUPERVISORS? See .env.example."
    ]


@pytest.mark.parametrize(
    ("misspelled", "meant"),
    [
        ("X_API_SECRT", "X_API_SECRET"),
        ("X_API_SECRET_FIL", "X_API_SECRET_FILE"),
        ("SLACK_SIGNING_SECERT", "SLACK_SIGNING_SECRET"),
        ("METRIC_PORT", "METRICS_PORT"),
        ("LOGLEVEL", "LOG_LEVEL"),
    ],
)
@pytest.mark.parametrize("is_in_file", [True, False])
def test_a_misspelled_name_without_our_prefix_is_named_too(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    misspelled: str,
    meant: str,
    is_in_file: bool,  # noqa: FBT001
) -> None:
    if is_in_file:
        (folder / ".env").write_text(f"{misspelled}=1\n", encoding="utf-8")
    else:
        monkeypatch.setenv(misspelled, "1")
    for name, value in COMPLETE.items():
        if name != meant:
            monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError) as error:
        load_settings()

    assert f"{misspelled} is no setting: did you mean {meant}? See .env.example." in error.value.problems


def test_the_name_that_a_misspelled_one_is_most_like_is_suggested_also_if_it_is_set(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".env").write_text("SLACK_SIGNING_SECRT=1\nSLACK_SIGNING_SECRET=2\n", encoding="utf-8")

    assert load_problems(monkeypatch) == [
        "SLACK_SIGNING_SECRT is no setting: did you mean SLACK_SIGNING_SECRET? See .env.example."
    ]


def test_a_name_that_is_only_alike_is_taken_for_a_setting_in_the_env_file_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load(monkeypatch, DISPLAY_NAME=":0", HOSTNAME="web-1", PUBLIC_URL="/", POSTGRES_PORT="5432")
    for name in ("DISPLAY_NAME", "HOSTNAME", "PUBLIC_URL", "POSTGRES_PORT"):
        monkeypatch.delenv(name)
    (folder / ".env").write_text("DISPLAY_NAME=Northwind\nPOSTGRES_PORT=5432\n", encoding="utf-8")

    assert load_problems(monkeypatch) == [
        "DISPLAY_NAME is no setting: did you mean CSAT_DISPLAY_NAME? See .env.example."
    ]


def test_another_program_s_variable_beside_the_setting_that_it_is_like_is_no_mistake(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert load(monkeypatch, LOGLEVEL="trace", LOG_LEVEL="info").log_level == "info"


@pytest.mark.parametrize(("name", "value"), [("SLACK_BOT_TOKEN", "xoxb-"), ("SLACK_APP_TOKEN", "xapp-")])
def test_a_token_that_is_only_its_beginning_is_missing(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_problems(monkeypatch, **{name: value}) == [
        f"{name} is missing. Find it at {SECRET_LOCATIONS[name]}."
    ]


def test_an_env_file_that_is_not_utf_8_is_reported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".env").write_bytes("CSAT_DISPLAY_NAME=Café\n".encode("latin-1"))

    assert load_problems(monkeypatch) == [".env is not UTF-8: save it as that."]


def test_settings_built_in_code_ignore_the_environment_and_the_env_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".env").write_text("CSAT_DISPLAY_NAME=File\n", encoding="utf-8")
    monkeypatch.setenv("PORT", "5000")

    settings = Settings(**{name.lower(): value for name, value in COMPLETE.items()})

    assert (settings.port, settings.csat_display_name) == (3000, "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("U012AB3CD", {"U012AB3CD"}),
        ("U012AB3CD,W012AB3CE, S012AB3CF", {"U012AB3CD", "W012AB3CE", "S012AB3CF"}),
        (" U012AB3CD \n S012AB3CF ,", {"U012AB3CD", "S012AB3CF"}),
        ("U012AB3CD U012AB3CD", {"U012AB3CD"}),
        (" , ", set()),
    ],
)
def test_agents_are_a_list_of_users_and_user_groups(
    text: str, expected: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load(monkeypatch, CSAT_AGENTS=text).csat_agents == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.x.com", "https://api.x.com"),
        ("https://api.x.com/", "https://api.x.com"),
        ("https://proxy.example/x/", "https://proxy.example/x"),
        ("http://127.0.0.1:8765", "http://127.0.0.1:8765"),
    ],
)
def test_the_base_url_of_x_is_configurable(url: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, X_API_URL=url).x_api_url == expected


def test_the_form_starts_with_the_configured_values(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "https://northwind.example/privacy?lang=en#dm"
    settings = load(
        monkeypatch,
        CSAT_DISPLAY_NAME="N" * 20,
        CSAT_MESSAGE="m" * MAX_MESSAGE_LENGTH,
        CSAT_PRIVACY_URL=url,
        CSAT_TRANSPORTS="x_card",
    )

    assert build_default_draft(settings) == Draft(
        transport="x_card", display_name="N" * 20, message="m" * MAX_MESSAGE_LENGTH, privacy_url=url
    )


def test_a_message_that_is_too_long_for_a_survey_in_slack_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, CSAT_MESSAGE="m" * 2_500).csat_message
    (problem,) = load_problems(monkeypatch, CSAT_MESSAGE="m" * 2_501)

    assert problem == (
        "CSAT_MESSAGE is 2,501 characters long, and a message in Slack takes at most 2,500: shorten it, or "
        "leave slack out of CSAT_TRANSPORTS. See .env.example."
    )


def test_a_team_with_slack_alone_is_not_told_to_leave_it_out_for_a_long_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (problem,) = load_problems(monkeypatch, **dict.fromkeys(X_KEYS, ""), CSAT_MESSAGE="m" * 2_501)

    assert problem == (
        "CSAT_MESSAGE is 2,501 characters long, and a message in Slack takes at most 2,500: shorten it. "
        "See .env.example."
    )


@pytest.mark.parametrize("name", FILE_SECRETS)
@pytest.mark.parametrize("is_in_env_file", [False, True])
def test_every_secret_can_be_in_a_file(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, *, is_in_env_file: bool
) -> None:
    values = {
        **COMPLETE,
        "DATABASE_URL": "sqlite:///other.db",
        "X_WEBHOOK_USER": "x",
        "X_WEBHOOK_PASSWORD": "y",
    }
    secret = values.pop(name, "x" * 16)
    (folder / "secret").write_text(f"{secret}\n", encoding="utf-8")
    if is_in_env_file:
        (folder / ".env").write_text(f"{name}_FILE={folder / 'secret'}\n", encoding="utf-8")
    else:
        monkeypatch.setenv(f"{name}_FILE", str(folder / "secret"))
    for other, value in values.items():
        monkeypatch.setenv(other, value)

    assert getattr(load_settings(), name.lower()).get_secret_value() == secret


def test_a_secret_that_is_set_wins_over_its_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "secret").write_text("from the file", encoding="utf-8")
    settings = load(monkeypatch, X_API_SECRET_FILE=str(folder / "secret"))

    assert settings.x_api_secret
    assert settings.x_api_secret.get_secret_value() == COMPLETE["X_API_SECRET"]


def test_a_secret_that_is_set_wins_over_a_file_that_cannot_be_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load(monkeypatch, X_API_SECRET_FILE=str(folder / "missing"))

    assert settings.x_api_secret
    assert settings.x_api_secret.get_secret_value() == COMPLETE["X_API_SECRET"]


@pytest.mark.parametrize("name", FILE_SECRETS)
def test_a_secret_file_that_is_empty_is_named(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "secret").write_text(" \n", encoding="utf-8")
    problems = load_problems(monkeypatch, **{name: "", f"{name}_FILE": str(folder / "secret")})

    assert problems == [f"{name}_FILE names a file that is empty: {folder / 'secret'}."]


def test_secret_files_without_a_secret_are_told_with_all_other_problems(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "empty").touch()
    problems = load_problems(
        monkeypatch,
        SLACK_APP_TOKEN="",
        SLACK_SIGNING_SECRET_FILE=str(folder / "empty"),
        X_API_KEY="",
        X_API_SECRET="",
        X_API_SECRET_FILE=str(folder / "missing"),
        PORT="many",
    )

    assert [problem.partition(" ")[0] for problem in problems] == [
        "SLACK_SIGNING_SECRET_FILE",
        "PORT",
        "X_API_KEY",
        "X_API_SECRET_FILE",
    ]


@pytest.mark.parametrize("content", [None, b"\xff"])
def test_a_secret_file_that_cannot_be_read_is_named_without_its_content(
    content: bytes | None, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if content:
        (folder / "secret").write_bytes(content)
    (problem,) = load_problems(monkeypatch, X_API_SECRET="", X_API_SECRET_FILE=str(folder / "secret"))

    assert problem.startswith(f"X_API_SECRET_FILE names a file that can't be read ({folder / 'secret'}): ")


def test_a_secret_in_the_place_of_its_file_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    (problem,) = load_problems(monkeypatch, X_API_SECRET="", X_API_SECRET_FILE="the secret itself")

    assert problem == "X_API_SECRET_FILE names a file that can't be read: No such file or directory."


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"PORT": "3001"}, "PORT and CSAT_PUBLIC_PORT are both 3001"),
        ({"METRICS_PORT": "3000"}, "PORT and METRICS_PORT are both 3000"),
        ({"PORT": "3001", "HOST": "localhost"}, "PORT and CSAT_PUBLIC_PORT are both 3001"),
        (
            {"HOST": "::1", "METRICS_PORT": "3000", "METRICS_HOST": "localhost"},
            "PORT and METRICS_PORT are both 3000",
        ),
        (
            {"METRICS_PORT": "3001", "METRICS_HOST": "::"},
            "METRICS_PORT and CSAT_PUBLIC_PORT are both 3001",
        ),
    ],
)
def test_two_servers_on_one_port_are_named(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str], expected: str
) -> None:
    (problem,) = load_problems(monkeypatch, CSAT_PUBLIC_URL="https://feedback.example.com", **values)

    assert problem == f"{expected}: set another number for one of them. See .env.example."


@pytest.mark.parametrize(
    "values",
    [
        {"PORT": "3001"},
        {"PORT": "0", "METRICS_PORT": "0"},
        {"METRICS_PORT": "3000", "METRICS_HOST": "127.0.0.2"},
        {"METRICS_PORT": "3000", "METRICS_HOST": "::1"},
    ],
    ids=["no page", "free ports", "other address", "other protocol"],
)
def test_ports_that_do_not_collide_are_accepted(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str]
) -> None:
    assert load(monkeypatch, **values)


def test_the_log_settings_are_read_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, LOG_LEVEL="WARNING", LOG_FORMAT="JSON")

    assert (settings.log_level, settings.log_format) == ("warning", "json")


@pytest.mark.parametrize("document", ["README.md", ".env.example"])
def test_every_setting_is_documented(document: str) -> None:
    text = Path(__file__).parent.with_name(document).read_text("utf-8")

    assert [name for name in Settings.model_fields if not re.search(rf"\b{name.upper()}\b", text)] == []


def test_every_secret_has_a_location() -> None:
    assert set(SECRET_LOCATIONS) == set(SECRETS)
    fields = Settings.model_fields.items()
    assert {name.upper() for name, field in fields if "SecretStr" in str(field.annotation)} == set(
        FILE_SECRETS
    )
    assert {name.lower() for name in SECRET_LOCATIONS} <= Settings.model_fields.keys()
