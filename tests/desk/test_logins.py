"""Logins: who can let others in, and what each person chooses."""

import pytest

from buzon.desk.errors import DeskError
from buzon.desk.logins import (
    choose_copies,
    choose_pages,
    has_administrator,
    login_with_address,
)
from buzon.desk.models import Organization
from buzon.desk.organizations import add_organization
from buzon.desk.people import add_administrator, add_agent

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Organization:
    return add_organization("Shop")


def test_an_administrator_is_of_one_organization(shop: Organization) -> None:
    add_agent(shop, name="Ana", email="ana@shop.example", password="a long password")
    assert not has_administrator()
    other = add_organization("Other")
    add_administrator(other, email="olga@other.example", password="a long password")
    assert has_administrator()
    assert (has_administrator(shop), has_administrator(other)) == (False, True)


def test_a_login_is_found_by_its_address_in_its_organization_only(shop: Organization) -> None:
    ana = add_agent(shop, name="Ana", email="ana@shop.example", password="a long password")
    assert login_with_address(shop, " Ana@Shop.example ") == ana.user
    with pytest.raises(DeskError, match=r"no login with the address ana@shop.example\."):
        login_with_address(add_organization("Other"), "ana@shop.example")


def test_what_there_is_not_cannot_be_chosen(shop: Organization) -> None:
    """R13."""
    ana = add_agent(shop, name="Ana", email="ana@shop.example", password="a long password")
    assert ana.user is not None
    with pytest.raises(DeskError) as language:
        choose_pages(ana.user, language="tlh", appearance="")
    with pytest.raises(DeskError) as appearance:
        choose_pages(ana.user, language="", appearance="pink")
    with pytest.raises(DeskError) as copies:
        choose_copies(ana, "some")
    fields = [one.value.field for one in (language, appearance, copies)]
    assert fields == ["language", "appearance", "copies"]
    ana.refresh_from_db()
    assert ana.email_copies == "none"
    choose_copies(ana, "all")
    choose_pages(ana.user, language="es", appearance="dark")
    ana.refresh_from_db()
    assert ana.user is not None
    assert (ana.user.language, ana.user.appearance, ana.email_copies) == ("es", "dark", "all")
