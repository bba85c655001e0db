"""One command, to its end: how long it took, its processor time, and its memory at most."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

LONGEST = 1_800.0  # seconds for one command
ROOT = Path(__file__).parents[1]

# A process counts the memory of the one that forked it, so that a small one has to do it.
_MEASURE = """
import json, resource, subprocess, sys, time
started = time.monotonic()
status = subprocess.run(sys.argv[2:]).returncode
seconds = time.monotonic() - started
used = resource.getrusage(resource.RUSAGE_CHILDREN)
figures = seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024
with open(sys.argv[1], "w") as file:
    json.dump(figures, file)
sys.exit(status)
"""


class CannotMeasure(Exception):
    """One sentence: what is missing, or which figure would be wrong."""


class Used(NamedTuple):
    """`seconds` from start to end; `processor` seconds and most octets of `memory`, of that
    process and those that it waited for, not of a database or a mail server.
    """

    seconds: float
    processor: float
    memory: int
    said: str


def measure(command: Sequence[str], environment: Mapping[str, str], *, folder: Path) -> Used:
    """Run it with what `folder` is for its notes. Raises CannotMeasure where it fails."""
    notes = folder / "used.json"
    wrapped = [sys.executable, "-I", "-S", "-c", _MEASURE, str(notes), *command]
    said = run(wrapped, environment, name=Path(command[0]).name)
    seconds, processor, memory = json.loads(notes.read_text())
    return Used(seconds, processor, memory, said)


def run(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    given: str = "",
    name: str = "",
) -> str:
    """Its standard output. Raises CannotMeasure where it fails, or takes half an hour."""
    told = name or " ".join(command[:3])
    try:
        with subprocess.Popen(
            command,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            cwd=ROOT,
            start_new_session=True,
        ) as process:
            said, complained = _to_its_end(process, given)
    except FileNotFoundError:
        raise CannotMeasure(f"{told} is not installed: make system-bench.") from None
    except subprocess.TimeoutExpired:
        raise CannotMeasure(f"{told} did not end within {LONGEST:g} seconds.") from None
    if process.returncode:
        raise CannotMeasure(f"{told} failed: {(complained or said).strip()[-1_000:]}")
    return said


def _to_its_end(process: "subprocess.Popen[str]", given: str) -> tuple[str, str]:
    """Both of its outputs. Where we are interrupted, whatever it has started ends too."""
    try:
        return process.communicate(given, timeout=LONGEST)
    except BaseException:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        raise
