"""Mail that no reader understands: every message of others' test suites, where they are beside the
project, and mutations of our own corpus, seeded. Each is stored byte-exact, and none stops the
account.
"""

import hashlib
import random
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tests.chaos.trial import Scene, Trial, collect, honest
from tests.servers.faults import Plan

if TYPE_CHECKING:
    from tests.chaos.parts import Context

ROOT = Path(__file__).parents[2]
COLLECTED = ROOT.parent / "shared" / "mail"
AT_ONCE = 200
MUTATIONS = 20_000
SMALL = 3_000_000  # octets; a larger one is not multiplied


def count(context: "Context") -> int:
    """Trials of 200 messages each."""
    return len(_collected_chunks()) + MUTATIONS // AT_ONCE


def trial(context: "Context", number: int) -> list[str]:
    """200 poisonous messages in one mailbox; mutations first, so that the subset has some."""
    mutations = MUTATIONS // AT_ONCE
    if number < mutations:
        octets = [mutated(number * AT_ONCE + index) for index in range(AT_ONCE)]
    else:
        octets = [file.read_bytes() for file in _collected_chunks()[number - mutations]]
    made = Trial(
        part="poison", number=number, protocol="imap", after=("leave", "delete")[number % 2],
        create=True, plan=Plan(), letters=0,
    )  # fmt: skip
    with honest(made, context.place) as at:
        for one in octets:
            at.box.deliver(one)
        error = ""
        for _ in range(3):  # one that kills its reader is read again, in a child
            error = collect(at.account).error
        return _wrong(at, octets, error)


def _wrong(at: Scene, octets: list[bytes], error: str) -> list[str]:
    wrong = list(at.wrong)
    if error or at.oracle.waiting():
        wrong.append(f"I6 the account does not go on: {error or 'rows wait'}")
    left = {message.octets for message in at.box.messages}
    missing = [one for one in octets if not at.oracle.holds(one)]
    if len(missing) != at.oracle.left_alone():
        wrong.append(
            f"I1 {len(missing)} are not held; the ledger knows of {at.oracle.left_alone()}"
        )
    # What was not kept (our own, a blocked sender's) is left on the server.
    lost = [one for one in missing if one not in left]
    wrong += [f"I1 {hashlib.sha256(one).hexdigest()[:8]} is neither here nor there" for one in lost]
    wrong += [line for line in at.oracle.inexact() if line not in wrong]
    return wrong


@cache
def _own() -> list[bytes]:
    files = sorted((ROOT / "tests" / "mail").glob("*.eml"))
    assert files
    return [file.read_bytes() for file in files]


@cache
def _collected_chunks() -> list[list[Path]]:
    files = [
        file
        for file in sorted(COLLECTED.rglob("*"))
        if file.is_file() and file.stat().st_size  # nothing at all is no message
    ]
    return [files[start : start + AT_ONCE] for start in range(0, len(files), AT_ONCE)]


def mutated(seed: int) -> bytes:
    """One of our own messages with octets flipped, cut, doubled, or filled with what breaks
    readers; the same for the same seed.
    """
    draw = random.Random(f"poison {seed}")
    octets = bytearray(draw.choice(_own()))
    for _ in range(draw.randint(1, 4)):
        _MUTATIONS[draw.randrange(len(_MUTATIONS))](octets, draw)
    return bytes(octets[:SMALL]) or b"\r\n"


def _flip(octets: bytearray, draw: random.Random) -> None:
    for _ in range(draw.randint(1, 30)):
        if octets:
            octets[draw.randrange(len(octets))] = draw.randrange(256)


def _cut(octets: bytearray, draw: random.Random) -> None:
    del octets[draw.randrange(len(octets) + 1) :]


def _cut_out(octets: bytearray, draw: random.Random) -> None:
    start = draw.randrange(len(octets) + 1)
    del octets[start : start + draw.randrange(500)]


def _double(octets: bytearray, draw: random.Random) -> None:
    end = octets.find(b"\n\n") if b"\r\n\r\n" not in octets else octets.find(b"\r\n\r\n")
    octets[0:0] = octets[: max(end, 0)] + b"\r\n"


def _insert(octets: bytearray, draw: random.Random) -> None:
    evil = (
        b"\x00" * 50, b" " * 60_000, b"\r" * 100, b"=?utf-8?b?" + b"A" * 5000 + b"?=", b"--" * 2000,
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n" * 40, b"(" * 3000,
        b"From: " + b"a@b.c, " * 2000 + b"\r\n", b"\xed\xa0\x80\xff\xfe", b"Date: 31 Feb 9999\r\n",
    )  # fmt: skip
    at = draw.randrange(len(octets) + 1)
    octets[at:at] = draw.choice(evil)


_MUTATIONS = (_flip, _cut, _cut_out, _double, _insert)
