"""What LIST and UIDL say, read with distrust."""

import re
from collections import Counter
from dataclasses import dataclass

from buzon.wire.endpoint import LARGEST
from buzon.wire.errors import ServerBusy

# RFC 1939 §7: 1 to 70 octets of 0x21 to 0x7E. Servers are met that use more than 70.
UIDL = re.compile(rb"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class Listing:
    """One message on the server.

    `number` counts from 1 and holds for this session only, `size` is in octets as the server
    counts them, `uidl` None where there is none that names this message alone.
    """

    number: int
    size: int
    uidl: str | None = None


def sizes(body: bytes) -> dict[int, int]:
    """number -> size, of LIST's lines. ServerBusy when a line, or a number said twice, makes no
    sense: then it is not known which message is which."""
    found: dict[int, int] = {}
    for line in body.splitlines():
        match = re.match(rb"(\d{1,10}) +(\d{1,18})(?: |$)", line)
        if match is None or int(match[1]) in found or int(match[1]) == 0:
            raise ServerBusy(
                "The server's list of messages makes no sense.",
                answer=line.decode("ascii", "replace"),
            )
        found[int(match[1])] = min(int(match[2]), LARGEST)
    return dict(sorted(found.items()))


def uidls(body: bytes) -> dict[int, str]:
    """number -> UIDL, of UIDL's lines.

    One that is hostile (control characters, over 255 octets) is left out; so are those that more
    than one message has, since they name none of them, and any line that makes no sense.
    """
    said = _said(body)
    times = Counter(uidl for _, uidl in said)
    numbers = Counter(number for number, _ in said)
    return {
        number: uidl.decode("ascii")
        for number, uidl in said
        if times[uidl] == 1 and numbers[number] == 1 and UIDL.fullmatch(uidl)
    }


def shared_uidls(body: bytes) -> frozenset[str]:
    """Those of UIDL's lines that more than one message has."""
    times = Counter(uidl for _, uidl in _said(body))
    return frozenset(
        uidl.decode("ascii") for uidl, n in times.items() if n > 1 and UIDL.fullmatch(uidl)
    )


def _said(body: bytes) -> list[tuple[int, bytes]]:
    said: list[tuple[int, bytes]] = []
    for line in body.split(b"\r\n"):
        match = re.match(rb"(\d{1,10}) +(.*)", line, re.DOTALL)
        if match is not None:
            said.append((int(match[1]), match[2].rstrip(b" ")))
    return said
