"""One trial: a shop whose server misbehaves, collected, healed, collected again, and examined.

    deliver ─▶ collect under the fault, twice ─▶ heal, one more letter ─▶ collect, twice ─▶ oracle

I3 and I5 are seen at the moment of a removal: the server asks the oracle before it lets go.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from buzon.demo.server import MailFolder, Mailstore, Options
from buzon.desk.customers import add_customer
from buzon.desk.models import Organization
from buzon.desk.reasons import sentence
from buzon.intake.accounts import add_account, resume_account
from buzon.intake.models import Arrival, CollectionAccount, Duty
from buzon.intake.overview import overviews
from buzon.intake.runs import collect_once
from buzon.intake.totals import Totals
from buzon.lease import LeaseLost, claim
from buzon.web.pages.collection_account_state import condition_of
from tests.chaos.mail import KNOWN, Piece, further, pieces
from tests.chaos.oracle import Oracle
from tests.chaos.small_pieces import cut_small
from tests.servers.faults import FaultServer, Lie, Plan

LOGIN = "shop@shop.example"
LONGEST = 60.0  # seconds for one collection: a deadline stands on every wait (I8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """`part` and `number` name it; the seed and the rest say what happens in it. `heals`: the fault
    ends; else it is the server's face, and must be lived with.
    """

    part: str
    number: int
    protocol: str
    after: str
    create: bool
    plan: Plan
    letters: int = 7
    security: str = "none"
    options: dict[str, Any] = field(default_factory=dict)
    heals: bool = True

    @property
    def seed(self) -> int:
        return hash_of(self.part, self.number)

    @property
    def removes(self) -> bool:
        """Whether what is filed leaves the server; without UIDPLUS and a bin it is only marked."""
        marks_only = self.protocol == "imap" and not self.options.get("uidplus", True)
        return self.after == "delete" and not marks_only


@dataclass(slots=True)
class Scene:
    """A trial under way."""

    trial: Trial
    server: FaultServer
    box: MailFolder
    oracle: Oracle
    account: CollectionAccount
    delivered: list[Piece]
    wrong: list[str] = field(default_factory=list)
    outside: list[Piece] = field(default_factory=list)  # before the window: never to be taken

    def deliver(self, piece: Piece) -> None:
        """Every third is marked \\Deleted by somebody else, who may want it back."""
        self.delivered.append(piece)
        marked = self.trial.protocol == "imap" and len(self.delivered) % 3 == 0
        self.box.deliver(piece.octets, flags=["\\Deleted"] if marked else [])

    def wanted(self) -> list[Piece]:
        inside = [one for one in self.delivered if one not in self.outside]
        return [one for one in inside if self.trial.create or one.is_known]


def hash_of(part: str, number: int) -> int:
    """A seed that is the same in every process."""
    return int.from_bytes(f"{part} {number}".encode()[-7:], "big") * 1_000_003 + number


def run(trial: Trial, place: Path | str) -> list[str]:
    """What was wrong in it, each beginning with its invariant; an empty list is as it must be."""
    with scene(trial, place) as at:
        for _ in range(2):
            _under_fault(at)
        if trial.heals:
            at.server.heal()
        at.deliver(further(trial.seed, 99))
        recovers(at)
        return examined(at)


@contextmanager
def scene(trial: Trial, place: Path | str) -> Iterator[Scene]:
    """The shop, its server with the letters delivered, its account, and the oracle."""
    store = Mailstore()
    box = store.add_login(LOGIN, "secret").folder("INBOX")
    organization = Organization.objects.create(name=f"{trial.part} {trial.number} {time.time_ns()}")
    made: list[Scene] = []

    def meanwhile(_folder: MailFolder) -> None:
        made[0].deliver(further(trial.seed, len(made[0].delivered)))

    server = FaultServer(
        store, plan=trial.plan, deliver=meanwhile, protocol=trial.protocol,
        security=trial.security, options=Options(**trial.options),
    )  # fmt: skip
    with server, Oracle(place, organization.pk) as oracle:
        account = _account(trial, organization, server)
        at = Scene(trial, server, box, oracle, account, [])
        made.append(at)
        _watch_removals(at)
        for piece in pieces(trial.seed, trial.letters):
            at.deliver(piece)
        yield at


@contextmanager
def honest(trial: Trial, place: Path | str) -> Iterator[Scene]:
    """The same with a server that keeps to its protocol: the fault is on our side."""
    with scene(trial, place) as at:
        at.server.heal()
        yield at


def collect(account: CollectionAccount, *, patient: bool = True) -> Totals:
    """One collection, as fleet does it; `patient`: waits until a dead one's lease has run out, and
    tries again where a slow machine let its own run out (leases last a second here).
    """
    cut_small(account)
    for _ in range(20):
        lease = None
        while lease is None:
            lease = claim(Duty.objects.get(account=account, kind=Duty.Kind.COLLECT))
            if lease is None and patient:
                time.sleep(0.02)
        try:
            return collect_once(lease, stop=lambda: False)
        except LeaseLost:
            if not patient:
                raise
        finally:
            account.refresh_from_db()
    raise AssertionError("the machine is too slow for a lease of a second")


def _account(trial: Trial, organization: Organization, server: FaultServer) -> CollectionAccount:
    for address in KNOWN:
        add_customer(organization, addresses=[address])
    return add_account(
        organization,
        name="shop",
        protocol=trial.protocol,
        host=server.host,
        port=server.port,
        security=trial.security,
        pinned_sha256=server.certificate_sha256,
        username=LOGIN,
        secret="secret",
        create_customer=trial.create,
        after=trial.after,
    )


def _watch_removals(at: Scene) -> None:
    """I3, I5: whatever our client has removed must be durable here at that very moment."""
    expunge = at.box.expunge

    def watched(*uids: int) -> list[int]:
        if not at.server.others_are_acting:
            for uid in uids:
                message = at.box.get(uid)
                if message is not None and not at.oracle.holds(message.octets):
                    at.wrong.append(f"I3 UID {uid} was removed, and is not held here")
                if at.trial.after != "delete":
                    at.wrong.append(f"I5 UID {uid} was removed, and nobody asked for it")
        return expunge(*uids)

    at.box.expunge = watched  # type: ignore[method-assign]


def _under_fault(at: Scene) -> None:
    started = time.monotonic()
    totals = collect(at.account)
    if time.monotonic() - started > LONGEST:
        at.wrong.append("I8 a collection took more than a minute")
    at.wrong += untold(at.account, totals)


def untold(account: CollectionAccount, totals: Totals) -> list[str]:
    """I7: what is the matter, and what to do, must be on the page when the collection ends; of a
    message that failed, in its row of the ledger.
    """
    wrong = []
    if totals.error:
        shown = condition_of(overviews([account])[0])
        if not shown.why or not shown.remedy:
            wrong.append(f"I7 the page does not say why, or what to do: {totals.error} {shown}")
    failed = Arrival.objects.filter(account=account, outcome=Arrival.Outcome.FAILED)
    silent = [row.reason for row in failed if not sentence(row.reason)]
    return wrong + [f"I7 a failed message has no reason: {why}" for why in silent]


def recovers(at: Scene) -> None:
    """I6: within two collections, of which the second comes when what failed twice is tried again;
    where Buzón asked a person, after the answer.
    """
    totals = Totals("")
    for minutes in (2, 14):
        if at.account.state == CollectionAccount.State.STOPPED:
            resume_account(at.account)
        with later(minutes):
            totals = collect(at.account)
    if totals.error or at.oracle.waiting():
        at.wrong.append(f"I6 not well after two collections: {totals.error or 'rows wait'}")


@contextmanager
def later(minutes: int) -> Iterator[None]:
    """So many minutes have gone by, for us; the database and the server have their own clocks."""
    true_now = timezone.now
    timezone.now = lambda: true_now() + timedelta(minutes=minutes)
    try:
        yield
    finally:
        timezone.now = true_now


def examined(at: Scene) -> list[str]:
    """All that is wrong, seen by the oracle and on the server."""
    at.wrong += at.oracle.check(at.delivered, wanted=at.wanted(), maybe=at.server.alien_removed)
    at.wrong += _left_as_it_should_be(at)
    there, booked = len(at.box.messages), at.oracle.in_the_books()
    if at.trial.heals and there != booked:
        at.wrong.append(f"I6 {there} messages are on the server, and {booked} in the books")
    return at.wrong


def _left_as_it_should_be(at: Scene) -> list[str]:
    """On the server: all that was not to be removed; and where removing works, nothing else."""
    left = [message.octets for message in at.box.messages]
    gone = list(at.server.alien_removed)
    wrong = []
    for piece in at.delivered:
        if piece in at.wanted() and at.trial.removes:
            continue
        if piece.octets in left:
            left.remove(piece.octets)
        elif piece.octets in gone:
            gone.remove(piece.octets)
        else:
            wrong.append("I5 a message is gone from the server that was not to be removed")
    if at.trial.removes and at.trial.heals:
        kept = {piece.octets for piece in at.delivered} - {p.octets for p in at.wanted()}
        others = Counter(one for one in left if one not in kept) - _of_another_size(at)
        wrong += ["I6 a filed message is still on the server"] * others.total()
    return wrong


def _of_another_size(at: Scene) -> Counter[bytes]:
    """What came whole from a server that had announced another size is never removed."""
    if Lie.WRONG_SIZE not in at.trial.plan.lies:
        return Counter()
    octets = {hashlib.sha256(piece.octets).hexdigest(): piece.octets for piece in at.delivered}
    return Counter(octets[name] for name in at.oracle.doubted())
