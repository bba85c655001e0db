"""The addresses of a customer, checked and made into rows."""

from buzon.desk.addresses import base_of, fold
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


def checked_addresses(written: list[str]) -> list[str]:
    """The folded form of each. Raises DeskError: none at all, a wrong one, the same one twice."""
    if not written:
        raise DeskError("A customer needs an e-mail address.")
    folded: list[str] = []
    for one in written:
        form = fold(one)
        if not form:
            raise DeskError(f"{one.strip()[:100]!r} is not an e-mail address.")
        if form in folded:
            raise DeskError(f"The address {one.strip()} is given twice.")
        folded.append(form)
    return folded


def place_name(store: Store | None) -> str:
    """Where a customer belongs, for a sentence."""
    return "of no store" if store is None else f"of the store {store.name}"
