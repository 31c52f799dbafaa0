"""What an operator sets, read once from the environment or a `.env` file."""

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from csat.data_files import DEFAULT_QUESTIONS_FILE
from csat.surveys.limits import Limits
from csat.surveys.survey import MAX_DISPLAY_NAME_LENGTH, MAX_PRIVACY_URL_LENGTH, Draft, is_web_url
from csat.x_api.signing import Credentials

LONGEST_MESSAGE: Final = 3_000
"""Slack's limit for what a text input can hold."""

MESSAGE: Final = "Thank you for talking with us. How did we do? Your answer helps us to serve you better."

DATABASES: Final = ("sqlite", "postgresql+psycopg")

WHERE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "SLACK_BOT_TOKEN": "api.slack.com/apps, your app, OAuth & Permissions, Bot User OAuth Token",
        "SLACK_APP_TOKEN": "api.slack.com/apps, your app, Basic Information, App-Level Tokens",
        "SLACK_SIGNING_SECRET": "api.slack.com/apps, your app, Basic Information, Signing Secret",
        "X_API_KEY": "developer.x.com, your app, Keys and tokens, API Key",
        "X_API_SECRET": "developer.x.com, your app, Keys and tokens, API Key Secret",
        "X_ACCESS_TOKEN": "developer.x.com, your app, Keys and tokens, Access Token of your brand's account",
        "X_ACCESS_TOKEN_SECRET": "developer.x.com, your app, Keys and tokens, Access Token Secret",
    }
)
"""Where a person finds each secret."""


