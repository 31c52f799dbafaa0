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


def test_imports_run_one_way() -> None:
    linter = Path(sys.executable).with_name("lint-imports")

    run = subprocess.run(  # noqa: S603 - our own linter
        [linter, "--no-cache", "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert run.returncode == 0, run.stdout + run.stderr
    assert f"Contracts: {len(LINTER['contracts'])} kept, 0 broken." in run.stdout


def test_every_package_is_checked() -> None:
    assert set(LINTER["root_packages"]) == PACKAGES


def test_the_composition_root_imports_no_command() -> None:
    tree = ast.parse((ROOT / "bootstrap.py").read_text(encoding="utf-8"))
    imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {
        alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }

    assert not {name.partition(".")[0] for name in imported} & {"app", "cli", "demo", "sandbox"}


@pytest.mark.parametrize("package", PURE)
def test_pure_modules_open_no_files(package: str) -> None:
    modules = list((ROOT / package.replace(".", "/")).rglob("*.py"))
    called = {name for path in modules for name in calls(path)}

    assert modules
    assert not called & IO


def calls(path: Path) -> set[str]:
    """Return the names of the functions and methods that a module calls."""
    functions = [
        node.func for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)
    ]
    return {function.id for function in functions if isinstance(function, ast.Name)} | {
        function.attr for function in functions if isinstance(function, ast.Attribute)
    }
