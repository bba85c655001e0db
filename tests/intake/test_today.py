"""What was decided today: counted by outcome, from the index alone."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from buzon.desk.models import Organization
from buzon.intake.accounts import add_account
from buzon.intake.models import Arrival
from buzon.intake.today import decided_since
from tests.desk import cast

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def shop_with(settings: Settings, *rows: tuple[str, timedelta]) -> Organization:
    settings.BUZON_KEYS = "first:" + "A" * 43 + "="
    shop = cast.organization()
    account = add_account(shop, name="sales", host="h.example", username="u", secret="s")
    folder = account.folders.get()
    Arrival.objects.bulk_create(
        Arrival(
            organization=shop,
            account=account,
            folder=folder,
            uid=number,
            outcome=outcome,
            decided_at=NOW - ago,
        )
        for number, (outcome, ago) in enumerate(rows, 1)
    )
    return shop


def test_what_was_decided_since_then_by_outcome(settings: Settings) -> None:
    hour = timedelta(hours=1)
    shop_with(settings, ("filed", hour))
    shop = shop_with(
        settings, ("filed", hour), ("filed", 2 * hour), ("failed", hour), ("skipped", 30 * hour)
    )
    assert decided_since(shop, NOW - 24 * hour) == {"filed": 2, "failed": 1}
    assert decided_since(cast.organization(), NOW - 24 * hour) == {}


def test_an_index_answers_it(settings: Settings) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL reads so small a table whole, whatever indexes there are")
    shop = shop_with(settings, ("filed", timedelta(hours=1)))
    rows = Arrival.objects.filter(organization=shop, decided_at__gte=NOW)
    plan = rows.order_by().values_list("outcome").explain()
    assert "COVERING INDEX arrival_decided" in plan
