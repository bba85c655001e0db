"""The preview for a person who waits at a page: a thread asks, and the page looks now and then.

    page ──begin──▶ thread: look        page ──state──▶ so many headers of so many ⟲
                                             └────────▶ the preview, or why there is none

One at a time for an organization; what came is kept for a while, in this process alone: another one
knows nothing of it, and the person asks again.
"""

import secrets
import threading
from collections.abc import Iterable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from django.utils.translation import gettext as _

from buzon.desk.keyring import KeyringError
from buzon.desk.models import Organization
from buzon.desk.reasons import error_sentence
from buzon.intake.account_values import AccountError
from buzon.intake.accounts import checked_values, credentials_of
from buzon.intake.models import CollectionAccount, Folder
from buzon.intake.preview import Look, Preview, foretell, look
from buzon.intake.secret_use import check_secret_use
from buzon.wire.endpoint import Credentials
from buzon.wire.errors import MailError

KEPT = 600.0  # seconds
_MOST = 100


@dataclass(frozen=True, slots=True)
class State:
    """How far it is: headers read, of how many; then the preview, or a sentence why not."""

    done: int
    total: int
    preview: Preview | None = None
    failed: str = ""

    @property
    def is_over(self) -> bool:
        return self.preview is not None or bool(self.failed)


@dataclass(slots=True)
class _Job:
    organization: int
    account: CollectionAccount
    began: float = field(default_factory=monotonic)
    done: int = 0
    total: int = 0
    answer: "Future[Look]" = field(default_factory=Future)

    def heard(self, done: int, total: int) -> None:
        self.done, self.total = done, total


_jobs: dict[str, _Job] = {}
_guard = threading.Lock()


def begin(
    organization: Organization,
    *,
    secret: str | None,
    folders: Iterable[str],
    sent_folders: Iterable[str],
    saved: CollectionAccount | None = None,
    **fields: Any,
) -> str:
    """Ask for values that are not saved; `fields` as for `add_account`; `secret` None is that of
    `saved`, which goes only where it was given for. Returns the name under which `state` tells.
    Raises AccountError, with all that is wrong, or where another is under way.
    """
    clean, roles = checked_values(
        organization,
        secret=secret,
        folders=folders,
        sent_folders=sent_folders,
        **(fields | {"name": "-"}),  # a person may ask before thinking of one
    )
    account = CollectionAccount(organization=organization, **clean)
    if secret is None and saved is not None:
        check_secret_use(saved, clean)
        account.pk, account.secret = saved.pk, saved.secret
    job = _Job(organization.pk, account)
    rows = [Folder(name=folder, role=role) for folder, role in roles.items()]
    credentials = _credentials(account, secret)
    name = _enter(job)
    arguments = (job, rows, credentials)
    threading.Thread(target=_ask, args=arguments, name="preview", daemon=True).start()
    return name


def state(organization: Organization, name: str, *, seconds: float = 0.0) -> State | None:
    """How far that one is, after waiting so many seconds for it; None where it is not known."""
    job = _jobs.get(name)
    if job is None or job.organization != organization.pk:
        return None
    wait([job.answer], timeout=seconds)
    if not job.answer.done():
        return State(job.done, job.total)
    try:
        return State(job.done, job.total, foretell(job.account, job.answer.result()))
    except MailError as error:
        return State(job.done, job.total, failed=error_sentence(error))


def _credentials(account: CollectionAccount, secret: str | None) -> Credentials:
    if secret is not None:
        return Credentials(username=account.username, secret=secret)
    try:
        return credentials_of(account)
    except KeyringError as error:
        raise AccountError(error_sentence(error), field="secret") from error


def _enter(job: _Job) -> str:
    with _guard:
        now = monotonic()
        for name, other in list(_jobs.items()):
            if other.answer.done() and (now - other.began > KEPT or len(_jobs) >= _MOST):
                del _jobs[name]
        mine = [other for other in _jobs.values() if other.organization == job.organization]
        if any(not other.answer.done() for other in mine):
            raise AccountError(_("Another preview is still under way: try again in a minute."))
        name = secrets.token_urlsafe(16)
        _jobs[name] = job
        return name


def _ask(job: _Job, folders: list[Folder], credentials: Credentials) -> None:
    try:
        job.answer.set_result(look(job.account, folders, credentials, job.heard))
    except BaseException as error:  # noqa: BLE001  # raised again by whoever asks how far it is
        job.answer.set_exception(error)
