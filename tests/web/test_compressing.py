"""Style sheets and scripts are compressed for browsers that take it; pages never are."""

import gzip
from pathlib import Path

import pytest
from django.test import Client

from buzon.web.static_files import static_url

SHEET = "web/parts.css"
FILE = Path("src/buzon/web/static") / SHEET
ROOT = Path(__file__).parents[2]


@pytest.fixture
def browser() -> Client:
    return Client(headers={"host": "localhost"})


@pytest.mark.parametrize("accepted", ["gzip", "br, gzip;q=0.8", "deflate, GZIP"])
def test_a_style_sheet_is_sent_compressed(browser: Client, accepted: str) -> None:
    answer = browser.get(static_url(SHEET), headers={"accept-encoding": accepted})
    packed = answer.getvalue()
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Content-Length"] == str(len(packed))
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert "max-age=31536000" in answer.headers["Cache-Control"]
    assert gzip.decompress(packed) == (ROOT / FILE).read_bytes()
    assert len(packed) < len((ROOT / FILE).read_bytes()) / 2


@pytest.mark.parametrize("accepted", ["", "identity", "br", "gzip;q=0"])
def test_who_does_not_take_it_gets_the_file(browser: Client, accepted: str) -> None:
    answer = browser.get(static_url(SHEET), headers={"accept-encoding": accepted})
    assert "Content-Encoding" not in answer.headers
    assert "Accept-Encoding" in answer.headers["Vary"], "no cache gives it to the wrong one"
    assert b"".join(answer) == (ROOT / FILE).read_bytes()


def test_a_file_that_the_browser_has_is_not_sent_again(browser: Client) -> None:
    asked = {"accept-encoding": "gzip"}
    known = browser.get(static_url(SHEET), headers=asked).headers["Last-Modified"]
    again = browser.get(static_url(SHEET), headers=asked | {"if-modified-since": known})
    assert again.status_code == 304
    assert again.getvalue() == b""


def test_head_says_what_the_file_is(browser: Client) -> None:
    answer = browser.head(static_url(SHEET), headers={"accept-encoding": "gzip"})
    assert answer.status_code == 200
    assert answer.getvalue() == b""


@pytest.mark.django_db
def test_a_page_is_not_compressed(browser: Client) -> None:
    """Beside what somebody typed stand secrets, such as the form's token."""
    answer = browser.get("/sign-in", headers={"accept-encoding": "gzip"}, follow=True)
    assert answer.status_code == 200
    assert "Content-Encoding" not in answer.headers
