"""IMAP answers that are not true."""

import re
from typing import TYPE_CHECKING, cast

from buzon.demo.server.imap_connection import ImapConnection
from buzon.demo.server.imap_grammar import Arguments
from tests.servers.faults.octets import FaultyStream
from tests.servers.faults.plan import Lie

if TYPE_CHECKING:
    from tests.servers.faults.server import FaultServer

LONG = 10 * 1024 * 1024
_FETCH = re.compile(rb"\* (\d+) FETCH \(")
_BODY = re.compile(rb" ?BODY\[[^\]]*\](?:<\d+>)? \{(\d+)\}\r\n")
_UID = re.compile(rb"UID (\d+)")
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")
_VALIDITY = re.compile(rb"\* OK \[UIDVALIDITY (\d+)\][^\r\n]*\r\n")
_UIDNEXT = re.compile(rb"\* OK \[UIDNEXT \d+\][^\r\n]*\r\n")
_REFUSALS = {
    Lie.NO_THROTTLED: b"[THROTTLED] Slow down.",
    Lie.NO_LIMIT: b"[LIMIT] That is too much.",
    Lie.NO_INUSE: b"[INUSE] Another session has it.",
    Lie.NO_UNAVAILABLE: b"[UNAVAILABLE] Not now.",
    Lie.NO_OVERQUOTA: b"[OVERQUOTA] You have had your share.",
}
_WORK = ("UID FETCH", "FETCH", "UID SEARCH", "SEARCH", "UID STORE", "UID EXPUNGE", "UID MOVE")


class FaultyImap(ImapConnection):
    """One client, lied to as the server's plan says."""

    def tells(self, lie: Lie) -> bool:
        return self._server.tells(lie)

    @property
    def _server(self) -> "FaultServer":
        return cast("FaultServer", self.server)

    def dispatch(self, tag: str, name: str, arguments: Arguments) -> None:
        server = self._server
        server.command_came(name)
        if self.tells(Lie.BYE_SOON) and self.login is not None:
            self.hang_up("Too tired.")
        if name in ("LOGIN", "AUTHENTICATE") and (refusal := server.login_refusal()):
            self.write(f"{tag} NO {refusal}\r\n".encode())
            return
        if self.login is not None and name in _WORK and self._refuses(tag, name):
            return
        server.others_act(self.view.folder if self.view else None, name)
        if self.tells(Lie.UNSOLICITED_EXPUNGE) and self.view and self.view.folder.messages:
            self.write(b"* 1 EXPUNGE\r\n")
        if self.tells(Lie.UNSOLICITED_EXISTS) and self.view:
            self.write(b"* 4294967295 EXISTS\r\n* -7 EXISTS\r\n* 1 RECENT\r\n")
        if self.tells(Lie.GARBAGE):
            self.write(b"* \x00\xff FETCH ((((\r\n*\r\n\r\n* OK [] \x07\r\n")
        if self.tells(Lie.LONG_LINE):
            self.write(b"* OK " + b"x" * LONG + b"\r\n")
        super().dispatch(tag, name, arguments)

    def _refuses(self, tag: str, name: str) -> bool:
        for lie, words in _REFUSALS.items():
            if self.tells(lie):
                self.write(b"%b NO %b\r\n" % (tag.encode(), words))
                return True
        if self.tells(Lie.BAD_FETCH) and name.endswith("FETCH"):
            self.write(f"{tag} BAD What?\r\n".encode())
            return True
        return False

    def write(self, data: bytes) -> None:
        if _FETCH.match(data):
            self._write_fetch(data)
            return
        super().write(self._changed_opening(data))

    def _changed_opening(self, data: bytes) -> bytes:
        """What SELECT and EXAMINE say of the folder."""
        if self.tells(Lie.VALIDITY_ZERO):
            data = _VALIDITY.sub(b"* OK [UIDVALIDITY 0] Zero.\r\n", data)
        if self.tells(Lie.VALIDITY_MISSING):
            data = _VALIDITY.sub(b"", data)
        if self.tells(Lie.VALIDITY_ALTERNATING) and (told := _VALIDITY.search(data)):
            self._server.openings += 1
            value = int(told[1]) + self._server.openings % 2
            data = _VALIDITY.sub(b"* OK [UIDVALIDITY %d] Now.\r\n" % value, data)
        if self.tells(Lie.UIDNEXT_MISSING):
            data = _UIDNEXT.sub(b"", data)
        return data

    def _write_fetch(self, data: bytes) -> None:
        body = _BODY.search(data)
        if body is not None:
            data = self._changed_body(data, body)
        if self.tells(Lie.WRONG_SIZE):
            data = _SIZE.sub(lambda m: b"RFC822.SIZE %d" % (int(m[1]) // 2 + 7), data, count=1)
        if self.tells(Lie.OUT_OF_ORDER):
            self._held = [*getattr(self, "_held", []), data]
            return
        super().write(data)
        if self.tells(Lie.DUPLICATE_UID):
            super().write(data)
        if self.tells(Lie.STRANGER_UID):
            super().write(_UID.sub(b"UID 4000000000", data, count=1))

    def _changed_body(self, data: bytes, body: "re.Match[bytes]") -> bytes:
        size = int(body[1])
        head, tail = data[: body.start()], data[body.end() + size :]
        label = body[0].rpartition(b"{")[0]
        if self.tells(Lie.LITERAL_TRUNCATED):
            super().write(
                head + label + b"{%d}\r\n" % (size + 100) + data[body.end() :][: size // 2]
            )
            self.stream.flush()
            cast("FaultyStream", self.stream).cut()
        if self.tells(Lie.LITERAL_HUGE):
            return head + label + b"{2147483648}\r\n" + data[body.end() :]
        if self.tells(Lie.FETCH_WITHOUT_BODY):
            return head + tail
        if self.tells(Lie.NIL_BODY):
            return head + label + b"NIL" + tail
        if self.tells(Lie.EMPTY_BODY):
            return head + label + b"{0}\r\n" + tail
        return data

    def tell_news(self, *, expunges: bool) -> None:
        held, self._held = getattr(self, "_held", []), []
        for data in reversed(held):
            super().write(data)
        super().tell_news(expunges=expunges)
