"""One run of a duty, from its lease to its release: what fleet and the command line call."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from django.db import DatabaseError
from django.db.models import Max, Min
from django.utils import timezone

from buzon.desk.keyring import KeyringError
from buzon.intake import collect_imap, collect_pop3, grace, health, history
from buzon.intake.accounts import credentials_of, endpoint_of
from buzon.intake.disk import NoRoom, check_room, no_room
from buzon.intake.earlier import ask_for_skipped
from buzon.intake.first_download import Looks
from buzon.intake.guest import DayUsed, Guest
from buzon.intake.models import Arrival, CollectionAccount, Duty
from buzon.intake.process_batch import Processor, retry_failed
from buzon.intake.renumbering import MustAsk
from buzon.intake.run import Run, Stopped
from buzon.intake.totals import Totals, Watcher
from buzon.lease import Lease, LeaseLost, claim, lease_seconds
from buzon.wire.endpoint import Credentials, Endpoint, Limits
from buzon.wire.errors import MailError, NotPermitted, Transient
from buzon.wire.imap import ImapSession
from buzon.wire.pop3 import Pop3Session
from buzon.wire.reading import Opened

log = structlog.get_logger("buzon.collect")
PROCESS_AGAIN = timedelta(minutes=1)  # for what was left behind, and for tries whose time comes


def collect_once(
    lease: Lease,
    *,
    stop: Callable[[], bool],
    progress: Watcher | None = None,
    understand: bool = True,
) -> Totals:
    """Collect, process and settle one account, under the lease of its collect duty.

    Without `understand` what comes stays in custody, and its process duty is due in a minute.
    What is the matter with the account is in its health and in `Totals.error`, a sentence; the
    lease is released with the time of the next collection. Raises LeaseLost and database errors.
    """
    account = _account_of(lease)
    totals = Totals(account.name)
    due_at: datetime | None = timezone.now() + PROCESS_AGAIN
    try:
        due_at = _collect(account, lease, totals, stop, progress, understand=understand)
    finally:
        totals.finish()
        lease.release(due_at=due_at)
    log.info(
        "collected",
        account=account.pk,
        organization=account.organization_id,
        state=account.state,
        filed=totals.filed,
        settled=totals.settled,
        seconds=totals.seconds,
    )
    return totals


def process_once(lease: Lease, *, stop: Callable[[], bool]) -> int:
    """Understand what the account has in custody; returns how many messages were decided."""
    account = _account_of(lease)
    try:
        retry_failed(account, lease)
        return Processor(account=account, lease=lease, stop=stop).run()
    finally:
        lease.release(due_at=_processing_due(account))


def _account_of(lease: Lease) -> CollectionAccount:
    duty = Duty.objects.select_related("account__organization", "account__group").get(pk=lease.pk)
    return duty.account


def _collect(
    account: CollectionAccount,
    lease: Lease,
    totals: Totals,
    stop: Callable[[], bool],
    progress: Watcher | None,
    *,
    understand: bool,
) -> datetime | None:
    """The run, and what its end means for the account; returns when it is due again."""
    if account.state == CollectionAccount.State.STOPPED:
        totals.error = MustAsk(account.state_reason).sentence
        return None
    try:
        endpoint = endpoint_of(account)
        looks, guest = Looks(account, lease), Guest(account)
        processing = _processing(account, totals, stop, looks, understand=understand)
        with guest, processing as process:
            run = Run(
                account=account,
                guest=guest,
                lease=lease,
                totals=totals,
                stop=stop,
                watch=progress,
                understand=process,
                looks=looks,
                deadline=endpoint.read_timeout,
            )
            _collect_all(run, replace(endpoint, pace=guest.slow_down))
        due_at = health.succeeded(account, lease, history_waits=run.history_waits)
        return max(due_at, timezone.now() + guest.least_pause(run.octets_to_look))
    except Stopped:
        return timezone.now()
    except MustAsk as asks:
        totals.error = asks.sentence
        health.stopped(account, lease, asks)
        return None
    except KeyringError as error:
        totals.error = str(error)
        return health.failed(account, lease, NotPermitted(error.template, **error.values))
    except MailError as error:
        totals.error = str(error)
        return health.failed(account, lease, error)
    except (DatabaseError, OSError) as error:
        full = no_room(error)
        if full is None:
            raise
        totals.error = str(full)
        return health.failed(account, lease, full)
    except LeaseLost:
        raise
    except Exception as fault:
        _tell_of_fault(account, lease, fault)
        raise


def _tell_of_fault(account: CollectionAccount, lease: Lease, fault: Exception) -> None:
    """Nobody expected it, and the log will have it; but people look at the account's page."""
    told = Transient(
        "A fault in Buzón keeps this account from being collected ({kind}); the log has more.",
        kind=type(fault).__name__,
    )
    with suppress(LeaseLost, DatabaseError):
        health.failed(account, lease, told)


