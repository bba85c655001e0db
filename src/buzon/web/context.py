"""What every page shows beside its own: who is signed in, and how much is unread."""

from typing import Any

from django.http import HttpRequest

from buzon.desk.models import Agent
from buzon.notify.inbox import unread_count


def page(request: HttpRequest) -> dict[str, Any]:
    """For `layout.html`. A page without a person (sign-in, set-up) has no menu."""
    person = getattr(request, "person", None)
    if person is None:
        return {"person": None}
    return {
        "person": person,
        "unread": unread_count(person.user, person.agent),
        "statuses": Agent.Status.choices,
        "is_too_late": hasattr(request, "kept"),
    }
