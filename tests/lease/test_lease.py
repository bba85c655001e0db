"""Claim, renew, fence and release, in one process. The row's times are moved, never waited for."""

from datetime import datetime, timedelta
from time import monotonic

import pytest
from django.db import transaction
from django.utils import timezone

from buzon.desk.models import Organization
from buzon.lease import Lease, LeaseLost, claim, claim_due, free_all_dead, lease_seconds
from buzon.lease.owner import has_died, owner_name
from buzon.notify.models import Round

pytestmark = pytest.mark.django_db


def row(*, due_at: datetime | None = None) -> Round:
    organization = Organization.objects.create(name=f"shop {Organization.objects.count()}")
    due_at = due_at or timezone.now() - timedelta(seconds=1)
    return Round.objects.create(organization=organization, due_at=due_at)


def held(one: Round) -> Lease:
    lease = claim(one)
    assert lease is not None
    return lease


def run_out(one: Round) -> None:
    """What the passing of time does to its lease."""
    Round.objects.filter(pk=one.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def fence(lease: Lease) -> None:
    with transaction.atomic():
        lease.fence()


def test_a_claim_raises_the_epoch_and_keeps_others_out() -> None:
    one = row()
    lease = held(one)
    one.refresh_from_db()
    assert (lease.epoch, one.lease_epoch, one.lease_owner) == (1, 1, owner_name())
    assert claim(one) is None
    assert claim_due(Round.objects.all(), limit=5) == []
    fence(lease)


def test_the_lease_ends_for_its_holder_no_later_than_for_the_others() -> None:
    one = row()
    lease = held(one)
    one.refresh_from_db()
    assert one.lease_until is not None
    left = (one.lease_until - timezone.now()).total_seconds()
    assert lease_seconds() - 5 < lease.seconds_left() <= left + 0.01


def test_a_lease_that_ran_out_is_claimed_and_its_old_holder_writes_nothing() -> None:
    one = row()
    old = held(one)
    run_out(one)
    new = held(one)
    assert new.epoch == old.epoch + 1
    with pytest.raises(LeaseLost):
        fence(old)
    with pytest.raises(LeaseLost):
        old.renew()
    with pytest.raises(LeaseLost):
        old.check_before_server_change(deadline=1)
    assert old.release(due_at=None) is False
    fence(new)
    one.refresh_from_db()
    assert one.due_at is not None


def test_a_lease_that_ran_out_and_nobody_claimed_is_still_its_holders() -> None:
    one = row()
    lease = held(one)
    run_out(one)
    fence(lease)
    lease.renew()
    assert claim(one) is None


def test_release_sets_the_next_time_and_frees() -> None:
    one = row()
    later = timezone.now() + timedelta(minutes=5)
    lease = held(one)
    assert lease.release(due_at=later, attempts=3) is True
    one.refresh_from_db()
    assert (one.due_at, one.attempts, one.lease_owner, one.lease_until) == (later, 3, "", None)
    assert lease.release(due_at=None) is False
    with pytest.raises(LeaseLost):
        fence(lease)
    assert held(one).epoch == 2


def test_renewing_is_put_off_until_a_third_of_the_term_has_passed() -> None:
    one = row()
    lease = held(one)
    ends = lease.ends
    lease.renew_if_needed()
    assert lease.ends == ends
    lease.ends = monotonic() + lease_seconds() / 2
    lease.renew_if_needed()
    assert lease.ends >= ends


def test_a_command_that_may_outlast_the_lease_is_not_begun() -> None:
    lease = held(row())
    lease.check_before_server_change(deadline=lease_seconds() / 2)
    with pytest.raises(LeaseLost):
        lease.check_before_server_change(deadline=lease_seconds() + 1)


def test_those_that_waited_longest_come_first_and_no_more_than_asked_for() -> None:
    now = timezone.now()
    rows = [row(due_at=now - timedelta(minutes=age)) for age in (1, 3, 2)]
    leases = claim_due(Round.objects.all(), limit=2)
    assert [lease.pk for lease in leases] == [rows[1].pk, rows[2].pk]


def test_what_is_not_due_is_left_alone() -> None:
    row(due_at=timezone.now() + timedelta(minutes=1))
    nothing_to_do = row()
    Round.objects.filter(pk=nothing_to_do.pk).update(due_at=None)
    assert claim_due(Round.objects.all(), limit=5) == []


def test_rows_that_are_held_do_not_stand_in_the_way_of_those_that_wait() -> None:
    now = timezone.now()
    for _ in range(10):
        held(row(due_at=now - timedelta(hours=1)))
    waiting = row(due_at=now - timedelta(seconds=1))
    assert [lease.pk for lease in claim_due(Round.objects.all(), limit=1)] == [waiting.pk]


def test_a_condition_on_another_table_chooses() -> None:
    suspended, other = row(), row()
    Organization.objects.filter(pk=suspended.organization_id).update(suspended_at=timezone.now())
    rows = Round.objects.filter(organization__suspended_at__isnull=True)
    assert [lease.pk for lease in claim_due(rows, limit=5)] == [other.pk]


@pytest.mark.parametrize("step", [timedelta(minutes=5), timedelta(hours=2), timedelta(days=3)])
def test_a_clock_that_was_set_back_neither_holds_nor_postpones_a_row(step: timedelta) -> None:
    """All that it wrote lies ahead now; what is set again goes by the clock of now."""
    one = row(due_at=timezone.now() + step + timedelta(minutes=1))
    until = timezone.now() + step + timedelta(seconds=lease_seconds())
    Round.objects.update(
        lease_owner="elsewhere/boot/1/2/3/4", lease_until=until, released_at=timezone.now() + step
    )
    (lease,) = claim_due(Round.objects.all(), limit=5)
    assert lease.pk == one.pk
    lease.release(due_at=timezone.now() + timedelta(minutes=1))
    assert claim_due(Round.objects.all(), limit=5) == []


def test_a_lease_is_no_longer_than_leases_are_and_one_of_full_length_holds() -> None:
    one = row()
    held(one)
    until = timezone.now() + timedelta(seconds=lease_seconds() * 1.9)
    Round.objects.update(lease_until=until)
    assert claim(one) is None
    Round.objects.update(lease_until=until + timedelta(seconds=lease_seconds()))
    assert claim(one) is not None


@pytest.mark.parametrize("wrong", [timedelta(hours=20), timedelta(hours=-20)])
def test_a_worker_with_a_wrong_clock_sets_the_time_by_the_databases(
    wrong: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = row()
    lease = held(one)
    true = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: true() + wrong)
    lease.release(due_at=timezone.now() + timedelta(minutes=10))
    monkeypatch.undo()
    one.refresh_from_db()
    assert one.due_at is not None
    assert abs(one.due_at - timezone.now() - timedelta(minutes=10)) < timedelta(seconds=30)
    assert claim_due(Round.objects.all(), limit=5) == []


def test_what_has_nothing_to_do_is_not_due_whatever_the_clock_says() -> None:
    row()
    Round.objects.update(due_at=None, released_at=timezone.now() + timedelta(days=1))
    assert claim_due(Round.objects.all(), limit=5) == []


def test_an_owner_of_another_machine_or_boot_is_never_called_dead() -> None:
    host, boot, namespace, _pid, _start, _thread = owner_name().split("/")
    gone = "4194304/12/1"  # above the kernel's largest process number
    assert has_died(f"{host}/{boot}/{namespace}/{gone}")
    assert not has_died(f"{host}/another-boot/{namespace}/{gone}")
    assert not has_died(f"another-host/{boot}/{namespace}/{gone}")
    assert not has_died(f"{host}/{boot}/another-container/{gone}")
    assert not has_died(owner_name())
    assert not has_died("")


def test_a_process_number_that_was_given_again_does_not_keep_the_dead_alive() -> None:
    host, boot, namespace, pid, start, thread = owner_name().split("/")
    assert has_died(f"{host}/{boot}/{namespace}/{pid}/{int(start) + 1}/{thread}")


def test_at_a_start_what_the_dead_of_this_machine_held_is_freed() -> None:
    host, boot, namespace, *_ = owner_name().split("/")
    until = timezone.now() + timedelta(seconds=60)
    dead, alive, elsewhere = row(), row(), row()
    held(alive)
    Round.objects.filter(pk=dead.pk).update(
        lease_owner=f"{host}/{boot}/{namespace}/4194304/12/1", lease_until=until
    )
    Round.objects.filter(pk=elsewhere.pk).update(lease_owner="a/b/c/1/2/3", lease_until=until)
    assert free_all_dead([Round]) == 1
    assert claim(alive) is None
    assert claim(elsewhere) is None
    assert claim(dead) is not None


@pytest.mark.django_db(transaction=True)
def test_a_fence_outside_a_transaction_protects_nothing_and_says_so() -> None:
    lease = held(row())
    with pytest.raises(RuntimeError):
        lease.fence()


def test_a_row_that_was_made_due_during_the_run_stays_due() -> None:
    one = row()
    lease = held(one)
    asked_at = timezone.now() + timedelta(seconds=1)
    type(one).objects.filter(pk=one.pk).update(due_at=asked_at)
    assert lease.release(due_at=timezone.now() + timedelta(hours=1)) is True
    one.refresh_from_db()
    assert one.lease_owner == ""
    assert one.due_at == asked_at
