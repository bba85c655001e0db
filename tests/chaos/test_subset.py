"""Some trials of each part, with every run of the tests. `make chaos` runs all of them."""

import json
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.chaos.__main__ import table
from tests.chaos.parts import PARTS, Part
from tests.database import DATABASE

ROOT = Path(__file__).parents[2]


# What runs side by side, about equally long: these parts, and which share of their trials.
SIDE_BY_SIDE = (
    ("cut", "0/3"),
    ("cut", "1/3"),
    ("cut", "2/3"),
    ("kill-steps kill-random rivals renumbered", "0/1"),
    ("lies poison", "0/1"),
    ("quit database", "0/1"),
    ("loris identity clock", "0/1"),
)


# Less than two minutes on a machine that does nothing else; the limits are for one that hangs.
@pytest.mark.timeout(1_200)
def test_no_invariant_is_violated(tmp_path: Path) -> None:
    """R6, R8, R9 under faults: I1 to I8 of docs/decisions/0014."""
    with ThreadPoolExecutor(len(SIDE_BY_SIDE)) as pool:
        files = [tmp_path / f"{number}.jsonl" for number in range(len(SIDE_BY_SIDE))]
        ended = list(pool.map(_run, SIDE_BY_SIDE, files))
    assert [one.stderr for one in ended if one.returncode] == []
    rows = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    assert [row for row in rows if row["wrong"]] == []
    tried = Counter((row["part"], row["number"]) for row in rows)
    assert tried == {(part.name, n): 1 for part in PARTS for n in part.in_subset(DATABASE)}


def _run(what: tuple[str, str], results: Path) -> "subprocess.CompletedProcess[str]":
    parts, share = what
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BUZON_")}
    return subprocess.run(
        [sys.executable, "-m", "tests.chaos", *parts.split(), "--subset", "--database", DATABASE,
         "--share", share, "--results", str(results)],
        cwd=ROOT, env=kept, capture_output=True, text=True, timeout=1_180,
    )  # fmt: skip


def test_the_subset_is_of_thousands_of_trials_and_dozens_of_real_kills() -> None:
    """Both databases together, as `make test` runs them."""
    assert sum(map(_trials, PARTS)) >= 2_000
    kills = [part for part in PARTS if part.name.startswith("kill-")]
    assert sum(map(_trials, kills)) >= 60
    assert all(part.real for part in kills)


def _trials(part: Part) -> int:
    return sum(len(part.in_subset(database)) for database in ("sqlite", "postgresql"))


def test_a_violation_is_counted_under_its_invariant() -> None:
    row = {"what": "cut", "database": "sqlite", "seconds": 60.0, "real": True}
    shown = table([row | {"wrong": ["I1 lost", "I1 lost too", "I3 early"]}, row | {"wrong": []}])
    assert shown.splitlines()[1].split() == (
        ["cut", "sqlite", "2", "2", "2.0", "1", "0", "1", "0", "0", "0", "0", "0", "0"]
    )
