"""`buzon up` as a person starts it: its words are read, and its pages are looked at."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.lease.real_database import RealDatabase, no_database

BUZON = Path(sys.executable).with_name("buzon")
STARTED_WITHIN = 60.0  # seconds
ENDED_WITHIN = 30.0
LINK = re.compile(r"(http://[\w.:]+)(/setup\?code=[\w-]+)")


@dataclass
class Up:
    """A fresh installation: where its pages are, and the address of its set-up page."""

    url: str
    setup: str
    nobody: list[dict[str, str]] = field(default_factory=list)

    def cookies(self, who: str) -> list[dict[str, str]]:
        """There is nobody yet who could be signed in."""
        return self.nobody


@contextmanager
def up() -> Iterator[Up]:
    """From the first start to the end of the test."""
    installation = no_database(BUZON_ALLOW_PRIVATE_HOSTS="yes", BUZON_POLL_SECONDS="1")
    said = installation.folder / "said.txt"
    process = _started(installation, said)
    try:
        yield _told(process, said)
    finally:
        process.terminate()
        process.wait(ENDED_WITHIN)
        installation.remove()


def _started(installation: RealDatabase, said: Path) -> "subprocess.Popen[bytes]":
    with said.open("wb") as file:
        return subprocess.Popen(
            [str(BUZON), "up"], env=installation.environ, stdin=subprocess.DEVNULL,
            stdout=file, stderr=subprocess.STDOUT,
        )  # fmt: skip


def _told(process: "subprocess.Popen[bytes]", said: Path) -> Up:
    deadline = time.monotonic() + STARTED_WITHIN
    while (link := LINK.search(said.read_text())) is None:
        assert process.poll() is None, said.read_text()
        assert time.monotonic() < deadline, said.read_text()
        time.sleep(0.05)
    return Up(link[1], link[2])