class SettingsError(Exception):
    """The settings can't be used; `problems` has a sentence for each one that is missing or wrong."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def _wrong(advice: str) -> PydanticCustomError:
    return PydanticCustomError("advice", "{advice}", {"advice": advice})


def _base_url(url: str) -> str:
    if not is_web_url(url) or "?" in url or "#" in url:
        raise _wrong("must be a web address, like https://example.com")
    return url.rstrip("/")


def _web_address(url: str) -> str:
    if url and not is_web_url(url):
        raise _wrong("must be a whole web address, like https://example.com/privacy")
    return url


def _database(url: SecretStr) -> SecretStr:
    try:
        parts = make_url(url.get_secret_value())
    except (ArgumentError, ValueError):
        raise _wrong("must be a database's address, like sqlite:///csat.db") from None
    if parts.drivername not in DATABASES or not parts.database or parts.database == ":memory:":
        raise _wrong("must be a file of SQLite, like sqlite:///csat.db, or postgresql+psycopg://...")
    return url


def _listed(text: object) -> object:
    return frozenset(text.replace(",", " ").split()) if isinstance(text, str) else text


def _slack_id(text: str) -> str:
    if not re.fullmatch("[UWS][A-Z0-9]{2,}", text):
        raise _wrong("must list ids of people (U..., W...) or user groups (S...), with commas between them")
    return text


def _channel_id(text: str) -> str:
    if text and not re.fullmatch("[CG][A-Z0-9]{2,}", text):
        raise _wrong("must be a channel's id (C... or G...), which Slack shows at the end of its details")
    return text


def _starting(pattern: str, advice: str) -> AfterValidator:
    def check(secret: SecretStr) -> SecretStr:
        if not re.match(pattern, secret.get_secret_value()):
            raise _wrong(f"must begin with {advice}")
        return secret

    return AfterValidator(check)


BaseUrl = Annotated[str, AfterValidator(_base_url)]
SlackId = Annotated[str, AfterValidator(_slack_id)]


class Settings(BaseSettings):
    """Every setting, by the name of its environment variable."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_file=".env", env_ignore_empty=True, hide_input_in_errors=True
    )

    slack_bot_token: Annotated[SecretStr, _starting("xoxb-", "xoxb-")]
    slack_app_token: Annotated[SecretStr, _starting("xapp-", "xapp-")] | None = None
    slack_signing_secret: SecretStr | None = Field(None, validate_default=True)
    slack_api_url: BaseUrl = "https://slack.com/api"

    x_api_key: SecretStr
    x_api_secret: SecretStr
    x_access_token: Annotated[SecretStr, _starting("[0-9]+-", "the account's id and a dash, like 123-...")]
    x_access_token_secret: SecretStr
    x_api_url: BaseUrl = "https://api.twitter.com"
    x_webhook_user: str = ""
    x_webhook_password: SecretStr = SecretStr("")

    database_url: Annotated[SecretStr, AfterValidator(_database)] = SecretStr("sqlite:///csat.db")
    host: str = "127.0.0.1"
    port: int = Field(3000, ge=0, le=65535, description="a whole number from 0 to 65535")

    csat_agents: Annotated[frozenset[SlackId], NoDecode, BeforeValidator(_listed)] = frozenset()
    csat_operators: Annotated[frozenset[SlackId], NoDecode, BeforeValidator(_listed)] = frozenset()
    csat_supervisors: Annotated[frozenset[SlackId], NoDecode, BeforeValidator(_listed)] = frozenset()
    csat_results_channel: Annotated[str, AfterValidator(_channel_id)] = ""
    csat_timezone: ZoneInfo = Field(ZoneInfo("UTC"), description="a time zone's name, like Europe/Berlin")
    csat_daily_limit: int = Field(1_000, ge=1, description="a whole number, 1 or more")
    csat_cooldown_days: float = Field(
        7, ge=0, le=365, description="a number of days from 0 to 365; 0 switches it off"
    )
    csat_allowlist: Annotated[frozenset[str], NoDecode, BeforeValidator(_listed)] = frozenset()
    csat_concurrency: int = Field(8, ge=1, le=64, description="a whole number from 1 to 64")
    csat_display_name: str = Field(
        "",
        max_length=MAX_DISPLAY_NAME_LENGTH,
        description=f"at most {MAX_DISPLAY_NAME_LENGTH} characters long",
    )
    csat_privacy_url: Annotated[str, AfterValidator(_web_address)] = Field(
        "",
        max_length=MAX_PRIVACY_URL_LENGTH,
        description=f"at most {MAX_PRIVACY_URL_LENGTH:,} characters long",
    )
    csat_message: str = Field(
        MESSAGE, max_length=LONGEST_MESSAGE, description=f"at most {LONGEST_MESSAGE:,} characters long"
    )
    csat_questions_file: Path = DEFAULT_QUESTIONS_FILE

    @field_validator("slack_signing_secret")
    @classmethod
    def _reachable(cls, secret: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if secret is None and info.data.get("slack_app_token", "wrong, and told so") is None:
            raise _wrong("is missing, and so is SLACK_APP_TOKEN: set that for Socket Mode, or this for HTTP")
        return secret

    @classmethod
    def load(cls) -> Self:
        """Read the settings; raises `SettingsError`, which never repeats a value."""
        try:
            return cls()
        except ValidationError as error:
            problems = [_sentence(str(e["loc"][0]), e) for e in error.errors()]
            raise SettingsError(list(dict.fromkeys(problems))) from None
        except UnicodeDecodeError:
            raise SettingsError([".env is not UTF-8: save it as that."]) from None

    @classmethod
    def given(cls, **values: object) -> "Settings":
        """Return settings of these values alone, whatever the environment and `.env` say."""
        return _Given(**values)  # type: ignore[arg-type]

    @property
    def x_keys(self) -> Credentials:
        """What the app signs its requests to X with."""
        return Credentials(
            api_key=self.x_api_key,
            api_secret=self.x_api_secret,
            access_token=self.x_access_token,
            access_token_secret=self.x_access_token_secret,
        )

    @property
    def x_account(self) -> str:
        """The id of the account that sends: X begins every access token with it."""
        return self.x_access_token.get_secret_value().partition("-")[0]

    @property
    def limits(self) -> Limits:
        """How often a customer may be asked, and how much may be sent."""
        handles = frozenset(handle.removeprefix("@").lower() for handle in self.csat_allowlist)
        cooldown = timedelta(days=self.csat_cooldown_days)
        return Limits(daily=self.csat_daily_limit, cooldown=cooldown, allowlist=handles)

    @property
    def defaults(self) -> Draft:
        """What the form says before anybody types."""
        return Draft(
            display_name=self.csat_display_name, message=self.csat_message, privacy_url=self.csat_privacy_url
        )


class _Given(Settings):
    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def _sentence(field: str, error: Mapping[str, object]) -> str:
    name = field.upper()
    where = f" Find it at {WHERE[name]}." if name in WHERE else " See .env.example."
    if error["type"] == "missing":
        return f"{name} is missing.{where}"
    wanted = Settings.model_fields[field].description if field in Settings.model_fields else None
    problem = str(error["msg"]) if error["type"] == "advice" or not wanted else f"must be {wanted}"
    return f"{name} {problem}.{where}"
