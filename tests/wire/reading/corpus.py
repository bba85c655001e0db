"""The golden corpus, and the messages of others where they lie beside the project."""

import json
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parents[2] / "mail"
OTHERS = Path(__file__).parents[4] / "shared" / "mail"

needs_others = pytest.mark.skipif(
    not OTHERS.is_dir(), reason="the collected messages are not beside the project"
)


def golden_messages() -> list[Path]:
    """Every message of our own corpus."""
    return sorted(GOLDEN.glob("*.eml"))


def golden_octets() -> list[bytes]:
    """The octets of every message of our own corpus."""
    return [path.read_bytes() for path in golden_messages()]


def expectation(path: Path) -> dict[str, object]:
    """What a right reading of this message is; keys that are not named are empty."""
    expected: dict[str, object] = json.loads(path.with_suffix(".json").read_text("utf-8"))
    return expected


def collected(folder: str, *suffixes: str) -> list[Path]:
    """The collected messages under a folder with these suffixes, or all files."""
    files = sorted(path for path in (OTHERS / folder).rglob("*") if path.is_file())
    return [path for path in files if not suffixes or path.suffix in suffixes]
