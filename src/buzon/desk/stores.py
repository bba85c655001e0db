"""Stores of an organization: added, named, removed."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from buzon.desk.entries import checked_name, first_use, lock_names, named, names, taken
from buzon.desk.errors import DeskError
from buzon.desk.models import Organization, Store


def add_store(organization: Organization, name: str) -> Store:
    """A new store. Raises DeskError where the name is taken or makes no sense."""
    name = checked_name(name, _("A store"))
    try:
        with transaction.atomic():
            _check_is_new(organization.pk, name)
            return Store.objects.create(organization=organization, name=name)
    except IntegrityError:
        raise _taken(name) from None


def store_named(organization: Organization, name: str) -> Store:
    """The organization's store of this name. Raises DeskError."""
    found = named(Store.objects.filter(organization=organization), name)
    if found is None:
        known = Store.objects.filter(organization=organization).values_list("name", flat=True)
        told = _("There is no store {name!r}.").format(name=name)
        raise DeskError(told + names(list(known)), field="store")
    return found


def rename_store(store: Store, name: str) -> Store:
    """Raises DeskError where the name is taken or makes no sense."""
    name = checked_name(name, _("A store"))
    try:
        with transaction.atomic():
            _check_is_new(store.organization_id, name, but=store)
            Store.objects.filter(pk=store.pk).update(name=name)
    except IntegrityError:
        raise _taken(name) from None
    store.name = name
    return store


def remove_store(store: Store) -> None:
    """Remove a store that nothing belongs to.

    Raises DeskError where it has collection accounts, customers or letters: their mail would have
    no home, and the addresses of its customers could clash with others'.
    """
    with transaction.atomic():
        row = Store.objects.select_for_update().get(pk=store.pk)
        if keeps := why_it_stays(row):
            raise DeskError(keeps)
        row.delete()


def why_it_stays(store: Store) -> str:
    """The sentence that `remove_store` refuses with, "" where nothing belongs to the store."""
    use = first_use(store)
    told = _("The store {name} has {use}; move or remove them first, then the store.")
    return told.format(name=store.name, use=use) if use else ""


def _check_is_new(organization_id: int, name: str, *, but: Store | None = None) -> None:
    lock_names(organization_id)
    same = taken(Store.objects.filter(organization=organization_id), name, but=but)
    if same:
        raise _taken(same)


def _taken(name: str) -> DeskError:
    return DeskError(_("There is already a store {name}.").format(name=name), field="name")
