"""Removing what other rooms refer to, which the desk does not import."""

import re

import pytest

from buzon.desk.customers import add_customer
from buzon.desk.errors import DeskError
from buzon.desk.events import record
from buzon.desk.filing import file_letter
from buzon.desk.models import AgentGroup, Organization, Store
from buzon.desk.organizations import remove_organization, suspend_organization
from buzon.desk.people import remove_group
from buzon.desk.stores import add_store, remove_store
from buzon.intake.models import Arrival, CollectionAccount, Duty, Folder, RawMessage
from buzon.notify.models import Notification, Round
from tests.desk import cast

pytestmark = pytest.mark.django_db


def _account(shop: Organization, store: Store | None, group: AgentGroup) -> CollectionAccount:
    return CollectionAccount.objects.create(
        organization=shop, name="info", store=store, group=group, host="mail.x.es", port=993,
        username="info", secret=b"",
    )  # fmt: skip


def test_a_store_that_has_a_collection_account_is_not_removed() -> None:
    shop = cast.organization()
    store = add_store(shop, "Madrid")
    account = _account(shop, store, cast.group(shop))
    sentence = "The store Madrid has collection accounts; move or remove them first"
    with pytest.raises(DeskError, match=re.escape(sentence)):
        remove_store(store)
    account.delete()
    remove_store(store)
    assert not Store.objects.exists()


def test_a_group_that_a_collection_account_hands_out_to_is_not_removed() -> None:
    shop = cast.organization()
    group = cast.group(shop)
    account = _account(shop, None, group)
    with pytest.raises(DeskError, match="is used by collection accounts; give them another"):
        remove_group(group)
    account.delete()
    remove_group(group)
    assert not AgentGroup.objects.exists()


def test_an_organization_goes_with_its_accounts_ledger_octets_and_notifications() -> None:
    for shop in (cast.organization(), cast.organization()):
        store, group = add_store(shop, "Madrid"), cast.group(shop)
        agent = cast.agent(shop, group)
        customer = add_customer(shop, addresses=["ana@x.es"], store=store)
        message = file_letter(cast.letter(shop, store), customer=customer, link={}).message
        account = _account(shop, store, group)
        folder = Folder.objects.create(account=account, name="INBOX")
        Duty.objects.create(account=account, kind="collect")
        Arrival.objects.create(
            organization=shop, account=account, folder=folder, uidvalidity=1, uid=1, message=message
        )
        RawMessage.objects.create(organization=shop, sha256="a" * 64, octets=b"x", size=1)
        event = record("message_received", organization=shop, message=message)
        Notification.objects.create(
            organization=shop, kind="message_received", agent=agent, event=event, message=message
        )
        Round.objects.create(organization=shop)
    suspend_organization(shop)
    remove_organization(shop)
    for model in (
        Organization, Store, CollectionAccount, Folder, Duty, Arrival, RawMessage, Notification,
        Round,
    ):  # fmt: skip
        assert model._base_manager.count() == 1
