"""The operator's settings, from the environment and a `.env` file."""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from csat.question_and_ticket_files import DEFAULT_QUESTIONS_FILE
from csat.setting_types import (
    BaseUrl,
    ChannelId,
    DatabaseUrl,
    Handles,
    LogFormat,
    LogLevel,
    MemberIds,
    PersonIds,
    PrivacyUrl,
    PublicUrl,
    Questions,
    TransportNames,
    invalid,
    limited,
    prefixed,
)
from csat.surveys.networks import Network
from csat.surveys.survey import MAX_DISPLAY_NAME_LENGTH, MAX_PRIVACY_URL_LENGTH
from csat.surveys.transports import FACTS, MAX_DAILY_MESSAGES, TransportName

ENV_FILE: Final = ".env"
PREFIX: Final = "CSAT_"
"""Of the variables that are no other program's."""

ALIKE: Final = 0.8
NEARLY_THE_SAME: Final = 0.9
"""How similar two names are, from 0 to 1."""

MAX_MESSAGE_LENGTH: Final = 3_000
"""Slack's limit for a text input."""

DEFAULT_MESSAGE: Final = (
    "Thank you for talking with us. How did we do? Your answer helps us to serve you better."
)

_SOURCES: Final = SettingsConfigDict(extra="ignore", env_file=ENV_FILE, env_ignore_empty=True)

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

X_KEYS: Final = tuple(name for name in SECRET_LOCATIONS if name.startswith("X_"))
KEYS_OF_X: Final = f"{', '.join(X_KEYS[:-1])} and {X_KEYS[-1]} (developer.x.com, your app, Keys and tokens)"

SECRETS: Final = (*SECRET_LOCATIONS, "X_WEBHOOK_PASSWORD", "DATABASE_URL", "CSAT_SECRET_KEY")
"""The settings that can be in a file of their own, whose path is in the setting `<name>_FILE`."""


class SettingsError(Exception):
    """Some settings are missing or wrong; `problems` has a sentence for each, without its value."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class _MissingKey:
    """Stands for a key of X that is missing while others are set."""


class SettingsWithoutXKeys(BaseModel):
    """Every setting but X's keys and the transports, named like its environment variable.

    For commands that work in the database alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    slack_bot_token: Annotated[SecretStr, prefixed("xoxb-", "xoxb-")]
    slack_app_token: Annotated[SecretStr, prefixed("xapp-", "xapp-")] | None = None
    slack_signing_secret: SecretStr | None = Field(None, validate_default=True)
    slack_api_url: BaseUrl = "https://slack.com/api"

    x_api_url: BaseUrl = "https://api.twitter.com"
    x_webhook_user: str = ""
    x_webhook_password: SecretStr = Field(SecretStr(""), validate_default=True)

    database_url: DatabaseUrl = SecretStr("sqlite:///csat.db")
    csat_secret_key: SecretStr | None = Field(None, min_length=16, description="16 characters or more")
    host: str = "127.0.0.1"
    port: int = Field(3000, ge=0, le=65535, description="a whole number from 0 to 65535")
    metrics_host: str = "127.0.0.1"
    metrics_port: int | None = Field(None, ge=0, le=65535, description="a whole number from 0 to 65535")
    csat_public_url: PublicUrl = ""
    csat_public_host: str = "127.0.0.1"
    csat_public_port: int = Field(3001, ge=0, le=65535, description="a whole number from 0 to 65535")
    log_level: LogLevel = Field("info", description="debug, info, warning or error")
    log_format: LogFormat = Field("text", description="text or json")

    csat_agents: MemberIds = frozenset()
    csat_operators: PersonIds = frozenset()
    csat_supervisors: MemberIds = frozenset()
    csat_results_channel: ChannelId = ""
    csat_timezone: ZoneInfo = Field(ZoneInfo("UTC"), description="a time zone's name, like Europe/Berlin")
    csat_daily_limit: int = Field(1_000, ge=1, description="a whole number, 1 or more")
    csat_daily_link_limit: int = Field(
        300, ge=1, le=MAX_DAILY_MESSAGES, description=f"a whole number from 1 to {MAX_DAILY_MESSAGES}"
    )
    csat_daily_slack_limit: int = Field(1_000, ge=1, description="a whole number, 1 or more")
    csat_cooldown_days: float = Field(
        7, ge=0, le=365, description="a number of days from 0 to 365; 0 switches it off"
    )
    csat_allowlist: Handles = frozenset()
    csat_concurrency: int = Field(8, ge=1, le=64, description="a whole number from 1 to 64")
    csat_display_name: str = limited("", MAX_DISPLAY_NAME_LENGTH)
    csat_privacy_url: PrivacyUrl = limited("", MAX_PRIVACY_URL_LENGTH)
    csat_message: str = limited(DEFAULT_MESSAGE, MAX_MESSAGE_LENGTH)
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
            raise invalid("is missing, and so is SLACK_APP_TOKEN: set that for Socket Mode, or this for HTTP")
        return secret

    @field_validator("x_webhook_password")
    @classmethod
    def _require_both_or_neither(cls, password: SecretStr, info: ValidationInfo) -> SecretStr:
        if bool(password.get_secret_value()) != bool(info.data.get("x_webhook_user")):
            raise invalid("must be set if X_WEBHOOK_USER is, and only then")
        return password

    @staticmethod
    def load() -> "SettingsWithoutXKeys":
        """Read the settings; raises `SettingsError`."""
        return _load(_EnvironmentSettingsWithoutXKeys)


