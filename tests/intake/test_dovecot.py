"""The same against a real Dovecot, whose Maildirs are the witness."""

from collections.abc import Callable

import pytest

from buzon.desk.customers import add_customer
from buzon.desk.models import Message, Organization
from buzon.intake import vault
from buzon.intake.models import CollectionAccount
from tests.intake.collecting import account_on, collect, letter
from tests.intake.scene import KNOWN, STRANGER, check_books
from tests.servers.dovecot import Dovecot

pytestmark = pytest.mark.django_db(transaction=True)
BOTH = pytest.mark.parametrize("protocol", ["imap", "pop3"])


@pytest.fixture
def shop() -> Organization:
    return Organization.objects.create(name="Shop")


@BOTH
@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize("after", ["leave", "delete"])
def test_R6_R9_collected_once_and_exactly_that_is_removed(
    dovecot: Dovecot, login: str, shop: Organization, protocol: str, after: str, *, create: bool
) -> None:
    add_customer(shop, addresses=[KNOWN])
    senders = [KNOWN, STRANGER] * 20
    octets = [letter(sender, number=number) for number, sender in enumerate(senders)]
    for one in octets:
        dovecot.deliver(login, one)
    account = account_on(
        dovecot, shop, login, protocol=protocol, create_customer=create, after=after
    )
    wanted = octets if create else octets[::2]
    totals = collect(account)
    assert (totals.error, totals.listed, totals.filed) == ("", 40, len(wanted))
    assert collect(account).filed == 0
    left = octets if after == "leave" else [one for one in octets if one not in wanted]
    assert dovecot.messages(login) == left
    held = {vault.get(shop.pk, m.sha256) for m in Message.objects.all()}
    assert held == set(wanted)
    check_books(account, len(left))
    if after == "leave" and protocol == "imap":  # by POP3 Dovecot itself marks what it gives
        assert not any("S" in flags for flags in dovecot.flags(login))


def test_a_new_uidvalidity_at_dovecot(dovecot: Dovecot, login: str, shop: Organization) -> None:
    for number in range(10):
        dovecot.deliver(login, letter(KNOWN, number=number))
    account: CollectionAccount = account_on(dovecot, shop, login, create_customer=True)
    collect(account)
    before = account.folders.get().uidvalidity
    validity = str((before or 0) + 1_000)
    dovecot.doveadm("mailbox", "update", "-u", login, "--uid-validity", validity, "INBOX")
    dovecot.deliver(login, letter(STRANGER, number=99))
    totals = collect(account)
    assert (totals.error, totals.filed, totals.listed) == ("", 1, 11)
    assert account.folders.get().uidvalidity == int(validity)
    check_books(account, 11)


@pytest.fixture
def two_logins(fresh_login: Callable[[], str]) -> tuple[str, str]:
    return fresh_login(), fresh_login()


def test_two_accounts_of_one_shop(
    dovecot: Dovecot, two_logins: tuple[str, str], shop: Organization
) -> None:
    for login in two_logins:
        dovecot.deliver(login, letter(KNOWN, number=1))
        collect(account_on(dovecot, shop, login, create_customer=True))
    assert Message.objects.get().arrivals.count() == 2
