"""`deploy/csat-slack.sh`: the commands of operators, with the settings of the systemd service."""

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "deploy" / "csat-slack.sh"
PYTHON = '#!/bin/sh\necho "$DATABASE_URL|${X_API_KEY_FILE:-}|$PWD|$2"\n'


class Machine:
    """A folder with the app, whose Python prints how it is called, and those of the service."""

    def __init__(self, folder: Path) -> None:
        self.settings, self.state = folder / "etc", folder / "state"
        self.settings.mkdir()
        self.script = folder / "app" / "deploy" / "csat-slack.sh"
        self.script.parent.mkdir(parents=True)
        shutil.copy(SCRIPT, self.script)
        python = folder / "app" / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(PYTHON, "utf-8")
        python.chmod(0o700)

    def run(self) -> tuple[int, str]:
        """Run `check`, and return the exit code and the output."""
        environment = {"SETTINGS_FOLDER": str(self.settings), "STATE_FOLDER": str(self.state)}
        done = subprocess.run(  # noqa: S603
            ["/bin/sh", self.script, "check"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout


@pytest.fixture(name="machine")
def _machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_command_gets_the_settings_and_secrets_of_the_service(machine: Machine) -> None:
    (machine.settings / "settings.env").touch()
    (machine.settings / ".env").symlink_to("settings.env")
    (secret := machine.settings / "x_api_key").touch()

    assert machine.run() == (0, f"sqlite:///{machine.state}/csat.db|{secret}|{machine.settings}|check\n")


def test_before_the_first_start_the_folder_of_the_database_is_made_for_the_app_alone(
    machine: Machine,
) -> None:
    (machine.settings / "settings.env").touch()
    (machine.settings / ".env").symlink_to("settings.env")
    machine.run()

    assert machine.state.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("other", [None, "PORT=3000\n"])
def test_without_the_link_to_the_settings_no_command_runs(machine: Machine, other: str | None) -> None:
    (machine.settings / "settings.env").touch()
    if other:
        (machine.settings / ".env").write_text(other, "utf-8")

    code, output = machine.run()
    assert code == 1
    assert output == (
        f"{machine.settings}/.env is no link to settings.env, so commands would not have the settings of the "
        f"service. Make it: ln -s settings.env {machine.settings}/.env\n"
    )


def test_without_settings_no_command_runs(machine: Machine) -> None:
    assert machine.run() == (1, f"There is no {machine.settings}/settings.env: see docs/service.md.\n")
