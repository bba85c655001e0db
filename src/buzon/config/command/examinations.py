"""What `buzon doctor` looks at: each examination gives its findings, and changes nothing."""

import os
import shlex
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from buzon.config.backup.last import last_backup
from buzon.config.command import output
from buzon.config.database import check_library, check_server
from buzon.desk import keyring
from buzon.desk.keyring import KeyringError
from buzon.desk.models import Event, Organization, SearchEntry
from buzon.desk.reasons import sentence
from buzon.intake.accounts import credentials_of
from buzon.intake.models import Arrival, CollectionAccount, Duty
from buzon.notify import copies
from buzon.notify.models import Copy, Round

_CLOCKS_APART = timedelta(seconds=5)
_LATE = timedelta(minutes=15)
_OLD = timedelta(days=7)


class Finding(NamedTuple):
    """One thing that was looked at; `remedy` is what to do, or ""."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


def data_folder() -> Iterator[Finding]:
    """It is there, may be written to, and has room."""
    folder = settings.BUZON_DATA_DIR
    if not folder.is_dir():
        detail = f"There is no folder {folder}."
        yield Finding("data folder", False, detail, "BUZON_DATA_DIR names it; buzon up makes it.")
        return
    if not os.access(folder, os.W_OK | os.X_OK):
        yield Finding("data folder", False, f"This user may not write to {folder}.")
        return
    free = shutil.disk_usage(folder).free
    room = f"{folder}, with {output.size(free)} free"
    least = output.size(settings.BUZON_MIN_FREE_DISK)
    short = f"Make room: below {least} (BUZON_MIN_FREE_DISK) nothing is collected."
    has_room = free >= settings.BUZON_MIN_FREE_DISK
    yield Finding("data folder", has_room, f"{room}.", "" if has_room else short)


def database() -> Iterator[Finding]:
    """It answers, and is what we need."""
    if connection.vendor != "sqlite":
        yield from _postgresql()
        return
    file = settings.DATABASES["default"]["NAME"]
    if not os.path.exists(file):  # to connect would make it
        yield Finding("database", False, f"There is no database {file}.", "buzon up makes it.")
        return
    yield from _sqlite(file)


def _sqlite(file: str) -> Iterator[Finding]:
    with connection.cursor() as cursor:
        check_library(cursor)
        cursor.execute("PRAGMA quick_check(1)")
        verdict = cursor.fetchone()[0]
        cursor.execute("PRAGMA journal_mode")
        journal = cursor.fetchone()[0]
    held = output.size(os.path.getsize(file))
    sound = verdict == "ok"
    remedy = "" if sound else "Stop buzon up, and restore the database from a backup."
    detail = f"SQLite, {held}, journal {journal}" + ("." if sound else f": {verdict}.")
    yield Finding("database", sound, detail, remedy)


def _postgresql() -> Iterator[Finding]:
    with connection.cursor() as cursor:
        check_server(cursor)
        cursor.execute("SHOW server_version_num")
        version = int(cursor.fetchone()[0]) // 10_000
        cursor.execute("SELECT pg_database_size(current_database())")
        held = output.size(cursor.fetchone()[0])
    yield Finding("database", True, f"PostgreSQL {version}, {held}.")


def tables() -> Iterator[Finding]:
    """They are those of this version of the program."""
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        detail = f"{len(missing)} changes of the tables are still to be made."
        yield Finding("tables", False, detail, "buzon up makes them.")
        return
    unknown = set(executor.loader.applied_migrations) - set(executor.loader.graph.nodes)
    if unknown:
        detail = "The tables are those of a later version of Buzón."
        yield Finding("tables", False, detail, "Use that version, or restore a backup.")
        return
    yield Finding("tables", True, "They are up to date.")


def keys(organization: Organization | None) -> Iterator[Finding]:
    """The key ring is there, and opens every stored secret."""
    names = keyring.check_keys()
    yield Finding("keys", True, f"{len(names)} in the ring.")
    for account in _accounts(organization):
        try:
            credentials_of(account)
        except KeyringError as error:
            yield Finding("keys", False, f"{account.name}: {error.sentence}")


def clock() -> Iterator[Finding]:
    """The database's agrees with this machine's: leases and due times are the database's."""
    theirs: datetime = Organization.objects.values_list(Now(), flat=True).first() or timezone.now()
    apart = abs(theirs - timezone.now())
    agrees = apart <= _CLOCKS_APART
    detail = f"The database's and this machine's are {apart.total_seconds():.1f} seconds apart."
    yield Finding("clock", agrees, detail, "" if agrees else "Set both by NTP.")


def leases() -> Iterator[Finding]:
    """What is being worked on; a lease that ran out is taken over by the next worker."""
    held = out = 0
    for model in (Duty, Round, Copy):
        rows = model._base_manager.exclude(lease_owner="")
        out += rows.filter(Q(lease_until__lte=Now()) | Q(lease_until__isnull=True)).count()
        held += rows.count()
    yield Finding("leases", True, f"{held - out} rows are being worked on, {out} leases ran out.")


