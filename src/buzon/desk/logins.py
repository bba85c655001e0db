"""Logins: who can let others in, and what each person chooses for the pages."""

from django.utils.translation import gettext as _

from buzon.desk.errors import DeskError
from buzon.desk.models import Agent, Organization, User

LANGUAGES = ("", "es", "en")  # "": the browser's
APPEARANCES = ("", "light", "dark")  # "": the system's


def has_administrator(organization: Organization | None = None) -> bool:
    """Whether there is an administrator: of this organization, or of any at all."""
    rows = User.objects.filter(role=User.Role.ADMINISTRATOR)
    return (rows if organization is None else rows.filter(organization=organization)).exists()


def login_with_address(organization: Organization, email: str) -> User:
    """The organization's login with this e-mail address, of whichever role. Raises DeskError."""
    found = User.objects.filter(organization=organization, email=email.strip().lower()).first()
    if found is None:
        told = _("There is no login with the address {email}.").format(email=email.strip())
        raise DeskError(told, field="email")
    return found


def choose_pages(user: User, *, language: str, appearance: str) -> User:
    """In which language, and how light, the pages are for this person.

    Raises DeskError for a language or an appearance that there is not.
    """
    if language not in LANGUAGES:
        raise DeskError(_("There is no such language."), field="language")
    if appearance not in APPEARANCES:
        raise DeskError(_("There is no such appearance."), field="appearance")
    user.language, user.appearance = language, appearance
    user.save(update_fields=["language", "appearance"])
    return user


def choose_copies(agent: Agent, copies: str) -> Agent:
    """Of which notifications the agent wants a copy by e-mail (R13). Raises DeskError."""
    if copies not in Agent.Copies.values:
        raise DeskError(_("There is no such kind of copies."), field="copies")
    agent.email_copies = copies
    agent.save(update_fields=["email_copies"])
    return agent
