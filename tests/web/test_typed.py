"""Every form of the pages, refused: what was typed stays in it, and no secret comes back."""

from html.parser import HTMLParser

import pytest
from django.test import Client

from tests.organizations import rows_of
from tests.web.test_access import World, world
from tests.web.urls_expected import EXPECTED

__all__ = ["world"]  # a fixture
pytestmark = pytest.mark.django_db
SECRET = "s3cret-typed-4711 "
LONG = "y" * 5000  # no name, address, pattern or password is as long
# For Olga: a yes, a file or a choice alone; or her own password, which is changed elsewhere; or
# what comes before signing in.
WITHOUT_TEXT = {
    "administrator_password", "administrator_removal", "agent_deactivation",
    "collection_account_again", "collection_account_cancelling", "collection_account_removal",
    "customer_agent", "customer_blocking", "customer_import",
    "customer_removal", "forgotten", "group_removal", "ledger", "ledger_row", "letter_blocking",
    "me", "new_password", "quarantine", "setup", "setup_mailbox", "sign_in", "store_removal",
}  # fmt: skip
FORMS = sorted(name for name, page in EXPECTED.items() if page.methods == ("GET", "POST"))


class Fields(HTMLParser):
    """What a browser would send of the forms in `main` that are posted, and which of their fields
    hold text or secrets.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.sent: dict[str, list[str]] = {}
        self.texts: set[str] = set()
        self.secrets: set[str] = set()
        self._in_main = self._in_form = False
        self._select, self._area = "", ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = dict(attrs)
        self._in_main |= tag == "main"
        self._in_form |= self._in_main and tag == "form" and has.get("method") == "post"
        if not self._in_form or "readonly" in has:
            return
        name, value = has.get("name") or "", has.get("value") or ""
        if tag == "input":
            self._input(has.get("type") or "text", name, value, checked="checked" in has)
        elif tag == "textarea":
            self._area = name
            self.texts.add(name)
            self.sent[name] = [""]
        elif tag == "select":
            self._select = name
        elif tag == "option" and "selected" in has:
            self.sent.setdefault(self._select, []).append(value)

    def _input(self, kind: str, name: str, value: str, *, checked: bool) -> None:
        if kind == "password":
            self.secrets.add(name)
        elif kind in ("checkbox", "radio"):
            if checked:
                self.sent.setdefault(name, []).append(value or "on")
        elif kind != "file" and name != "csrfmiddlewaretoken":
            self.sent[name] = [value]
            if kind in ("text", "email"):
                self.texts.add(name)

    def handle_data(self, data: str) -> None:
        if self._area:
            # The line end right after the tag is no part of the text (HTML, 13.1.2.5).
            self.sent[self._area] = [(self.sent[self._area][0] + data).removeprefix("\n")]

    def handle_endtag(self, tag: str) -> None:
        self._in_main &= tag != "main"
        self._in_form &= tag != "form"
        if tag == "textarea":
            self._area = ""


@pytest.mark.parametrize("who", ["olga", "stranger"])
@pytest.mark.parametrize("name", FORMS)
def test_a_refused_form_keeps_what_was_typed_and_shows_no_secret(
    world: World, name: str, who: str
) -> None:
    browser, address = world.browsers[who], world.address(name)
    fields = _form(browser, address)
    if not fields.texts | fields.secrets:
        assert name in WITHOUT_TEXT or who == "stranger"
        return
    typed = fields.sent | {one: [f"{one}-{LONG}"] for one in fields.texts}
    before = rows_of(world.cast.shop)
    answer = browser.post(address, typed | {one: [SECRET + LONG] for one in fields.secrets})
    assert answer.status_code == 200
    assert rows_of(world.cast.shop) == before
    again = Fields(answer.text)
    assert again.texts >= fields.texts
    assert {one: again.sent.get(one) for one in typed} == typed
    assert SECRET not in answer.text


def _form(browser: Client, address: str) -> Fields:
    page = browser.get(address)
    return Fields(page.text if page.status_code == 200 else "")
