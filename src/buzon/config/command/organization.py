"""`buzon organization …`: the companies that use this installation."""

from argparse import Namespace
from typing import Any

from django.db import transaction

from buzon.config.command import output, scope
from buzon.config.command.parser import Parser, WrongArgument
from buzon.config.command.values import one_of, secret_from, whole
from buzon.desk.alphabet import by_name
from buzon.desk.models import Organization
from buzon.desk.organizations import (
    add_organization,
    organization_named,
    remove_organization,
    resume_organization,
    suspend_organization,
)
from buzon.desk.people import add_administrator


def add_to(parser: Parser) -> None:
    """The verbs. They name the organization themselves, so --organization is not among them."""
    verbs = parser.verbs()
    add = verbs.add("add", "Add an organization", _add, within=False, needs="itself")
    _add_settings(add)
    verbs.add("list", "All organizations", _list, within=False).add_json()
    suspend = verbs.add(
        "suspend", "Collect nothing for it and let nobody in; nothing is lost", _suspend,
        writes=True, within=False,
    )  # fmt: skip
    resume = verbs.add("resume", "End a suspension", _resume, writes=True, within=False)
    remove = verbs.add(
        "remove", "Remove a suspended organization with everything in it, for good", _remove,
        writes=True, within=False,
    )  # fmt: skip
    for verb in (add, suspend, resume, remove):
        verb.add_argument("name", metavar="NAME", help="the organization's name")


def _add_settings(add: Parser) -> None:
    add.add_argument(
        "--language", metavar="L", type=one_of("en", "es"), default="en", help="en or es (en)"
    )
    add.add_argument(
        "--time-zone", metavar="ZONE", default="UTC", help="such as Europe/Madrid (default: UTC)"
    )
    add.add_argument(
        "--max-accounts", metavar="N", type=whole(1, 100_000),
        help="how many collection accounts it may have (default: BUZON_MAX_ACCOUNTS)",
    )  # fmt: skip
    add.add_argument("--administrator", metavar="EMAIL", help="make this administrator's login")
    add.add_argument(
        "--password-file", metavar="FILE", help="the administrator's password, - for standard input"
    )


def _add(options: Namespace) -> None:
    if (options.administrator is None) != (options.password_file is None):
        raise WrongArgument("--administrator and --password-file go together.")
    password = secret_from(options.password_file) if options.password_file else ""
    scope.make(first_organization=None)  # this one is the first
    with transaction.atomic():
        organization = add_organization(
            options.name,
            language=options.language,
            time_zone=options.time_zone,
            max_accounts=options.max_accounts,
        )
        if options.administrator is not None:
            add_administrator(organization, email=options.administrator, password=password)
    print(f"Added the organization {organization.name}.")


def _list(options: Namespace) -> None:
    rows = [_as_json(each) for each in by_name(Organization.objects.all())]
    if options.json:
        output.document(rows)
        return
    headings = ("name", "language", "time zone", "suspended")
    shown = ((r["name"], r["language"], r["time_zone"], r["suspended_at"]) for r in rows)
    output.table(headings, shown, empty="There is no organization: buzon organization add NAME.")


def _as_json(organization: Organization) -> dict[str, Any]:
    return {
        "id": organization.pk,
        "name": organization.name,
        "language": organization.language,
        "time_zone": organization.time_zone,
        "max_accounts": organization.max_accounts,
        "suspended_at": output.stamp(organization.suspended_at),
        "created_at": output.stamp(organization.created_at),
    }


def _suspend(options: Namespace) -> None:
    organization = organization_named(options.name)
    suspend_organization(organization)
    print(f"Suspended {organization.name}: nothing is collected until it is resumed.")


def _resume(options: Namespace) -> None:
    organization = organization_named(options.name)
    resume_organization(organization)
    print(f"Resumed {organization.name}.")


def _remove(options: Namespace) -> None:
    organization = organization_named(options.name)
    if organization.suspended_at is None:
        raise WrongArgument(f"Suspend {organization.name} first: removing is for good.")
    remove_organization(organization)
    print(f"Removed {organization.name} and everything in it.")
