"""Which lines of collected replies are new: the numbers fit the files, and we find them."""

import html
import json
import re
from collections import Counter
from itertools import pairwise

import pytest

from buzon.wire.reading import read
from tests.wire.reading.corpus import GOLDEN, OTHERS, collected, needs_others

REPLIES: dict[str, list[list[int]] | None] = json.loads((GOLDEN / "replies.json").read_text())


def test_ranges_are_in_order_and_do_not_overlap() -> None:
    assert len(REPLIES) > 150
    for name, ranges in REPLIES.items():
        assert all(first <= last for first, last in ranges or []), name
        assert all(one[1] < other[0] for one, other in pairwise(ranges or [])), name


@needs_others
def test_every_file_is_named_and_as_long_as_its_numbers_say() -> None:
    files = {str(path.relative_to(OTHERS / "replies")): path for path in collected("replies")}
    assert files.keys() == REPLIES.keys()
    for name, ranges in REPLIES.items():
        lines = files[name].read_bytes().split(b"\n")
        assert not ranges or 1 <= ranges[0][0] <= ranges[-1][1] <= len(lines), name
        assert all(b"".join(lines[first - 1 : last]).strip() for first, last in ranges or []), name


# Mail header fields that lie at the top of a collected text (replies.md: cut off to be compared).
MIME_FIELDS = re.compile(r"MIME-Version: 1\.0\n(?:.+\n)*\n")
TAG = re.compile(r"<[^>]*>")
BAR = 0.9


@needs_others
def test_the_new_text_of_collected_replies(capsys: pytest.CaptureFixture[str]) -> None:
    judged = {name: ranges for name, ranges in REPLIES.items() if ranges is not None}
    wrong = [name for name, ranges in judged.items() if not is_right(name, ranges)]
    missed, folders = Counter(map(folder, wrong)), Counter(map(folder, judged))
    with capsys.disabled():
        for name, count in folders.items():
            print(f"\n{name}: {count - missed[name]} of {count} right", end="")
        print(*(f"\nwrong: {name}" for name in wrong), sep="")
    assert len(judged) - len(wrong) >= BAR * len(judged)


def folder(name: str) -> str:
    return name.split("/", maxsplit=1)[0]


def is_right(name: str, ranges: list[list[int]]) -> bool:
    """Texts by their lines that are not blank; HTML and whole messages by their visible words."""
    path = OTHERS / "replies" / name
    written = path.read_text("utf-8", errors="replace")
    if path.suffix == ".html":
        found, visible = reply_text(path.read_bytes(), "text/html"), TAG.sub(newlines, written)
        return words(found) == words(html.unescape(named(visible, ranges)))
    if path.suffix == ".eml":
        return words(read(path.read_bytes()).reply_text) == words(named(written, ranges))
    found = reply_text(MIME_FIELDS.sub("", written).encode(), "text/plain")
    return lines(found) == lines(named(written, ranges))


def reply_text(body: bytes, content_type: str) -> str:
    head = f"From: a@b.example\r\nContent-Type: {content_type}; charset=utf-8\r\n\r\n"
    return read(head.encode() + body).reply_text


def named(text: str, ranges: list[list[int]]) -> str:
    every = text.split("\n")
    return "\n".join("\n".join(every[first - 1 : last]) for first, last in ranges)


def newlines(tag: re.Match[str]) -> str:
    return "\n" * tag[0].count("\n")


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def words(text: str) -> str:
    """Without white space, which in HTML is where the tags were."""
    return "".join(text.split())
