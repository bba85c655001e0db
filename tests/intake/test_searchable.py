"""What the recipe files can be found by its words, and by no words of before."""

from pathlib import Path

import pytest

from buzon.desk.models import Message, SearchEntry
from buzon.desk.search import Asked, excerpts, found
from buzon.intake.asked import fetch
from tests.desk.search.entries import index_all
from tests.intake.collecting import collect
from tests.intake.scene import KNOWN, STRANGER, Scene, scene

pytestmark = pytest.mark.django_db(transaction=True)
BOTH = pytest.mark.parametrize("protocol", ["imap", "pop3"])
MAIL = Path(__file__).parents[1] / "mail"


def ask(at: Scene, text: str) -> list[int]:
    index_all()
    letters = Message.objects.filter(organization=at.organization)
    return found(Asked(organization=at.organization, text=text), letters, number=500)


@BOTH
def test_a_letter_of_which_only_the_header_came_is_found_whole_once_it_is(protocol: str) -> None:
    with scene(protocol) as at:
        at.deliver(STRANGER, body="botas " + "x" * 20_000)
        account = at.account(max_message_bytes=10_000)
        collect(account)
        large = account.arrivals.get(outcome="oversized")
        assert ask(at, "botas") == []
        assert ask(at, '"letter 1"') == ask(at, STRANGER) == [large.message_id]
        fetch(at.organization, [large.pk])
        collect(account)
        assert ask(at, "botas") == ask(at, '"letter 1"') == [large.message_id]
        assert SearchEntry.objects.count() == Message.objects.count() == 1


def test_a_letter_that_arrives_twice_is_found_once() -> None:
    with scene() as at:
        second = at.store.add_login("second@shop.example", "secret")
        octets = at.letter(body="Unas botas")
        for folder in (at.box, second.folder()):
            folder.deliver(octets)
        collect(at.account())
        collect(at.account(username="second@shop.example"))
        assert ask(at, "botas") == [Message.objects.get().pk]
        assert SearchEntry.objects.count() == 1


def test_r9_what_is_not_downloaded_is_not_found() -> None:
    with scene() as at:
        at.customer(KNOWN)
        at.deliver(STRANGER, KNOWN, body="botas")
        collect(at.account(create_customer=False))
        assert ask(at, "botas") == [Message.objects.get().pk]
        assert ask(at, STRANGER) == []


def test_of_one_batch_the_words_of_each_are_its_own() -> None:
    with scene() as at:
        for number in range(30):
            at.deliver(KNOWN, body=f"pedido {4711 + number}")
        collect(at.account())
        assert len(ask(at, "pedido")) == 30
        for number in range(30):
            (key,) = ask(at, str(4711 + number))
            assert str(excerpts(str(4711 + number), [key])[key]) == f"pedido {4711 + number}"


def test_every_odd_letter_of_the_collection_can_be_found_and_removed() -> None:
    letters = sorted(MAIL.glob("*.eml"))
    with scene() as at:
        for path in letters:
            at.box.deliver(path.read_bytes())
        collect(at.account())
        filed = Message.objects.count()
        assert SearchEntry.objects.count() == filed > 50
        index_all()
        assert not SearchEntry.objects.filter(waits=True).exists()
        addressed = Message.objects.exclude(from_address="").order_by("pk")
        for message in addressed[:20]:
            assert message.pk in ask(at, f'"{message.from_address}"'), message.from_address
        Message.objects.all().delete()
        assert ask(at, "example") == ask(at, "com") == []