class Settings(SettingsWithoutXKeys):
    """Every setting; without X's keys, the app has the transports that need no account on X."""

    x_api_key: SecretStr | None = None
    x_api_secret: SecretStr | None = None
    x_access_token: (
        Annotated[SecretStr, prefixed("[0-9]+-", "the account's id and a dash, like 123-...")] | None
    ) = None
    x_access_token_secret: SecretStr | None = None

    csat_transports: TransportNames = Field(
        (), validate_default=True, description="one or more of x_card, x_link and slack, the usual one first"
    )

    @model_validator(mode="before")
    @classmethod
    def _mark_missing_keys_of_x(cls, values: dict[str, Any]) -> dict[str, Any]:
        missing = [name.lower() for name in X_KEYS if not values.get(name.lower())]
        return values if len(missing) == len(X_KEYS) else {**values, **dict.fromkeys(missing, _MissingKey())}

    @field_validator(*map(str.lower, X_KEYS), mode="before")
    @classmethod
    def _require_all_keys_of_x_or_none(cls, key: object) -> object:
        if isinstance(key, _MissingKey):
            raise PydanticCustomError("missing", "is missing")
        return key

    @field_validator("csat_transports")
    @classmethod
    def _use_every_transport_that_works(
        cls, chosen: tuple[TransportName, ...], info: ValidationInfo
    ) -> tuple[TransportName, ...]:
        wrong = "invalid, with a problem of its own"
        has_x = bool(info.data.get("x_access_token", wrong))
        has_page = bool(info.data.get("csat_public_url", wrong))
        without_x = [name for name, facts in FACTS.items() if facts.network is Network.X and not has_x]
        without_page = [name for name, facts in FACTS.items() if facts.asks_on_page and not has_page]
        for name in chosen:
            if name in without_x:
                raise invalid(f"names {name}, which needs {KEYS_OF_X}: set these, or remove it")
            if name in without_page:
                raise invalid(
                    f"names {name}, which needs the page at CSAT_PUBLIC_URL: set that, or remove it"
                )
        return chosen or tuple(name for name in FACTS if name not in (*without_x, *without_page))

    @property
    def x_account_id(self) -> str:
        """The id of the account that sends surveys on X, with which its access token begins; "" without X."""
        return self.x_access_token.get_secret_value().partition("-")[0] if self.x_access_token else ""

    @staticmethod
    def load() -> "Settings":
        """Read the settings; raises `SettingsError`."""
        return _load(_EnvironmentSettings)


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


class _FromEnvironment(BaseSettings):
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


FromEnvironment = TypeVar("FromEnvironment", bound=_FromEnvironment)


class _EnvironmentSettingsWithoutXKeys(_FromEnvironment, SettingsWithoutXKeys):
    model_config = _SOURCES


class _EnvironmentSettings(_FromEnvironment, Settings):
    model_config = _SOURCES


class _LogSettings(BaseSettings):
    model_config = _SOURCES

    log_format: LogFormat = "text"


def _load(kind: type[FromEnvironment]) -> FromEnvironment:
    try:
        problems = _find_misspelled()
        settings = kind()
    except ValidationError as error:
        problems += [_describe(str(details["loc"][0]), details) for details in error.errors()]
        raise SettingsError(list(dict.fromkeys(problems))) from None
    except UnicodeDecodeError:
        raise SettingsError([".env is not UTF-8: save it as that."]) from None
    if problems:
        raise SettingsError(problems)
    return settings


def find_log_format() -> LogFormat:
    """Return the format of the log, also if other settings are wrong; "text" if it is wrong itself."""
    try:
        return _LogSettings().log_format
    except (ValidationError, UnicodeDecodeError):
        return "text"


def _find_misspelled() -> list[str]:
    """Return a sentence for each variable that is named like a setting of this app, but is none.

    Those of the environment may be other programs', so they must be closer to a setting's name.
    """
    known = {*(name.upper() for name in Settings.model_fields), *(f"{name}_FILE" for name in SECRETS)}
    in_file = DotEnvSettingsSource(_EnvironmentSettings, ENV_FILE).env_vars
    given = {name.upper(): value for name, value in (*os.environ.items(), *in_file.items())}
    files = {name.upper() for name in in_file}
    problems = []
    for name in sorted(given.keys() - known):
        is_ours = name.startswith(PREFIX)
        candidates = known if is_ours else {each for each in known if not given.get(each)}
        similarity = ALIKE if is_ours or name in files else NEARLY_THE_SAME
        similar = difflib.get_close_matches(name, candidates, n=1, cutoff=similarity)
        if is_ours or similar:
            question = f": did you mean {similar[0]}?" if similar else "."
            problems.append(f"{name} is no setting{question} See .env.example.")
    return problems


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
