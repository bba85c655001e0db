"""A migrated database that several processes can open: the one of pytest-django is in memory."""

import atexit
import functools
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.database import DATABASE

ROOT = Path(__file__).parents[2]
_numbers = itertools.count(1)


@dataclass
class RealDatabase:
    """An installation's folder with its database, used through processes of their own."""

    folder: Path
    environ: dict[str, str]

    def start(self, module: str, *arguments: object) -> "subprocess.Popen[str]":
        """`python -m module arguments…`, with its pipes open."""
        command = [sys.executable, "-W", "error", "-m", module, *map(str, arguments)]
        return subprocess.Popen(
            command,
            env=self.environ,
            cwd=ROOT,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, module: str, *arguments: object) -> str:
        """Its standard output; fails with its standard error."""
        process = self.start(module, *arguments)
        out, error = process.communicate(timeout=60)
        assert process.returncode == 0, error
        return out

    def remove(self) -> None:
        shutil.rmtree(self.folder)


def real_database(**settings: object) -> RealDatabase:
    """A fresh one; `settings` are BUZON_ variables of the environment."""
    folder = Path(tempfile.mkdtemp(prefix="buzon-real-"))
    environ = _environ(folder, "")
    if DATABASE == "postgresql":
        name = f"real_{os.getpid()}_{next(_numbers)}"
        execute(f"CREATE DATABASE {name} TEMPLATE {_migrated_postgres()}")
        environ = _environ(folder, _url(name))
    else:
        shutil.copy(_migrated_sqlite(), folder / "buzon.sqlite3")
    environ.update({name: str(value) for name, value in settings.items()})
    return RealDatabase(folder, environ)


def no_database(**settings: object) -> RealDatabase:
    """Before the first start: a folder that is not there, and on PostgreSQL an empty database."""
    folder = Path(tempfile.mkdtemp(prefix="buzon-first-"))
    url = ""
    if DATABASE == "postgresql":
        name = f"first_{os.getpid()}_{next(_numbers)}"
        execute(f"CREATE DATABASE {name}")
        url = _url(name)
    environ = _environ(folder / "var", url)
    environ.update({name: str(value) for name, value in settings.items()})
    return RealDatabase(folder, environ)


@functools.cache
def _migrated_sqlite() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="buzon-migrated-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _migrate(_environ(folder, ""))
    return folder / "buzon.sqlite3"


@functools.cache
def _migrated_postgres() -> str:
    name = f"migrated_{os.getpid()}"
    execute(f"CREATE DATABASE {name}")
    _migrate(_environ(Path(tempfile.gettempdir()), _url(name)))
    return name


def _migrate(environ: dict[str, str]) -> None:
    command = [sys.executable, "-m", "django", "migrate", "--verbosity", "0"]
    subprocess.run(command, env=environ, cwd=ROOT, check=True, timeout=60)


def _environ(folder: Path, url: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BUZON_")}
    kept["DJANGO_SETTINGS_MODULE"] = "buzon.config.settings"
    kept["BUZON_DATA_DIR"] = str(folder)
    kept["BUZON_LISTEN"] = "127.0.0.1:0"  # each on a port of its own
    kept["BUZON_ALLOW_PRIVATE_HOSTS"] = "yes"  # the tests' mail servers are on this machine
    if url:
        kept["BUZON_DATABASE_URL"] = url
    return kept


def _url(name: str) -> str:
    return os.environ["TESTS_POSTGRES_URL"].rpartition("/")[0] + f"/{name}"


def execute(statement: str) -> None:
    """On the tests' PostgreSQL, as its superuser."""
    with psycopg.connect(os.environ["TESTS_POSTGRES_URL"], autocommit=True) as connection:
        connection.execute(statement)
