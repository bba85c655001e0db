"""Letters with all that their rows show (`templates/letters/rows.html`)."""

from django.db.models import Prefetch, QuerySet

from buzon.desk.letters import in_order
from buzon.desk.models import Message
from buzon.intake.models import Arrival


def listed(letters: "QuerySet[Message]") -> "QuerySet[Message]":
    """The newest first; customer, agent, store and collection account come with them."""
    arrivals = Arrival.objects.select_related("account").order_by("pk")
    return in_order(letters.select_related("customer__agent", "store")).prefetch_related(
        "customer__addresses", Prefetch("arrivals", queryset=arrivals)
    )
