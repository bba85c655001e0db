"""The demonstration: a shop on this installation whose mail keeps coming, begun anew each time.

mail server (IMAP, POP3, in memory) ◀── postman: a new letter every few seconds
        ▲ collected as any other
the demonstration's organization    ◀── presence: its agents without a login stay signed in
"""

import secrets
import threading
from dataclasses import dataclass, field
from typing import Self

import structlog
from django.db import DatabaseError, connections, transaction
from django.utils import timezone

from buzon.config.demonstration_shop import ADMINISTRATOR, PRESENT, make_shop, remove_earlier
from buzon.demo.shop import Postman, ShopMail
from buzon.demo.shop.postman import Pace
from buzon.desk.errors import DeskError
from buzon.desk.models import Agent, Organization
from buzon.desk.models.people import PRESENCE
from buzon.intake import own_servers

RENEWED_EVERY = PRESENCE.total_seconds() / 4

log = structlog.get_logger("buzon.demo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Demonstration:
    """The demonstration shop: its mail server, its organization, its people, and mail that keeps
    coming. `agents` are (name, e-mail) of those who may sign in, all with the same password.
    """

    administrator: str
    agents: list[tuple[str, str]]
    password: str = field(repr=False)
    organization: Organization
    _mail: ShopMail = field(repr=False)
    _postman: Postman = field(repr=False)
    _presence: "_Presence" = field(repr=False)

    @classmethod
    def begin(cls, *, password: str | None = None, pace: Pace | None = None) -> Self:
        """Remove an earlier demonstration, make it anew, and start its server and its letters.

        Without `password` one is made up. Other organizations are not touched. Raises DeskError
        with a sentence; OSError where no port is free.
        """
        password = password or secrets.token_urlsafe(9)
        mail = ShopMail()
        _serve(mail)
        try:
            with transaction.atomic():
                remove_earlier()
                organization, agents = make_shop(mail, password=password)
            presence = _Presence(organization)
            presence.renew()
        except BaseException:
            _end(mail)
            raise
        postman = Postman(mail.new_letter, pace=pace)
        presence.start()
        postman.start()
        return cls(
            administrator=ADMINISTRATOR,
            agents=agents,
            password=password,
            organization=organization,
            _mail=mail,
            _postman=postman,
            _presence=presence,
        )

    def stop(self) -> None:
        """The letters, the presence and the mail server end, within 2 seconds."""
        ended = self._postman.stop()
        ended = self._presence.stop() and ended
        _end(self._mail)
        if not ended:
            log.warning("demonstration did not stop in time")

    def told(self, address: str) -> list[str]:
        """What a person has to know to look at it, line by line; `address` is of the pages, ""
        where none are served.
        """
        width = max(len(email) for _, email in self.agents)
        return [
            "The demonstration shop is running: new letters arrive every few seconds.",
            *([f"  sign in at     {address}"] if address else []),
            f"  administrator  {self.administrator}",
            *(f"  agent          {email:<{width}}   {name}" for name, email in self.agents),
            f"  password       {self.password}   (the same for all)",
        ]


class OnDemand:
    """The demonstration of this process: begun at the start or when a page asks for it, once, and
    ended with the process.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: Demonstration | None = None

    def begun(self) -> Demonstration:
        """Begin it, or find it running. Raises as `Demonstration.begin` does."""
        with self._lock:
            self._running = self._running or Demonstration.begin()
            return self._running

    def login(self) -> tuple[str, str]:
        """Likewise, for a page: its administrator's e-mail and password. Raises DeskError."""
        try:
            running = self.begun()
        except OSError as error:
            told = f"The demonstration's mail server cannot start: {error.strerror}."
            raise DeskError(told) from error
        return running.administrator, running.password

    def stop(self) -> None:
        """End it, if it was begun."""
        with self._lock:
            if self._running is not None:
                self._running.stop()
            self._running = None


class _Presence:
    """A thread that gives signs of life for agents of the demonstration who have no login.

    Who has one signs in and out by himself; an agent who is given a login is left to it.
    """

    def __init__(self, organization: Organization) -> None:
        self._organization = organization.pk
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._renew_on, name="presence", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, *, within: float = 0.8) -> bool:
        """Whether the thread has ended within so many seconds."""
        self._stopping.set()
        self._thread.join(within)
        return not self._thread.is_alive()

    def renew(self) -> None:
        """They were heard from now."""
        agents = Agent.objects.filter(organization=self._organization, name__in=PRESENT)
        agents.filter(active=True, user=None).update(present_until=timezone.now() + PRESENCE)

    def _renew_on(self) -> None:
        """The catch-all of this loop: record, and try again at the next turn."""
        while not self._stopping.wait(RENEWED_EVERY):
            try:
                self.renew()
            except DatabaseError as error:
                log.error("presence not renewed", error=type(error).__name__)
                connections.close_all()  # a broken connection would fail for ever
        connections.close_all()


def _serve(mail: ShopMail) -> None:
    """It stands on this machine, where no other server may be visited without a setting."""
    mail.start()
    for server in (mail.imap, mail.pop3):
        own_servers.admit(server.host, server.port)


def _end(mail: ShopMail) -> None:
    for server in (mail.imap, mail.pop3):
        own_servers.dismiss(server.host, server.port)
    mail.stop()
