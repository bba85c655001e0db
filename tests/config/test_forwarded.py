"""From where a request comes: what a trusted proxy says, and never what the browser itself says."""

import http.client
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from pytest_django.fixtures import Settings

from buzon.web.models import SignIn
from tests.web.cast import PASSWORD, Cast, make_cast
from tests.web.served import PATIENCE, served

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(60)]


@contextmanager
def browser(folder: Path, settings: Settings, *, proxies: list[str]) -> Iterator["Browser"]:
    settings.BUZON_LISTEN, settings.BUZON_TRUSTED_PROXIES = ("127.0.0.1", 0), proxies
    cast = make_cast()
    with served(folder) as pages:
        yield Browser(pages.url, cast)


class Browser:
    """One that signs in, and adds headers of its own."""

    def __init__(self, url: str, cast: Cast) -> None:
        self.place = urlsplit(url)
        self._cast = cast

    def sign_in(self, *headers: tuple[str, str]) -> str | None:
        """The address that is noted for it."""
        form = self.ask("GET", "/sign-in")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form.read().decode())
        cookie = form.headers["Set-Cookie"].partition(";")[0]
        assert token is not None
        typed = {
            "email": self._cast.olga.email, "password": PASSWORD, "csrfmiddlewaretoken": token[1],
        }  # fmt: skip
        kind = ("Content-Type", "application/x-www-form-urlencoded")
        answer = self.ask("POST", "/sign-in", urlencode(typed), ("Cookie", cookie), kind, *headers)
        assert answer.status == 302
        return SignIn.objects.get().address

    def ask(
        self, method: str, path: str, body: str = "", *headers: tuple[str, str]
    ) -> http.client.HTTPResponse:
        line = http.client.HTTPConnection(
            str(self.place.hostname), self.place.port, timeout=PATIENCE
        )
        line.putrequest(method, path)
        for name, value in (*headers, ("Content-Length", str(len(body))), ("Connection", "close")):
            line.putheader(name, value)
        line.endheaders(body.encode())
        return line.getresponse()


def test_without_a_trusted_proxy_nobody_says_where_they_are(
    tmp_path: Path, settings: Settings
) -> None:
    with browser(tmp_path, settings, proxies=[]) as one:
        assert one.sign_in(("X-Forwarded-For", "192.0.2.7")) == "127.0.0.1"


@pytest.mark.parametrize(
    ("said", "noted"),
    [
        (["192.0.2.7"], "192.0.2.7"),
        (["198.51.100.1, 192.0.2.7"], "192.0.2.7"),  # the first one came from the browser
        (["127.0.0.1, 192.0.2.7"], "192.0.2.7"),
        (["2001:db8::7"], "2001:db8::7"),
        (["<script>"], None),
    ],
)
def test_a_trusted_proxy_is_believed_and_the_browser_behind_it_is_not(
    tmp_path: Path, settings: Settings, said: list[str], noted: str | None
) -> None:
    with browser(tmp_path, settings, proxies=["127.0.0.1"]) as one:
        assert one.sign_in(*(("X-Forwarded-For", each) for each in said)) == noted


def test_a_proxy_that_is_not_this_one_is_not_believed(tmp_path: Path, settings: Settings) -> None:
    with browser(tmp_path, settings, proxies=["192.0.2.99"]) as one:
        assert one.sign_in(("X-Forwarded-For", "192.0.2.7")) == "127.0.0.1"


@pytest.mark.parametrize(("proxies", "secure"), [([], False), (["127.0.0.1"], True)])
def test_encryption_is_what_a_trusted_proxy_says(
    tmp_path: Path, settings: Settings, proxies: list[str], secure: bool
) -> None:
    with browser(tmp_path, settings, proxies=proxies) as one:
        answer = one.ask("GET", "/sign-in", "", ("X-Forwarded-Proto", "https"))
    assert ("Strict-Transport-Security" in answer.headers) is secure


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "a b", "[::1", ""])
def test_another_host_is_refused_wherever_it_is_said(
    tmp_path: Path, settings: Settings, host: str
) -> None:
    with browser(tmp_path, settings, proxies=["127.0.0.1"]) as one:
        line = http.client.HTTPConnection(str(one.place.hostname), one.place.port, timeout=9)
        line.putrequest("GET", "/sign-in", skip_host=True)
        line.putheader("Host", host)
        line.endheaders()
        assert line.getresponse().status == 400
        line.close()
        told = one.ask("GET", "/sign-in", "", ("X-Forwarded-Host", "evil.example"))
        assert told.status == 200
        assert "evil.example" not in told.read().decode()
