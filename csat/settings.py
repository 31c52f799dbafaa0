"""The operator's settings, from the environment and a `.env` file."""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from csat.question_and_ticket_files import DEFAULT_QUESTIONS_FILE
from csat.surveys.questions import Metric, VariantId
from csat.surveys.survey import MAX_DISPLAY_NAME_LENGTH, MAX_PRIVACY_URL_LENGTH, is_web_url

MAX_MESSAGE_LENGTH: Final = 3_000
"""Slack's limit for a text input."""

DEFAULT_MESSAGE: Final = (
    "Thank you for talking with us. How did we do? Your answer helps us to serve you better."
)
DATABASE_DRIVERS: Final = ("sqlite", "postgresql+psycopg")

SECRET_LOCATIONS: Final[Mapping[str, str]] = MappingProxyType(
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
"""Where operators find each secret."""

SECRETS: Final = (*SECRET_LOCATIONS, "X_WEBHOOK_PASSWORD", "DATABASE_URL", "CSAT_SECRET_KEY")
"""The settings that can be in a file of their own, whose path is in the setting `<name>_FILE`."""


class SettingsError(Exception):
    """Some settings are missing or wrong; `problems` has a sentence for each, without its value."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def _invalid(advice: str) -> PydanticCustomError:
    return PydanticCustomError("advice", "{advice}", {"advice": advice})


def _check_base_url(url: str) -> str:
    if not is_web_url(url) or "?" in url or "#" in url:
        raise _invalid("must be a web address, like https://example.com")
    return url.rstrip("/")


def _check_privacy_url(url: str) -> str:
    if url and not is_web_url(url):
        raise _invalid("must be a whole web address, like https://example.com/privacy")
    return url


def _check_database_url(url: SecretStr) -> SecretStr:
    try:
        parts = make_url(url.get_secret_value())
    except (ArgumentError, ValueError):
        raise _invalid("must be a database's address, like sqlite:///csat.db") from None
    if parts.drivername not in DATABASE_DRIVERS or not parts.database or parts.database == ":memory:":
        raise _invalid("must be a file of SQLite, like sqlite:///csat.db, or postgresql+psycopg://...")
    return url


def _check_member_id(text: str) -> str:
    if not re.fullmatch("[UWS][A-Z0-9]{2,}", text):
        raise _invalid("must list ids of people (U..., W...) or user groups (S...), with commas between them")
    return text


def _check_channel_id(text: str) -> str:
    if text and not re.fullmatch("[CG][A-Z0-9]{2,}", text):
        raise _invalid("must be a channel's id (C... or G...), which Slack shows at the end of its details")
    return text


def _split_list(text: object) -> object:
    return frozenset(text.replace(",", " ").split()) if isinstance(text, str) else text


def _parse_questions(text: object) -> object:
    """Parse `csat: 14, 0; nps: 2` into the variant ids of each metric."""
    if not isinstance(text, str):
        return text
    parts = [part.partition(":") for part in text.split(";") if part.strip()]
    selection = {
        metric.strip().lower(): tuple(dict.fromkeys(ids.replace(",", " ").split()))
        for metric, _, ids in parts
    }
    if len(selection) < len(parts):
        raise _invalid("must name each type once")
    return selection


def _lower(text: object) -> object:
    return text.lower() if isinstance(text, str) else text


def _prefixed(pattern: str, description: str) -> AfterValidator:
    def check(secret: SecretStr) -> SecretStr:
        if not re.match(pattern, secret.get_secret_value()):
            raise _invalid(f"must begin with {description}")
        return secret

    return AfterValidator(check)


def _limited(default: str, max_length: int) -> Any:  # noqa: ANN401 - the type of Field()
    return Field(default, max_length=max_length, description=f"at most {max_length:,} characters long")


BaseUrl = Annotated[str, AfterValidator(_check_base_url)]
MemberId = Annotated[str, AfterValidator(_check_member_id)]
MemberIds = Annotated[frozenset[MemberId], NoDecode, BeforeValidator(_split_list)]
"""Ids of users and user groups, separated by commas."""
Questions = Annotated[
    Mapping[Metric, Annotated[tuple[VariantId, ...], Field(min_length=1)]],
    NoDecode,
    BeforeValidator(_parse_questions),
]
"""The ids of the questions that the team uses, by metric."""
LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["text", "json"]


class Settings(BaseModel):
    """Every setting, named like its environment variable."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    slack_bot_token: Annotated[SecretStr, _prefixed("xoxb-", "xoxb-")]
    slack_app_token: Annotated[SecretStr, _prefixed("xapp-", "xapp-")] | None = None
    slack_signing_secret: SecretStr | None = Field(None, validate_default=True)
    slack_api_url: BaseUrl = "https://slack.com/api"

    x_api_key: SecretStr
    x_api_secret: SecretStr
    x_access_token: Annotated[SecretStr, _prefixed("[0-9]+-", "the account's id and a dash, like 123-...")]
    x_access_token_secret: SecretStr
    x_api_url: BaseUrl = "https://api.twitter.com"
    x_webhook_user: str = ""
    x_webhook_password: SecretStr = SecretStr("")

    database_url: Annotated[SecretStr, AfterValidator(_check_database_url)] = SecretStr("sqlite:///csat.db")
    csat_secret_key: SecretStr | None = Field(None, min_length=16, description="16 characters or more")
    host: str = "127.0.0.1"
    port: int = Field(3000, ge=0, le=65535, description="a whole number from 0 to 65535")
    metrics_host: str = "127.0.0.1"
    metrics_port: int | None = Field(None, ge=0, le=65535, description="a whole number from 0 to 65535")
    log_level: Annotated[LogLevel, BeforeValidator(_lower)] = Field(
        "info", description="debug, info, warning or error"
    )
    log_format: Annotated[LogFormat, BeforeValidator(_lower)] = Field("text", description="text or json")

    csat_agents: MemberIds = frozenset()
    csat_operators: MemberIds = frozenset()
    csat_supervisors: MemberIds = frozenset()
    csat_results_channel: Annotated[str, AfterValidator(_check_channel_id)] = ""
    csat_timezone: ZoneInfo = Field(ZoneInfo("UTC"), description="a time zone's name, like Europe/Berlin")
    csat_daily_limit: int = Field(1_000, ge=1, description="a whole number, 1 or more")
    csat_cooldown_days: float = Field(
        7, ge=0, le=365, description="a number of days from 0 to 365; 0 switches it off"
    )
    csat_allowlist: Annotated[frozenset[str], NoDecode, BeforeValidator(_split_list)] = frozenset()
    csat_concurrency: int = Field(8, ge=1, le=64, description="a whole number from 1 to 64")
    csat_display_name: str = _limited("", MAX_DISPLAY_NAME_LENGTH)
    csat_privacy_url: Annotated[str, AfterValidator(_check_privacy_url)] = _limited(
        "", MAX_PRIVACY_URL_LENGTH
    )
    csat_message: str = _limited(DEFAULT_MESSAGE, MAX_MESSAGE_LENGTH)
    csat_questions_file: Path = DEFAULT_QUESTIONS_FILE
    csat_questions: Questions = Field(
        {}, description="ids of questions for each type, like csat: 14, 0; nps: 0"
    )

    @field_validator("slack_signing_secret")
    @classmethod
    def _require_app_token_or_signing_secret(
        cls, secret: SecretStr | None, info: ValidationInfo
    ) -> SecretStr | None:
        app_token = info.data.get("slack_app_token", "invalid, with a problem of its own")
        if secret is None and app_token is None:
            raise _invalid(
                "is missing, and so is SLACK_APP_TOKEN: set that for Socket Mode, or this for HTTP"
            )
        return secret

    @property
    def x_account_id(self) -> str:
        """The id of the account that sends the surveys: X begins every access token with it."""
        return self.x_access_token.get_secret_value().partition("-")[0]

    @staticmethod
    def load() -> "Settings":
        """Read the settings; raises `SettingsError`."""
        try:
            return _EnvironmentSettings()
        except ValidationError as error:
            problems = [_describe(str(details["loc"][0]), details) for details in error.errors()]
            raise SettingsError(list(dict.fromkeys(problems))) from None
        except UnicodeDecodeError:
            raise SettingsError([".env is not UTF-8: save it as that."]) from None


class _BadSecretFile(NamedTuple):
    """Stands for a secret whose file has none; `problem` is a whole sentence."""

    problem: str


class _SecretFiles(EnvSettingsSource):
    """Reads each secret whose setting is empty from its file, without the white space around it."""

    def __init__(self, settings_cls: type[BaseSettings], paths: Mapping[str, str | None]) -> None:
        super().__init__(settings_cls)
        self._paths = paths

    def __call__(self) -> dict[str, Any]:
        return {
            name.lower(): _read_secret(f"{name}_FILE", path)
            for name in SECRETS
            if name.lower() not in self.current_state and (path := self._paths.get(f"{name}_FILE".lower()))
        }


def _read_secret(setting: str, path: str) -> str | _BadSecretFile:
    try:
        secret = Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        return _BadSecretFile(f"{setting} names a file that can't be read: {reason}.")
    return secret or _BadSecretFile(f"{setting} names a file that is empty: {path}.")


class _EnvironmentSettings(BaseSettings, Settings):
    model_config = SettingsConfigDict(extra="ignore", env_file=".env", env_ignore_empty=True)

    @field_validator("*", mode="before")
    @classmethod
    def _require_secret_in_file(cls, value: object) -> object:
        if isinstance(value, _BadSecretFile):
            raise PydanticCustomError("secret_file", "{problem}", value._asdict())
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        assert isinstance(env_settings, EnvSettingsSource)  # noqa: S101 - they are by default
        assert isinstance(dotenv_settings, EnvSettingsSource)  # noqa: S101
        paths = {**dotenv_settings.env_vars, **env_settings.env_vars}
        secret_files = _SecretFiles(settings_cls, paths)
        return init_settings, env_settings, dotenv_settings, secret_files, file_secret_settings


def _describe(field: str, details: Mapping[str, object]) -> str:
    if details["type"] == "secret_file":
        return str(details["msg"])
    name = field.upper()
    hint = f" Find it at {SECRET_LOCATIONS[name]}." if name in SECRET_LOCATIONS else " See .env.example."
    if details["type"] == "missing":
        return f"{name} is missing.{hint}"
    expected = Settings.model_fields[field].description if field in Settings.model_fields else None
    problem = str(details["msg"]) if details["type"] == "advice" or not expected else f"must be {expected}"
    return f"{name} {problem}.{hint}"
