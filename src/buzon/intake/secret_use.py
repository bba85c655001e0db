"""A stored password goes only to the server, and as the login, that it was given for.

Whoever may change an account could otherwise have its password sent to a server of their own.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from buzon.intake.account_values import AccountError, Findings
from buzon.intake.accounts import change_account
from buzon.intake.models import CollectionAccount

_WHERE = ("host", "port", "security", "username")


def check_secret_use(saved: CollectionAccount, clean: Mapping[str, Any]) -> None:
    """Whether the password of `saved` may be used with these tidied fields. Raises AccountError."""
    if any(clean[name] != getattr(saved, name) for name in _WHERE):
        _ask_for_secret()


def change_with_secret_kept(
    account: CollectionAccount,
    *,
    secret: str | None,
    folders: Iterable[str] | None = None,
    sent_folders: Iterable[str] | None = None,
    **changes: Any,
) -> CollectionAccount:
    """`change_account`, where `secret` None keeps the password only if server and login stay.

    Returns the changed account; the one that was given stays as it is. Raises AccountError, with
    all that is wrong, and then nothing has changed.
    """
    findings = Findings()
    with transaction.atomic():
        changed = CollectionAccount.objects.select_related("organization").get(pk=account.pk)
        before = {name: getattr(changed, name) for name in _WHERE}
        with findings:
            change_account(
                changed, secret=secret, folders=folders, sent_folders=sent_folders, **changes
            )
        moved = any(before[name] != getattr(changed, name) for name in _WHERE)
        # Where the change was refused, nobody knows yet what it would have led to.
        moved = moved or (bool(findings.all) and not changes.keys().isdisjoint(_WHERE))
        if secret is None and moved:
            with findings:
                _ask_for_secret()
        findings.refuse()
    return changed


def _ask_for_secret() -> None:
    told = _(
        "Give the password again: the stored one is only for the server, the encryption and the "
        "login that it was given for."
    )
    raise AccountError(told, field="secret")
