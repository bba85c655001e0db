"""Folder names, sets of UIDs, internal dates, arguments: by octets and by property."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buzon.wire.errors import NotPermitted
from buzon.wire.imap import uid_set
from buzon.wire.imap.command import astring, folder, joined
from buzon.wire.imap.folder_name import from_wire, to_utf7
from buzon.wire.imap.internal_date import internal_date


@pytest.mark.parametrize(
    ("name", "octets"),
    [
        ("INBOX", b"INBOX"),
        ("Año & más", b"A&APE-o &- m&AOE-s"),
        ("~peter/mail/台北/日本語", b"~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
        ("&", b"&-"),
        ("😀", b"&2D3eAA-"),
        ("", b""),
    ],
)
def test_modified_utf7(name: str, octets: bytes) -> None:
    assert to_utf7(name) == octets
    assert from_wire(octets, utf8=False) == name


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_modified_utf7_comes_back(name: str) -> None:
    octets = to_utf7(name)
    assert octets.isascii()
    assert from_wire(octets, utf8=False) == name
    assert from_wire(name.encode(), utf8=True) == name


@pytest.mark.parametrize(
    ("octets", "name"),
    [
        (b"A&B", "A&B"),
        (b"&AAA", "&AAA"),
        (b"&A-", "&A-"),
        (b"&2D0-", "&2D0-"),
        ("Añejo".encode(), "Añejo"),
        ("Añejo".encode("latin-1"), "Añejo"),
        (b"&AOk", "&AOk"),
    ],
)
def test_a_name_that_is_not_what_it_should_be_is_shown_as_it_is(octets: bytes, name: str) -> None:
    assert from_wire(octets, utf8=False) == name


def test_utf8_names_have_no_shifts() -> None:
    assert from_wire(b"A&APE-o", utf8=True) == "A&APE-o"


@pytest.mark.parametrize(
    ("uids", "written"),
    [
        ([], []),
        ([5], [b"5"]),
        ([3, 1, 2, 2, 7, 9, 8, 4294967295], [b"1:3,7:9,4294967295"]),
    ],
)
def test_uid_sets(uids: list[int], written: list[bytes]) -> None:
    assert list(uid_set.written(uids)) == written


@pytest.mark.parametrize("uid", [0, -1, 4294967296])
def test_what_is_no_uid_is_refused(uid: int) -> None:
    with pytest.raises(ValueError, match="no UID"):
        list(uid_set.written([1, uid]))


@settings(max_examples=200, deadline=None)
@given(st.sets(st.integers(min_value=1, max_value=300)), st.integers(min_value=9, max_value=60))
def test_uid_sets_are_short_and_exact(uids: set[int], longest: int) -> None:
    lines = list(uid_set.written(uids, longest=longest))
    assert all(len(line) <= longest for line in lines)
    runs = [run for line in lines for run in uid_set.read(line)]
    assert [uid for low, high in runs for uid in range(low, high + 1)] == sorted(uids)


@pytest.mark.parametrize("text", [b"", b"*", b"1:*", b"a", b"1:", b"1,,2", b"0", b"4294967296"])
def test_a_set_that_makes_no_sense(text: bytes) -> None:
    with pytest.raises(ValueError):
        uid_set.read(text)


def test_a_range_may_be_written_backwards() -> None:
    assert uid_set.read(b"9:7,1") == [(7, 9), (1, 1)]


@pytest.mark.parametrize(
    ("text", "date"),
    [
        (b"17-Jul-1996 02:44:25 -0700", datetime(1996, 7, 17, 9, 44, 25, tzinfo=UTC)),
        (b" 1-jan-2024 00:30:00 +0100", datetime(2023, 12, 31, 23, 30, tzinfo=UTC)),
        (b"1-Jan-2024 00:30:60 +0000", datetime(2024, 1, 1, 0, 30, 59, tzinfo=UTC)),
        (b"31-Feb-2024 00:00:00 +0000", None),
        (b"01-Jan-0000 00:00:00 +0000", None),
        (b"01-Jan-0001 00:00:00 +0100", None),
        (b"31-Dec-9999 23:59:59 -0100", None),
        (b"01-Foo-2024 00:00:00 +0000", None),
        (b"01-Jan-2024 25:00:00 +0000", None),
        (b"yesterday", None),
        (b"", None),
        (None, None),
        (7, None),
    ],
)
def test_internal_dates(text: object, date: datetime | None) -> None:
    assert internal_date(text) == date


@pytest.mark.parametrize(
    ("octets", "capabilities", "utf8", "pieces"),
    [
        (b'a "b" \\', [], False, [b'"a \\"b\\" \\\\"']),
        (b"", [], False, [b'""']),
        (b"\xc3\xb1", [], False, [b"{2}\r\n", b"\xc3\xb1"]),
        (b"\xc3\xb1", ["LITERAL+"], False, [b"{2+}\r\n\xc3\xb1"]),
        (b"\xc3\xb1", ["LITERAL-"], False, [b"{2+}\r\n\xc3\xb1"]),
        (b"\xff" * 5000, ["LITERAL-"], False, [b"{5000}\r\n", b"\xff" * 5000]),
        (b"\xc3\xb1", [], True, [b'"\xc3\xb1"']),
    ],
)
def test_arguments(octets: bytes, capabilities: list[str], utf8: bool, pieces: list[bytes]) -> None:
    assert astring(octets, capabilities=capabilities, utf8=utf8) == pieces


def test_pieces_are_joined_with_blanks() -> None:
    assert joined(b"LOGIN", [b"{1}\r\n", b"x"], [b'"y"']) == [b"LOGIN {1}\r\n", b'x "y"']


def test_folder_arguments() -> None:
    plain = {"raw": None, "capabilities": ()}
    assert folder("Añ", **plain, utf8=False) == [b'"A&APE-"']
    assert folder("Añ", **plain, utf8=True) == ['"Añ"'.encode()]
    assert folder("Añ", raw=b"A\xf1", capabilities=(), utf8=False) == [b"{2}\r\n", b"A\xf1"]


@pytest.mark.parametrize("name", ["a\r\nb LOGOUT", "a\0", "\x7f", "\x85"])
@pytest.mark.parametrize("raw", [None, b"harmless"])
def test_a_folder_name_with_control_characters_is_refused(name: str, raw: bytes | None) -> None:
    with pytest.raises(NotPermitted, match="control character"):
        folder(name, raw=raw, capabilities=(), utf8=False)
