"""The pages served over a socket, as people get them, on this test's own database."""

import http.client
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connections
from django.test import Client

from buzon.config.serving import PageServer

PATIENCE = 20.0  # seconds; nothing here takes so long


@contextmanager
def shared_database(folder: Path) -> Iterator[None]:
    """SQLite's test database is in memory, where threads lock each other out of whole tables: for
    this long it is a file, as in real life. PostgreSQL stays as it is.
    """
    before = connections["default"]
    if before.vendor != "sqlite":
        yield
        return
    before.ensure_connection()
    in_memory, file = before.settings_dict["NAME"], folder / "served.sqlite3"
    copy = sqlite3.connect(file)
    before.connection.backup(copy)
    copy.close()
    before.settings_dict["NAME"] = str(file)
    del connections["default"]
    try:
        yield
    finally:
        connections["default"].close()
        before.settings_dict["NAME"] = in_memory
        connections["default"] = before


@dataclass
class Event:
    """One event of a stream."""

    name: str
    key: str
    data: dict[str, Any]


class Stream:
    """A browser's end of the stream: reads what comes, and hangs up."""

    def __init__(self, url: str, cookies: str, *, after: int | None = None, **headers: str) -> None:
        place = urlsplit(url)
        self._line = http.client.HTTPConnection(str(place.hostname), place.port, timeout=PATIENCE)
        asked = "/notifications/stream" + (f"?after={after}" if after is not None else "")
        headers = {"Cookie": cookies, "Accept": "text/event-stream"} | headers
        self._line.request("GET", asked, headers=headers)
        self.answer = self._line.getresponse()
        self.status = self.answer.status

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        self.answer.close()
        self._line.close()

    def next(self, name: str = "") -> Event | None:
        """The next event (of that name); None at the stream's end. Fails where none comes."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            event = self._read()
            if event is None or not name or event.name == name:
                return event
        raise AssertionError(f"no event {name!r} came")

    def is_over(self) -> bool:
        """Whether it ends, within seconds."""
        while (event := self._read()) is not None:
            assert event.name in ("unread", "notification")
        return True

    def _read(self) -> Event | None:
        fields: dict[str, str] = {}
        while line := self.answer.readline().decode():
            name, _, value = line.rstrip("\n").partition(": ")
            if not line.strip():
                if "event" in fields:
                    data = json.loads(fields["data"])
                    return Event(fields["event"], fields.get("id", ""), data)
                fields = {}
            elif name:
                fields[name] = value
        return None


@dataclass
class Served:
    """The pages on a loopback port."""

    url: str

    def listen(self, client: Client, *, after: int | None = None, **headers: str) -> Stream:
        """A stream of the browser that `client` is."""
        return Stream(self.url, _cookies(client), after=after, **headers)


@contextmanager
def served(folder: Path) -> Iterator[Served]:
    """Until the end of the block. For a test with `transaction=True`, and BUZON_LISTEN set."""
    with shared_database(folder):
        server = PageServer.open()
        assert server is not None
        server.start()
        try:
            yield Served(server.url)
        finally:
            server.stop()


def _cookies(client: Client) -> str:
    name = settings.SESSION_COOKIE_NAME
    return f"{name}={client.cookies[name].value}; accept=1"
