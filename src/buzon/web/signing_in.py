"""Whose e-mail address and password these are, told to nobody who only guesses.

counted as a try ─▶ hashed, whether there is such a login or not ─▶ right ─▶ may this login in?
"""

from django.contrib.auth.hashers import make_password
from django.utils.translation import gettext as _

from buzon.desk.errors import DeskError
from buzon.desk.models import Agent, User
from buzon.web.limits import Limit, forgive, try_once
from buzon.web.models import SignIn

PER_LOGIN = 10
PER_NETWORK = 50


def login_with(*, email: str, password: str, network: str) -> User:
    """The login of this pair, which may sign in.

    Raises DeskError: one sentence for every wrong pair, another for too many tries; and only for a
    right pair, why this login may not in all the same.
    """
    email = email.strip().lower()
    counted = try_once(*_limits(email, network))
    user = User.objects.select_related("organization").filter(email=email).first()
    if not _fits(user, password) or user is None:
        raise DeskError(_("This e-mail address and this password do not belong together."))
    forgive(counted)
    check_may_sign_in(user)
    return user


def check_may_sign_in(user: User) -> None:
    """Raises DeskError for a suspended organization, a login or an agent that is not active."""
    if user.organization.suspended_at is not None:
        told = _("{organization} is suspended: nobody can sign in until it is resumed.")
        raise DeskError(told.format(organization=user.organization.name))
    works = Agent.objects.filter(user=user, active=True).exists()
    if not user.is_active or not (works or user.role == User.Role.ADMINISTRATOR):
        raise DeskError(_("This login is not active any more. Ask an administrator of the shop."))


def _limits(email: str, network: str) -> list[Limit]:
    limits = [Limit("network", network, PER_NETWORK)]
    # Where this person signed in before, a stranger's wrong tries elsewhere keep nobody out.
    if not SignIn.objects.filter(user__email=email, network=network).exists():
        limits.append(Limit("login", email, PER_LOGIN))
    return limits


def _fits(user: User | None, password: str) -> bool:
    if user is None:
        make_password(password)  # as long as looking at a real one takes
        return False
    return user.check_password(password)
