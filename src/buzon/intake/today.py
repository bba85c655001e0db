"""How much was decided since a moment, by outcome: for the page that the day begins with."""

from datetime import datetime

from django.db.models import Count

from buzon.desk.models import Organization
from buzon.intake.models import Arrival


def decided_since(organization: Organization, at: datetime) -> dict[str, int]:
    """Outcome → how many messages; outcomes of which there is none are absent. One query, of the
    index alone (`arrival_decided`).
    """
    rows = Arrival.objects.filter(organization=organization, decided_at__gte=at)
    counted = rows.order_by().values_list("outcome").annotate(number=Count("*"))
    return dict(counted)
