"""The settings as operators give them: in the environment, a `.env` file, and files for secrets."""

import difflib
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from pydantic import SecretStr, ValidationError, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from csat.env_file_problems import find_ambiguous, find_unreadable, unquote
from csat.setting_types import LogFormat
from csat.settings import SECRET_LOCATIONS, Settings, SettingsWithoutXKeys

logging.getLogger("dotenv").setLevel(logging.ERROR)  # it warns of lines that are refused here

ENV_FILE: Final = ".env"
NO_ENV_FILE: Final = (
    "There's no .env in this folder. Run the command where it is, or set the variables themselves."
)
PREFIX: Final = "CSAT_"
"""Of the variables that are no other program's."""

ALIKE: Final = 0.8
NEARLY_THE_SAME: Final = 0.9
"""How similar two names are, from 0 to 1."""

_SOURCES: Final = SettingsConfigDict(extra="ignore", env_file=ENV_FILE, env_ignore_empty=True)

SECRETS: Final = (*SECRET_LOCATIONS, "X_WEBHOOK_PASSWORD", "DATABASE_URL", "CSAT_SECRET_KEY")
"""The settings that can be in a file of their own, whose path is in the setting `<name>_FILE`."""
_KNOWN: Final = {*(name.upper() for name in Settings.model_fields), *(f"{name}_FILE" for name in SECRETS)}


class SettingsError(Exception):
    """Some settings are missing or wrong; `problems` has a sentence for each, without its value.

    `hint` says why there are none, if there is no `.env` file, else "".
    """

    def __init__(self, problems: list[str], hint: str = "") -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
        self.hint = hint


def load_settings() -> Settings:
    """Read the settings; raises `SettingsError`."""
    return _load(_EnvironmentSettings)


def load_settings_without_x_keys() -> SettingsWithoutXKeys:
    """Read the settings, whatever X's keys and the transports are; raises `SettingsError`."""
    return _load(_EnvironmentSettingsWithoutXKeys)


def find_log_format() -> LogFormat:
    """Return the format of the log, also if other settings are wrong; "text" if it is wrong itself."""
    try:
        return _LogSettings().log_format
    except (ValidationError, UnicodeDecodeError):
        return "text"


def is_set_up_for_http() -> bool:
    """Return True if Slack's requests come over HTTP by the settings there are, also if others are wrong."""
    try:
        return _ConnectionSettings().is_for_http
    except UnicodeDecodeError:
        return False


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
        # anything else may be the secret itself, put there by mistake
        place = f" ({path})" if Path(path).is_absolute() else ""
        return _BadSecretFile(f"{setting} names a file that can't be read{place}: {reason}.")
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
        unquoted = {name: unquote(value or "") for name, value in env_settings.env_vars.items()}
        env_settings.env_vars = {name: value for name, value in unquoted.items() if value}
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


class _ConnectionSettings(BaseSettings):
    model_config = _SOURCES

    slack_app_token: SecretStr | None = None
    slack_app_token_file: str = ""
    slack_signing_secret: SecretStr | None = None
    slack_signing_secret_file: str = ""

    @property
    def is_for_http(self) -> bool:
        is_for_socket_mode = bool(self.slack_app_token or self.slack_app_token_file)
        return not is_for_socket_mode and bool(self.slack_signing_secret or self.slack_signing_secret_file)


def _load(kind: type[FromEnvironment]) -> FromEnvironment:
    try:
        text = Path(ENV_FILE).read_text("utf-8") if Path(ENV_FILE).is_file() else ""
        if unreadable := [*find_unreadable(text, _KNOWN)]:
            raise SettingsError(unreadable)  # it may hide any other setting
        problems = [*find_ambiguous(text, _KNOWN), *_find_misspelled()]
        settings = kind()
    except ValidationError as error:
        problems += [_describe(details["loc"], details) for details in error.errors()]
        is_missing = any(details["type"] == "missing" for details in error.errors())
        hint = NO_ENV_FILE if is_missing and not Path(ENV_FILE).exists() else ""
        raise SettingsError(list(dict.fromkeys(problems)), hint) from None
    except UnicodeDecodeError:
        raise SettingsError([".env is not UTF-8: save it as that."]) from None
    if problems:
        raise SettingsError(problems)
    return settings


def _find_misspelled() -> list[str]:
    """Return a sentence for each variable that is named like a setting of this app, but is none.

    Those of the environment may be other programs', so they must be closer to a setting's name.
    """
    in_file = DotEnvSettingsSource(_EnvironmentSettings, ENV_FILE).env_vars
    given = {name.upper(): value for name, value in (*os.environ.items(), *in_file.items())}
    files = {name.upper() for name in in_file}
    problems = []
    for name in sorted(given.keys() - _KNOWN):
        if name.endswith("_FILE") and (setting := name.removesuffix("_FILE")) in _KNOWN:
            problems.append(f"{name} is no setting: only secrets can be in files, so set {setting} itself.")
            continue
        is_ours = name.startswith(PREFIX)
        candidates = _KNOWN if is_ours else {each for each in _KNOWN if not given.get(each)}
        similarity = ALIKE if is_ours or name in files else NEARLY_THE_SAME
        if is_ours or difflib.get_close_matches(name, candidates, n=1, cutoff=similarity):
            similar = difflib.get_close_matches(name, _KNOWN, n=1, cutoff=similarity)
            question = f": did you mean {similar[0]}?" if similar else "."
            problems.append(f"{name} is no setting{question} See .env.example.")
    return problems


def _describe(location: tuple[int | str, ...], details: Mapping[str, object]) -> str:
    if details["type"] == "secret_file":
        return str(details["msg"])
    if not location:  # it concerns several settings, and names them
        return f"{details['msg']}. See .env.example."
    field = str(location[0])
    name = field.upper()
    hint = f" Find it at {SECRET_LOCATIONS[name]}." if name in SECRET_LOCATIONS else " See .env.example."
    if details["type"] == "missing":
        return f"{name} is missing.{hint}"
    expected = Settings.model_fields[field].description if field in Settings.model_fields else None
    problem = str(details["msg"]) if details["type"] == "advice" or not expected else f"must be {expected}"
    return f"{name} {problem}.{hint}"
