"""Organizations: made, named, suspended, removed."""

import zoneinfo

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from buzon.desk.entries import checked_name, first_use, named, names, taken
from buzon.desk.errors import DeskError
from buzon.desk.models import Organization

_LANGUAGES = ("en", "es")


def add_organization(
    name: str, *, language: str = "en", time_zone: str = "UTC", max_accounts: int | None = None
) -> Organization:
    """A new organization. Raises DeskError: the name is taken, no such language or time zone."""
    name = checked_name(name, _("An organization"))
    _check_language(language)
    _check_time_zone(time_zone)
    if max_accounts is not None and max_accounts < 1:
        told = _("An organization needs at least one collection account allowed.")
        raise DeskError(told, field="max_accounts")
    try:
        with transaction.atomic():
            _check_is_new(name)
            return Organization.objects.create(
                name=name, language=language, time_zone=time_zone, max_accounts=max_accounts
            )
    except IntegrityError:
        raise _taken(name) from None


def change_organization(
    organization: Organization, *, name: str, language: str, time_zone: str
) -> Organization:
    """Its name, the language of its e-mails, the time zone of its pages.

    Raises DeskError: the name is taken, no such language or time zone.
    """
    name = checked_name(name, _("An organization"))
    _check_language(language)
    _check_time_zone(time_zone)
    try:
        with transaction.atomic():
            _check_is_new(name, but=organization)
            Organization.objects.filter(pk=organization.pk).update(
                name=name, language=language, time_zone=time_zone
            )
    except IntegrityError:
        raise _taken(name) from None
    organization.refresh_from_db()
    return organization


def organization_named(name: str | None) -> Organization:
    """The organization of this name; without a name, the only one.

    Raises DeskError: there is none, or no name was given and there are several.
    """
    if name is not None:
        found = named(Organization.objects.all(), name)
        if found is None:
            told = _("There is no organization {name!r}.").format(name=name)
            raise DeskError(told + names(_all_names()), field="name")
        return found
    first_two = list(Organization.objects.order_by("pk")[:2])
    if not first_two:
        told = _("There is no organization yet; `buzon organization add NAME` makes one.")
        raise DeskError(told)
    if len(first_two) > 1:
        told = _("Say which organization is meant: --organization NAME.")
        raise DeskError(told + names(_all_names()))
    return first_two[0]


def suspend_organization(organization: Organization) -> None:
    """Nothing is collected for it and nobody signs in until it is resumed; nothing is lost."""
    if organization.suspended_at is None:
        organization.suspended_at = timezone.now()
        organization.save(update_fields=["suspended_at"])


def resume_organization(organization: Organization) -> None:
    """The end of a suspension."""
    organization.suspended_at = None
    organization.save(update_fields=["suspended_at"])


def remove_organization(organization: Organization) -> None:
    """Remove it with everything that belongs to it, for good.

    Raises DeskError where it is in use and was not suspended first: a slip must not cost a shop
    its mail.
    """
    with transaction.atomic():
        row = Organization.objects.select_for_update().get(pk=organization.pk)
        use = first_use(row, but=frozenset({"User", "Round"}))
        if use and row.suspended_at is None:
            told = _(
                "The organization {name} has {use}; removing it removes them for good. "
                "Suspend it first if that is meant."
            )
            raise DeskError(told.format(name=row.name, use=use))
        row.delete()


def _check_is_new(name: str, *, but: Organization | None = None) -> None:
    """As `lock_names` for what is in one: here the oldest organization stands for all of them."""
    rows = Organization.objects.select_for_update(no_key=True)
    rows.order_by("pk").values_list("pk").first()
    same = taken(Organization.objects.all(), name, but=but)
    if same:
        raise _taken(same)


def _check_language(language: str) -> None:
    if language not in _LANGUAGES:
        told = _("The language must be one of {known}, not {language!r}.")
        known = ", ".join(_LANGUAGES)
        raise DeskError(told.format(known=known, language=language), field="language")


def _check_time_zone(time_zone: str) -> None:
    if time_zone not in zoneinfo.available_timezones():
        told = _("There is no time zone {time_zone!r}; write one like Europe/Madrid.")
        raise DeskError(told.format(time_zone=time_zone), field="time_zone")


def _taken(name: str) -> DeskError:
    told = _("There is already an organization {name}.").format(name=name)
    return DeskError(told, field="name")


def _all_names() -> list[str]:
    return list(Organization.objects.values_list("name", flat=True))
