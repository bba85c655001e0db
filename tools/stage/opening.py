"""A stage: an installation in a temporary folder, with its pages open, in a process of its own.

with open_stage("full") as stage: stage.url, stage.sessions, stage.addresses, stage.do("letter")
"""

import json
import os
import selectors
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tools.stage.probing import Answer, probe

ROOT = Path(__file__).parents[2]
OPENED_WITHIN = 150.0  # seconds
OBEYED_WITHIN = 20.0
ENDED_WITHIN = 30.0


class StageFailed(RuntimeError):
    """The process of a stage ended or did not answer; its own words follow."""


class Address(NamedTuple):
    """`name` is the URL's, with what tells several of one URL apart; `who` is stranger,
    administrator or agent. `url` "": this stage has no row for it.
    """

    name: str
    url: str
    who: str


class Stage:
    """`people` and `sessions` hold e-mail address and session key of administrator and agent."""

    def __init__(self, process: "subprocess.Popen[str]", said: Path) -> None:
        self._process, self._said = process, said
        self._answers: dict[Address, Answer] = {}
        told = self._answer(OPENED_WITHIN)
        self.url: str = told["url"]
        self.password: str = told["password"]
        self.setup_code: str = told["code"]
        self.people: dict[str, str] = told["people"]
        self.sessions: dict[str, str] = told["sessions"]
        self.cookie: str = told["cookie"]
        self.addresses = [Address(**one) for one in told["addresses"]]

    def do(self, what: str, **how: str) -> Any:
        """An order of `tools.stage.playing`; its answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": what, **how}) + "\n")
        self._process.stdin.flush()
        return self._answer(OBEYED_WITHIN)

    def pages(self, who: str) -> list[Address]:
        """What this person can look at, in the order of the URLs. Raises StageFailed where there
        is a fault instead.
        """
        theirs = [one for one in self.addresses if one.who == who]
        faults = [one.url for one in theirs if self.answer(one) == Answer.FAULT]
        if faults:
            raise StageFailed(f"A fault instead of a page: {', '.join(faults)} as {who}.")
        return [one for one in theirs if self.answer(one) == Answer.PAGE]

    def answer(self, address: Address) -> Answer:
        """What is there; asked once."""
        if address not in self._answers:
            cookies = [(one["name"], one["value"]) for one in self.cookies(address.who)]
            there = probe(self.url, address.url, cookies) if address.url else Answer.NOTHING
            self._answers[address] = there
        return self._answers[address]

    def cookies(self, who: str) -> list[dict[str, str]]:
        """Whoever has these is signed in; none for a stranger."""
        if who not in self.sessions:
            return []
        return [{"name": self.cookie, "value": self.sessions[who], "url": self.url}]

    def _answer(self, within: float) -> Any:
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            line = self._process.stdout.readline() if selector.select(within) else ""
        if not line:
            raise StageFailed(self._said.read_text(encoding="utf-8"))
        return json.loads(line)


@contextmanager
def open_stage(
    kind: str, *, environ: Mapping[str, str] | None = None, language: str = "es"
) -> Iterator[Stage]:
    """`kind` as in `tools.stage.filling`; `environ` are settings, such as another database.

    Raises StageFailed.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"buzon-stage-{kind}-"))
    process = _started(kind, folder, _environ(folder, environ or {}, language))
    try:
        yield Stage(process, folder / "said")
    finally:
        _end(process)
        shutil.rmtree(folder)


def _environ(folder: Path, given: Mapping[str, str], language: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("BUZON_", "LC_"))}
    return {
        **kept,
        "DJANGO_SETTINGS_MODULE": "buzon.config.settings",
        "BUZON_DATA_DIR": str(folder / "data"),
        "BUZON_LISTEN": "127.0.0.1:0",
        "BUZON_ALLOW_PRIVATE_HOSTS": "yes",
        "LANG": f"{language}.UTF-8",
        **given,
    }


def _started(kind: str, folder: Path, environ: dict[str, str]) -> "subprocess.Popen[str]":
    with (folder / "said").open("w") as said:
        return subprocess.Popen(  # noqa: S603 (ourselves)
            [sys.executable, "-m", "tools.stage", kind],
            env=environ, cwd=ROOT, text=True, encoding="utf-8",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said,
        )  # fmt: skip


def _end(process: "subprocess.Popen[str]") -> None:
    """It ends with its stdin; one that does not is killed, and what it said shows why."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    try:
        process.wait(ENDED_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
