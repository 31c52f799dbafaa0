"""The files with which the app is run as a service."""

import re
import subprocess
from typing import Any

import yaml

from csat.settings import Settings
from tests.texts import ROOT


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def compose() -> dict[str, Any]:
    file: dict[str, Any] = yaml.safe_load(read("compose.yaml"))
    return file


def test_the_image_is_slim_built_in_two_stages_and_run_by_a_numeric_user_who_is_not_root() -> None:
    dockerfile = read("Dockerfile")
    stages = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    *_, user = re.findall(r"^USER (\d+):\d+$", dockerfile, re.MULTILINE)

    assert len(stages) == 2
    assert all(stage.endswith("-slim") for stage in stages)
    assert int(user) > 0


def test_the_app_in_compose_waits_for_a_healthy_postgresql_and_writes_no_file_of_its_own() -> None:
    services = compose()["services"]

    assert services["app"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert services["postgres"]["healthcheck"]["test"][1] == "pg_isready"
    assert services["app"]["read_only"] is True


def test_compose_publishes_ports_of_this_machine_alone() -> None:
    published = [port for service in compose()["services"].values() for port in service.get("ports", [])]

    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_the_unit_has_a_user_and_a_folder_of_its_own_and_credentials() -> None:
    unit = read("deploy/csat-slack.service").splitlines()

    assert {"DynamicUser=yes", "StateDirectory=csat-slack", "StateDirectoryMode=0700"} <= set(unit)
    assert [line for line in unit if line.startswith("LoadCredential=")]


def test_an_installation_to_run_the_app_takes_its_lock_alone() -> None:
    command = ["make", "--dry-run", "--assume-new=requirements.txt", "install"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603

    assert "--require-hashes --no-deps -r requirements.txt" in run.stdout
    assert "requirements-dev" not in run.stdout


def test_metrics_are_off_unless_they_have_a_port() -> None:
    assert Settings.model_fields["metrics_port"].default is None
