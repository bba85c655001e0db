"""POP3 as of RFC 1939, with CAPA (2449), STLS (2595), AUTH (5034) and codes (2449, 3206).

    AUTHORIZATION ──login, maildrop locked──> TRANSACTION ──QUIT──> UPDATE (deletes, then answers)

A connection that ends any other way deletes nothing.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from buzon.demo.server.login import (
    OAUTH_CHALLENGE,
    Claim,
    NotBase64,
    admit,
    claim_of,
    decoded,
)
from buzon.demo.server.store import Command, Deed, MailLogin, StoredMessage
from buzon.demo.server.stream import Hangup, LineTooLong, Stream

if TYPE_CHECKING:
    from buzon.demo.server.listener import MailServer

IMPLEMENTED_MECHANISMS = ("PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER")


class Refusal(Exception):
    """Answered with -ERR and this text."""


class Pop3Connection:
    """One client. Subclass it and override `write` or `dispatch` to misbehave."""

    def __init__(self, server: "MailServer", stream: Stream) -> None:
        self.server = server
        self.stream = stream
        self.options = server.options
        self.login: MailLogin | None = None
        self.maildrop: list[StoredMessage] = []
        self.marked: set[int] = set()
        self.user: str | None = None
        self.over = False

    def serve(self) -> None:
        """Greet, answer commands until QUIT, a cut or the server's end."""
        self.write(b"+OK Buzon demonstration server ready.\r\n")
        try:
            while not self.over:
                self._serve_one()
            self.stream.flush()
        except LineTooLong:
            self.write(b"-ERR Line too long.\r\n")
            self.stream.flush()
        finally:
            self._release()

    def _serve_one(self) -> None:
        line = self.stream.read_line().rstrip(b"\r\n")
        name, _, rest = line.partition(b" ")
        command = name.decode("ascii", "replace").upper()
        self.server.store.commands.append(
            Command(command, self.login.name if self.login else "", "INBOX" if self.login else "")
        )
        try:
            self.dispatch(command, rest)
        except Refusal as refusal:
            self.write(f"-ERR {refusal}\r\n".encode())
        if not self.options.pipelining:
            self.stream.flush()
            self.stream.forget_typed()

    def dispatch(self, command: str, rest: bytes) -> None:
        """Do one command and write its answer; `rest` is the line after the first space."""
        anywhere = self.ANYWHERE.get(command)
        by_state = (self.TRANSACTION if self.login else self.AUTHORIZATION).get(command)
        if handler := anywhere or by_state:
            handler(self, rest)
        elif command in self.TRANSACTION or command in self.AUTHORIZATION:
            raise Refusal(f"{command} is not for this state.")
        else:
            raise Refusal("Unknown command.")

    def write(self, data: bytes) -> None:
        """Everything that goes to the client passes here."""
        self.stream.write(data)

    def okay(self, text: str = "") -> None:
        """A positive answer."""
        self.write(f"+OK {text}".rstrip().encode() + b"\r\n")

    # --- before login -----------------------------------------------------------------------

    def _capa(self, rest: bytes) -> None:
        if not self.options.capa:
            raise Refusal("Unknown command.")
        self.okay("Capability list follows")
        self.write("".join(f"{line}\r\n" for line in self.capabilities()).encode() + b".\r\n")

    def capabilities(self) -> list[str]:
        """CAPA's lines in the present state (RFC 2449, section 5)."""
        options = self.options
        lines = ["RESP-CODES", "AUTH-RESP-CODE", "IMPLEMENTATION Buzon demonstration server"]
        offered = (("TOP", options.top), ("UIDL", options.uidl), ("PIPELINING", options.pipelining))
        lines += [name for name, is_offered in offered if is_offered]
        if self._may_start_tls():
            lines.append("STLS")
        if self._takes_secrets():
            lines += ["USER"] if options.login_command else []
            mechanisms = [name for name in options.auth if name in IMPLEMENTED_MECHANISMS]
            lines += [f"SASL {' '.join(mechanisms)}"] if mechanisms else []
        return lines

    def _may_start_tls(self) -> bool:
        return self.server.security == "starttls" and not self.stream.encrypted and not self.login

    def _takes_secrets(self) -> bool:
        guarded = self.server.security == "starttls" and self.options.login_disabled_before_tls
        return self.stream.encrypted or not guarded

    def _stls(self, rest: bytes) -> None:
        if not self._may_start_tls() or self.server.tls is None:
            raise Refusal("STLS is not to be had here.")
        self.okay("Begin TLS negotiation")
        self.stream.start_tls(self.server.tls)
        self.user = None

    def _require_user_command(self) -> None:
        if not self._takes_secrets():
            raise Refusal("[AUTH] A secret is not taken in the clear; use STLS.")
        if not self.options.login_command:
            raise Refusal("[AUTH] USER is not to be had here.")

    def _user(self, rest: bytes) -> None:
        self._require_user_command()
        self.user = rest.decode("utf-8", "replace").strip()
        self.okay()

    def _pass(self, rest: bytes) -> None:
        self._require_user_command()
        if self.user is None:
            raise Refusal("USER comes first.")
        name, self.user = self.user, None
        # All of the rest is the password: it may hold spaces (RFC 1939, section 7).
        self._enter(Claim(name, rest.decode("utf-8", "replace")))

    def _auth(self, rest: bytes) -> None:
        name, _, initial = rest.partition(b" ")
        mechanism = name.decode("ascii", "replace").upper()
        if not self._takes_secrets():
            raise Refusal("[AUTH] A secret is not taken in the clear; use STLS.")
        if mechanism not in self.options.auth or mechanism not in IMPLEMENTED_MECHANISMS:
            raise Refusal("Unknown authentication mechanism.")
        try:
            claim = self._claim(mechanism, initial.strip() or None)
            self._enter(claim)
        except NotBase64 as error:
            raise Refusal("Invalid authentication data.") from error

    def _claim(self, mechanism: str, initial: bytes | None) -> Claim:
        if mechanism == "LOGIN":
            name = decoded(initial if initial is not None else self._ask(b"VXNlcm5hbWU6"))
            secret = decoded(self._ask(b"UGFzc3dvcmQ6"))
            return Claim(name.decode("utf-8", "replace"), secret.decode("utf-8", "replace"))
        return claim_of(mechanism, initial if initial is not None else self._ask(b""))

    def _ask(self, challenge: bytes) -> bytes:
        self.write(b"+ " + challenge + b"\r\n")
        answer = self.stream.read_line().rstrip(b"\r\n")
        if answer == b"*":
            raise Refusal("Authentication cancelled.")
        return answer

    def _enter(self, claim: Claim) -> None:
        login = admit(self.server, claim)
        if login is None:
            self._refuse(claim)
            return
        if not login.maildrop.acquire(blocking=False):
            raise Refusal("[IN-USE] The maildrop is in use by another session.")
        self.login = login
        self.maildrop = login.folder().messages
        self.okay("Logged in.")

    def _refuse(self, claim: Claim) -> None:
        reply = self.options.auth_reply
        if reply is None:
            if claim.is_token:
                self._ask(OAUTH_CHALLENGE)
            code = self.options.login_code or "[AUTH]"
            raise Refusal(f"{code} Authentication failed.")
        self.write(reply.removeprefix("* ").encode() + b"\r\n")
        self.over = reply.startswith("* ")

    # --- after login ------------------------------------------------------------------------

    def _stat(self, rest: bytes) -> None:
        left = [self._size(m) for n, m in self._left()]
        self.okay(f"{len(left)} {sum(left)}")

    def _list(self, rest: bytes) -> None:
        if rest.strip():
            number, message = self._message(rest)
            self.okay(f"{number} {self._size(message)}")
            return
        self.okay("Scan listing follows")
        lines = [b"%d %d\r\n" % (n, self._size(m)) for n, m in self._left()]
        self.write(b"".join(lines) + b".\r\n")

    def _uidl(self, rest: bytes) -> None:
        if not self.options.uidl:
            raise Refusal("Unknown command.")
        if rest.strip():
            number, message = self._message(rest)
            self.write(b"+OK %d %b\r\n" % (number, self._uidl_of(message)))
            return
        self.okay("Unique-id listing follows")
        lines = [b"%d %b\r\n" % (n, self._uidl_of(m)) for n, m in self._left()]
        self.write(b"".join(lines) + b".\r\n")

    def _uidl_of(self, message: StoredMessage) -> bytes:
        special = self._logged_in().pop3_uidl
        uidl = special(message) if special else message.uidl
        return uidl.encode() if isinstance(uidl, str) else uidl

    def _retr(self, rest: bytes) -> None:
        message = self._still_there(rest)
        self._record("retrieved", message)
        self.okay(f"{self._size(message)} octets")
        self._write_stuffed(message.octets)

    def _top(self, rest: bytes) -> None:
        if not self.options.top:
            raise Refusal("Unknown command.")
        which, _, lines = rest.strip().partition(b" ")
        message = self._still_there(which)
        if not lines.strip().isdigit():
            raise Refusal("TOP takes a message's number and a number of lines.")
        self._record("top", message)
        self.okay()
        self._write_stuffed(top_of(message.octets, _number(lines)))

    def _write_stuffed(self, octets: bytes) -> None:
        """The octets exactly, dot-stuffed, with the CRLF that POP3 cannot do without at the end."""
        if octets.startswith(b"."):
            self.write(b".")
        self.write(octets.replace(b"\r\n.", b"\r\n.."))
        self.write(b".\r\n" if octets.endswith(b"\r\n") else b"\r\n.\r\n")

    def _dele(self, rest: bytes) -> None:
        number, message = self._message(rest)
        self.marked.add(number)
        self._record("marked-deleted", message)
        self.okay(f"Message {number} is marked.")

    def _rset(self, rest: bytes) -> None:
        self.marked.clear()
        self.okay()

    def _noop(self, rest: bytes) -> None:
        self.okay()

    def _quit(self, rest: bytes) -> None:
        self.over = True
        if self.login:
            marked = [self.maildrop[number - 1] for number in sorted(self.marked)]
            gone = self.login.folder().expunge(*(message.uid for message in marked))
            name = self.login.name
            self.server.store.record(Deed("deleted", name, "INBOX", uid) for uid in gone)
        # Before the answer: the client may log in again as soon as it has it.
        self._release()
        self.okay("Good-bye.")

    def _release(self) -> None:
        if self.login:
            self.login.maildrop.release()
            self.login = None

    def _left(self) -> list[tuple[int, StoredMessage]]:
        numbered = enumerate(self.maildrop, start=1)
        return [(n, m) for n, m in numbered if n not in self.marked]

    def _message(self, rest: bytes) -> tuple[int, StoredMessage]:
        number = _number(rest)
        if not 1 <= number <= len(self.maildrop) or number in self.marked:
            raise Refusal("There is no such message.")
        return number, self.maildrop[number - 1]

    def _still_there(self, rest: bytes) -> StoredMessage:
        message = self._message(rest)[1]
        if self._logged_in().folder().get(message.uid) is None:
            raise Refusal("[SYS/TEMP] The message was removed by another session.")
        return message

    def _logged_in(self) -> MailLogin:
        if self.login is None:
            raise Hangup
        return self.login

    @staticmethod
    def _size(message: StoredMessage) -> int:
        return len(message.octets) + (0 if message.octets.endswith(b"\r\n") else 2)

    def _record(self, what: str, message: StoredMessage) -> None:
        self.server.store.ledger.append(Deed(what, self._logged_in().name, "INBOX", message.uid))

    ANYWHERE: ClassVar[dict[str, Callable[["Pop3Connection", bytes], None]]] = {
        "CAPA": _capa,
        "QUIT": _quit,
    }
    AUTHORIZATION: ClassVar[dict[str, Callable[["Pop3Connection", bytes], None]]] = {
        "STLS": _stls,
        "USER": _user,
        "PASS": _pass,
        "AUTH": _auth,
    }
    TRANSACTION: ClassVar[dict[str, Callable[["Pop3Connection", bytes], None]]] = {
        "STAT": _stat,
        "LIST": _list,
        "UIDL": _uidl,
        "RETR": _retr,
        "TOP": _top,
        "DELE": _dele,
        "RSET": _rset,
        "NOOP": _noop,
    }


def _number(digits: bytes) -> int:
    """A number as a client wrote it; 0 for what is none, or has more than nine digits."""
    digits = digits.strip()
    return int(digits) if digits.isdigit() and len(digits) < 10 else 0


def top_of(octets: bytes, lines: int) -> bytes:
    """The header, the blank line, and this many lines of the body (RFC 1939, section 7)."""
    ends = [at + len(gap) for gap in (b"\r\n\r\n", b"\n\n") if (at := octets.find(gap)) >= 0]
    end = min(ends, default=len(octets))
    for _ in range(lines):
        newline = octets.find(b"\n", end)
        if newline < 0:
            return octets
        end = newline + 1
    return octets[:end]
