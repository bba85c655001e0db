"""The oracle itself: it sees what is lost, doubled or changed, so that it can fail."""

from collections.abc import Iterator

import pytest
from django.db import connection

from buzon.desk.models import Message
from buzon.intake import vault
from buzon.intake.models import RawMessage, RawPiece
from tests.chaos.mail import pieces
from tests.chaos.oracle import Oracle
from tests.intake.collecting import collect
from tests.intake.scene import Scene, scene

pytestmark = pytest.mark.django_db(transaction=True)


class SameConnection(Oracle):
    """The tests' database is in memory: there is no second connection to it."""

    def __init__(self, organization: int) -> None:
        self.organization = organization

    def _rows(self, query: str, **values: object) -> list[tuple[object, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(query.format(org=self.organization, **values))
            return list(cursor.fetchall())


@pytest.fixture
def at() -> Iterator[Scene]:
    with scene() as made:
        for piece in pieces(4, 8):
            made.box.deliver(piece.octets)
        collect(made.account())
        yield made


def wrong(at: Scene) -> list[str]:
    delivered = pieces(4, 8)
    told = SameConnection(at.organization.pk).check(delivered, wanted=delivered)
    return sorted({line[:2] for line in told})


def test_it_finds_nothing_where_all_is_well(at: Scene) -> None:
    assert wrong(at) == []


def test_it_sees_what_is_lost(at: Scene) -> None:
    RawMessage.objects.filter(sha256=Message.objects.first().sha256).delete()  # type: ignore[union-attr]
    assert wrong(at) == ["I1"]


def test_it_sees_what_is_filed_twice(at: Scene) -> None:
    first = Message.objects.first()
    assert first is not None
    first.pk, first.identity = None, None
    first.save()
    assert wrong(at) == ["I2"]


def test_it_sees_a_piece_that_is_missing_or_changed(at: Scene) -> None:
    octets = b"x" * 1_000
    name = vault.digest(octets)
    seen = SameConnection(at.organization.pk)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vault, "PIECE", 300)
        patch.setattr(vault, "LARGEST_IN_ONE", 900)
        vault.put(at.organization.pk, [(name, octets)])
    assert RawPiece.objects.count() == 4
    assert (seen.holds(octets), seen.inexact()) == (True, [])
    last = RawPiece.objects.get(place=3)
    RawPiece.objects.filter(pk=last.pk).update(octets=RawPiece.objects.get(place=1).octets)
    assert (seen.holds(octets), len(seen.inexact())) == (False, 1)
    last.delete()
    assert (seen.holds(octets), len(seen.inexact())) == (False, 1)


def test_it_sees_a_changed_octet(at: Scene) -> None:
    one, other = RawMessage.objects.order_by("pk")[:2]
    RawMessage.objects.filter(pk=one.pk).update(octets=other.octets)
    assert wrong(at) == ["I4"]
