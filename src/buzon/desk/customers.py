"""Customers come to exist: from mail with nothing but their address (R8), or by hand; and go."""

from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from buzon.desk.addresses import fold
from buzon.desk.assignment import Giver, by_hand
from buzon.desk.conversations import lock_filing
from buzon.desk.customer_addresses import (
    address_row,
    checked_addresses,
    foreign_store,
    place_name,
    set_addresses,
)
from buzon.desk.customer_lists import Imported, import_csv
from buzon.desk.errors import DeskError, Overtaken
from buzon.desk.events import record
from buzon.desk.keys import Keys
from buzon.desk.models import Agent, Customer, CustomerAddress, Event, Organization, Store
from buzon.desk.senders import Senders
from buzon.desk.text import storable

__all__ = [
    "Imported",
    "add_customer",
    "change_customer",
    "create_from_mail",
    "import_csv",
    "remove_customer",
]
_LONGEST_NAME = 300


def create_from_mail(
    organization_id: int, store_id: int | None, address: str
) -> tuple[Customer, bool]:
    """The customer of this address in this store (or of no store), made if there is none.

    True where it was made: with only the e-mail field filled (R8); to tell of it is the caller's.
    Two collectors that meet the same new sender at once get the same customer: the constraints
    decide, and the savepoint keeps the rest of the transaction. Raises DeskError if it is no
    address.
    """
    senders = Senders(organization_id, store_id, Keys(1, Customer))
    try:
        with transaction.atomic():
            customer = senders.create(address)
            senders.store()
    except Overtaken:
        held = _held(organization_id, store_id, fold(address))
        if held is None:
            raise
        return held, False
    return customer, True


def add_customer(
    organization: Organization,
    *,
    addresses: Iterable[str],
    store: Store | None = None,
    name: str = "",
    agent: Agent | None = None,
    by: Giver = None,
) -> Customer:
    """A customer entered by a person, given to `agent` if there is one.

    Raises DeskError: no address, a wrong one, one that another customer of the store has already,
    a store or an agent of another organization.
    """
    written = list(addresses)
    folded = checked_addresses(written)
    if store is not None and store.organization_id != organization.pk:
        raise DeskError(foreign_store(store), field="store")
    try:
        with transaction.atomic():
            customer = Customer.objects.create(
                organization=organization,
                store=store,
                name=storable(name.strip(), _LONGEST_NAME),
                created_by=Customer.CreatedBy.PERSON,
            )
            CustomerAddress.objects.bulk_create(
                address_row(customer, *both) for both in zip(written, folded, strict=True)
            )
            _tell(customer)
            if agent is not None:
                by_hand(customer, agent, by=by)
    except IntegrityError:
        raise DeskError(_taken(organization, store, folded), field="addresses") from None
    return customer


def change_customer(
    customer: Customer,
    *,
    name: str | None = None,
    addresses: Iterable[str] | None = None,
    agent: Agent | None = None,
    take_away: bool = False,
    by: Giver = None,
) -> Customer:
    """Another name ("" for none), other addresses (all that there are from now on), another agent,
    or none any more (`take_away`); all or nothing. Letters stay linked as they are.

    Raises DeskError: no address, a wrong one, one that another customer of the store has already,
    an agent of another organization or one who is deactivated.
    """
    written = None if addresses is None else list(addresses)
    try:
        with transaction.atomic():
            if name is not None:
                customer.name = storable(name.strip(), _LONGEST_NAME)
                customer.save(update_fields=["name"])
            if written is not None:
                set_addresses(customer, written)
            if agent is not None:
                by_hand(customer, agent, by=by)
            elif take_away and customer.agent_id is not None:
                by_hand(customer, None, by=by)
    except IntegrityError:
        folded = checked_addresses(written or [])
        told = _taken(customer.organization, customer.store, folded, but=customer)
        raise DeskError(told, field="addresses") from None
    return customer


def remove_customer(customer: Customer) -> int:
    """Remove a customer with its addresses, assignments and notifications.

    The letters and conversations stay without a customer; how many letters is returned. Mail that
    comes later from these addresses is an unknown sender's.
    """
    with transaction.atomic():
        # Nobody files meanwhile: a letter would be linked to one who is no longer there.
        lock_filing(customer.organization_id)
        row = Customer.objects.select_for_update().get(pk=customer.pk)
        letters = row.messages.count()
        row.delete()
    return letters


def _tell(customer: Customer) -> None:
    record(
        Event.Kind.CUSTOMER_CREATED,
        organization=customer.organization_id,
        customer=customer,
        data={"created_by": customer.created_by},
    )


def _held(organization_id: int, store_id: int | None, folded: str) -> Customer | None:
    rows = CustomerAddress.objects.filter(
        organization_id=organization_id, store=store_id, folded=folded
    )
    row = rows.select_related("customer__agent").first()
    return row.customer if row else None


def _taken(
    organization: Organization,
    store: Store | None,
    folded: list[str],
    *,
    but: Customer | None = None,
) -> str:
    taken = CustomerAddress.objects.filter(
        organization=organization, store=store, folded__in=folded
    ).exclude(customer=but)
    address = taken.values_list("address", flat=True).first() or folded[0]
    told = _("The address {address} already belongs to a customer {place}.")
    return told.format(address=address, place=place_name(store))
