"""Which database the suite runs on: TESTS_DATABASE=sqlite (the default) or postgresql.

The environment is set when this plugin is imported, before Django reads its settings. PostgreSQL
is a cluster of our own in a temporary folder; with xdist the first process starts it and its
workers, which inherit the environment, use it too.

Passwords get a quick hash in the tests' own process. The one that takes a quarter of a second on
purpose is used by the real commands and servers, in processes of their own.
"""

import atexit
import base64
import os
import shutil
import tempfile
from pathlib import Path

import django
from django.conf import settings

from tests.servers.postgres import Postgres

DATABASE = os.environ.get("TESTS_DATABASE", "sqlite")


def _prepare() -> None:
    for name in [name for name in os.environ if name.startswith("BUZON_")]:
        del os.environ[name]  # the tester's own installation is none of our business
    folder = Path(tempfile.mkdtemp(prefix="buzon-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["BUZON_DATA_DIR"] = str(folder)
    os.environ["BUZON_ALLOW_PRIVATE_HOSTS"] = "yes"  # the tests' mail servers are on this machine
    _make_key(folder / "keys")
    os.environ["DJANGO_SETTINGS_MODULE"] = "buzon.config.settings"
    if DATABASE == "postgresql":
        os.environ["BUZON_DATABASE_URL"] = _postgres_url()


def _make_key(path: Path) -> None:
    """A key of this run's own, in the format of `buzon.desk.keyring`."""
    path.touch(mode=0o600)
    path.write_text("tests:" + base64.b64encode(os.urandom(32)).decode("ascii") + "\n")


def _postgres_url() -> str:
    inherited = os.environ.get("TESTS_POSTGRES_URL")
    if inherited:
        return inherited
    cluster = Postgres.start()
    atexit.register(cluster.stop)
    os.environ["TESTS_POSTGRES_URL"] = cluster.url
    return cluster.url


_prepare()
django.setup()  # test modules import models at their top
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