def due_rows() -> Iterator[Finding]:
    """Nothing has been due for long."""
    late = timezone.now() - _LATE
    duties = Duty.objects.filter(
        account__active=True, account__organization__suspended_at__isnull=True
    ).exclude(account__state=CollectionAccount.State.STOPPED)
    rows: tuple[tuple[str, Any], ...] = (
        ("collections", duties.filter(kind=Duty.Kind.COLLECT)),
        ("readings", duties.filter(kind=Duty.Kind.PROCESS)),
        ("events to tell", Round.objects.filter(organization__suspended_at__isnull=True)),
        ("copies to send", copies.due()),
    )
    found = [(what, *_oldest(queryset)) for what, queryset in rows]
    behind = [what for what, at, number in found if at is not None and at < late]
    told = ", ".join(f"{number} {what}" for what, _, number in found)
    oldest = min((at for _, at, _ in found if at is not None), default=None)
    since = f"; the oldest since {output.cell(oldest)}" if oldest else ""
    remedy = "Is buzon up running?" if behind else ""
    yield Finding("due", not behind, f"Due now: {told}{since}.", remedy)
    active = Event.objects.filter(organization__suspended_at__isnull=True)
    untold = active.filter(told_at=None, at__lt=late).count()
    if untold:
        detail = f"{untold:,} events wait to be told since long."
        yield Finding("events", False, detail, "Is buzon up running?")


def words() -> Iterator[Finding]:
    """Whatever was filed can be found by its words, but for the last moments."""
    late = timezone.now() - _LATE
    waiting = SearchEntry.objects.filter(waits=True, message__received_at__lt=late).count()
    if waiting:
        detail = f"{output.counted(waiting, 'letter')} cannot be found by words yet."
        yield Finding("search", False, detail, "Is buzon up running? It goes on with them.")
        return
    yield Finding("search", True, "Letters are found by their words.")


def _oldest(rows: Any) -> tuple[datetime | None, int]:
    due = rows.filter(due_at__lte=Now())
    return due.order_by("due_at").values_list("due_at", flat=True).first(), due.count()


def notifications_by_mail() -> Iterator[Finding]:
    """The settings go together, and what was given up."""
    if not settings.BUZON_SMTP_URL:
        yield Finding("copies by e-mail", True, "None are sent: BUZON_SMTP_URL is empty.")
        return
    if not settings.BUZON_MAIL_FROM:
        remedy = "Set it to an address that the server lets us send from."
        yield Finding("copies by e-mail", False, "BUZON_MAIL_FROM is empty.", remedy)
        return
    recent = timezone.now() - timedelta(days=7)
    given_up = Copy.objects.filter(given_up_at__gte=recent).order_by("-given_up_at")
    last = given_up.values_list("error", flat=True).first()
    detail = f"{given_up.count()} were given up in the last 7 days." + (f" {last}" if last else "")
    yield Finding("copies by e-mail", last is None, detail)


def backup() -> Iterator[Finding]:
    """How old the last one is: it matters where letters are here and nowhere else."""
    last = last_backup()
    detail = "None was made from this data folder."
    if last is not None:
        where = "" if last.file == "-" else f", in {last.file}"
        detail = f"The last one is of {output.cell(last.made_at)} UTC{where}."
    deleting = CollectionAccount.objects.filter(after=CollectionAccount.After.DELETE)
    since = deleting.order_by("created_at").values_list("created_at", flat=True).first()
    if since is not None and last is not None:
        since = last.made_at
    if since is None or timezone.now() - since <= _OLD:
        yield Finding("backup", True, detail)
        return
    only = f" Accounts whose letters are deleted from the server: {deleting.count()}."
    yield Finding("backup", False, detail + only, "buzon backup FILE, while Buzón runs.")


def accounts(organization: Organization | None) -> Iterator[Finding]:
    """Each collection account works."""
    for account in _accounts(organization).filter(active=True):
        works = account.state == CollectionAccount.State.WORKING
        why = sentence(account.state_reason).rstrip(".")  # a mail server's error brings its own
        detail = f"{account.name} is {account.state}" + (f": {why}." if why else ".")
        yield Finding("account", works, detail, "" if works else _remedy(account))
    failed = Arrival.objects.filter(account__in=_accounts(organization), outcome="failed").count()
    if failed:
        remedy = "buzon ledger --outcome failed lists them; buzon retry --all tries them again."
        yield Finding("messages", False, f"{output.counted(failed, 'message')} failed.", remedy)


def _remedy(account: CollectionAccount) -> str:
    name = shlex.quote(account.name)
    if account.state == CollectionAccount.State.STOPPED:
        return f"Decide: buzon account resume {name} goes on; its --help says what that does."
    return f"buzon account check {name} says more."


def _accounts(organization: Organization | None) -> Any:
    every = CollectionAccount.objects.order_by("organization", "name")
    return every if organization is None else every.filter(organization=organization)