def _collect_all(run: Run, endpoint: Endpoint) -> None:
    """One session, or with POP3 as many as the history takes."""
    run.report("connecting", 0, 0)
    grace.look(run.account, run.lease)
    retry_failed(run.account, run.lease)
    ask_for_skipped(run)
    run.process()  # what an earlier run left in custody needs no server
    check_room()
    run.guest.check()
    credentials = credentials_of(run.account)
    if run.account.protocol == CollectionAccount.Protocol.IMAP:
        opened = ImapSession.open(endpoint, credentials, _limits(run.account))
        with opened as session, _counted(run, session), _goodbye(session.logout):
            collect_imap.collect(run, session)
    else:
        _collect_pop3(run, endpoint, credentials)
    history.finish_if_done(run)


def _collect_pop3(run: Run, endpoint: Endpoint, credentials: Credentials) -> None:
    while True:
        opened = Pop3Session.open(endpoint, credentials, _limits(run.account))
        with opened as session, _counted(run, session), _goodbye(session.quit):
            collect_pop3.collect(run, session)
        run.received_before = run.totals.bytes
        if not run.new_mail_first:
            return
        run.between_steps()


@contextmanager
def _counted(run: Run, session: ImapSession | Pop3Session) -> Iterator[None]:
    """However it ends: the server has given so much."""
    try:
        yield
    finally:
        run.received(session.bytes_in)


@contextmanager
def _goodbye(leave: Callable[[], None]) -> Iterator[None]:
    """A pause is no reason to hang up on the server, which was asked for nothing yet."""
    try:
        yield
    except (NoRoom, DayUsed):
        with suppress(MailError):
            leave()
        raise


def _limits(account: CollectionAccount) -> Limits:
    """No message is longer than the account's limit, or than the largest that a person asked for;
    a quarter more, because servers that count line ends as one octet list less than they send.
    """
    asked = Arrival.objects.filter(account=account, asked_by_person=True).to_download()
    largest = asked.aggregate(most=Max("size"))["most"] or 0
    most = max(account.max_message_bytes, largest)
    return Limits(message=min(most + most // 4 + Limits().spool_above, Limits().message))


@contextmanager
def _processing(
    account: CollectionAccount,
    totals: Totals,
    stop: Callable[[], bool],
    looks: Looks,
    *,
    understand: bool,
) -> Iterator[Callable[[Mapping[str, Opened]], None]]:
    """A function that processes what is in custody, under the process duty's own lease, and then
    looks at how far the first download is.
    """
    duty = Duty.objects.get(account=account, kind=Duty.Kind.PROCESS)
    lease: Lease | None = None

    def process(fresh: Mapping[str, Opened]) -> None:
        nonlocal lease
        if lease is not None:
            lease.renew_if_needed()
        if _waits(account):
            lease = lease or _claimed(duty, account, stop)
            if lease is not None and understand:
                processor = Processor(account=account, lease=lease, stop=stop, fresh=fresh)
                processor.decided = totals.count
                processor.run()
        looks.take()

    try:
        yield process
    finally:
        if lease is not None:
            lease.release(due_at=_processing_due(account))


def _processing_due(account: CollectionAccount) -> datetime | None:
    """When there is something to process again: what was left behind soon, a failed one in time."""
    if _waits(account):
        return timezone.now() + PROCESS_AGAIN
    failed = Arrival.objects.filter(account=account, retry_at__isnull=False).exclude(sha256="")
    first: datetime | None = failed.aggregate(first=Min("retry_at"))["first"]
    return first


def _claimed(duty: Duty, account: CollectionAccount, stop: Callable[[], bool]) -> Lease | None:
    """The process duty; while another worker has it, wait for it, or for it to be done."""
    ends = time.monotonic() + lease_seconds() * 0.4
    while (lease := claim(duty)) is None:
        if not _waits(account) or stop() or time.monotonic() > ends:
            return None
        time.sleep(0.05)
    return lease


def _waits(account: CollectionAccount) -> bool:
    """Whether anything is in custody that is not understood yet."""
    return Arrival.objects.filter(account=account).to_process().exists()
