"""Some trials of each part, with every run of the tests. `make chaos` runs all of them."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.chaos.__main__ import table
from tests.chaos.parts import PARTS
from tests.database import DATABASE

ROOT = Path(__file__).parents[2]


# A minute or two each on a machine that does nothing else; the limits are for one that hangs.
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize(
    "parts",
    [("kill-steps", "kill-random", "rivals"), ("cut", "loris"), ("lies", "database", "quit"),
     ("identity", "renumbered", "clock", "poison")],
    ids=lambda parts: parts[0],
)  # fmt: skip
def test_no_invariant_is_violated(parts: tuple[str, ...], tmp_path: Path) -> None:
    """R6, R8, R9 under faults: I1 to I8 of docs/decisions/0014."""
    results = tmp_path / "results.jsonl"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BUZON_")}
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", *parts, "--subset", "--database", DATABASE,
         "--results", str(results)],
        cwd=ROOT, env=kept, capture_output=True, text=True, timeout=1_180,
    )  # fmt: skip
    rows = [json.loads(line) for line in results.read_text().splitlines()]
    assert [row for row in rows if row["wrong"]] == []
    assert done.returncode == 0, done.stderr
    asked = {part.name: part.subset for part in PARTS if part.name in parts}
    assert Counter(row["part"] for row in rows) == asked


def test_the_subset_is_of_thousands_of_trials_and_dozens_of_real_kills() -> None:
    """On each database the half of it."""
    assert 2 * sum(part.subset for part in PARTS) >= 2_000
    assert 2 * sum(part.subset for part in PARTS if part.name.startswith("kill-")) >= 60
    assert all(part.real for part in PARTS if part.name.startswith("kill-"))


def test_a_violation_is_counted_under_its_invariant() -> None:
    row = {"what": "cut", "database": "sqlite", "seconds": 60.0, "real": True}
    shown = table([row | {"wrong": ["I1 lost", "I1 lost too", "I3 early"]}, row | {"wrong": []}])
    assert shown.splitlines()[1].split() == (
        ["cut", "sqlite", "2", "2", "2.0", "1", "0", "1", "0", "0", "0", "0", "0", "0"]
    )
