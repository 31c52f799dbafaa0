import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import manifest

ROOT = Path(manifest.__file__).parent
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
ROOMS = {path.parent.name for path in ROOT.glob("*/__init__.py")}

ABOVE_THE_ROOMS = {
    "app": {"commands", "ledger", "manifest", "settings", "surveys", "wiring"},
    "wiring": ROOMS - {"commands", "sandbox"} | {"manifest", "parts", "settings", "tasks"},
    "parts": ROOMS - {"commands", "sandbox"} | {"settings", "tasks"},
    "settings": {"surveys", "x"},
    "manifest": set[str](),
    "tasks": set[str](),
}
"""The modules that are no packages, and what of ours each may import."""


def imported(path: Path) -> Iterator[str]:
    """Yield the names of all modules that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield str(node.module)


def test_the_walls_between_the_rooms_stand() -> None:
    linter = Path(sys.executable).with_name("lint-imports")

    checked = subprocess.run(  # noqa: S603 - our own linter
        [linter, "--no-cache", "--no-logo"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"Contracts: {len(CONTRACTS['contracts'])} kept, 0 broken." in checked.stdout


def test_every_room_has_its_walls() -> None:
    assert set(CONTRACTS["root_packages"]) == ROOMS


def test_every_module_above_the_rooms_is_known() -> None:
    assert {path.stem for path in ROOT.glob("*.py")} == ABOVE_THE_ROOMS.keys()


@pytest.mark.parametrize("module", ABOVE_THE_ROOMS)
def test_a_module_above_the_rooms_imports_what_it_may(module: str) -> None:
    ours = ROOMS | ABOVE_THE_ROOMS.keys()

    assert {name.partition(".")[0] for name in imported(ROOT / f"{module}.py")} & ours <= ABOVE_THE_ROOMS[
        module
    ]


@pytest.mark.parametrize(
    ("room", "libraries"),
    [
        ("surveys", {"pydantic", "pydantic_core"}),
        ("blocks", {"slack_sdk.models"}),
    ],
)
def test_a_pure_room_needs_few_libraries(room: str, libraries: set[str]) -> None:
    allowed = {*libraries, "surveys", "blocks"}
    names = {name for path in (ROOT / room).glob("**/*.py") for name in imported(path)}

    for name in names:
        parts = name.split(".")
        whole = {".".join(parts[:length]) for length in range(1, len(parts) + 1)}
        assert whole & allowed or parts[0] in sys.stdlib_module_names, name
