"""What was decided today: counted by outcome, from the index alone."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from buzon.desk.models import Organization
from buzon.intake.models import Arrival
from buzon.intake.today import decided_since
from tests.desk import cast
from tests.intake.rows import account_of, arrival

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def shop_with(*rows: tuple[str, timedelta]) -> Organization:
    shop = cast.organization()
    account = account_of(shop)
    for outcome, ago in rows:
        arrival(account, outcome, decided_at=NOW - ago)
    return shop


def test_what_was_decided_since_then_by_outcome() -> None:
    hour = timedelta(hours=1)
    shop_with(("filed", hour))
    shop = shop_with(("filed", hour), ("filed", 2 * hour), ("failed", hour), ("skipped", 30 * hour))
    assert decided_since(shop, NOW - 24 * hour) == {"filed": 2, "failed": 1}
    assert decided_since(cast.organization(), NOW - 24 * hour) == {}


def test_an_index_answers_it() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL reads so small a table whole, whatever indexes there are")
    shop = shop_with(("filed", timedelta(hours=1)))
    rows = Arrival.objects.filter(organization=shop, decided_at__gte=NOW)
    plan = rows.order_by().values_list("outcome").explain()
    assert "COVERING INDEX arrival_decided" in plan
