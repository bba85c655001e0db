"""Whatever workers do in whatever order: who claimed last, and only they, may write."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from buzon.desk.models import Organization
from buzon.lease import Lease, LeaseLost, claim
from buzon.notify.models import Round

STEPS = st.lists(
    st.tuples(st.sampled_from(["claim", "renew", "write", "release", "time"]), st.integers(0, 2)),
    max_size=25,
)


class Play:
    """One row, three workers, and what should be true of them."""

    def __init__(self) -> None:
        organization = Organization.objects.create(name="shop")
        self.row = Round.objects.create(organization=organization)
        self.leases: dict[int, Lease] = {}
        self.holder: int | None = None  # who claimed last, unless given back
        self.run_out = False
        self.written = 0

    def claim(self, worker: int) -> None:
        lease = claim(self.row)
        assert (lease is not None) == (self.holder is None or self.run_out)
        if lease is not None:
            self.leases[worker], self.holder, self.run_out = lease, worker, False

    def renew(self, worker: int) -> None:
        if self._succeeds(worker, self.leases[worker].renew):
            self.run_out = False

    def write(self, worker: int) -> None:
        def fenced() -> None:
            with transaction.atomic():
                self.leases[worker].fence()
                Round.objects.filter(pk=self.row.pk).update(attempts=self.written + 1)

        self.written += self._succeeds(worker, fenced)

    def release(self, worker: int) -> None:
        released = self.leases[worker].release(due_at=None)
        assert released == (worker == self.holder)
        if released:
            self.holder = None

    def time(self, _worker: int) -> None:
        past = timezone.now() - timedelta(seconds=1)
        Round.objects.exclude(lease_owner="").update(lease_until=past)
        self.run_out = True

    def _succeeds(self, worker: int, verb: object) -> bool:
        assert callable(verb)
        try:
            verb()
        except LeaseLost:
            assert worker != self.holder
            return False
        assert worker == self.holder
        return True


@pytest.mark.django_db
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_only_the_last_to_claim_writes(steps: list[tuple[str, int]]) -> None:
    with transaction.atomic():
        play, epoch = Play(), 0
        for verb, worker in steps:
            if verb in ("claim", "time") or worker in play.leases:
                getattr(play, verb)(worker)
            play.row.refresh_from_db()
            assert play.row.lease_epoch >= epoch
            assert play.row.attempts == play.written
            epoch = play.row.lease_epoch
        transaction.set_rollback(True)
