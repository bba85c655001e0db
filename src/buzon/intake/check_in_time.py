"""The connection doctor for a person who waits at a page: with a deadline, and one at a time.

    page ──▶ thread: check_values ──▶ steps        the page waits CHECK_SECONDS at most, and then
                                                   shows the steps so far

A server may let us wait at every step. The thread ends by the deadlines of the wire; until then its
organization gets no second one in this process, so that impatience cannot use up its threads.
"""

import threading
from collections.abc import Iterable
from concurrent.futures import Future, wait
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from buzon.desk.models import Organization
from buzon.intake.account_values import AccountError, default_port
from buzon.intake.accounts import FIELDS, checked_values
from buzon.intake.check import check_values, to_do_when_silent
from buzon.intake.check_step import Step
from buzon.intake.models import CollectionAccount, Folder
from buzon.intake.secret_use import check_secret_use

CHECK_SECONDS = 50.0

_under_way: set[int] = set()
_guard = threading.Lock()


def check_form(
    organization: Organization,
    *,
    secret: str | None,
    folders: Iterable[str],
    sent_folders: Iterable[str],
    saved: CollectionAccount | None = None,
    seconds: float = CHECK_SECONDS,
    **fields: Any,
) -> list[Step]:
    """The steps for values that are not saved; `fields` as for `add_account`. `secret` None is that
    of `saved`, which goes only where it was given for. The last step says so where the deadline
    passed. Raises AccountError, with all that is wrong, or where another check is under way.
    """
    values: dict[str, Any] = {
        "secret": secret,
        "folders": list(folders),
        "sent_folders": list(sent_folders),
    } | fields
    if saved is not None and secret is None:
        clean, _roles = checked_values(organization, **(values | {"name": "-"}))
        check_secret_use(saved, clean)
    return _in_time(organization, values | {"saved": saved}, seconds)


def check_saved(account: CollectionAccount, *, seconds: float = CHECK_SECONDS) -> list[Step]:
    """The same for an account as it is stored."""
    folders = list(account.folders.order_by("role", "pk"))
    names = {
        role: [folder.name for folder in folders if folder.role == role]
        for role in Folder.Role.values
    }
    return check_form(
        account.organization,
        secret=None,
        folders=names["inbox"],
        sent_folders=names["sent"],
        saved=account,
        seconds=seconds,
        **{name: getattr(account, name) for name in FIELDS},
    )


def _in_time(organization: Organization, values: dict[str, Any], seconds: float) -> list[Step]:
    _begin(organization)
    answer: Future[list[Step]] = Future()
    seen: list[Step] = []
    language = translation.get_language()

    def ask() -> None:
        try:
            with translation.override(language):
                steps = check_values(organization, heard=seen.append, **values)
        except BaseException as error:  # noqa: BLE001  # raised again by whoever waits
            _end(organization)
            answer.set_exception(error)
        else:
            _end(organization)
            answer.set_result(steps)

    threading.Thread(target=ask, name="check", daemon=True).start()
    if wait([answer], timeout=seconds).not_done:
        return [*seen, _too_late(values, seen, seconds)]
    return answer.result()


def _begin(organization: Organization) -> None:
    with _guard:
        if organization.pk in _under_way:
            raise AccountError(_("Another check is still under way: try again in a minute."))
        _under_way.add(organization.pk)


def _end(organization: Organization) -> None:
    with _guard:
        _under_way.discard(organization.pk)


def _too_late(values: dict[str, Any], seen: list[Step], seconds: float) -> Step:
    told = _("The server did not get that far within {seconds} seconds.")
    remedy, field = _("Check the server's name and the port, or try again later."), "host"
    if [step.name for step in seen] == ["resolve", "connect"]:  # connected, and not a word since
        security = values.get("security", "tls")
        port = values.get("port") or default_port(values.get("protocol", "imap"), security)
        remedy, field = to_do_when_silent(security, port)
    return Step("session", False, told.format(seconds=f"{seconds:g}"), remedy, field=field)
