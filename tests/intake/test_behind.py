"""An account that is due and that nobody takes up: it says so, the administrator hears of it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from buzon.desk.models import Event
from buzon.intake.health import notice_behind, notice_failing
from buzon.intake.models import CollectionAccount, Duty
from buzon.lease import claim
from tests.intake.collecting import collect
from tests.intake.scene import scene

pytestmark = pytest.mark.django_db(transaction=True)


def due(account: CollectionAccount, minutes: float) -> Duty:
    duty = Duty.objects.get(account=account, kind="collect")
    duty.due_at = timezone.now() - timedelta(minutes=minutes)
    duty.save()
    return duty


def test_it_is_behind_after_minutes_and_working_after_its_next_success() -> None:
    with scene() as at:
        account = at.account()
        due(account, 1)
        assert notice_behind() == 0
        due(account, 3)
        assert notice_behind() == 1
        account.refresh_from_db()
        assert (account.state, account.state_reason["code"]) == ("behind", "behind")
        assert notice_behind() == 0  # said already
        collect(account)
        assert account.state == "working"
        assert Event.objects.filter(kind__startswith="account_").count() == 0


def test_the_administrator_hears_of_one_that_stays_so_and_of_its_recovery() -> None:
    with scene() as at:
        account = at.account()
        collect(account)
        due(account, 14)
        assert (notice_behind(), notice_failing()) == (1, 0)
        CollectionAccount.objects.update(failing_since=timezone.now() - timedelta(minutes=15))
        assert (notice_behind(), notice_failing()) == (0, 1)
        assert (notice_behind(), notice_failing()) == (0, 0)
        account.refresh_from_db()
        collect(account)
        kinds = Event.objects.filter(kind__startswith="account_").order_by("pk")
        assert list(kinds.values_list("kind", flat=True)) == ["account_failed", "account_recovered"]


@pytest.mark.parametrize("case", ["collecting", "inactive", "rejected", "suspended"])
def test_one_that_is_worked_on_or_not_to_be_collected_is_not_behind(case: str) -> None:
    with scene() as at:
        account = at.account()
        duty = due(account, 10)
        if case == "collecting":
            assert claim(duty) is not None
        elif case == "inactive":
            CollectionAccount.objects.update(active=False)
        elif case == "rejected":
            CollectionAccount.objects.update(state="rejected")
        else:
            account.organization.suspended_at = timezone.now()
            account.organization.save()
        assert notice_behind() == 0
