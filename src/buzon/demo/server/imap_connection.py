"""One IMAP client: commands in, answers out; the commands themselves are in imap_commands_*.

NOT_AUTHENTICATED ──LOGIN, AUTHENTICATE──> AUTHENTICATED <──SELECT, CLOSE──> SELECTED
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from buzon.demo.server import (
    imap_commands_folder,
    imap_commands_list,
    imap_commands_login,
    imap_commands_mail,
    imap_commands_session,
    mutf7,
)
from buzon.demo.server.imap_answers import Handler, No, State
from buzon.demo.server.imap_grammar import LITERAL_END, Arguments, Bad, quoted
from buzon.demo.server.imap_view import Abandoned, View
from buzon.demo.server.store import Command, Deed, MailFolder, MailLogin
from buzon.demo.server.stream import Hangup, LineTooLong, Stream

if TYPE_CHECKING:
    from buzon.demo.server.listener import MailServer

LONGEST_LITERAL = 256 * 1024 * 1024
LONGEST_LITERAL_BEFORE_LOGIN = 8192
_START = re.compile(
    rb'([^\x00-\x20\x7f-\xff(){%*"\\+]+) ((?:UID )?[A-Za-z]+)(?= |\r?\n)', re.IGNORECASE
)

COMMANDS: dict[str, Handler] = {
    **imap_commands_session.COMMANDS,
    **imap_commands_login.COMMANDS,
    **imap_commands_folder.COMMANDS,
    **imap_commands_list.COMMANDS,
    **imap_commands_mail.COMMANDS,
}


class ImapConnection:
    """One client. Subclass it and override `write` or `dispatch` to misbehave."""

    def __init__(self, server: "MailServer", stream: Stream) -> None:
        self.server = server
        self.stream = stream
        self.options = server.options
        self.login: MailLogin | None = None
        self.view: View | None = None
        self.tag = ""
        self.by_uid = False
        self.utf8 = False
        self.condstore = False
        self.over = False
        self.afterwards: Callable[[], None] | None = None

    def serve(self) -> None:
        """Greet, answer commands until LOGOUT, a cut or the server's end."""
        imap_commands_login.greet(self)
        try:
            while not self.over:
                self._serve_one()
        except LineTooLong:
            self.write(b"* BYE The line is too long.\r\n")
        except Abandoned:
            self.write(b"* BYE The selected folder is no longer what it was; log in again.\r\n")
        self.stream.flush()

    def dispatch(self, tag: str, name: str, arguments: Arguments) -> None:
        """Do one command and write its whole answer. `name` is in capitals: "UID FETCH"."""
        handler = COMMANDS.get(name)
        try:
            status = f"OK {self._run(name, handler, arguments)}"
        except No as refusal:
            status = f"NO {refusal}"
        except Bad as fault:
            status = f"BAD {fault}"
        if not self.over:
            self.tell_news(expunges=handler is None or handler.expunges)
        self.write(f"{tag} {status}\r\n".encode())
        if self.afterwards:
            self.stream.flush()
            todo, self.afterwards = self.afterwards, None
            todo()

    def write(self, data: bytes) -> None:
        """Everything that goes to the client passes here."""
        self.stream.write(data)

    def tell_news(self, *, expunges: bool) -> None:
        """Tell what others did to the selected folder. Raises Abandoned."""
        if self.view:
            news = self.view.news(expunges=expunges, uids=self.by_uid, modseqs=self.condstore)
            if news:
                self.write(b"".join(news))

    @property
    def state(self) -> State:
        """Where this session is."""
        if self.login is None:
            return State.NOT_AUTHENTICATED
        return State.SELECTED if self.view else State.AUTHENTICATED

    @property
    def owner(self) -> MailLogin:
        """The login, in a command that needs one."""
        if self.login is None:
            raise Bad("Log in first.")
        return self.login

    @property
    def selected(self) -> View:
        """The selected folder, in a command that needs one."""
        if self.view is None:
            raise Bad("Select a folder first.")
        return self.view

    def folder_name(self, octets: bytes) -> str:
        """The folder's name that a client wrote, which Bad says is none."""
        try:
            return octets.decode() if self.utf8 else mutf7.decoded(octets.decode("ascii"))
        except ValueError as error:
            raise Bad("The folder's name is not encoded as it must be.") from error

    def folder(self, octets: bytes, *, code: str = "[NONEXISTENT]") -> MailFolder:
        """The folder of this name as a client wrote it; No with this code where there is none."""
        folder = self.owner.find(self.folder_name(octets))
        if folder is None:
            raise No("There is no such folder.", code)
        return folder

    def spelled(self, name: str) -> bytes:
        """A folder's name as this client is to be told it."""
        if not self.utf8:
            return quoted(mutf7.encoded(name))
        return b'"' + name.replace("\\", "\\\\").replace('"', '\\"').encode() + b'"'

    def record(self, what: str, folder: MailFolder, *uids: int) -> None:
        """Enter a deed in the ledger, for each message or, without any, once."""
        name = self.owner.name
        self.server.store.record(Deed(what, name, folder.name, uid) for uid in uids or (0,))

    def _run(self, name: str, handler: Handler | None, arguments: Arguments) -> str:
        if handler is None or (handler.option and not getattr(self.options, handler.option)):
            raise Bad(f"Unknown command {name}.")
        if not handler.lowest <= self.state <= handler.highest:
            raise Bad(f"{name} is not for this state.")
        return handler.run(self, arguments)

    def _serve_one(self) -> None:
        octets = self._read_command()
        start = _START.match(octets)
        if not start:
            tag = octets.partition(b" ")[0].strip()
            told = tag if re.fullmatch(rb"[A-Za-z0-9.]+", tag) else b"*"
            self.write(told + b" BAD This is not a command.\r\n")
            return
        self.tag, name = start[1].decode(), start[2].decode().upper()
        self.by_uid = name.startswith("UID ")
        folder = self.view.folder.name if self.view else ""
        login = self.login.name if self.login else ""
        self.server.store.commands.append(Command(name, login, folder))
        self.dispatch(self.tag, name, Arguments(octets[start.end() :], utf8=self.utf8))

    def _read_command(self) -> bytes:
        """A command's line with its literals, as they came."""
        parts = [self.stream.read_line()]
        while literal := LITERAL_END.search(parts[-1]):
            size, needs_no_leave = int(literal[1]), bool(literal[2])
            if needs_no_leave and not self.options.literal_plus:
                # Its octets follow at once and must not be taken for commands.
                self.hang_up("This server knows no literals without leave.")
            if size > (LONGEST_LITERAL if self.login else LONGEST_LITERAL_BEFORE_LOGIN):
                self.hang_up("[TOOBIG] The literal is too big.")
            if not needs_no_leave:
                self.write(b"+ Go on.\r\n")
            parts += [self.stream.read_exactly(size), self.stream.read_line()]
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def hang_up(self, text: str) -> NoReturn:
        """Say BYE and end the session."""
        self.write(f"* BYE {text}\r\n".encode())
        self.stream.flush()
        raise Hangup
