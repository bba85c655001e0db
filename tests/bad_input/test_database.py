"""A database that is locked, may only be read, refuses the login, or goes away in the middle."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from buzon.demo.server import Mailstore
from tests.bad_input.conftest import letter
from tests.bad_input.other_user import as_nobody, moved_out
from tests.bad_input.shop import LOGIN, Shop, clear
from tests.config.conftest import Installation
from tests.database import DATABASE
from tests.intake.servers import DeliversDuring
from tests.servers.postgres import Postgres

on_postgresql = pytest.mark.skipif(DATABASE != "postgresql", reason="about PostgreSQL")
on_sqlite = pytest.mark.skipif(DATABASE != "sqlite", reason="about SQLite's file")
MANY = 250
MIDDLE = {"imap": 2, "pop3": 30}  # the first UID FETCH asks for the list


@on_sqlite
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_may_only_be_read_is_not_written_to(shop: Shop, kind: str) -> None:
    with moved_out(shop) as folder:
        before = shop.counts()
        guarded = shop.file if kind == "file" else folder
        rights = guarded.stat().st_mode
        guarded.chmod(rights & ~0o222)
        told = clear(as_nobody(shop, "store", "add", "Sur").sentence())
        assert "may not write" in told or f"{folder} cannot be written to" in told
        assert shop.counts() == before
        guarded.chmod(rights)
        assert as_nobody(shop, "store", "add", "Sur").status == 0


def test_a_data_folder_of_another_user(shop: Shop) -> None:
    with moved_out(shop) as folder:
        before = shop.counts()
        for one in (folder, *folder.iterdir()):
            os.chown(one, 0, 0)
        for verb in (["store", "add", "Sur"], ["store", "list"]):
            assert str(folder) in clear(as_nobody(shop, *verb).sentence())
        assert shop.counts() == before
        shop.do("store", "add", "Sur")


@on_postgresql
def test_a_login_that_may_only_read(shop: Shop) -> None:
    reader = sql.Identifier(f"reader_{os.getpid()}")
    url = shop.env["BUZON_DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE ROLE {} LOGIN").format(reader))
        grant = sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}")
        server.execute(grant.format(reader))
    try:
        poor = url.replace("//buzon@", f"//reader_{os.getpid()}@")
        assert shop("store", "list", BUZON_DATABASE_URL=poor).status == 0
        told = shop.refused("store", "add", "Sur", BUZON_DATABASE_URL=poor)
        assert "may not write to the database" in told
        assert "permission denied" in told
    finally:
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(reader))
    shop.do("store", "add", "Sur")


@pytest.fixture
def cluster() -> Iterator[Postgres]:
    """One of this test's own, that may go away."""
    made = Postgres.start()
    yield made
    made.stop()


@pytest.fixture
def own(fresh: Installation, cluster: Postgres, password: Path) -> Shop:
    """A shop on it."""
    fresh.env["BUZON_DATABASE_URL"] = cluster.url
    return Shop(fresh, password)


@on_postgresql
def test_postgresql_that_goes_away_wants_a_password_and_comes_back(
    own: Shop, cluster: Postgres, mail: Mailstore
) -> None:
    """One cluster for all of it, because a start of one takes seconds."""
    assert own("store", "add", "Norte").status == 0
    protocols: tuple[tuple[Any, str], ...] = (("imap", "UID FETCH"), ("pop3", "RETR"))
    for first, (protocol, command) in enumerate(protocols):
        for number in range(MANY):
            mail.logins[LOGIN].folder().deliver(letter(first * MANY + number))
        with DeliversDuring(mail, protocol=protocol) as server:
            server.on(command, cluster.restart, times=(MIDDLE[protocol],))
            own.account(protocol, server, "--create-customer", "--delete-downloaded")
            told = own("collect", protocol, "--once", "--json")
            assert told.status == 1
            assert "cannot be reached" in clear(told.error.rstrip("\n"))
            deleted = len(mail.deeds("expunged", "deleted"))
            assert deleted == first * MANY  # nothing in the run that failed
            own.collected(protocol)
            assert mail.logins[LOGIN].folder().messages == []
        assert set(own.mail().values()) == {(first + 1) * MANY}
    asks_for_a_password(own, cluster)


def asks_for_a_password(own: Shop, cluster: Postgres) -> None:
    """From now on the cluster does: without one, with a wrong one, with the right one."""
    with psycopg.connect(cluster.url, autocommit=True) as server:
        server.execute("ALTER ROLE buzon PASSWORD 'right'")
        rules = cluster.folder / "data" / "pg_hba.conf"
        rules.write_text(rules.read_text().replace(" trust", " scram-sha-256"))
        server.execute("SELECT pg_reload_conf()")
    before = own.env["BUZON_DATABASE_URL"]
    for login in ("buzon", "buzon:hunter2"):
        url = before.replace("//buzon@", f"//{login}@")
        told = clear(own("store", "add", "Sur", BUZON_DATABASE_URL=url).sentence())
        assert "password" in told
        assert "hunter2" not in told
    own.env["BUZON_DATABASE_URL"] = before.replace("//buzon@", "//buzon:right@")
    assert [store["name"] for store in own("store", "list", "--json").json()] == ["Norte"]
    own.do("store", "add", "Sur")
