"""A forgotten password: a link by e-mail, good for an hour and for one new password.

asked (limited, and answered alike whether there is such a login) ─▶ link ─▶ new password: every
session of the login ends
"""

import threading

import structlog
from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import connections
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from buzon.desk.errors import DeskError
from buzon.desk.models import User
from buzon.desk.people import change_password
from buzon.notify.copies import are_set_up, may_be_written_to
from buzon.notify.post import post
from buzon.web.limits import Limit, try_once
from buzon.web.sessions import end_sessions
from buzon.web.signing_in import check_may_sign_in

PER_LOGIN = 3
PER_NETWORK = 20
AT_ONCE = 4  # threads; what is asked for beyond that is dropped, as if there were no such login

log = structlog.get_logger()
_room = threading.BoundedSemaphore(AT_ONCE)

# Its hash holds the password and the last signing in: both make an older link void.
_tokens = PasswordResetTokenGenerator()


def links_are_sent() -> bool:
    """Whether this installation can send a link, and knows the address that it would lead to."""
    return are_set_up() and bool(settings.BUZON_PUBLIC_URL)


def ask_for_link(*, email: str, network: str) -> None:
    """Send a link if there is a login of this address that may sign in; neither the answer nor its
    time tells whether: all of that is done in a thread. Raises TooManyTries.
    """
    email = email.strip().lower()
    login = Limit("forgotten, login", email, PER_LOGIN)
    try_once(login, Limit("forgotten, network", network, PER_NETWORK))
    if not _room.acquire(blocking=False):
        log.warning("forgotten password", outcome="too many at once")
        return
    try:
        threading.Thread(target=_answer, args=[email], name="forgotten", daemon=True).start()
    except BaseException:
        _room.release()
        raise


def login_of_link(pk: int, token: str) -> User | None:
    """Whose password this link may change; None for one that is wrong, used, or too old."""
    user = User.objects.select_related("organization").filter(pk=pk).first()
    return user if user is not None and _tokens.check_token(user, token) else None


def use_link(user: User, password: str) -> User:
    """The new password, with which everybody who is signed in with the old one is signed out.

    Raises DeskError: the login may not sign in, the password is weak.
    """
    check_may_sign_in(user)
    change_password(user, password)
    end_sessions(user)
    return user


def _answer(email: str) -> None:
    """The thread: whatever goes wrong is recorded, and nobody waits for it."""
    try:
        user = User.objects.select_related("organization").filter(email=email).first()
        if user is not None and may_be_written_to(user.email) and _may_sign_in(user):
            _send_link(user)
    except Exception:
        log.exception("forgotten password", outcome="failed")
    finally:
        _room.release()
        connections.close_all()


def _may_sign_in(user: User) -> bool:
    try:
        check_may_sign_in(user)
    except DeskError:
        return False
    return True


def _send_link(user: User) -> None:
    path = reverse("new_password", kwargs={"pk": user.pk, "token": _tokens.make_token(user)})
    with translation.override(user.language or user.organization.language):
        subject = _("A new password for Buzón")
        body = _(
            "Somebody asked for a new password for {email}. If it was you, choose it here within "
            "an hour:\n\n{link}\n\nIf it was not you, there is nothing to do: your password stays "
            "as it is."
        )
        told = body.format(email=user.email, link=settings.BUZON_PUBLIC_URL.rstrip("/") + path)
    post(user.organization, to=user.email, subject=subject, body=told)
