"""The command, run in two ways: in this process on the test's database, and as a real process."""

import itertools
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pytest_django.fixtures import Settings

from buzon.config.command import parsed
from buzon.config.command.failures import sentence_of
from buzon.desk.models import Organization
from tests.config.commands import Ran, environ, run, started
from tests.database import DATABASE

_numbers = itertools.count(1)


@dataclass
class Console:
    """Runs commands in this process, on the test's own database: fast, but it opens nothing."""

    capture: pytest.CaptureFixture[str]
    noted: str = field(default="")

    def __call__(self, *arguments: object) -> str:
        """What it printed; fails where it was refused."""
        status, out = self._run(*arguments)
        assert status == 0, out
        return out

    def json(self, *arguments: object) -> Any:
        return json.loads(self(*arguments, "--json"))

    def lines(self, *arguments: object) -> list[Any]:
        return [json.loads(line) for line in self(*arguments, "--jsonl").splitlines()]

    def refused(self, *arguments: object) -> str:
        """The sentence of the refusal."""
        try:
            self._run(*arguments)
        except Exception as error:
            sentence = sentence_of(error)
            if sentence is None:
                raise
            assert sentence.endswith(".")
            assert self.capture.readouterr().out == ""
            return sentence
        raise AssertionError("it was not refused")

    def _run(self, *arguments: object) -> tuple[int, str]:
        options = parsed([str(one) for one in arguments])
        status = int(options.do(options) or 0)
        out, self.noted = self.capture.readouterr()
        return status, out


@pytest.fixture
def shop(db: None, settings: Settings) -> Organization:
    """The only organization; the keys are there."""
    settings.BUZON_KEYS = "first:" + "A" * 43 + "="
    return Organization.objects.create(name="Shop")


@pytest.fixture
def buzon(shop: Organization, capsys: pytest.CaptureFixture[str]) -> Console:
    """Commands in this process."""
    return Console(capsys)


@dataclass
class Installation:
    """A data folder (and on PostgreSQL a database) of its own, used by real processes."""

    env: dict[str, str]

    @property
    def folder(self) -> Path:
        return Path(self.env["BUZON_DATA_DIR"])

    def __call__(self, *arguments: object, stdin: bytes = b"", **settings: object) -> Ran:
        env = self.env | {name: str(value) for name, value in settings.items()}
        return run(*arguments, env=env, stdin=stdin)

    def python(self, code: str, *, stdin: bytes = b"") -> str:
        """Run Python on this installation; what it printed."""
        env = self.env | {"DJANGO_SETTINGS_MODULE": "buzon.config.settings", "PYTHONWARNINGS": ""}
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, env=env, input=stdin, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def start(self, *arguments: object) -> "subprocess.Popen[bytes]":
        return started(arguments, self.env)


@pytest.fixture(scope="session")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """One that was made by a first command; the tests get copies of it."""
    with_database = Installation(_fresh(tmp_path_factory.mktemp("made")))
    first = with_database("store", "add", "Norte")
    assert first.status == 0, first.error
    return with_database


@pytest.fixture
def fresh(tmp_path: Path) -> Installation:
    """A data folder that does not exist yet, and an empty database."""
    return Installation(_fresh(tmp_path / "data"))


@pytest.fixture
def installed(_made: Installation, tmp_path: Path) -> Installation:
    """One with the organization "My shop" and the store Norte."""
    env = _fresh(tmp_path / "data", template=_made.env.get("BUZON_DATABASE_URL"))
    shutil.copytree(_made.folder, tmp_path / "data")
    return Installation(env)


def _fresh(folder: Path, *, template: str | None = None) -> dict[str, str]:
    env = environ(BUZON_DATA_DIR=folder)
    if DATABASE != "postgresql":
        return env
    server, _, _ = os.environ["TESTS_POSTGRES_URL"].rpartition("/")
    name = f"command_{os.getpid()}_{next(_numbers)}"
    copied = f" TEMPLATE {template.rpartition('/')[2]}" if template else ""
    with psycopg.connect(os.environ["TESTS_POSTGRES_URL"], autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}{copied}")  # type: ignore[call-overload]
    return env | {"BUZON_DATABASE_URL": f"{server}/{name}"}


@pytest.fixture
def password(tmp_path: Path) -> Path:
    """A file with a password, as an editor leaves it."""
    file = tmp_path / "password"
    file.write_text("s3cret ñ12\n", encoding="utf-8")
    return file
