"""A letter whose every word is an attack, on every page that shows any of them: no element, no
attribute and no address of the page comes from it, and no mark of it turns the page's own words
around.
"""

from html.parser import HTMLParser

import pytest

from buzon.desk.customers import add_customer
from buzon.desk.models import Message
from buzon.intake import vault
from buzon.intake.models import Arrival, Folder
from buzon.notify.models import Notification
from buzon.web.told import shown
from tests.notify import people
from tests.web.cast import Cast
from tests.web.letters import account_of, collected

pytestmark = pytest.mark.django_db
TURNED = "\u202e"  # from here on everything is written from right to left (Unicode's bidi, RLO)
EVIL = f"<img src=//evil.example onerror=alert(1)>\"'{{{{1234*4321}}}}{TURNED}%s%(x)s{{x}}"
VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
# What ends the reach of such a mark: an isolate, or a block of its own.
APART = {"bdi", "h1", "title", "option", "textarea"}


class Seen(HTMLParser):
    """Elements and attributes of a page, and where words of the letter stand among others."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.foreign: list[str] = []
        self.turning: list[str] = []
        self._open: list[tuple[str, bool]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        for name, value in given.items():
            is_script = name.startswith("on") or value.lower().startswith("javascript:")
            if is_script or (name in ("src", "href", "action") and "//" in value):
                self.foreign.append(f"{tag} {name}={value}")
        if tag == "script" and not given.get("src", "").startswith("/static/"):
            self.foreign.append(f"{tag} {given}")
        if tag not in VOID:
            self._open.append((tag, tag in APART or given.get("dir") == "auto"))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if TURNED in data and not any(apart for _tag, apart in self._open):
            self.turning.append(f"{[tag for tag, _apart in self._open[-3:]]} {data.strip()[:80]}")


def hostile() -> bytes:
    """Raw UTF-8 in the header, as many a sender writes it."""
    quoted = EVIL.replace('"', '\\"')
    return (
        f'From: "{quoted}" <a{TURNED}b@example.com>\r\nTo: "{quoted}" <b@example.com>\r\n'
        f'Cc: "{quoted}" <c@example.com>\r\nReply-To: "{quoted}" <d@example.com>\r\n'
        f"Subject: {EVIL}\r\nMessage-ID: <evil@example.com>\r\nList-Id: {EVIL}\r\n"
        f"Date: {EVIL}\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/mixed; boundary=x\r\n\r\n"
        f"--x\r\nContent-Type: text/html; charset={EVIL}\r\n\r\n<p>{EVIL}</p>\r\n"
        f'--x\r\nContent-Type: text/<script>; name="{quoted}.html"\r\n'
        f'Content-Disposition: attachment; filename="{quoted}.svg"\r\n\r\n<svg onload=alert(1)>\r\n'
        "--x--\r\n"
    ).encode()


@pytest.fixture
def pages(cast: Cast) -> list[str]:
    """Every page that shows the letter, its sender, or what became of either."""
    account = account_of(cast.shop, group=cast.group)
    (letter,) = collected(account, hostile())
    customer = letter.customer or add_customer(
        cast.shop, addresses=["eva@example.com"], name=EVIL, agent=cast.ana
    )
    type(letter).objects.filter(pk=letter.pk).update(customer=customer)
    _failed_like(letter.sha256, account_folder=Folder.objects.get(account=account))
    row = Arrival.objects.filter(message=letter).get()
    return [
        "/", "/letters/", f"/letters/{letter.pk}", f"/letters/{letter.pk}/blocking",
        "/customers/", f"/customers/{customer.pk}", f"/customers/{customer.pk}/change",
        f"/customers/{customer.pk}/agent", f"/customers/{customer.pk}/removal",
        f"/customers/{customer.pk}/blocking", "/ledger/", f"/ledger/{row.pk}",
        f"/ledger/changes?ids={row.pk}", f"/collection-accounts/{account.pk}",
        f"/agents/{cast.ana.pk}", f"/groups/{cast.group.pk}", "/notifications/",
        "/notifications/latest",
    ]  # fmt: skip


def _failed_like(sha256: str, *, account_folder: Folder) -> None:
    """A row of the ledger that names the same sender, and failed with the server's own words."""
    Arrival.objects.create(
        organization_id=account_folder.account.organization_id,
        account=account_folder.account,
        folder=account_folder,
        uidvalidity=1,
        uid=4_711,
        size=1,
        sender=f"a{TURNED}b@example.com",
        outcome=Arrival.Outcome.FAILED,
        reason={"code": "not_retrieved", "error": EVIL, "template": "No.", "answer": EVIL},
        header_digest=vault.digest(sha256.encode()),
    )


def test_no_page_takes_anything_from_it_but_text(cast: Cast, pages: list[str]) -> None:
    for who in (cast.olga, cast.ana):
        for address in pages:
            page = cast.browser(who).get(address)
            assert page.status_code in (200, 404), address
            assert Seen(page.text).foreign == [], address
            assert "5332114" not in page.text, address


def test_it_does_not_turn_the_words_of_the_page_around(cast: Cast, pages: list[str]) -> None:
    browser = cast.browser(cast.olga)
    turning = {address: Seen(browser.get(address).text).turning for address in pages}
    assert {address: found for address, found in turning.items() if found} == {}


def test_a_notification_of_it_is_one_line_of_text(cast: Cast) -> None:
    customer = add_customer(cast.shop, addresses=["eva@example.com"], name=EVIL, agent=cast.ana)
    event = people.arrived(customer)
    Message.objects.filter(pk=event.message_id).update(subject=f"{EVIL}\r\nBcc: all@example.com")
    people.tell(cast.shop)
    told = [shown(row).headline for row in Notification.objects.filter(agent=cast.ana)]
    assert told
    for one in told:
        assert TURNED not in one
        assert one.isprintable()
