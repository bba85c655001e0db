"""The shop's mailboxes on two servers of this machine, IMAP and POP3, filled with its letters."""

import secrets
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

from buzon.demo.server import MailServer, Mailstore
from buzon.demo.shop.arriving import Arriving
from buzon.demo.shop.history import past_letters
from buzon.demo.shop.letter import Letter
from buzon.demo.shop.places import MAILBOXES

SEED = 1931
_ON_THE_WAY = timedelta(seconds=4)  # from the Date field to the internal date


class ShopMail:
    """The demonstration's mail, in memory: begun, delivered to, and gone when it is stopped.

    `passwords` holds each mailbox's password by its address. Both servers serve all mailboxes,
    over TLS with a certificate of their own, on free ports of 127.0.0.1.
    """

    def __init__(self, *, now: datetime | None = None, seed: int = SEED) -> None:
        self.past = past_letters(now=now or datetime.now(UTC), seed=seed)
        self.passwords = {address: secrets.token_urlsafe(12) for address in MAILBOXES.values()}
        self.store = Mailstore(remembers=1_000)
        self.imap = MailServer(self.store, protocol="imap", security="tls")
        self.pop3 = MailServer(self.store, protocol="pop3", security="tls")
        self._arriving = Arriving(self.past, seed=seed)
        self._running = ExitStack()
        for address, password in self.passwords.items():
            login = self.store.add_login(address, password)
            login.add_folder("Sent", special_use="\\Sent")
        for letter in self.past:
            self._deliver(letter)

    def start(self) -> None:
        """Serve, until `stop`. Raises OSError where no port is to be had."""
        with ExitStack() as begun:
            begun.enter_context(self.imap)
            begun.enter_context(self.pop3)
            self._running = begun.pop_all()

    def stop(self) -> None:
        """Cut every connection and close the ports; what was stopped stays so."""
        self._running.close()

    def new_letter(self) -> Letter:
        """Write the next letter and deliver it now."""
        letter = self._arriving.next(now=datetime.now(UTC))
        self._deliver(letter)
        return letter

    def _deliver(self, letter: Letter) -> None:
        for place in letter.entry.to:
            folder = self.store.logins[MAILBOXES[place]].folder(letter.entry.folder)
            arrived = min(letter.date + _ON_THE_WAY, datetime.now(UTC)).replace(microsecond=0)
            flags = ("\\Seen",) if letter.entry.folder == "Sent" else ()
            folder.deliver(letter.octets, internal_date=arrived, flags=flags)
