"""The house: which rooms there are, and what no file in them may be."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "buzon"
ROOMS = {"config", "web", "fleet", "intake", "notify", "desk", "lease", "wire", "demo"}
BANNED = {"utils", "helpers", "common", "misc", "services", "managers", "core", "base"}
# A protocol's core is the sans-IO core: the field's own word for it.
ALLOWED = {SOURCE / "wire" / "imap" / "core.py", SOURCE / "wire" / "pop3" / "core.py"}
LINTER = Path(sys.executable).with_name("lint-imports")
LONGEST_FILE = 400
LONGEST_FUNCTION = 60


def modules() -> list[Path]:
    return [p for p in sorted(SOURCE.rglob("*.py")) if "migrations" not in p.parts]


def test_the_rooms_are_those_of_the_design() -> None:
    rooms = {p.name for p in SOURCE.iterdir() if p.is_dir() and p.name != "__pycache__"}
    assert rooms == ROOMS


def test_every_room_says_what_it_is_for() -> None:
    silent = [p.parent.name for p in SOURCE.glob("*/__init__.py") if not _docstring(p)]
    assert silent == []


@pytest.mark.parametrize("module", modules(), ids=lambda p: str(p.relative_to(SOURCE)))
def test_a_module_has_a_name_a_purpose_and_an_end(module: Path) -> None:
    assert module in ALLOWED or module.stem not in BANNED
    text = module.read_text(encoding="utf-8")
    if text.strip():
        assert _docstring(module), "a module's docstring gives its one purpose"
    assert text.count("\n") <= LONGEST_FILE
    long = [
        f"{node.name} ({node.end_lineno - node.lineno + 1} lines)"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > LONGEST_FUNCTION
    ]
    assert long == [], "a function fits on a screen"


def test_the_import_contracts_hold() -> None:
    done = subprocess.run(
        [str(LINTER), "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_the_import_contracts_can_fail(tmp_path: Path) -> None:
    """A contract that no import could break would be no contract."""
    config = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    upside_down = config.replace(
        '"buzon.desk | buzon.lease | buzon.wire"', '"buzon.lease | buzon.wire"'
    ).replace(
        '"buzon.config",\n    "buzon.web"',
        '"buzon.desk",\n    "buzon.config",\n    "buzon.web"',
    )
    assert upside_down != config
    changed = tmp_path / "pyproject.toml"
    changed.write_text(upside_down, encoding="utf-8")
    done = subprocess.run(
        [str(LINTER), "--no-cache", "--config", str(changed)],
        cwd=ROOT, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode != 0
    assert "is not allowed to import buzon.desk" in done.stdout


def test_no_file_is_a_dumping_ground_of_pragmas() -> None:
    """Every exception from the rules says why, on its own line."""
    bare = re.compile(r"# noqa\s*$|# type: ignore\s*$", re.MULTILINE)
    found = [str(p) for p in modules() if bare.search(p.read_text(encoding="utf-8"))]
    assert found == []


@pytest.fixture(scope="module")
def said_of_tests() -> list[str]:
    """Name and docstring of each test."""
    nodes = [
        node
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    return [f"{node.name.replace('_', ' ')} {ast.get_docstring(node) or ''}" for node in nodes]


@pytest.mark.parametrize("rule", [f"R{number}" for number in range(1, 15)])
def test_every_rule_has_a_test_that_names_it(rule: str, said_of_tests: list[str]) -> None:
    """In a test's name or its first sentence."""
    named = re.compile(rf"(?<![A-Za-z0-9]){rule}(?![A-Za-z0-9])", re.IGNORECASE)
    assert any(named.search(one) for one in said_of_tests)


def _docstring(path: Path) -> str | None:
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def test_no_group_is_repeated_possessively() -> None:
    """Python before 3.11.5, which Debian 12 has, loses its place in one (CPython issue 106052)."""
    possessive = re.compile(r"\)(?:[*+?]|\{\d*,?\d*\})\+|\(\?>")
    found = [str(p) for p in modules() if possessive.search(p.read_text(encoding="utf-8"))]
    assert found == []
