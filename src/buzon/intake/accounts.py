"""Collection accounts: the verbs by which a person adds, changes, resumes and removes them.

    add_account ─▶ account + its folders + two duties, due now     (at most ten, R1)
    change_account ─▶ checked as a whole; a changed login or server is tried at once

Each is one transaction: a wrong value leaves nothing behind.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from buzon.desk import keyring
from buzon.desk.entries import taken
from buzon.desk.models import Organization
from buzon.intake.account_values import (
    AccountError,
    Findings,
    checked,
    checked_folders,
    checked_secret,
    default_port,
)
from buzon.intake.left_folders import leave, put_on
from buzon.intake.models import Arrival, CollectionAccount, Duty, Folder
from buzon.intake.names import void_names
from buzon.intake.own_servers import is_own
from buzon.lease import lease_seconds
from buzon.wire.endpoint import Credentials, Endpoint, Security

__all__ = [
    "FIELDS",
    "AccountError",
    "Removed",
    "add_account",
    "change_account",
    "checked_values",
    "collect_now",
    "credentials_of",
    "default_port",
    "endpoint_of",
    "field_defaults",
    "most_accounts",
    "remove_account",
    "resume_account",
]

# The fields of the form (R2), by the model's names; the secret and the folders come beside them.
FIELDS = (
    "name", "active", "store", "address", "protocol", "host", "port", "security", "username",
    "pinned_sha256", "group", "create_customer", "notify_agent", "after", "delete_after_days",
    "start", "start_date", "history", "history_to_whole_group", "max_message_bytes",
    "trusted_authserv_id", "lists_as_persons", "hand_out_existing", "fetch_skipped_at_once",
    "fold_dots", "fold_plus", "reply_to_senders", "poll_seconds",
)  # fmt: skip
_REQUIRED = ("name", "host", "username")
_PLACE = ("host", "port", "username")  # the names of messages are of one login on one server


class Removed(NamedTuple):
    """What went with an account: rows of the ledger. Letters and customers stay."""

    arrivals: int


def field_defaults() -> dict[str, Any]:
    """What a new account has where nothing is said; `port` None is the protocol's."""
    model = {field.name: field for field in CollectionAccount._meta.concrete_fields}
    defaults = {
        name: model[name].get_default() if model[name].has_default() else None
        for name in FIELDS
        if name not in _REQUIRED
    }
    return defaults | {"max_message_bytes": settings.BUZON_MAX_MESSAGE_BYTES}


def add_account(
    organization: Organization,
    *,
    secret: str,
    folders: Iterable[str] = ("INBOX",),
    sent_folders: Iterable[str] = (),
    **fields: Any,
) -> CollectionAccount:
    """A new account, due at once. `fields` are those of FIELDS; `name`, `host` and `username` must
    be there. Raises AccountError, with all that is wrong: values, a name that is taken, too many
    (R1).
    """
    findings = Findings()
    with findings:
        clean, roles = checked_values(
            organization, secret=secret, folders=folders, sent_folders=sent_folders, **fields
        )
    with transaction.atomic():
        with findings:
            _check_number(organization)
        with findings:
            _check_name(organization, str(fields.get("name", "")), but=None)
        findings.refuse()
        account = CollectionAccount.objects.create(organization=organization, secret=b"", **clean)
        account.secret = _sealed(account, secret)
        account.save(update_fields=["secret"])
        Folder.objects.bulk_create(
            Folder(account=account, name=name, role=role) for name, role in roles.items()
        )
        Duty.objects.bulk_create(Duty(account=account, kind=kind) for kind in Duty.Kind.values)
    return account


def checked_values(
    organization: Organization,
    *,
    secret: str | None,
    folders: Iterable[str],
    sent_folders: Iterable[str],
    **fields: Any,
) -> tuple[dict[str, Any], dict[str, str]]:
    """The fields of a new account, tidied and complete, and its folders, name → role. `secret`
    None is not looked at. Raises AccountError, with all that is wrong.
    """
    _refuse_unknown(fields)
    values = dict.fromkeys(_REQUIRED, "") | field_defaults() | fields
    findings = Findings()
    with findings:
        clean = checked(organization, values)
    with findings:
        roles = checked_folders(values["protocol"], list(folders), list(sent_folders))
    with findings:
        if secret is not None:
            checked_secret(secret)
    findings.refuse()
    return clean, roles


