import ast
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
LINTER = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
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
