"""Which installation, which organization, and the accounts in it by name. Nothing is ever looked
up outside the organization.
"""

from argparse import Namespace

from django.conf import settings

from buzon.config import logs
from buzon.config.command.output import note
from buzon.config.command.parser import WrongArgument
from buzon.config.installation import FIRST_ORGANIZATION, FirstStart, open_installation
from buzon.desk.entries import named, names
from buzon.desk.models import Organization
from buzon.desk.organizations import organization_named
from buzon.intake.models import CollectionAccount


def open_for(options: Namespace) -> None:
    """Check the installation, and for a command that writes make it where there is none.

    A first organization gets the name of --organization. Raises InstallationError.
    """
    level = settings.BUZON_LOG_LEVEL
    logs.set_up(level="warning" if level == "info" else level)
    if options.writes:
        named = getattr(options, "organization", None)
        make(first_organization=named or FIRST_ORGANIZATION)
    else:
        open_installation(create=False)


def make(*, first_organization: str | None) -> None:
    """Make what is missing, with no organization where None; the first login is told once."""
    first = open_installation(create=True, organization=first_organization)
    if first is not None:
        _tell(first)


def _tell(first: FirstStart) -> None:
    # stderr: stdout is for what the command was asked for.
    if not first.email:
        note(
            f"A new installation in {settings.BUZON_DATA_DIR}, with the organization "
            f"{first.organization}; buzon up shows where its administrator is made."
        )
        return
    note(f"A new installation in {settings.BUZON_DATA_DIR}. Keep this; it is not shown again:")
    note(f"  organization   {first.organization}")
    note(f"  administrator  {first.email}")
    note(f"  password       {first.password}")


def organization_of(options: Namespace) -> Organization:
    """The one that was named, or the only one. Raises DeskError."""
    return organization_named(options.organization)


def account_of(organization: Organization, name: str) -> CollectionAccount:
    """By its name. Raises WrongArgument."""
    rows = CollectionAccount.objects.filter(organization=organization)
    found = named(rows, name)
    if found is None:
        known = names(list(rows.values_list("name", flat=True)))
        raise WrongArgument(f"There is no collection account {name!r}.{known}")
    return found
