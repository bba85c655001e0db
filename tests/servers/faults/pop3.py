"""POP3 answers that are not true."""

from typing import TYPE_CHECKING, cast

from buzon.demo.server.pop3 import Pop3Connection, Refusal
from buzon.demo.server.store import StoredMessage
from buzon.demo.server.stream import Hangup
from tests.servers.faults.imap import LONG
from tests.servers.faults.octets import FaultyStream
from tests.servers.faults.plan import Lie

if TYPE_CHECKING:
    from tests.servers.faults.server import FaultServer

_LOGIN = ("PASS", "AUTH", "APOP")


class FaultyPop3(Pop3Connection):
    """One client, lied to as the server's plan says."""

    @property
    def _server(self) -> "FaultServer":
        return cast("FaultServer", self.server)

    def tells(self, lie: Lie) -> bool:
        return self._server.tells(lie)

    def dispatch(self, command: str, rest: bytes) -> None:
        server = self._server
        server.command_came(command)
        if self.tells(Lie.BYE_SOON) and self.login is not None:
            raise Hangup
        if command in _LOGIN and (refusal := server.login_refusal()):
            raise Refusal(refusal)
        if self.tells(Lie.LONG_LINE):
            self.write(b"+OK " + b"x" * LONG + b"\r\n")
            return
        server.others_act(self.login.folder() if self.login else None, command)
        if self.login is not None:
            self._lie_about(command)
        super().dispatch(command, rest)

    def _lie_about(self, command: str) -> None:
        if command == "RETR" and self.tells(Lie.RETR_REFUSED):
            raise Refusal("[SYS/TEMP] Not now.")
        if command == "UIDL" and self.tells(Lie.UIDL_ABSENT):
            raise Refusal("Unknown command.")
        if command == "TOP" and self.tells(Lie.TOP_ABSENT):
            raise Refusal("Unknown command.")
        if command == "DELE":
            self._lie_about_dele()
        if command == "QUIT":
            self._lie_about_quit()

    def _lie_about_dele(self) -> None:
        if self.tells(Lie.DELE_CUT) and self.marked:
            cast("FaultyStream", self.stream).cut()
        self._server.deletions_asked += 1
        if self.tells(Lie.DELE_REFUSED) and self._server.deletions_asked % 2:
            raise Refusal("It is locked.")

    def _lie_about_quit(self) -> None:
        if self.tells(Lie.QUIT_CUT_BEFORE):
            cast("FaultyStream", self.stream).cut()
        if self.tells(Lie.QUIT_REFUSED):
            self.marked.clear()
            self.over = True
            raise Refusal("[SYS/PERM] Some messages were not removed.")
        if self.tells(Lie.QUIT_CUT_AFTER):
            super()._quit(b"")
            cast("FaultyStream", self.stream).cut()

    def capabilities(self) -> list[str]:
        hidden = {name for name in ("UIDL", "TOP") if self.tells(Lie(f"no {name}"))}
        return [line for line in super().capabilities() if line not in hidden]

    def _list(self, rest: bytes) -> None:
        if rest.strip() or not self.tells(Lie.LIST_UNSORTED):
            super()._list(rest)
            return
        self.okay("Scan listing follows")
        lines = [b"%d %d\r\n" % (n, self._size(m)) for n, m in reversed(self._left())]
        self.write(b"".join(lines) + b".\r\n")

    def _uidl_of(self, message: StoredMessage) -> bytes:
        if self.tells(Lie.UIDL_SAME):
            return b"the-only-one"
        if self.tells(Lie.UIDL_DOUBLED):
            return b"pair-%d" % (message.uid // 2)
        if self.tells(Lie.UIDL_HOSTILE):
            evil = (b"\x01\x02", b"a b c", b"u" * 300, b"\xff\xfe", b"")
            return evil[message.uid % len(evil)]
        return super()._uidl_of(message)

    def _size(self, message: StoredMessage) -> int:  # type: ignore[override]
        size = Pop3Connection._size(message)
        return size // 2 + 7 if self.tells(Lie.WRONG_SIZE) else size

    def _write_stuffed(self, octets: bytes) -> None:
        if self.tells(Lie.RETR_TOO_SHORT):
            self.write(octets[: len(octets) // 2])
            self.stream.flush()
            cast("FaultyStream", self.stream).cut()
        super()._write_stuffed(octets)
