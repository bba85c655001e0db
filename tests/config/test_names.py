"""Names that people type: one spelling, and no two that differ in case alone."""

import unicodedata
from pathlib import Path

import pytest

from buzon.config.command.collect import _accounts
from buzon.desk.models import Organization, Store
from buzon.intake.models import CollectionAccount
from tests.config.conftest import Console

COMPOSED = "Añil Árbol"
TYPED_ON_A_MAC = unicodedata.normalize("NFD", COMPOSED)
SHOUTED = "AÑIL ÁRBOL"
NOUNS = ("store", "group", "agent", "account", "organization")


def added(noun: str, name: str, password: Path) -> list[object]:
    more: dict[str, list[object]] = {
        "agent": ["--email", f"{len(name)}{name.isupper():d}@b.example"],
        "account": ["--host", "h.example", "--username", "u", "--password-file", password],
    }
    return [noun, "add", name, *more.get(noun, [])]


def in_list(buzon: Console, noun: str) -> list[str]:
    listed = [each["name"] for each in buzon.json(noun, "list")]
    return [name for name in listed if name != "Shop"]


@pytest.mark.parametrize("noun", NOUNS)
def test_a_name_is_stored_composed_and_taken_in_any_case(
    buzon: Console, noun: str, password: Path
) -> None:
    assert len(TYPED_ON_A_MAC) > len(COMPOSED)
    buzon(*added(noun, TYPED_ON_A_MAC, password))
    assert in_list(buzon, noun) == [COMPOSED]
    for again in (COMPOSED, TYPED_ON_A_MAC, SHOUTED):
        told = buzon.refused(*added(noun, again, password))
        assert told.startswith("There is ")
        assert f" {COMPOSED}" in told
        assert "already" in told
    assert in_list(buzon, noun) == [COMPOSED]


@pytest.mark.parametrize("spelling", [COMPOSED, TYPED_ON_A_MAC, SHOUTED, f" {COMPOSED}  "])
def test_a_name_is_found_in_any_case_and_told_as_it_is(
    buzon: Console, spelling: str, password: Path
) -> None:
    for noun in NOUNS:
        buzon(*added(noun, COMPOSED, password))
    within = ["--organization", spelling]
    assert buzon.json("store", "list", *within) == []
    shop = ["--organization", "shop"]
    assert buzon.json("account", "show", spelling, *shop)["name"] == COMPOSED
    one = buzon.json("customer", "add", "c@d.example", "--store", spelling, "--agent", spelling,
                    *shop)  # fmt: skip
    assert (one["store"], one["agent"]) == (COMPOSED, COMPOSED)
    buzon("customer", "remove", one["id"], *shop)
    buzon("agent", "set", spelling, "--join", spelling, *shop)
    assert buzon("account", "remove", spelling, *shop).startswith(f"Removed {COMPOSED} and ")
    for noun in ("group", "store"):
        assert buzon(noun, "remove", spelling, *shop) == f"Removed the {noun} {COMPOSED}.\n"
    assert buzon("organization", "suspend", spelling).startswith(f"Suspended {COMPOSED}:")
    assert buzon("organization", "resume", spelling) == f"Resumed {COMPOSED}.\n"


def test_the_exact_name_comes_first_and_two_alike_are_not_guessed(
    buzon: Console, shop: Organization
) -> None:
    """Names from before this was refused."""
    for name in ("norte", "Norte"):
        Store.objects.create(organization=shop, name=name)
    assert buzon("store", "remove", "Norte") == "Removed the store Norte.\n"
    Store.objects.create(organization=shop, name="NORTE")
    told = buzon.refused("store", "remove", "Norte")
    assert told == "There is no store 'Norte'. There are: NORTE, norte."


def test_another_organization_may_have_the_name_in_another_case(buzon: Console) -> None:
    Organization.objects.create(name="Other")
    buzon("store", "add", "Norte", "--organization", "Other")
    assert "'norte'" in buzon.refused("store", "remove", "norte", "--organization", "Shop")
    buzon("store", "add", "NORTE", "--organization", "Shop")
    buzon("store", "remove", "norte", "--organization", "Shop")
    assert [store.name for store in Store.objects.all()] == ["Norte"]


def test_renaming_changes_the_case_of_ones_own_name_alone(buzon: Console, password: Path) -> None:
    for noun in ("agent", "account"):
        for name in ("eva", "Leo B"):
            buzon(*added(noun, name, password))
        buzon(noun, "set", "EVA", "--name", "Eva")
        assert sorted(in_list(buzon, noun)) == ["Eva", "Leo B"]
        told = buzon.refused(noun, "set", "Leo B", "--name", "EVA")
        assert "already an agent Eva." in told or "named Eva already" in told


def test_an_account_named_in_two_spellings_is_collected_once(
    buzon: Console, shop: Organization, password: Path
) -> None:
    buzon(*added("account", "Sales", password))
    assert _accounts(shop, ["sales", "Sales", "SALES"]) == [CollectionAccount.objects.get()]


def test_accounts_that_were_named_alike_before_can_still_be_changed(
    buzon: Console, password: Path
) -> None:
    for name in ("sales", "other"):
        buzon(*added("account", name, password))
    CollectionAccount.objects.filter(name="other").update(name="Sales")
    buzon("account", "set", "Sales", "--inactive")
    assert [each["active"] for each in buzon.json("account", "list")] == [False, True]
    assert "already" in buzon.refused("account", "set", "Sales", "--name", "SALES")
