"""The octets in custody: as one value, or in pieces."""

import io
import os

import pytest
from django.db import transaction

from buzon.intake import vault
from buzon.intake.models import RawMessage, RawPiece
from tests.desk import cast

pytestmark = pytest.mark.django_db(transaction=True)
SIZES = [0, 1, vault.PIECE, vault.LARGEST_IN_ONE, vault.LARGEST_IN_ONE + 1, 5 * vault.PIECE]


def put(octets: vault.Octets) -> tuple[int, str]:
    organization, name = cast.organization(), vault.digest(octets)
    for _ in range(2):  # what is held already stays
        with transaction.atomic():
            vault.put(organization.pk, [(name, octets)])
    return organization.pk, name


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("is_file", [True, False])
def test_octets_come_back_as_they_were(size: int, is_file: bool) -> None:
    octets = os.urandom(size)
    organization, name = put(io.BytesIO(octets) if is_file else octets)
    assert vault.get(organization, name) == octets
    assert vault.get_many(organization, [name]) == {name: octets}
    row = RawMessage.objects.get()
    assert row.size == size
    is_large = size > vault.LARGEST_IN_ONE
    assert row.pieces.count() == (5 if is_large else 0)
    assert bool(row.octets) != is_large


@pytest.mark.parametrize("place", [0, 2, 4])
@pytest.mark.parametrize("harm", ["missing", "no zstd", "other"])
def test_a_piece_that_is_not_as_it_was_is_damage(place: int, harm: str) -> None:
    organization, name = put(os.urandom(5 * vault.PIECE))
    piece = RawPiece.objects.filter(place=place)
    if harm == "missing":
        piece.delete()
    else:
        other = RawPiece.objects.values_list("octets", flat=True).get(place=(place + 1) % 5)
        piece.update(octets=b"no zstd" if harm == "no zstd" else other)
    with pytest.raises(vault.Damaged):
        vault.get(organization, name)


def test_the_pieces_go_with_their_message() -> None:
    put(os.urandom(5 * vault.PIECE))
    RawMessage.objects.all().delete()
    assert not RawPiece.objects.exists()
