"""`buzon search`: words and filters, for people and for programs."""

from datetime import UTC, datetime

import pytest

from buzon.config.command import search
from buzon.desk.customers import add_customer
from buzon.desk.filing import file_letter
from buzon.desk.models import Message, Organization, SearchEntry
from buzon.desk.people import add_agent
from buzon.desk.search import index
from buzon.desk.search.words import packed
from buzon.desk.stores import add_store
from tests.config.conftest import Console
from tests.desk import cast
from tests.desk.search.entries import indexable, letter
from tests.intake.rows import account_of, arrive


@pytest.fixture
def letters(shop: Organization) -> dict[str, Message]:
    """One for each filter, all of which hold "botas"."""
    ana = add_agent(shop, name="Ana", email="ana@shop.example")
    eva = add_customer(shop, addresses=["eva@x.example"], agent=ana)
    norte = add_store(shop, "Norte")
    old = datetime(2020, 1, 31, 12, tzinfo=UTC)
    made = {
        "customer": letter(shop, "Unas botas", customer=eva, subject="Hola"),
        "store": letter(shop, "Las botas", store=norte),
        "kind": letter(shop, "Otras botas", kind="bulk"),
        "since": letter(shop, "Más botas", date=old, internal_date=old),
        "attachments": letter(shop, "Botas", attachment_count=1, files=["b.pdf"]),
        "account": letter(shop, "Estas botas"),
    }
    arrive(account_of(shop, "info"), 1, message=made["account"])
    return made


def test_a_letter_as_a_program_sees_it(buzon: Console, letters: dict[str, Message]) -> None:
    (one,) = buzon.json("search", "unas")
    message = letters["customer"]
    assert message.customer is not None
    assert one == {
        "message": message.pk,
        "customer": message.customer.pk,
        "agent": "Ana",
        "store": None,
        "direction": "incoming",
        "kind": "person",
        "from": {"name": "Ana", "address": "ana@example.com"},
        "subject": "Hola",
        "happened_at": one["happened_at"],
        "attachments": 0,
        "sha256": message.sha256,
        "excerpt": "Unas botas",
    }
    assert one["happened_at"].startswith("2026-03-02T")


@pytest.mark.parametrize(
    ("which", "flags"),
    [
        ("customer", ["--customer", "eva@x.example"]),
        ("customer", ["--agent", "Ana"]),
        ("customer", ["--agent", "Ana", "--customer", "eva@x.example", "--kind", "person"]),
        ("store", ["--store", "Norte"]),
        ("account", ["--account", "info"]),
        ("kind", ["--kind", "bulk"]),
        ("since", ["--until", "2020-01-31"]),
        ("since", ["--since", "2020-01-31", "--until", "2026-03-01"]),
        ("attachments", ["--attachments"]),
    ],
)
def test_filters(buzon: Console, letters: dict[str, Message], which: str, flags: list[str]) -> None:
    found = buzon.json("search", "botas", *flags)
    assert [one["message"] for one in found] == [letters[which].pk]


def test_words_phrases_and_beginnings(buzon: Console, letters: dict[str, Message]) -> None:
    def found(*words: str) -> set[int]:
        return {one["message"] for one in buzon.json("search", *words)}

    everything = {one.pk for one in letters.values()}
    assert found("BOTA") == found("bot*") == everything
    assert found("botas", "mas") == found('"mas botas"') == {letters["since"].pk}
    assert found('"botas mas"') == found("***") == set()
    newest = buzon.json("search", "botas", "--limit", "2")
    assert len(newest) == 2
    assert newest == buzon.json("search", "botas")[:2]


def test_people_see_where_the_words_stand(buzon: Console, letters: dict[str, Message]) -> None:
    lines = buzon("search", "unas", "botas").splitlines()
    assert lines[0].split() == ["id", "when", "from", "subject", "found"]
    assert lines[1].split()[3:] == ["ana@example.com", "Hola", "Unas", "botas"]
    assert buzon("search", "zapatos") == "No letter holds these words.\n"


def test_what_makes_no_sense_is_refused(buzon: Console, letters: dict[str, Message]) -> None:
    for words, told in (
        (["botas", "--customer", "leo@x.example"], "There is no customer leo@x.example."),
        (["botas", "--agent", "Leo"], "There is no agent 'Leo'."),
        (["botas", "--store", "Sur"], "There is no store 'Sur'."),
        (["botas", "--account", "other"], "There is no collection account 'other'."),
        (["botas", "--kind", "spam"], "--kind must be person, auto_reply, bounce, list or bulk"),
        (["botas", "--since", "yesterday"], "--since must be a date such as 2026-01-31"),
        (["botas", "--limit", "0"], "--limit must be a whole number from 1 to 1000"),
        ([], "needs WORD"),
    ):
        assert told in buzon.refused("search", *words)


def test_only_letters_of_the_organization_that_is_named(
    buzon: Console, letters: dict[str, Message]
) -> None:
    theirs = cast.organization("Elsewhere")
    other = letter(theirs, "Unas botas")
    found = buzon.json("search", "unas", "--organization", "Elsewhere")
    assert [one["message"] for one in found] == [other.pk]
    found = buzon.json("search", "unas", "--organization", "Shop")
    assert [one["message"] for one in found] == [letters["customer"].pk]


def test_what_was_collected_last_is_found_where_nothing_runs(
    buzon: Console, shop: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL the words wait; a search takes them in, as many as five seconds allow."""
    message = file_letter(cast.letter(shop), customer=None, link={}).message
    index([indexable(message, text="botas")])
    assert len(buzon.json("search", "botas")) == 1
    assert buzon.noted == ""
    many = [file_letter(cast.letter(shop), customer=None, link={}).message for _ in range(202)]
    for one in many:
        SearchEntry.objects.create(
            id=one.pk, organization=shop, message=one, packed=packed(("", "", "", "zapatos"))
        )
    monkeypatch.setattr(search, "_INDEXING", -1.0)
    assert len(buzon.json("search", "zapatos", "--limit", "1000")) == 200
    assert buzon.noted == "2 letters cannot be found by words yet.\n"
    assert len(buzon.json("search", "zapatos", "--limit", "1000")) == 202
    assert buzon.noted == ""
