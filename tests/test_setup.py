"""The setup is reproducible: it installs exactly the locked packages."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from csat.db.database import Database
from csat.settings_from_environment import SECRETS
from tests.timeouts import GENEROUS

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RUNTIME = PYPROJECT["project"]["dependencies"]
DEVELOPMENT = [*PYPROJECT["dependency-groups"]["dev"], *PYPROJECT["dependency-groups"]["bench"]]
LOCKS = {"requirements.txt": RUNTIME, "requirements-dev.txt": [*RUNTIME, *DEVELOPMENT]}

PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;\\]+)", re.MULTILINE)
INSTALL = re.compile(r"^.*\b(?:pip|uv) (?:pip )?(?:install|sync)\b.*$", re.MULTILINE)

MAKE = shutil.which("make") or "make"


def pins(lock: str) -> dict[str, str]:
    text = (ROOT / lock).read_text(encoding="utf-8")
    return {canonicalize_name(pin["name"]): pin["version"] for pin in PIN.finditer(text)}


def install_steps() -> list[str]:
    files = [ROOT / "Makefile", ROOT / "Dockerfile", ROOT / ".ci" / "run", *(ROOT / ".github").rglob("*.yml")]
    return [step for file in files for step in INSTALL.findall(file.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("file", ["Makefile", "Dockerfile"])
def test_what_was_installed_is_checked_to_fit_together(file: str) -> None:
    installed, _, then = (ROOT / file).read_text(encoding="utf-8").partition("--no-deps")

    assert installed
    assert "pip check" in then.partition("\n\n")[0]


def test_there_is_an_install_step_to_check() -> None:
    assert install_steps()


@pytest.mark.parametrize("step", install_steps())
def test_no_install_step_resolves_dependencies(step: str) -> None:
    assert "--no-deps" in step
    assert "--require-hashes" in step


@pytest.mark.parametrize(
    ("lock", "required"),
    [(lock, required) for lock, requirements in LOCKS.items() for required in requirements],
)
def test_the_lock_covers_every_requirement(lock: str, required: str) -> None:
    requirement = Requirement(required)

    assert requirement.specifier.contains(pins(lock)[canonicalize_name(requirement.name)])


def test_both_locks_agree_on_every_version() -> None:
    assert pins("requirements.txt").items() <= pins("requirements-dev.txt").items()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pinned_version_has_a_hash(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    entries = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)

    assert all("--hash=sha256:" in entry for entry in entries if PIN.match(entry))


@pytest.mark.parametrize("lock", LOCKS)
def test_the_lock_names_no_index(lock: str) -> None:
    assert "://" not in (ROOT / lock).read_text(encoding="utf-8")


def write_python_stub(folder: Path, name: str, *, is_new_enough: bool) -> None:
    """Write a fake Python that checks its version and prints its arguments."""
    stub = folder / name
    check, ran = (0 if is_new_enough else 1), f"echo {name} ran: $*"
    stub.write_text(f'#!/bin/sh\n[ "$1" = -c ] && exit {check}\n{ran}; exit 3\n', encoding="utf-8")
    stub.chmod(0o755)


def run_make_setup(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `make setup` in a copy of the project with only fake Pythons on the PATH."""
    for file in ("Makefile", "requirements-dev.txt"):
        shutil.copy(ROOT / file, tmp_path / file)
    return subprocess.run(  # noqa: S603 - runs make with fake Pythons
        [MAKE, "SHELL=/bin/sh", "setup", *arguments],
        cwd=tmp_path,
        env={**os.environ, "PATH": str(tmp_path / "bin"), "MAKEFLAGS": ""},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(name="bin_folder")
def _bin_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def test_make_uses_the_first_python_that_is_new_enough(tmp_path: Path, bin_folder: Path) -> None:
    write_python_stub(bin_folder, "python3.11", is_new_enough=False)
    write_python_stub(bin_folder, "python3.13", is_new_enough=True)

    assert "python3.13 ran: -m venv .venv" in run_make_setup(tmp_path).stdout


def test_make_uses_the_given_python(tmp_path: Path, bin_folder: Path) -> None:
    write_python_stub(bin_folder, "python3.11", is_new_enough=True)
    write_python_stub(bin_folder, "python3.14", is_new_enough=True)

    assert "python3.14 ran: -m venv .venv" in run_make_setup(tmp_path, "PYTHON=python3.14").stdout


def test_make_reports_that_no_python_is_new_enough(tmp_path: Path, bin_folder: Path) -> None:
    write_python_stub(bin_folder, "python3", is_new_enough=False)

    run = run_make_setup(tmp_path)

    assert run.returncode != 0
    assert "Python 3.11 or newer is needed" in run.stderr


def test_the_image_has_all_that_the_app_needs_to_start(tmp_path: Path) -> None:
    steps = re.findall(
        r"^COPY ([^-].*) (\S+)$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE
    )
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for sources, target in steps:
        for source in sources.split():
            assert f"!{source}" in ignored
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, tmp_path / target)
            else:
                shutil.copy(ROOT / source, tmp_path / target)
    settings = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    version = subprocess.check_output(
        [sys.executable, "app.py", "--version"], cwd=tmp_path, env=settings, text=True
    )
    started = subprocess.run(
        [sys.executable, "app.py", "serve"],
        cwd=tmp_path,
        env=settings,
        capture_output=True,
        text=True,
        check=False,
    )

    assert version == f"csat-slack {PYPROJECT['project']['version']}\n"
    assert started.returncode == 1
    assert "SLACK_BOT_TOKEN is missing" in started.stderr


def test_each_credential_of_the_systemd_unit_is_a_secret_that_can_be_in_a_file() -> None:
    unit = (ROOT / "deploy" / "csat-slack.service").read_text(encoding="utf-8")
    loaded = re.findall(r"^LoadCredential=(\w+):/etc/csat-slack/\1$", unit, re.MULTILINE)
    used = re.findall(r"^Environment=(\w+)_FILE=%d/(\w+)$", unit, re.MULTILINE)

    assert used == [(name.upper(), name) for name in loaded]
    assert {name for name, _ in used} <= set(SECRETS)


@pytest.mark.parametrize("file", ["Dockerfile", "deploy/csat-slack.service"])
def test_no_setting_of_a_deployment_wins_against_a_database_url_in_a_file(file: str) -> None:
    assert "DATABASE_URL=" not in (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("place", ["setting", "file named in a setting", "secret"])
def test_a_command_beside_the_service_has_its_settings_and_secrets(tmp_path: Path, place: str) -> None:
    Database(url := f"sqlite:///{tmp_path}/csat.db", GENEROUS).close()
    lines = {"setting": f"DATABASE_URL={url}", "file named in a setting": f"DATABASE_URL_FILE={tmp_path}/url"}
    (tmp_path / "settings.env").write_text(lines.get(place, ""), encoding="utf-8")
    (tmp_path / ".env").symlink_to("settings.env")
    secrets = {"slack_bot_token": "xoxb-1", "slack_app_token": "xapp-1", "x_access_token": "44196397-token"}
    secrets |= {"secret": {"database_url": url}, "file named in a setting": {"url": url}}.get(place, {})
    for name in (*secrets, "x_api_key", "x_api_secret", "x_access_token_secret"):
        (tmp_path / name).write_text(secrets.get(name, name), encoding="utf-8")

    ran = subprocess.run(  # noqa: S603 - a file of this repository
        [ROOT / "deploy" / "csat-slack.sh", "resume"],
        env={"PATH": os.environ["PATH"], "SETTINGS_FOLDER": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.stderr == ""
    assert "the account isn't paused" in ran.stdout
