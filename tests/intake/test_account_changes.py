"""A collection account that is changed, resumed or removed."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from buzon.desk.models import Organization
from buzon.intake.accounts import (
    AccountError,
    add_account,
    change_account,
    credentials_of,
    remove_account,
    resume_account,
)
from buzon.intake.models import Arrival, CollectionAccount, Duty
from tests.intake.rows import REQUIRED, arrival, arrive, with_name


def test_change_only_what_is_given(shop: Organization) -> None:
    account = add_account(shop, **REQUIRED, address="shop@example.com")
    # A collector writes meanwhile.
    CollectionAccount.objects.filter(pk=account.pk).update(state="throttled", failures=3)
    change_account(account, host="pop.example.com", notify_agent=False)
    account.refresh_from_db()
    assert (account.host, account.notify_agent) == ("pop.example.com", False)
    assert (account.address, account.state, account.failures) == (
        "shop@example.com",
        "throttled",
        3,
    )
    assert credentials_of(account).secret == "s3cret"


def test_change_is_tried_at_once(shop: Organization) -> None:
    account = add_account(shop, **REQUIRED)
    later = timezone.now() + timedelta(hours=1)
    account.duties.update(due_at=later)
    change_account(account)
    assert {duty.due_at for duty in Duty.objects.all()} == {later}
    change_account(account, secret="n3w")
    assert all(duty.due_at <= timezone.now() for duty in Duty.objects.all())
    account.refresh_from_db()
    assert credentials_of(account).secret == "n3w"


def test_change_keeps_the_port_unless_it_was_the_usual_one(shop: Organization) -> None:
    account = add_account(shop, **REQUIRED)
    assert change_account(account, security="starttls").port == 143
    assert change_account(account, port=1143).port == 1143
    assert change_account(account, security="tls").port == 1143


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"port": 70_000}, "1 to 65535"),
        ({"protocol": "pop3", "after": "read"}, "cannot mark"),
        ({"name": "b"}, "already"),
        ({"secret": ""}, "password is empty"),
        ({"folders": []}, "at least one"),
    ],
)
def test_a_wrong_change_changes_nothing(
    shop: Organization, changes: dict[str, Any], told: str
) -> None:
    account = add_account(shop, **REQUIRED)
    add_account(shop, **(REQUIRED | {"name": "b"}))
    before = CollectionAccount.objects.filter(pk=account.pk).values().get()
    with pytest.raises(AccountError, match=told):
        change_account(account, host="other.example.com", **changes)
    assert CollectionAccount.objects.filter(pk=account.pk).values().get() == before


def test_what_the_first_look_decided_stays(shop: Organization) -> None:
    """R4: the window of an account is set at its first collection."""
    account = add_account(shop, **REQUIRED)
    change_account(account, start="now")
    account.folders.update(baseline_at=timezone.now())
    with pytest.raises(AccountError, match="first collection"):
        change_account(account, start="all")
    with pytest.raises(AccountError, match="protocol cannot change"):
        change_account(account, protocol="pop3")
    assert change_account(account, start="now", host="new.example.com").host == "new.example.com"


def test_folders_are_replaced_and_the_others_keep_their_cursor(shop: Organization) -> None:
    account = add_account(shop, **REQUIRED, folders=["INBOX", "Ventas"], sent_folders=["Enviados"])
    account.folders.filter(name="INBOX").update(high=7)
    row = arrival(account, "filed", folder=account.folders.get(name="Ventas"))
    account.folders.filter(name="Ventas").update(baseline_at=timezone.now())
    change_account(account, folders=["INBOX", "Clientes"])
    assert set(account.folders.values_list("name", "role", "high")) == {
        ("INBOX", "inbox", 7),
        ("Clientes", "inbox", 0),
        ("Enviados", "sent", 0),
    }
    row.refresh_from_db()
    assert row.gone_at is not None
    change_account(account, sent_folders=[])
    assert not account.folders.filter(role="sent").exists()


def test_resume_after_a_stop_accepts_the_renumbering(shop: Organization) -> None:
    account = add_account(shop, **REQUIRED)
    CollectionAccount.objects.filter(pk=account.pk).update(
        state="stopped", state_reason={"code": "x"}, failures=4
    )
    account.duties.update(due_at=None)
    resume_account(account)
    account.refresh_from_db()
    assert (account.state, account.state_reason, account.failures) == ("working", {}, 0)
    assert account.accept_renumbering
    assert all(duty.due_at for duty in account.duties.all())


def test_resume_after_a_rejected_login_accepts_nothing_else(shop: Organization) -> None:
    account = add_account(shop, **REQUIRED)
    CollectionAccount.objects.filter(pk=account.pk).update(state="rejected")
    resume_account(account)
    account.refresh_from_db()
    assert account.state == "working"
    assert not account.accept_renumbering


def test_remove_takes_the_ledger_and_nothing_of_the_other_account(shop: Organization) -> None:
    account, other = add_account(shop, **REQUIRED), add_account(shop, **with_name(1))
    arrive(account, 2)
    arrive(other, 1)
    assert remove_account(account).arrivals == 2
    assert list(CollectionAccount.objects.all()) == [other]
    assert Arrival.objects.get().account == other
    assert Duty.objects.count() == 2