def change_account(
    account: CollectionAccount,
    *,
    secret: str | None = None,
    folders: Iterable[str] | None = None,
    sent_folders: Iterable[str] | None = None,
    **changes: Any,
) -> CollectionAccount:
    """Change what is given and nothing else. Another server or login makes the names of messages
    void: the next collection finds the mail again first. Folders that are no longer named are
    left, and their rows of the ledger closed. Raises AccountError, with all that is wrong; nothing
    is changed then.
    """
    _refuse_unknown(changes)
    findings = Findings()
    with transaction.atomic():
        _locked_organization(account.organization)
        account.refresh_from_db()
        with findings:
            clean = _changed_values(account, changes)
        with findings:
            _check_name(account.organization, str(changes.get("name", account.name)), but=account)
        with findings:
            protocol = changes.get("protocol", account.protocol)
            _set_folders(account, protocol, folders, sent_folders)
        with findings:
            sealed = None if secret is None else _sealed(account, secret)
        findings.refuse()
        if sealed is not None:
            clean["secret"] = sealed
        if any(getattr(account, name) != clean[name] for name in _PLACE):
            _interrupt(account)
            void_names(account)
        if _store(account, clean) or folders is not None or sent_folders is not None:
            _due_now(account)
    return account


def resume_account(account: CollectionAccount) -> CollectionAccount:
    """Collect again after a stop: the person has seen the reason, and says go on."""
    with transaction.atomic():
        _locked_duties(account)
        account.refresh_from_db()
        stopped = account.state == CollectionAccount.State.STOPPED
        account.accept_renumbering = account.accept_renumbering or stopped
        account.state = CollectionAccount.State.WORKING
        account.state_reason = {}
        account.state_since = timezone.now()
        account.failures = 0
        account.save(
            update_fields=["accept_renumbering", "state", "state_reason", "state_since", "failures"]
        )
        _due_now(account)
    return account


def collect_now(account: CollectionAccount) -> CollectionAccount:
    """Due at once, whatever the back-off says, because a person asks. Raises AccountError where
    nothing is collected at all: the account is paused, or stopped with a question.
    """
    if not account.active:
        raise AccountError(_("{account} is paused: let it go on first.").format(account=account))
    if account.state == CollectionAccount.State.STOPPED:
        told = _("{account} waits for a decision: answer its question first.")
        raise AccountError(told.format(account=account))
    _due_now(account)
    return account


def most_accounts(organization: Organization) -> int:
    """How many collection accounts the organization may have (R1)."""
    own = organization.max_accounts
    return int(settings.BUZON_MAX_ACCOUNTS) if own is None else own


def only_here(account: CollectionAccount) -> int:
    """How many of its messages are nowhere but in custody: in no letter yet, and no longer on their
    server. With the account they would be lost.
    """
    rows = account.arrivals.filter(message=None, gone_at__isnull=False).exclude(sha256="")
    unread = (Arrival.Outcome.WAITING, Arrival.Outcome.FAILED)
    return rows.filter(outcome__in=unread).count()


def remove_account(account: CollectionAccount, *, discard: bool = False) -> Removed:
    """The account goes with its folders, cursors and ledger; what it filed stays. Nothing is done
    on the mail server. A collector that is at work on it writes nothing more.

    Raises AccountError where messages are `only_here`, unless they may go (`discard`).
    """
    with transaction.atomic():
        _locked_duties(account)
        lost = only_here(account)
        if lost and not discard:
            told = ngettext(
                "{number} message of {account} is in no letter yet, and no longer on its server: "
                "with the account it would be lost. Let it be tried again first.",
                "{number} messages of {account} are in no letter yet, and no longer on their "
                "server: with the account they would be lost. Let them be tried again first.",
                lost,
            )
            raise AccountError(told.format(number=lost, account=account), field="discard")
        arrivals = account.arrivals.count()
        account.delete()
    return Removed(arrivals)


def endpoint_of(account: CollectionAccount) -> Endpoint:
    """Where its mail server is, with this installation's time limits and authorities."""
    return Endpoint(
        host=account.host,
        port=account.port,
        security=Security(account.security),
        pinned_sha256=account.pinned_sha256,
        ca_file=settings.BUZON_CA_FILE,
        connect_timeout=settings.BUZON_CONNECT_TIMEOUT_SECONDS,
        # A command must end well before the lease does (check_before_server_change).
        read_timeout=min(settings.BUZON_READ_TIMEOUT_SECONDS, lease_seconds() * 0.45),
        allow_private=settings.BUZON_ALLOW_PRIVATE_HOSTS or is_own(account.host, account.port),
    )


