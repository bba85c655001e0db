"""Letters for the page tests, put into custody and processed by the product's own recipe."""

import hashlib
import itertools
from datetime import datetime
from email.message import EmailMessage
from typing import Any

from django.test import Client

from buzon.desk.customers import add_customer
from buzon.desk.filing import file_letter
from buzon.desk.letter import Letter
from buzon.desk.models import Customer, Message, Organization
from buzon.desk.reasons import reason
from buzon.intake import vault
from buzon.intake.accounts import add_account
from buzon.intake.models import Arrival, CollectionAccount, Duty, Folder
from buzon.intake.runs import process_once
from buzon.lease import claim
from tests.web.cast import Cast

_numbers = itertools.count(1)


def account_of(organization: Organization, **fields: Any) -> CollectionAccount:
    """A collection account; nothing is ever asked of its server."""
    values: dict[str, Any] = {
        "name": "Pedidos",
        "host": "mail.example",
        "username": "pedidos@olivo.example",
        "secret": "secret",
        "create_customer": True,
    }
    return add_account(organization, **(values | fields))


def collected(account: CollectionAccount, *letters: bytes) -> list[Message]:
    """These octets as the account's server had them: in custody, and through the recipe."""
    folder = Folder.objects.get(account=account)
    vault.put(account.organization_id, [(vault.digest(one), one) for one in letters])
    rows = [_arrival(folder, len(one), sha256=vault.digest(one)) for one in letters]
    return _processed(account, rows)


def oversized(
    account: CollectionAccount, header: bytes, *, size: int, structure: dict[str, Any]
) -> Message:
    """A letter larger than the limit: its header and structure only."""
    folder = Folder.objects.get(account=account)
    name = vault.digest(header)
    vault.put(account.organization_id, [(name, header)])
    row = _arrival(folder, size, header_sha256=name, structure=structure)
    return _processed(account, [row])[0]


def written(
    sender: str = "Eva López <eva@example.com>",
    *,
    subject: str = "",
    body: str = "Hola.",
    head: str = "",
    date: str = "Mon, 02 Nov 2026 10:00:00 +0100",
) -> bytes:
    """A letter, different each time."""
    number = next(_numbers)
    return (
        f"From: {sender}\r\nTo: Tienda <pedidos@olivo.example>\r\n"
        f"Subject: {subject or f'Carta {number}'}\r\nDate: {date}\r\n"
        f"Message-ID: <{number}@mail.example>\r\n{head}\r\n{body}\r\n"
    ).encode()


def filed(customer: Customer | None, organization: Organization, **fields: Any) -> Message:
    """A letter that was filed without octets of any size: for lists of many."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "organization_id": organization.pk,
        "store_id": None,
        "direction": "incoming",
        "kind": "person",
        "sha256": hashlib.sha256(str(number).encode()).hexdigest(),
        "message_id": f"<{number}@many.example>",
        "identity": None,
        "from_name": "Eva",
        "from_address": "eva@example.com",
        "subject": f"Carta {number}",
        "preview": "Hola",
        "date": datetime.fromisoformat("2026-11-02T10:00:00+01:00"),
        "internal_date": None,
        "size": 1000,
        "attachment_count": 0,
    }
    link = reason("sender_of_no_store") if customer else reason("no_customer")
    return file_letter(Letter(**(values | fields)), customer=customer, link=link).message


def evas(cast: Cast, account: CollectionAccount, octets: bytes) -> Message:
    """A letter of a customer of Ana's."""
    if not cast.shop.customers.filter(name="Eva").exists():
        add_customer(cast.shop, addresses=["eva@example.com"], name="Eva", agent=cast.ana)
    return collected(account, octets)[0]


def shown(browser: Client, message: Message) -> str:
    page = browser.get(f"/letters/{message.pk}")
    assert page.status_code == 200
    return page.text


def with_files(*files: tuple[str, str, bytes]) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["Subject"], mail["Message-ID"] = "eva@example.com", "Ficheros", "<f@x>"
    mail.set_content("Van adjuntos.")
    for name, kind, octets in files:
        main, _slash, sub = kind.partition("/")
        mail.add_attachment(octets, maintype=main, subtype=sub, filename=name)
    return bytes(mail)


def _arrival(folder: Folder, size: int, **fields: Any) -> Arrival:
    return Arrival.objects.create(
        organization_id=folder.account.organization_id,
        account=folder.account,
        folder=folder,
        uidvalidity=1,
        uid=next(_numbers),
        size=size,
        **fields,
    )


def _processed(account: CollectionAccount, rows: list[Arrival]) -> list[Message]:
    lease = claim(Duty.objects.get(account=account, kind=Duty.Kind.PROCESS))
    assert lease is not None
    process_once(lease, stop=lambda: False)
    messages = []
    for row in rows:
        row.refresh_from_db()
        assert row.message is not None, row.reason
        messages.append(row.message)
    return messages
