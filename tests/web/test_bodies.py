"""What a stranger may make us keep before anybody knows who it is: hardly anything."""

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.handlers import asgi
from pytest_django.fixtures import Settings

from buzon.web import bodies
from tests.web.cast import make_cast
from tests.web.served import PATIENCE, Served, served

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(60)]
CHUNK = b"a" * 65_536
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def pages(transactional_db: None, tmp_path: Path, settings: Settings) -> Iterator[Served]:
    settings.BUZON_LISTEN = ("127.0.0.1", 0)
    make_cast()
    with served(tmp_path) as running:
        yield running


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The size of each piece of a body that was put on disk or into memory."""
    sizes: list[int] = []

    class Watched(SpooledTemporaryFile):  # type: ignore[type-arg]  # of octets
        def write(self, octets: Any) -> int:
            sizes.append(len(octets))
            return super().write(octets)

    monkeypatch.setattr(asgi.tempfile, "SpooledTemporaryFile", Watched)
    return sizes


@contextmanager
def sent(
    pages: Served, octets: int, *, to: str = "/sign-in", chunked: bool = False, language: str = "en"
) -> Iterator[http.client.HTTPResponse]:
    """A form of that many octets, as a browser sends it."""
    place = urlsplit(pages.url)
    line = http.client.HTTPConnection(str(place.hostname), place.port, timeout=PATIENCE)
    pieces = [CHUNK] * (octets // len(CHUNK)) + [b"a" * (octets % len(CHUNK))]
    length = {} if chunked else {"Content-Length": str(octets)}
    headers = {"Content-Type": FORM, "Accept-Language": language} | length
    line.request("POST", to, body=iter(pieces), headers=headers, encode_chunked=chunked)
    try:
        yield line.getresponse()
    finally:
        line.close()


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(
    ("to", "most"), [("/sign-in", bodies.MOST), ("/customers/import", bodies.LARGE)]
)
def test_a_huge_body_is_never_kept(
    pages: Served, kept: list[int], to: str, most: int, chunked: bool
) -> None:
    with sent(pages, 60_000_000, to=to, chunked=chunked) as answer:
        assert answer.status == 413
    assert sum(kept) <= most


@pytest.mark.parametrize(
    ("language", "told"), [("en", "too much at once"), ("es", "demasiado de una vez")]
)
def test_it_says_so_in_the_persons_language(pages: Served, language: str, told: str) -> None:
    with sent(pages, bodies.MOST + 1, language=language) as answer:
        assert told in answer.read().decode()
        assert answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(("octets", "status"), [(bodies.MOST, 403), (bodies.MOST + 1, 413)])
def test_what_a_form_may_hold_reaches_it(pages: Served, octets: int, status: int) -> None:
    """403: it has no token, so it was looked at."""
    with sent(pages, octets) as answer:
        assert answer.status == status


def test_few_large_ones_wait_at_a_time(
    pages: Served, kept: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "LARGE_AT_ONCE", 0)
    with sent(pages, bodies.MOST + 1, to="/customers/import") as answer:
        assert answer.status == 413
    assert sum(kept) <= bodies.MOST


def test_the_connection_is_good_for_the_next_request(pages: Served) -> None:
    place = urlsplit(pages.url)
    line = http.client.HTTPConnection(str(place.hostname), place.port, timeout=PATIENCE)
    line.request("POST", "/sign-in", body=b"a" * (bodies.MOST + 1), headers={"Content-Type": FORM})
    assert line.getresponse().read()
    line.request("GET", "/sign-in")
    assert line.getresponse().status == 200
    line.close()