def credentials_of(account: CollectionAccount) -> Credentials:
    """Its login, opened with the key ring. Raises KeyringError."""
    secret = keyring.unseal(bytes(account.secret), row=_secret_row(account))
    return Credentials(username=account.username, secret=secret)


def _refuse_unknown(fields: dict[str, Any]) -> None:
    unknown = set(fields) - set(FIELDS)
    if unknown:
        raise TypeError(f"a collection account has no field {', '.join(sorted(unknown))}")


def _store(account: CollectionAccount, values: dict[str, Any]) -> bool:
    """Whether anything is other than it was; only that is written: a collector may be writing the
    other fields.
    """
    changed = [name for name, value in values.items() if getattr(account, name) != value]
    for name in changed:
        setattr(account, name, values[name])
    account.save(update_fields=changed)
    return bool(changed)


def _sealed(account: CollectionAccount, secret: str) -> bytes:
    return keyring.seal(checked_secret(secret), row=_secret_row(account))


def _secret_row(account: CollectionAccount) -> str:
    return f"collection_account/{account.pk}"


def _locked_organization(organization: Organization) -> Organization:
    # Also to count: two people who add the tenth account at once wait for each other here (R1).
    return Organization.objects.select_for_update().get(pk=organization.pk)


def _locked_duties(account: CollectionAccount) -> None:
    # A collector's transaction begins by locking its duty's row (Lease.fence).
    list(Duty.objects.select_for_update().filter(account=account).order_by("pk"))


def _interrupt(account: CollectionAccount) -> None:
    """Whoever is at work on it loses the lease, and writes nothing more."""
    _locked_duties(account)
    account.duties.update(lease_epoch=F("lease_epoch") + 1, lease_owner="", lease_until=None)


def _check_number(organization: Organization) -> None:
    most = most_accounts(_locked_organization(organization))
    if CollectionAccount.objects.filter(organization=organization).count() >= most:
        told = _(
            "{organization} has {most} collection accounts, which is the most there may be: "
            "remove one first."
        )
        raise AccountError(told.format(organization=organization, most=most))


def _check_name(organization: Organization, name: str, *, but: CollectionAccount | None) -> None:
    if but is not None and name == but.name:
        return
    same = taken(CollectionAccount.objects.filter(organization=organization), name, but=but)
    if same:
        told = _("There is one named {name} already.").format(name=same)
        raise AccountError(told, field="name")


def _changed_values(account: CollectionAccount, changes: dict[str, Any]) -> dict[str, Any]:
    before = {name: getattr(account, name) for name in FIELDS}
    values = before | changes
    moved = changes.keys() & {"protocol", "security"}
    if moved and "port" not in changes and account.port == default_port(
        account.protocol, account.security
    ):  # fmt: skip
        values["port"] = None
    clean = checked(account.organization, values)
    if account.folders.filter(baseline_at__isnull=False).exists():
        _check_settled(before, clean)
    return clean


def _check_settled(before: dict[str, Any], clean: dict[str, Any]) -> None:
    """What the first look at the server has decided for good."""
    if clean["protocol"] != before["protocol"]:
        told = _("The protocol cannot change once mail was collected: add the login anew instead.")
        raise AccountError(told, field="protocol")
    if (clean["start"], clean["start_date"]) != (before["start"], before["start_date"]):
        told = _(
            "The start was decided at the first collection; "
            "for earlier mail, collect again from a day on."
        )
        raise AccountError(told, field="start")


def _set_folders(
    account: CollectionAccount,
    protocol: str,
    inbox: Iterable[str] | None,
    sent: Iterable[str] | None,
) -> None:
    held = {folder.name: folder for folder in account.folders.all()}
    names = {
        role: [folder.name for folder in held.values() if folder.role == role]
        for role in Folder.Role.values
    }
    roles = checked_folders(
        protocol,
        names["inbox"] if inbox is None else list(inbox),
        names["sent"] if sent is None else list(sent),
    )
    if roles == {folder.name: folder.role for folder in held.values()}:
        return
    _interrupt(account)
    for name, folder in held.items():
        if name not in roles:
            leave(folder)
    for name, role in roles.items():
        if name not in held or held[name].role != role:
            put_on(account, name, role)


def _due_now(account: CollectionAccount) -> None:
    account.duties.update(due_at=timezone.now())
