import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINTER = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
PURE = next(contract["source_modules"] for contract in LINTER["contracts"] if contract["id"] == "pure")
IO = {"Path", "input", "open", "print", "read_bytes", "read_text", "write_bytes", "write_text"}
PACKAGES = {path.parent.name for path in ROOT.glob("*/__init__.py")}


def test_all_import_contracts_are_kept() -> None:
    linter = Path(sys.executable).with_name("lint-imports")

    run = subprocess.run(  # noqa: S603 - our own linter
        [linter, "--no-cache", "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert run.returncode == 0, run.stdout + run.stderr
    assert f"Contracts: {len(LINTER['contracts'])} kept, 0 broken." in run.stdout


def test_every_package_is_checked() -> None:
    assert set(LINTER["root_packages"]) == PACKAGES


def imported_names(path: Path) -> set[str]:
    """Return the full name of every import in a module."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_the_engine_does_not_know_block_kit() -> None:
    modules = [*(ROOT / "csat").rglob("*.py")]
    importing = [
        path
        for path in modules
        if any(f"{name}.".startswith("slack_sdk.models.") for name in imported_names(path))
    ]

    assert modules
    assert not importing


def test_no_test_module_is_imported() -> None:
    modules = [*(ROOT / "tests").rglob("*.py")]
    importing = {
        str(path.relative_to(ROOT)): name
        for path in modules
        for name in imported_names(path)
        if any(part.startswith("test_") for part in name.split("."))
    }

    assert modules
    assert not importing


def called_names(path: Path) -> set[str]:
    """Return the name of every function and method that a module calls."""
    calls = [
        node.func
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    ]
    return {call.id for call in calls if isinstance(call, ast.Name)} | {
        call.attr for call in calls if isinstance(call, ast.Attribute)
    }


@pytest.mark.parametrize("name", PURE)
def test_pure_modules_open_no_files(name: str) -> None:
    path = ROOT / name.replace(".", "/")
    modules = [*path.rglob("*.py")] if path.is_dir() else [path.with_suffix(".py")]

    assert modules
    for module in modules:
        assert not called_names(module) & IO, module


NAME_TRANSPORTS = {
    "csat/surveys/transports.py",
    "csat/transports/x_link.py",
    "csat/transports/slack_message.py",
    "bootstrap/resources.py",
    # X's feedback cards are what everything was sent as before there were transports
    "csat/surveys/survey.py",
    "csat/reporting/export_rows.py",
    "csat/x_api/wire.py",
}
"""The modules of the app that are about a transport, or build them."""


def test_a_transport_is_asked_for_by_its_name_only_where_it_is_made() -> None:
    folders = ("blocks", "bootstrap", "cli", "csat", "handlers", "notifications")
    modules = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    naming = {
        str(path.relative_to(ROOT))
        for path in modules
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "TransportName"
    }

    assert naming == NAME_TRANSPORTS
