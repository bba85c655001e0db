"""What is true, seen beside the product: a database connection of its own and plain SQL.

Nothing here imports the collector, the vault or a model.
"""

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import psycopg
import zstandard

from tests.chaos.mail import Piece

# The octets of a message in one piece, or else its pieces in their order.
_RAW = (
    "SELECT r.sha256, r.octets FROM intake_rawmessage r WHERE r.organization_id = {org}"
    " AND r.sha256 LIKE '{named}' UNION ALL SELECT * FROM (SELECT r.sha256, p.octets"
    " FROM intake_rawmessage r JOIN intake_rawpiece p ON p.message_id = r.id"
    " WHERE r.organization_id = {org} AND r.sha256 LIKE '{named}' ORDER BY r.id, p.place) pieces"
)
_MESSAGES = "SELECT sha256 FROM desk_message WHERE organization_id = {org}"
_FILED = (
    "SELECT count(*) FROM intake_arrival WHERE organization_id = {org} AND outcome = 'filed'"
    " AND message_id IS NULL"
)
_WAITING = (
    "SELECT count(*) FROM intake_arrival WHERE organization_id = {org} AND outcome = 'waiting'"
)
_LEFT_ALONE = (
    "SELECT count(*) FROM intake_arrival WHERE organization_id = {org}"
    " AND outcome IN ('ignored', 'skipped') AND sha256 = ''"
)
_DOUBTED = (
    "SELECT sha256 FROM intake_arrival WHERE organization_id = {org}"
    " AND left_because = 'size' AND gone_at IS NULL"
)
_LIVE = "SELECT count(*) FROM intake_arrival WHERE organization_id = {org} AND gone_at IS NULL"
_OUTSIDE = (
    "SELECT coalesce(sum(outside), 0) FROM intake_folder WHERE account_id IN"
    " (SELECT id FROM intake_collectionaccount WHERE organization_id = {org})"
)


class Oracle:
    """One organization's truth. `place`: SQLite's file, or PostgreSQL's URL."""

    def __init__(self, place: Path | str, organization: int) -> None:
        self.organization = organization
        self._place = place
        self._embedded: sqlite3.Connection | None = None
        self._server: psycopg.Connection[Any] | None = None
        self._connect()

    def _connect(self) -> None:
        self._close()
        if isinstance(self._place, Path):
            self._embedded = sqlite3.connect(
                f"file:{self._place}?mode=ro", uri=True, timeout=30, check_same_thread=False
            )
        else:
            self._server = psycopg.connect(self._place, autocommit=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        for connection in (self._embedded, self._server):
            if connection is not None:
                connection.close()

    def holds(self, octets: bytes) -> bool:
        """Whether exactly these octets are committed here (I3, I5)."""
        digest = _digest(octets)
        return self._raw(digest) == {digest: octets}

    def check(
        self, delivered: Sequence[Piece], *, wanted: Sequence[Piece], maybe: Sequence[bytes] = ()
    ) -> list[str]:
        """What is wrong, each beginning with its invariant. `wanted`: what must be filed, of all
        that was `delivered`; `maybe`: octets that another client removed at some moment.
        """
        raw = self._raw()
        filed = Counter(str(row[0]) for row in self._rows(_MESSAGES))
        wrong = list(_inexact(raw, delivered))
        free = {_digest(octets) for octets in maybe}
        for digest, times in _expected(wanted).items():
            held = filed.pop(digest, 0)
            if digest in free:
                continue
            if held < times or digest not in raw:
                wrong.append(f"I1 {digest[:8]} is filed {held} times, not {times}")
            if held > times:
                wrong.append(f"I2 {digest[:8]} is filed {held} times, not {times}")
        wrong += [f"I2 {one[:8]} is filed, and was not wanted" for one in filed if one not in free]
        if self._rows(_FILED)[0][0]:
            wrong.append("I1 a filed row of the ledger has no message")
        return wrong

    def inexact(self) -> list[str]:
        """Octets that are not what their name says (I4)."""
        raw = self._raw()
        return [line for line in _inexact(raw, ()) if "never delivered" not in line]

    def waiting(self) -> int:
        """Rows of the ledger that are not decided yet."""
        return int(self._rows(_WAITING)[0][0])

    def in_the_books(self) -> int:
        """How many messages the ledger says are on the server: live rows and outside."""
        return int(self._rows(_LIVE)[0][0]) + int(self._rows(_OUTSIDE)[0][0])

    def left_alone(self) -> int:
        """Rows of the ledger whose messages were not taken on purpose."""
        return int(self._rows(_LEFT_ALONE)[0][0])

    def doubted(self) -> list[str]:
        """Digests of what stays on the server, because it announced another size."""
        return [str(row[0]) for row in self._rows(_DOUBTED)]

    def _raw(self, named: str = "%") -> dict[str, bytes]:
        """What is committed under each name, unpacked."""
        found: dict[str, bytes] = {}
        for name, packed in self._rows(_RAW, named=named):
            octets = zstandard.ZstdDecompressor().decompress(bytes(packed)) if packed else b""
            found[str(name)] = found.get(str(name), b"") + octets
        return found

    def _rows(self, query: str, **values: object) -> list[tuple[Any, ...]]:
        text = query.format(org=self.organization, **values)
        if self._embedded is not None:
            return self._embedded.execute(text).fetchall()
        assert self._server is not None
        try:
            return self._server.execute(text.encode()).fetchall()
        except psycopg.OperationalError:  # the server was restarted in this trial
            self._connect()
            return self._server.execute(text.encode()).fetchall()


def _expected(wanted: Sequence[Piece]) -> Counter[str]:
    """How many messages there must be of each digest: twins with a Message-ID are one."""
    times: Counter[str] = Counter()
    for piece in wanted:
        digest = _digest(piece.octets)
        times[digest] = 1 if piece.merges else times[digest] + 1
    return times


def _inexact(raw: dict[str, bytes], delivered: Sequence[Piece]) -> list[str]:
    known = {_digest(piece.octets): piece.octets for piece in delivered}
    wrong = []
    for name, octets in raw.items():
        if _digest(octets) != name or known.get(name, octets) != octets:
            wrong.append(f"I4 {name[:8]} does not hold its octets")
        elif name not in known:
            wrong.append(f"I4 {name[:8]} was never delivered")
    return wrong


def _digest(octets: bytes) -> str:
    return hashlib.sha256(octets).hexdigest()
