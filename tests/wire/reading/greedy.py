"""`python -m tests.wire.reading.greedy CASE`: how many octets of memory one reading takes.

In a process of its own, because the parser's memory is not Python's and is never given back.
"""

import resource
import sys
from collections.abc import Callable

from buzon.wire.reading import read

HEAD = b"From: a@b.es\r\nSubject: x\r\n"
MIXED = HEAD + b"Content-Type: multipart/mixed; boundary=x\r\n"
LETTER = b"Content-Type: message/rfc822\r\n\r\n"
FIELDS = b"a:b\n" * 7_500_000

CASES: dict[str, Callable[[], bytes]] = {
    "fields": lambda: FIELDS,
    "fields before the parts": lambda: MIXED + FIELDS + b"\n--x\n\nhola\n--x--\n",
    "fields in a part": lambda: MIXED + b"\r\n--x\r\n" + FIELDS + b"\nhola\n--x--\n",
    "fields of a letter inside": lambda: (
        MIXED + b"\r\n--x\r\n" + LETTER + HEAD + FIELDS + b"\nhola\n--x--\n"
    ),
    "recipients": lambda: b"To: " + b"a@b," * 7_500_000 + b"\r\n\r\n",
    "identifiers": lambda: b"References: " + b"<a@b>" * 6_000_000 + b"\r\n\r\n",
    "parts": lambda: MIXED + b"\r\n" + b"--x\r\nA: b\r\n\r\nc\r\n" * 1_800_000,
}


def main(case: str) -> None:
    """Prints the growth of the largest size that this process had, in octets."""
    read(HEAD + b"\r\nwhat is loaded once\r\n")
    octets = CASES[case]()
    before = _largest()
    read(octets)
    print(_largest() - before)


def _largest() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1_024


if __name__ == "__main__":
    main(sys.argv[1])
