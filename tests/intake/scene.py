"""A shop with accounts on our own small server, whose ledger is the tests' independent witness."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from buzon.demo.server import MailFolder, MailServer, Mailstore, Options
from buzon.desk.customers import add_customer
from buzon.desk.models import Customer, Message, Organization, Store
from buzon.intake import vault
from buzon.intake.accounts import add_account
from buzon.intake.models import Arrival, CollectionAccount

LOGIN = "shop@shop.example"
KNOWN = "ana@customer.example"
STRANGER = "zoe@stranger.example"


@dataclass
class Scene:
    """One organization and one server with one login."""

    server: MailServer
    organization: Organization
    box: MailFolder
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 100_000)))

    @property
    def store(self) -> Mailstore:
        return self.server.store

    def account(self, **fields: Any) -> CollectionAccount:
        """An account on the login; create = yes unless said otherwise."""
        fields = {"create_customer": True, "secret": "secret", "username": LOGIN} | fields
        organization = fields.pop("organization", self.organization)
        return add_account(
            organization,
            name=fields.pop("name", f"account {next(self.numbers)}"),
            protocol=self.server.protocol,
            host=self.server.host,
            port=self.server.port,
            security="none",
            **fields,
        )

    def customer(self, address: str = KNOWN, store: Store | None = None) -> Customer:
        return add_customer(self.organization, addresses=[address], store=store)

    def deliver(self, *senders: str, folder: MailFolder | None = None, **fields: Any) -> list[int]:
        """A letter from each; their UIDs."""
        place = folder or self.box
        return [place.deliver(self.letter(sender, **fields)) for sender in senders]

    def letter(
        self, sender: str = KNOWN, *, extra: str = "", body: str = "Hola.", to: str = LOGIN
    ) -> bytes:
        """Different each time."""
        number = next(self.numbers)
        return (
            f"From: {sender}\r\nTo: {to}\r\nSubject: Letter {number}\r\n"
            f"Date: Mon, 02 Nov 2026 10:00:00 +0100\r\n"
            f"Message-ID: <{number}@mail.example>\r\n{extra}\r\n{body}\r\n"
        ).encode()

    def bodies(self) -> list[int]:
        """UIDs of the messages of which a client has fetched the body, however often."""
        return sorted({d.uid for d in self.store.deeds("fetched-body", "retrieved")})


@contextmanager
def scene(protocol: Any = "imap", *, server: Any = MailServer, **options: Any) -> Iterator[Scene]:
    """`options` are those of the server."""
    store = Mailstore()
    box = store.add_login(LOGIN, "secret").folder("INBOX")
    with server(store, protocol=protocol, options=Options(**options)) as running:
        yield Scene(running, Organization.objects.create(name=f"Shop {id(store)}"), box)


def outcomes(account: CollectionAccount) -> dict[str, int]:
    """How many rows of the ledger have each outcome."""
    return dict(Counter(account.arrivals.values_list("outcome", flat=True)))


def rows(account: CollectionAccount) -> list[Arrival]:
    return list(account.arrivals.order_by("id"))


def check_books(account: CollectionAccount, on_server: int) -> None:
    """Messages on the server = live rows + outside; whatever is filed is in custody, once."""
    live = account.arrivals.live().count()
    outside = sum(account.folders.values_list("outside", flat=True))
    assert live + outside == on_server
    assert not account.arrivals.filter(outcome="waiting").exists()
    for row in account.arrivals.filter(outcome="filed"):
        assert len(vault.get(account.organization_id, row.sha256)) == row.size
        assert row.message is not None


def message_count(account: CollectionAccount) -> int:
    return Message.objects.filter(organization=account.organization).count()
