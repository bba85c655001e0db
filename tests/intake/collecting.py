"""What the tests of collecting share: a shop, an account on a real server, one collection."""

from typing import Any

from buzon.desk.models import Organization
from buzon.intake.accounts import add_account
from buzon.intake.models import CollectionAccount, Duty
from buzon.intake.runs import collect_once
from buzon.intake.totals import Totals
from buzon.lease import claim
from tests.servers.dovecot import Dovecot


def never() -> bool:
    """Nobody asks to stop."""
    return False


def account_on(
    dovecot: Dovecot, organization: Organization, login: str, **fields: Any
) -> CollectionAccount:
    """A collection account for this login, over TLS-less loopback unless the fields say so."""
    protocol = fields.pop("protocol", "imap")
    security = fields.pop("security", "none")
    return add_account(
        organization,
        name=fields.pop("name", f"{login} {protocol}"),
        protocol=protocol,
        host=dovecot.host,
        port=dovecot.port(protocol, security),
        security=security,
        username=login,
        secret="secret",
        **fields,
    )


def collect(account: CollectionAccount) -> Totals:
    """One run of the account's collect duty, as fleet and the command line do it."""
    lease = claim(Duty.objects.get(account=account, kind=Duty.Kind.COLLECT))
    assert lease is not None, "somebody else is collecting"
    totals = collect_once(lease, stop=never)
    account.refresh_from_db()
    return totals


def letter(
    sender: str, *, subject: str = "Hola", number: int = 0, extra: str = "", body: str = "Texto."
) -> bytes:
    """A small letter, different for each number."""
    return (
        f"From: {sender}\r\nTo: tienda@shop.example\r\nSubject: {subject}\r\n"
        f"Date: Mon, 02 Nov 2026 10:00:{number % 60:02d} +0100\r\n"
        f"Message-ID: <{number}.{abs(hash(sender))}@mail.example>\r\n{extra}\r\n{body}\r\n"
    ).encode()
