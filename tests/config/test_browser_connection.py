"""Whoever connects and does not go on talking is hung up on; the others are served meanwhile."""

import http.client
import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pytest_django.fixtures import Settings

from buzon.config import browser_connection
from tests.web.cast import make_cast
from tests.web.served import PATIENCE, Served, served

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(60)]
HEAD = b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n"
GET = b"GET /sign-in HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture
def pages(
    transactional_db: None, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Served]:
    settings.BUZON_LISTEN = ("127.0.0.1", 0)
    monkeypatch.setattr(browser_connection, "HEAD", 0.6)
    monkeypatch.setattr(browser_connection, "BODY", 0.6)
    make_cast()
    with served(tmp_path) as running:
        yield running


def connected(pages: Served) -> socket.socket:
    place = urlsplit(pages.url)
    return socket.create_connection((str(place.hostname), place.port), timeout=PATIENCE)


def is_hung_up(line: socket.socket, *, drip: bytes = b"", for_seconds: float = 5.0) -> bool:
    """Whether the server ends it while `drip` is said again and again."""
    until = time.monotonic() + for_seconds
    line.settimeout(0.1)
    while time.monotonic() < until:
        try:
            if drip:
                line.sendall(drip)
            if not line.recv(65_536):
                return True
        except TimeoutError:
            continue
        except OSError:
            return True
    return False


def status(pages: Served) -> int:
    place = urlsplit(pages.url)
    line = http.client.HTTPConnection(str(place.hostname), place.port, timeout=PATIENCE)
    line.request("GET", "/sign-in")
    try:
        return line.getresponse().status
    finally:
        line.close()


@pytest.mark.parametrize(
    ("said", "drip"),
    [(b"", b""), (b"GET /sign-in HT", b""), (GET, b"X: y\r\n"), (HEAD, b""), (HEAD, b"a")],
    ids=["nothing", "half a line", "a header at a time", "no body", "a body at a time"],
)
def test_who_does_not_go_on_talking_is_hung_up_on(pages: Served, said: bytes, drip: bytes) -> None:
    with connected(pages) as line:
        line.sendall(said)
        assert is_hung_up(line, drip=drip)
    assert status(pages) == 200


def test_a_slow_head_after_an_answer_is_one_too(pages: Served) -> None:
    with connected(pages) as line:
        line.sendall(GET + b"\r\n")
        assert line.recv(65_536).startswith(b"HTTP/1.1 200")
        assert is_hung_up(line, drip=b"X")


def test_an_answer_may_take_its_time(pages: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    from buzon.web.pages import sign_in

    asked = sign_in.has_administrator

    def slowly() -> bool:
        time.sleep(1.5)
        return asked()

    monkeypatch.setattr(sign_in, "has_administrator", slowly)
    assert status(pages) == 200


def test_only_so_many_are_connected_at_once(pages: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser_connection, "HEAD", 60.0)
    monkeypatch.setattr(browser_connection, "_MOST", 5)
    lines = [connected(pages) for _ in range(5)]
    with connected(pages) as one_more:
        assert is_hung_up(one_more)
    lines.pop().close()
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            assert status(pages) == 200
            break
        except OSError:
            time.sleep(0.05)
    else:
        raise AssertionError("there is no room again")
    for line in lines:
        line.close()


def test_there_is_room_for_mail_servers_beside_the_browsers() -> None:
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert browser_connection.most_connections() <= soft * 0.6
