"""One message on its way in: memory, file, limits, and its two ends."""

from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buzon.wire.errors import ServerBusy, TooLarge
from buzon.wire.pop3.body import DRAINED_AT_LEAST, Body


def taken(*pieces: bytes, most: int = 1000, spool_above: int = 1000) -> Body:
    body = Body(most=most, spool_above=spool_above)
    body.take(pieces)
    return body


def whole(body: Body) -> bytes:
    octets = body.octets()
    if isinstance(octets, bytes):
        return octets
    with octets:
        return octets.read()


@given(pieces=st.lists(st.binary(max_size=20)), spool_above=st.integers(0, 100))
def test_all_pieces_in_memory_or_in_a_file(pieces: list[bytes], spool_above: int) -> None:
    body = taken(*pieces, most=10_000, spool_above=spool_above)
    size = sum(map(len, pieces))
    assert isinstance(body.octets(), bytes) == (size <= spool_above)
    assert body.size == size
    assert whole(body) == b"".join(pieces)


def test_over_the_limit_nothing_is_kept() -> None:
    body = taken(b"x" * 600, b"x" * 600, b"x" * 600, spool_above=500)
    assert isinstance(body.error, TooLarge)
    assert body.in_memory() == b""


def test_a_message_without_an_end_is_given_up() -> None:
    piece = b"x" * 1_048_576
    with pytest.raises(ServerBusy, match="without an end"):
        taken(*[piece] * (DRAINED_AT_LEAST // len(piece) + 1))


def test_the_file_is_closed_when_the_connection_fails() -> None:
    files: list[BinaryIO] = []
    body = Body(most=1000, spool_above=1)

    def pieces() -> object:
        yield b"long enough"
        octets = body.octets()
        assert not isinstance(octets, bytes)
        files.append(octets)
        raise ServerBusy("It broke.")

    with pytest.raises(ServerBusy):
        body.take(pieces())  # type: ignore[arg-type]
    assert files[0].closed


def test_a_line_end_that_a_file_is_read_apart_at_is_found() -> None:
    came = b"x\r\ny\r\n" + b"z" * (1_048_576 - 7) + b"\r\n"
    assert len(came) == 1_048_576 + 1
    body = taken(came, most=2_000_000, spool_above=10)
    body.mend(len(came) - 2)
    assert whole(body) == came[:-2]


@pytest.mark.parametrize("spool_above", [1000, 2])
@pytest.mark.parametrize(
    ("came", "listed", "was"),
    [
        (b"a\r\nb\r\nc\r\n", 7, b"a\r\nb\r\nc"),
        (b"a\r\nb\r\nc\r\n", 9, b"a\r\nb\r\nc\r\n"),
        (b"a\r\nb\r\nc\r\n", 6, b"a\r\nb\r\nc\r\n"),  # counted one octet for each line end
        (b"a\r\nb\r\n", 4, b"a\r\nb\r\n"),  # so perhaps here too
        (b"a\r\nb\r\nc\r\n", 0, b"a\r\nb\r\nc\r\n"),
        (b".a\r\nb\r\nc\r\n", 11, b"..a\r\nb\r\nc\r\n"),
        (b".a\r\nb\r\nc\r\n", 9, b"..a\r\nb\r\nc"),
        (b"a\r\nb\r\nc\r\n", 10, b"a\r\nb\r\nc\r\n"),
        (b"\r\n", 0, b""),
    ],
)
def test_the_ends_are_mended_where_list_proves_it(
    came: bytes, listed: int, was: bytes, spool_above: int
) -> None:
    body = taken(came[:4], came[4:], spool_above=spool_above)
    body.mend(listed)
    assert body.size == len(was)
    assert whole(body) == was
