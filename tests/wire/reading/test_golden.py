"""Every message of the golden corpus is read as its expectation says."""

import hashlib
from pathlib import Path

import pytest

from buzon.wire.reading import as_json, attachment_octets, read, read_header, split_header
from tests.wire.reading.corpus import expectation, golden_messages

EMPTY = {
    "from": [],
    "reply_to": [],
    "to": [],
    "cc": [],
    "subject": "",
    "date": None,
    "message_id": "",
    "in_reply_to": [],
    "references": [],
    "text": "",
    "html": "",
    "kind": "person",
    "bounce": [],
    "attachments": [],
    "warnings": [],
    "bounced_ids": [],
    "return_path": None,
    "delivered_to": [],
    "list_id": "",
    "authentication_results": [],
}
OF_THE_HEADER = set(EMPTY) - {"text", "html", "attachments", "bounce", "bounced_ids", "warnings"}


def whole(octets: bytes, reader=read) -> dict[str, object]:
    reading = reader(octets)
    found = as_json(reading, file="x.eml")
    for name in ("bounced_ids", "delivered_to", "authentication_results"):
        found[name] = list(getattr(reading, name))
    found["list_id"], found["return_path"] = reading.list_id, reading.return_path
    return found


@pytest.mark.parametrize("path", golden_messages(), ids=lambda path: path.stem)
def test_golden_message(path: Path) -> None:
    expected = {**EMPTY, **expectation(path)}
    expected = {"file": "x.eml", "reply_text": expected["text"], **expected}
    assert whole(path.read_bytes()) == expected


@pytest.mark.parametrize("path", golden_messages(), ids=lambda path: path.stem)
def test_header_alone_says_the_same(path: Path) -> None:
    octets = path.read_bytes()
    header, _ = split_header(octets)
    found = whole(header, read_header)
    expected = {**EMPTY, **expectation(path)}
    assert {k: found[k] for k in OF_THE_HEADER} == {k: expected[k] for k in OF_THE_HEADER}
    assert (found["text"], found["html"], found["attachments"]) == ("", "", [])
    assert read_header(header).header_digest == read(octets).header_digest


@pytest.mark.parametrize("path", golden_messages(), ids=lambda path: path.stem)
def test_attachment_octets_are_those_listed(path: Path) -> None:
    octets = path.read_bytes()
    for attachment in read(octets).attachments:
        content = attachment_octets(octets, attachment.part)
        assert len(content) == attachment.size
        assert hashlib.sha256(content).hexdigest() == attachment.sha256


def test_corpus_is_large_enough() -> None:
    assert len(golden_messages()) >= 35
