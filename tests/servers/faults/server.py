"""The fault server: our own server with a plan, and a witness of every removal."""

import socket
import threading
import time
from collections.abc import Callable
from typing import Any, ClassVar

from buzon.demo.server import MailServer, Mailstore
from buzon.demo.server.imap_connection import ImapConnection
from buzon.demo.server.pop3 import Pop3Connection
from buzon.demo.server.store import MailFolder
from buzon.demo.server.stream import Stream
from tests.servers.faults.imap import FaultyImap
from tests.servers.faults.octets import Budget, FaultyStream
from tests.servers.faults.plan import Lie, Plan
from tests.servers.faults.pop3 import FaultyPop3

Deliver = Callable[[MailFolder], None]
_LOGIN_REFUSALS = {
    Lie.LOGIN_REFUSED: "[AUTHENTICATIONFAILED] Authentication failed.",
    Lie.LOGIN_UNAVAILABLE: "[UNAVAILABLE] Temporary authentication failure.",
    Lie.LOGIN_IN_USE: "[IN-USE] Another session is open.",
    Lie.THROTTLED_LOGIN: "[THROTTLED] Too many logins.",
}
_POP3_CODES = {"[AUTHENTICATIONFAILED]": "[AUTH]", "[UNAVAILABLE]": "[SYS/TEMP]",
               "[THROTTLED]": "[LOGIN-DELAY]"}  # fmt: skip


class FaultServer(MailServer):
    """Misbehaves as its plan says until `heal`. `deliver`: what puts one more letter into a folder
    when the plan has mail come meanwhile.
    """

    imap_connection: ClassVar[type[ImapConnection]] = FaultyImap
    pop3_connection: ClassVar[type[Pop3Connection]] = FaultyPop3

    def __init__(
        self, store: Mailstore, *, plan: Plan, deliver: Deliver | None = None, **options: Any
    ) -> None:
        super().__init__(store, **options)
        self.plan = plan
        self.is_honest = False
        self.budget = Budget()
        self.commands = 0
        self.deletions_asked = 0
        self.openings = 0
        self.renumber_at = 0  # the command at which the open folder gets other UIDs; 0: never
        self._deliver = deliver
        self._others_left = 3
        self.others_are_acting = False
        # The octets that the other client took away: whether they were collected is chance.
        self.alien_removed: list[bytes] = []
        self._over = threading.Event()

    def stream_on(self, accepted: socket.socket) -> Stream:
        return FaultyStream(accepted, self)

    def heal(self) -> None:
        """The fault ends: from now on every answer is true, and every connection whole."""
        self.is_honest = True
        self._over.set()

    def drop_connections(self) -> None:
        self._over.set()
        super().drop_connections()

    @property
    def is_over(self) -> bool:
        """Healed, or being stopped: nobody needs to stall any longer."""
        return self._over.is_set()

    def wait_for_the_end(self, seconds: float) -> None:
        """Say nothing for so long, or until the fault ends."""
        self._over.wait(seconds)

    def tells(self, lie: Lie) -> bool:
        return not self.is_honest and self.plan.tells(lie) and self.commands >= self.plan.lie_from

    def command_came(self, name: str) -> None:
        """Counts them: a plan's lies begin with one of them."""
        self.commands += 1

    def login_refusal(self) -> str:
        """What a login is refused with; "" lets it in."""
        for lie, words in _LOGIN_REFUSALS.items():
            if self.tells(lie):
                code, _, rest = words.partition(" ")
                return f"{_POP3_CODES.get(code, code)} {rest}" if self.protocol == "pop3" else words
        return ""

    def others_act(self, folder: MailFolder | None, command: str) -> None:
        """Another client deletes, moves or receives between two commands; a few times."""
        if folder is not None and self.commands == self.renumber_at:
            folder.reset_uids()
        if folder is None or self._others_left == 0 or self.is_honest:
            return
        removes = self.tells(Lie.ALIEN_DELETES) or self.tells(Lie.ALIEN_MOVES)
        if removes and folder.messages:
            self._others_left -= 1
            middle = folder.messages[len(folder.messages) // 2]
            self.alien_removed.append(middle.octets)
            self.others_are_acting = True
            folder.expunge(middle.uid)
            self.others_are_acting = False
        if self.tells(Lie.ALIEN_DELIVERS) and self._deliver is not None:
            self._others_left -= 1
            self._deliver(folder)


def wait_until(condition: Callable[[], bool], *, seconds: float = 5.0) -> bool:
    """Whether it came true in time."""
    ends = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends:
            return False
        time.sleep(0.01)
    return True
