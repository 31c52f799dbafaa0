"""The operator's settings, and what is valid in them."""

import itertools
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final, Self
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

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
    SecretKey,
    TransportNames,
    invalid,
    limited,
    prefixed,
)
from csat.surveys.networks import Network
from csat.surveys.survey import MAX_DISPLAY_NAME_LENGTH, MAX_PRIVACY_URL_LENGTH
from csat.surveys.transports import FACTS, MAX_DAILY_MESSAGES, TransportName
from csat.timeouts import Timeouts

MAX_MESSAGE_LENGTH: Final = 3_000
"""Slack's limit for a text input."""

DEFAULT_QUESTIONS_FILE: Final = Path(__file__).with_name("surveys") / "questions.toml"
"""X's own questions."""

DEFAULT_MESSAGE: Final = (
    "Thank you for talking with us. How did we do? Your answer helps us to serve you better."
)

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


EVERY_ADDRESS: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared, and not listened at

LOCALHOST: Final = (frozenset({"localhost", "127.0.0.1"}), frozenset({"localhost", "::1"}))
"""Pairs of hosts with an address in common."""


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
    csat_secret_key: SecretKey | None = None
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

    _timeouts: Timeouts = PrivateAttr(default_factory=Timeouts)

    @property
    def timeouts(self) -> Timeouts:
        """How long the app waits for others, which no environment variable sets."""
        return self._timeouts

    def with_timeouts(self, timeouts: Timeouts) -> Self:
        """Return the same settings with other timeouts."""
        copy = self.model_copy()
        copy._timeouts = timeouts  # noqa: SLF001 - of its own class
        return copy

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

    @model_validator(mode="after")
    def _require_keys_of_x_for_its_webhook(self) -> Self:
        if self.x_webhook_user and not self.x_account_id:
            raise invalid(
                "X_WEBHOOK_USER and X_WEBHOOK_PASSWORD are set, and X's webhook has no use without "
                f"{KEYS_OF_X}: set these, or remove both"
            )
        return self

    @model_validator(mode="after")
    def _require_message_that_every_transport_takes(self) -> Self:
        length = len(self.csat_message.strip())
        for name in self.csat_transports:
            facts = FACTS[name]
            if length > facts.max_message_length:
                has_others = len(self.csat_transports) > 1
                raise invalid(
                    f"CSAT_MESSAGE is {length:,} characters long, and {facts.noun} takes at most "
                    f"{facts.max_message_length:,}: shorten it"
                    f"{f', or leave {name} out of CSAT_TRANSPORTS' if has_others else ''}"
                )
        return self

    @model_validator(mode="after")
    def _require_a_port_for_each_server(self) -> Self:
        servers = [("PORT", self.host, self.port)]
        if self.metrics_port:
            servers.append(("METRICS_PORT", self.metrics_host, self.metrics_port))
        if self.csat_public_url:
            servers.append(("CSAT_PUBLIC_PORT", self.csat_public_host, self.csat_public_port))
        for (name, host, port), (other, other_host, other_port) in itertools.combinations(servers, 2):
            hosts = {host, other_host}
            if port == other_port != 0 and (len(hosts) == 1 or hosts & EVERY_ADDRESS or hosts in LOCALHOST):
                raise invalid(f"{name} and {other} are both {port}: set another number for one of them")
        return self

    @property
    def x_account_id(self) -> str:
        """The id of the account that sends surveys on X, with which its access token begins; "" without X."""
        return self.x_access_token.get_secret_value().partition("-")[0] if self.x_access_token else ""
