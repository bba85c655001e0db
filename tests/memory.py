"""How much memory a command takes at most."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]

# A process counts the memory of the one that forked it, so that a small one has to do it.
_MEASURE = """
import resource, subprocess, sys
status = subprocess.run(sys.argv[2:]).returncode
with open(sys.argv[1], "w") as file:
    file.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(status)
"""


def run_measured(
    command: Sequence[str], *, env: Mapping[str, str], folder: Path, seconds: float = 120
) -> "tuple[subprocess.CompletedProcess[bytes], int]":
    """The command, to its end within so many seconds, and the octets that it held at most."""
    file = folder / "most"
    measure = [sys.executable, "-c", _MEASURE, str(file)]
    done = subprocess.run(
        [*measure, *command], env=env, cwd=ROOT, capture_output=True, timeout=seconds, check=False
    )
    return done, int(file.read_text()) * 1024  # Linux counts it in KiB
