"""How many rows belong to each row of a list, in the list's own statement."""

from django.db.models import Count, IntegerField, Model, OuterRef, Subquery
from django.db.models.functions import Coalesce


def number_of(model: type[Model], field: str) -> Coalesce:
    """How many rows of `model` refer to the listed row by `field`; for `annotate`.

    Each is a subquery of its own: two joins would multiply each other's rows.
    """
    theirs = model._default_manager.filter(**{field: OuterRef("pk")}).order_by().values(field)
    counted = theirs.annotate(number_of_rows=Count("pk")).values("number_of_rows")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)
