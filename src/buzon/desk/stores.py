"""Stores of an organization: added, named, removed."""

from django.db import IntegrityError, transaction

from buzon.desk.entries import checked_name, first_use, named, names, taken
from buzon.desk.errors import DeskError
from buzon.desk.models import Organization, Store


def add_store(organization: Organization, name: str) -> Store:
    """A new store. Raises DeskError where the name is taken or makes no sense."""
    name = checked_name(name, "A store")
    same = taken(Store.objects.filter(organization=organization), name)
    if same:
        raise DeskError(f"There is already a store {same}.")
    try:
        with transaction.atomic():
            return Store.objects.create(organization=organization, name=name)
    except IntegrityError:
        raise DeskError(f"There is already a store {name}.") from None


def store_named(organization: Organization, name: str) -> Store:
    """The organization's store of this name. Raises DeskError."""
    found = named(Store.objects.filter(organization=organization), name)
    if found is None:
        known = Store.objects.filter(organization=organization).values_list("name", flat=True)
        raise DeskError(f"There is no store {name!r}.{names(list(known))}")
    return found


def remove_store(store: Store) -> None:
    """Remove a store that nothing belongs to.

    Raises DeskError where it has collection accounts, customers or letters: their mail would have
    no home, and the addresses of its customers could clash with others'.
    """
    with transaction.atomic():
        row = Store.objects.select_for_update().get(pk=store.pk)
        use = first_use(row)
        if use:
            raise DeskError(
                f"The store {row.name} has {use}; move or remove them first, then the store."
            )
        row.delete()
