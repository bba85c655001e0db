"""The real `buzon`, run as a process of its own, as people run it."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ran:
    """What a run left: its exit status, and its two streams."""

    status: int
    out: bytes
    error: str

    @property
    def text(self) -> str:
        return self.out.decode("utf-8")

    def json(self) -> Any:
        """The one document; fails where there is more, or a status that is not 0."""
        assert self.status == 0, self.error
        return json.loads(self.out)

    def lines(self) -> list[Any]:
        """JSONL."""
        assert self.status == 0, self.error
        return [json.loads(line) for line in self.out.splitlines()]

    def sentence(self) -> str:
        """The one sentence of a run that was refused: status 2, nothing on stdout."""
        assert self.status == 2, (self.status, self.error)
        assert self.out == b""
        told = self.error.rstrip("\n")
        assert "\n" not in told, told
        assert told.endswith("."), told
        assert "Traceback" not in told
        return told


def environ(**settings: object) -> dict[str, str]:
    """The environment without anybody's BUZON_ settings but these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BUZON_")}
    kept.pop("DJANGO_SETTINGS_MODULE", None)
    # A run that leaves a file or a connection open says so.
    kept["PYTHONWARNINGS"] = "error"
    kept["COLUMNS"] = "100"
    kept["BUZON_ALLOW_PRIVATE_HOSTS"] = "yes"  # the tests' mail servers are on this machine
    return kept | {name: str(value) for name, value in settings.items()}


def started(arguments: tuple[object, ...], env: dict[str, str]) -> "subprocess.Popen[bytes]":
    """The process, with its pipes open."""
    return subprocess.Popen(
        [sys.executable, "-m", "buzon.config.command", *map(str, arguments)],
        env=env,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def run(*arguments: object, env: dict[str, str] | None = None, stdin: bytes = b"") -> Ran:
    """To its end."""
    process = started(arguments, environ() if env is None else env)
    out, error = process.communicate(stdin, timeout=60)
    return Ran(process.returncode, out, error.decode("utf-8"))
