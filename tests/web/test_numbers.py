"""Numbers of rows that no row has, and that no database can be asked for, in addresses and forms:
not found, or unknown; never a fault of ours, never another organization's.
"""

from typing import Any

import pytest

from buzon.desk.people import add_agent, add_group
from buzon.desk.stores import add_store
from buzon.web.urls import urlpatterns
from tests.organizations import crossings, rows_of
from tests.web.cast import Cast
from tests.web.letters import account_of

pytestmark = pytest.mark.django_db
NUMBERS = ["0", "9" * 18, "9" * 19, "9" * 30, "9" * 4_400]
NUMBERED = sorted(str(one.name) for one in urlpatterns if one.pattern.converters)
ROUTES = {str(one.name): str(one.pattern) for one in urlpatterns}
ACCOUNT = {
    "name": "Otra", "protocol": "imap", "host": "mail.example", "security": "tls",
    "username": "otra", "secret": "secret", "start": "all", "folders": "INBOX",
    "create_customer": "yes", "after": "leave", "history": "auto", "delete_after_days": "0",
}  # fmt: skip
# The address, what a right form holds, and the field that names a row.
FORMS: list[tuple[str, dict[str, str], str]] = [
    ("/agents/new", {"name": "Eva", "email": "eva@olivo.example"}, "groups"),
    ("/agents/{ana}/change", {"name": "A", "email": "a@olivo.example", "copies": "none"}, "groups"),
    ("/groups/new", {"name": "Otro"}, "agents"),
    ("/groups/{group}/change", {"name": "Otro"}, "agents"),
    ("/administrators/{olga}/agent", {"name": "Olga"}, "groups"),
    ("/customers/new", {"addresses": "eva@example.com"}, "store"),
    ("/customers/new", {"addresses": "eva@example.com"}, "agent"),
    ("/collection-accounts/new", ACCOUNT, "store"),
    ("/collection-accounts/new", ACCOUNT, "group"),
]


@pytest.mark.parametrize("name", NUMBERED)
def test_a_number_in_an_address_that_no_row_has(cast: Cast, name: str) -> None:
    browser = cast.browser(cast.olga)
    for number in NUMBERS:
        address = "/" + ROUTES[name].replace("<int:pk>", number).replace("<int:part>", number)
        for ask in (browser.get, browser.post):
            answer = ask(address.replace("<str:token>", "c0ffee-c0ffee"))
            assert answer.status_code in (404, 405), number[:20]


@pytest.mark.parametrize(("address", "typed", "field"), FORMS)
def test_a_form_takes_no_row_that_is_not_the_persons(
    cast: Cast, address: str, typed: dict[str, Any], field: str
) -> None:
    theirs = [
        add_store(cast.elsewhere, "Ajena").pk,
        add_group(cast.elsewhere, "Ajenos").pk,
        add_agent(cast.elsewhere, name="Otro", email="otro@elsewhere.example").pk,
        account_of(cast.elsewhere).pk,
    ]
    mine = {cast.store.pk, cast.group.pk, cast.ana.pk, cast.luis.pk}
    strange = [str(pk) for pk in theirs if pk not in mine]
    browser = cast.browser(cast.olga)
    before = rows_of(cast.shop), rows_of(cast.elsewhere)
    to = address.format(ana=cast.ana.pk, group=cast.group.pk, olga=cast.olga.pk)
    for number in [*NUMBERS, *strange, "-1", "NaN", "a\0b"]:
        page = browser.post(to, typed | {field: number})
        assert page.status_code == 200, number[:20]
        assert f'id="error-{field}" role="alert"' in page.text, number[:20]
        assert "Ajen" not in page.text
        assert "Otro" not in page.text.replace('value="Otro"', "")
    assert (rows_of(cast.shop), rows_of(cast.elsewhere)) == before
    assert crossings() == []


@pytest.mark.parametrize(("address", "typed", "field"), FORMS)
def test_the_persons_own_row_is_taken(
    cast: Cast, address: str, typed: dict[str, Any], field: str
) -> None:
    """So that the refusals above are about the row and nothing else."""
    rows = {"groups": cast.group, "agents": cast.ana, "store": cast.store, "group": cast.group}
    row = rows.get(field) or cast.luis
    to = address.format(ana=cast.ana.pk, group=cast.group.pk, olga=cast.olga.pk)
    page = cast.browser(cast.olga).post(to, typed | {field: str(row.pk)})
    assert page.status_code == 302, page.text
