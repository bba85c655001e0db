"""The shop's beginning: who has the code makes the first administrator, and names the people.

code ─▶ the first organization named, its administrator made ═COMMIT═ ─▶ code forgotten
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext as _

from buzon.desk.entries import named
from buzon.desk.errors import DeskError
from buzon.desk.logins import has_administrator
from buzon.desk.models import AgentGroup, Organization, User
from buzon.desk.organizations import add_organization, change_organization
from buzon.desk.people import add_administrator, add_agent, add_group, let_answer
from buzon.intake.models import CollectionAccount
from buzon.web import wiring
from buzon.web.limits import Limit, forgive, try_once
from buzon.web.new_passwords import made_password
from buzon.web.setup_code import forget_setup_code, is_setup_code, there_is_a_setup_code

PER_NETWORK = 10


@dataclass(frozen=True, slots=True)
class NewAgent:
    """Whom to hand a first password to; it is nowhere else."""

    name: str
    email: str
    password: str = field(repr=False)


def is_open() -> bool:
    """Whether the first administrator of the shop is still to be made: while there is none at all,
    or while somebody only tries the demonstration shop.
    """
    if not has_administrator():
        return True
    shop = _first_organization()
    return there_is_a_setup_code() and shop is not None and not has_administrator(shop)


def set_up_shop(
    *, code: str, network: str, email: str, password: str, name: str, language: str, time_zone: str
) -> User:
    """Name the first organization, and make its administrator. Raises DeskError: a wrong code, too
    many of them, whatever is wrong with the rest.
    """
    check_code(code, network)
    with transaction.atomic():
        shop = _first_organization(for_update=True)
        if shop is not None and has_administrator(shop):
            raise DeskError(_("Somebody else set up the shop a moment ago: sign in."), field="code")
        if shop is None:
            shop = add_organization(name, language=language, time_zone=time_zone)
        else:
            change_organization(shop, name=name, language=language, time_zone=time_zone)
        user = add_administrator(shop, email=email, password=password)
    forget_setup_code()
    return user


def check_code(code: str, network: str) -> None:
    """Raises DeskError where it is not the one that the terminal shows, or after too many tries."""
    counted = try_once(Limit("setup code", network, PER_NETWORK))
    if not is_setup_code(code):
        told = _(
            "This is not the code. It stands in the terminal in which Buzón was started, and in "
            "the file setup-code of its data folder."
        )
        raise DeskError(told, field="code")
    forgive(counted)


def add_people(
    administrator: User, *, group: str, own_name: str, rows: list[tuple[int, str, str]]
) -> list[NewAgent]:
    """Agents with a login each, in one group, which is made where there is none of that name; with
    `own_name` the administrator answers too. All of them, or none.

    `rows` are (number, name, e-mail). Raises DeskError, whose field is "name_2" for row 2.
    """
    shop = administrator.organization
    with transaction.atomic():
        joined = _group(shop, group)
        if own_name:
            with _told_at(name="own_name"):
                let_answer(administrator, name=own_name, groups=[joined])
        return [_added(shop, joined, row) for row in rows]


def may_try_demonstration(organization: Organization) -> bool:
    """For an administrator: while the only shop of this installation collects nothing yet."""
    if wiring.demonstration is None or organization != _first_organization():
        return False
    return not CollectionAccount.objects.filter(organization=organization).exists()


def demonstration() -> tuple[User, str]:
    """The administrator's login of the demonstration shop, which is running from now on at the
    latest, and the password of all its logins. Raises DeskError where it cannot run.
    """
    if wiring.demonstration is None:
        raise DeskError(_("The demonstration shop is started with make demo."))
    email, password = wiring.demonstration()
    return User.objects.get(email=email), password


def demonstration_with(*, code: str, network: str) -> tuple[User, str]:
    """Likewise, for whoever has the set-up code. Raises DeskError."""
    check_code(code, network)
    return demonstration()


def _first_organization(*, for_update: bool = False) -> Organization | None:
    rows = Organization.objects.select_for_update() if for_update else Organization.objects.all()
    return rows.order_by("pk").first()


def _group(shop: Organization, name: str) -> AgentGroup:
    found = named(AgentGroup.objects.filter(organization=shop), name)
    if found is not None:
        return found
    with _told_at(name="group"):
        return add_group(shop, name)


def _added(shop: Organization, group: AgentGroup, row: tuple[int, str, str]) -> NewAgent:
    number, name, email = row
    password = made_password()
    with _told_at(name=f"name_{number}", email=f"email_{number}"):
        agent = add_agent(shop, name=name, email=email, groups=[group], password=password)
    return NewAgent(agent.name, agent.email, password)


@contextmanager
def _told_at(**fields: str) -> Iterator[None]:
    """A refusal of a verb's argument, told next to the field of the page that it came from."""
    try:
        yield
    except DeskError as refusal:
        refusal.field = fields.get(refusal.field, refusal.field)
        raise
