"""Signed in, from which browsers; and the end of it.

begin ─▶ heard (now and then) ─▶ end · end_session · end_sessions · 14 days without a visit
"""

from datetime import timedelta

from django.contrib.auth import BACKEND_SESSION_KEY, login, logout, update_session_auth_hash
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from buzon.desk.models import Agent, User
from buzon.web.browsers import browser_of
from buzon.web.limits import address_of, network_of
from buzon.web.models import SignIn

_BACKEND = "django.contrib.auth.backends.ModelBackend"
_NOTED_EVERY = timedelta(minutes=5)
REMEMBERED = timedelta(days=180)  # how long a place where somebody signed in is a known one
_NOTED_AT = "noted_at"


def begin(request: HttpRequest, user: User) -> None:
    """This browser is signed in as `user`, in a session with a new key."""
    sweep()
    _end_row_of(request)
    login(request, user, backend=_BACKEND)
    now = timezone.now()
    request.session[_NOTED_AT] = now.timestamp()
    SignIn.objects.create(
        user=user,
        session_key=request.session.session_key or "",
        started_at=now,
        seen_at=now,
        browser=browser_of(request.headers.get("User-Agent", "")),
        address=address_of(request),
        network=network_of(request),
    )


def heard(request: HttpRequest) -> None:
    """A signed-in page was asked for: noted every few minutes, and the session goes on from now."""
    now = timezone.now()
    noted = request.session.get(_NOTED_AT)
    if noted is not None and 0 <= now.timestamp() - noted < _NOTED_EVERY.total_seconds():
        return
    request.session[_NOTED_AT] = now.timestamp()
    SignIn.objects.filter(session_key=request.session.session_key, ended_at=None).update(
        seen_at=now, address=address_of(request)
    )


def end(request: HttpRequest) -> None:
    """This browser is signed out, and its agent is not present any more."""
    user = request.user
    _end_row_of(request)
    logout(request)
    if isinstance(user, User):
        _no_longer_present(user)


def open_sessions(user: User) -> "QuerySet[SignIn]":
    """Where this login is signed in now, the latest seen first."""
    alive = Session.objects.filter(expire_date__gt=timezone.now()).values("session_key")
    rows = SignIn.objects.filter(user=user, ended_at=None, session_key__in=alive)
    return rows.order_by("-seen_at", "-pk")


def end_session(row: SignIn) -> None:
    """The browser of that row is signed out with its next request."""
    _end(SignIn.objects.filter(pk=row.pk))
    if not open_sessions(row.user).exists():
        _no_longer_present(row.user)


def end_other_sessions(request: HttpRequest, user: User) -> int:
    """All of this login's but the one that asks; how many."""
    others = SignIn.objects.filter(user=user, ended_at=None)
    return _end(others.exclude(session_key=request.session.session_key or ""))


def end_sessions(user: User) -> int:
    """All of this login's, and its agent is not present any more; how many."""
    ended = _end(SignIn.objects.filter(user=user, ended_at=None))
    _no_longer_present(user)
    return ended


def keep_after_new_password(request: HttpRequest, user: User) -> None:
    """The password changed: every other session of the login ends, this one goes on."""
    row = SignIn.objects.filter(session_key=request.session.session_key or "", user=user)
    kept = list(row.values_list("pk", flat=True))
    update_session_auth_hash(request, user)
    SignIn.objects.filter(pk__in=kept).update(session_key=request.session.session_key or "")
    end_other_sessions(request, user)


def sweep() -> None:
    """What has expired, and is not needed any more, goes."""
    now = timezone.now()
    Session.objects.filter(expire_date__lte=now).delete()
    SignIn.objects.filter(seen_at__lte=now - REMEMBERED).delete()


def _end(rows: "QuerySet[SignIn]") -> int:
    keys = list(rows.values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    return SignIn.objects.filter(session_key__in=keys, ended_at=None).update(
        ended_at=timezone.now()
    )


def _end_row_of(request: HttpRequest) -> None:
    """Of the session that this browser has so far, if it was somebody's."""
    if BACKEND_SESSION_KEY in request.session:
        _end(SignIn.objects.filter(session_key=request.session.session_key or ""))


def _no_longer_present(user: User) -> None:
    agent = Agent.objects.filter(user=user).first()
    if agent is not None:
        agent.signed_out()
