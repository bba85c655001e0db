"""The addresses of a customer, checked and made into rows."""

from django.utils.translation import gettext as _

from buzon.desk.addresses import base_of, fold
from buzon.desk.entries import no_address
from buzon.desk.errors import DeskError
from buzon.desk.models import Customer, CustomerAddress, Store


def address_row(customer: Customer, address: str, folded: str) -> CustomerAddress:
    """The row of one address of this customer, not yet saved."""
    return CustomerAddress(
        organization_id=customer.organization_id,
        store_id=customer.store_id,
        customer=customer,
        address=address.strip(),
        folded=folded,
        base=base_of(folded),
    )


def set_addresses(customer: Customer, written: list[str]) -> None:
    """From now on the customer has these addresses and no others; what stays keeps its row.

    Raises DeskError as `checked_addresses` does, IntegrityError where somebody else of the same
    store has one of them.
    """
    wanted = dict(zip(checked_addresses(written), written, strict=True))
    held = {row.folded: row for row in customer.addresses.select_for_update()}
    customer.addresses.exclude(folded__in=wanted).delete()
    for folded, address in wanted.items():
        row = held.get(folded) or address_row(customer, address, folded)
        if row.pk is None or row.address != address.strip():
            row.address = address.strip()
            row.save()


def checked_addresses(written: list[str]) -> list[str]:
    """The folded form of each. Raises DeskError: none at all, a wrong one, the same one twice."""
    if not written:
        raise DeskError(_("A customer needs an e-mail address."), field="addresses")
    folded: list[str] = []
    for one in written:
        form = fold(one)
        if not form:
            raise DeskError(no_address(one), field="addresses")
        if form in folded:
            told = _("The address {address} is given twice.").format(address=one.strip())
            raise DeskError(told, field="addresses")
        folded.append(form)
    return folded


def place_name(store: Store | None) -> str:
    """Where a customer belongs, for a sentence."""
    return _("of no store") if store is None else _("of the store {name}").format(name=store.name)


def foreign_store(store: Store) -> str:
    """The sentence that refuses another organization's store."""
    return _("The store {name} belongs to another organization.").format(name=store.name)
