"""What the installation of each stage holds, made by the verbs that people's pages call.

first    nobody has an administrator yet: the set-up
empty    a shop that has just been set up: its people, and nothing else
full     the demonstration shop, with all its mail collected
failing  the same, with mail servers and messages that make trouble
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from typing import Any

from django.db import transaction
from django.utils import timezone

from buzon.config.demonstration_shop import ADMINISTRATOR, CERAMICS, PRESENT, make_shop
from buzon.demo.shop import MAILBOXES, ShopMail
from buzon.desk.models import Agent, CustomerAddress, Organization, User
from buzon.desk.people import add_administrator, add_agent, add_group
from buzon.intake.accounts import add_account
from buzon.intake.models import Arrival, CollectionAccount, Duty, RawMessage
from buzon.web.setup_code import setup_code

PASSWORD = "olivar al amanecer 27"  # noqa: S105 (of nobody's installation)
State = CollectionAccount.State


@dataclass
class Filled:
    """A stage's people by what they are, and what goes on in it."""

    people: dict[str, User] = field(default_factory=dict)
    setup_code: str = ""
    mail: ShopMail | None = None
    organization: Organization | None = None
    then: Callable[[], None] | None = None  # once the first mail is collected
    quiet_then: Callable[[], bool] = lambda: True
    running: ExitStack = field(default_factory=ExitStack)

    def is_quiet(self) -> bool:
        """Whether every account was tried, and every letter decided."""
        accounts = CollectionAccount.objects.filter(active=True)
        untried = accounts.filter(state=State.WORKING, history_done_at=None).exists()
        waiting = Arrival.objects.filter(outcome="waiting").exists()
        if untried or waiting:
            return False
        if self.then is not None:
            self.then()
            self.then = None
            return False
        return self.quiet_then()

    def finish(self) -> None:
        """Who has no login is there for as long as one looks."""
        here = timezone.now() + timedelta(days=1)
        Agent.objects.filter(name__in=PRESENT).update(present_until=here)

    def letter(self) -> None:
        """The next letter of the demonstration comes."""
        assert self.mail is not None, "nobody writes to this stage"
        self.mail.new_letter()
        _collect_now()

    def write(self, subject: str, text: str) -> None:
        """One of the agent's customers writes to the shop."""
        assert self.mail is not None, "nobody writes to this stage"
        customers = CustomerAddress.objects.filter(customer__agent__user=self.people["agent"])
        sender = customers.filter(customer__store__name=CERAMICS).order_by("pk")[0].address
        letter = EmailMessage(policy=SMTP.clone(cte_type="8bit", utf8=True))
        letter["From"], letter["To"], letter["Subject"] = sender, MAILBOXES["pedidos"], subject
        letter["Date"], letter["Message-ID"] = format_datetime(timezone.now()), make_msgid()
        letter.set_content(text)
        self.mail.store.logins[MAILBOXES["pedidos"]].folder("INBOX").deliver(letter.as_bytes())
        _collect_now()

    def mailbox(self) -> dict[str, str]:
        """What a person types into the form of an incoming mailbox, for one of the shop's."""
        assert self.mail is not None, "this stage has no mail"
        server, address = self.mail.imap, MAILBOXES["pedidos"]
        return {
            "name": "Otra",
            "host": server.host,
            "port": str(server.port),
            "username": address,
            "secret": self.mail.passwords[address],
            "pinned_sha256": server.certificate_sha256,
        }

    def close(self) -> None:
        """The mail servers end."""
        self.running.close()


def _collect_now() -> None:
    """Whoever looks need not wait for the next poll."""
    waiting = Duty.objects.filter(kind=Duty.Kind.COLLECT, attempts=0, lease_owner="")
    waiting.update(due_at=timezone.now())


def fill(kind: str) -> Filled:
    """KeyError for a stage that there is none of."""
    return {"first": _first, "empty": _empty, "full": _full, "failing": _failing}[kind]()


def _first() -> Filled:
    return Filled(setup_code=setup_code())


def _empty() -> Filled:
    organization = Organization.objects.get()
    olga = add_administrator(organization, email="olga@olivo.example", password=PASSWORD)
    ana = add_agent(organization, name="Ana Ruiz", email="ana@olivo.example", password=PASSWORD)
    assert ana.user is not None
    return Filled({"administrator": olga, "agent": ana.user}, organization=organization)


def _full() -> Filled:
    Organization.objects.all().delete()  # the first one: this stage's is the demonstration's
    mail = ShopMail()
    mail.start()
    filled = Filled(mail=mail)
    filled.running.callback(mail.stop)
    with transaction.atomic():
        filled.organization, logins = make_shop(mail, password=PASSWORD)
    people = {"administrator": ADMINISTRATOR, "agent": logins[0][1]}
    filled.people = {who: User.objects.get(email=email) for who, email in people.items()}
    return filled


def _failing() -> Filled:
    filled = _full()
    assert filled.organization is not None
    assert filled.mail is not None
    server, address = filled.mail.imap, MAILBOXES["hello"]
    common: dict[str, Any] = {"username": address, "secret": filled.mail.passwords[address]}
    here = {"host": server.host, "port": server.port}
    group = add_group(filled.organization, "Nobody is in this group")
    add: dict[str, dict[str, Any]] = {
        "Nobody answers there": {"host": "127.0.0.1", "port": 9},
        "There is no such server": {"host": "imap.nowhere.invalid", "port": 993},
        "Not its certificate": {**here, "pinned_sha256": "a" * 64},
        "Not trusted, paused": {**here, "active": False, "group": group},
    }
    for name, fields in add.items():
        add_account(filled.organization, name=name, **common | fields)
    filled.then = lambda: _make_trouble(filled)
    filled.quiet_then = CollectionAccount.objects.filter(state=State.STOPPED).exists
    return filled


def _make_trouble(filled: Filled) -> None:
    """A mailbox whose messages are others than before, and letters whose octets are lost."""
    assert filled.mail is not None
    inbox = filled.mail.store.logins[MAILBOXES["office"]].folder("INBOX")
    inbox.expunge(*[message.uid for message in inbox.messages[1:]])
    inbox.reset_uids()
    lost = Arrival.objects.filter(outcome="filed").order_by("-pk")[:3]
    RawMessage.objects.filter(sha256__in=[row.sha256 for row in lost]).delete()
    again = Arrival.objects.filter(pk__in=[row.pk for row in lost[1:]])
    again.update(outcome="waiting", attempts=0)
