"""BODYSTRUCTURE by words: parts, numbers, file names."""

import pytest

from buzon.wire.endpoint import Limits
from buzon.wire.errors import Malformed
from buzon.wire.imap.core import ImapCore
from buzon.wire.imap.events import Fetched
from buzon.wire.imap.structure import Part, read_structure


def structure(words: bytes) -> Part:
    core = ImapCore(Limits())
    core.feed(b"* 1 FETCH (UID 1 BODYSTRUCTURE %b)\r\n" % words)
    event = core.next_event()
    assert isinstance(event, Fetched)
    assert not event.broken
    return read_structure(event.items["BODYSTRUCTURE"])


def flat(part: Part) -> list[tuple[str, str]]:
    return [
        (part.section, part.content_type),
        *(one for inner in part.parts for one in flat(inner)),
    ]


TEXT = b'("TEXT" "PLAIN" ("CHARSET" "UTF-8") NIL NIL "7BIT" 12 1 NIL NIL NIL NIL)'
ENVELOPE = b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"


def test_a_single_part() -> None:
    assert structure(TEXT) == Part(
        section="1",
        content_type="text/plain",
        parameters={"charset": "UTF-8"},
        disposition="",
        filename="",
        encoding="7bit",
        size=12,
        parts=(),
    )


def test_the_short_form_and_a_form_cut_short() -> None:
    assert structure(b'("TEXT" "PLAIN" NIL NIL NIL "8BIT" 5 1)').size == 5
    assert structure(b'("TEXT")').content_type == "text/"


def test_numbers_of_nested_parts() -> None:
    alternative = b"(" + TEXT + TEXT + b' "ALTERNATIVE" ("BOUNDARY" "b") NIL NIL)'
    letter = (
        b'("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 99 '
        + ENVELOPE
        + b"("
        + TEXT
        + TEXT
        + b' "MIXED") 9 NIL ("ATTACHMENT" ("FILENAME" "a.eml")) NIL NIL)'
    )
    root = structure(b"(" + alternative + letter + b' "MIXED" NIL NIL NIL)')
    assert flat(root) == [
        ("", "multipart/mixed"),
        ("1", "multipart/alternative"),
        ("1.1", "text/plain"),
        ("1.2", "text/plain"),
        ("2", "message/rfc822"),
        ("2", "multipart/mixed"),
        ("2.1", "text/plain"),
        ("2.2", "text/plain"),
    ]
    assert root.parts[1].filename == "a.eml"
    assert root.parts[0].parameters == {"boundary": "b"}


@pytest.mark.parametrize(
    ("parameters", "disposition", "filename"),
    [
        (b"NIL", b'("attachment" ("filename" "a.pdf"))', "a.pdf"),
        (b'("name" "b.pdf")', b"NIL", "b.pdf"),
        (b'("name" "b.pdf")', b'("attachment" ("filename" "a.pdf"))', "a.pdf"),
        (b"NIL", b'("attachment" ("filename*" "utf-8\'es\'a%C3%B1o.pdf"))', "año.pdf"),
        (b"NIL", b'("attachment" ("filename*" "no-such\'\'a%C3%B1o.pdf"))', "año.pdf"),
        (b"NIL", b'("attachment" ("filename*" "plain.pdf"))', "plain.pdf"),
        (
            b"NIL",
            b'("attachment" ("filename*1*" "%B1o.pdf" "filename*0*" "utf-8\'\'a%C3"))',
            "año.pdf",
        ),
        (b"NIL", b'("attachment" ("filename*0" "one." "filename*1" "pdf"))', "one.pdf"),
        (b'("name" "=?utf-8?Q?a=C3=B1o?=.pdf")', b"NIL", "año.pdf"),
        (b'("name" "=?utf-8?b?YcOx?= =?latin-1*es?q?o_=F1?=")', b"NIL", "año ñ"),
        (b'("name" "=?utf-8?b?YcO?=")', b"NIL", "a\ufffd"),
        (b'("name" "=?no-such?Q?x?=")', b"NIL", "=?no-such?Q?x?="),
        (b'("name" "a\xc3\xb1o.pdf")', b"NIL", "año.pdf"),
        (b'("name" "a\xf1o.pdf")', b"NIL", "año.pdf"),
        (b'("name" NIL odd)', b'("inline" NIL)', ""),
    ],
)
def test_file_names(parameters: bytes, disposition: bytes, filename: str) -> None:
    words = b'("APPLICATION" "PDF" %b NIL NIL "BASE64" 8 NIL %b NIL NIL)'
    assert structure(words % (parameters, disposition)).filename == filename


@pytest.mark.parametrize("words", [b"NIL", b"()", b'"text"', b"7"])
def test_what_is_no_structure(words: bytes) -> None:
    with pytest.raises(Malformed):
        structure(words)


def test_an_empty_message_inside() -> None:
    words = b'("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 0 ' + ENVELOPE + b" () 0)"
    assert structure(words).parts == ()
