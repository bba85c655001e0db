"""The quarantine: messages that failed, what went wrong, and the ways to try them again."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods

from buzon.intake.asked import retry_all
from buzon.intake.ledger import Wanted, part_of_ledger
from buzon.intake.models import Arrival, CollectionAccount
from buzon.intake.quarantine import Held, held_by
from buzon.web.access import PersonRequest, for_administrators
from buzon.web.pages.ledger import (
    HERE,
    ask,
    keys_of,
    ledger_of,
    shown,
    they_wait,
    warn_of_standstill,
)


@require_http_methods(["GET", "POST"])
@for_administrators
def quarantine(request: PersonRequest) -> HttpResponse:
    """Failed messages, of one account where `?account=` says so; a POST tries them again: all of
    them, or the ticked ones.
    """
    held = held_by(list(request.person.collection_accounts()))
    chosen = _chosen(request, held)
    ticked = keys_of(request.POST.getlist("ids"))
    if request.POST.get("verb") == "all":
        return _all_again(request, held, chosen)
    if request.method == "POST" and ask(request, ticked):
        return redirect(ledger_of(ticked))
    words = {"held": held, "chosen": chosen, "ticked": ticked}
    words |= _counts(held, chosen) | _rows(request, held, chosen) | HERE
    return render(request, "ledger/quarantine.html", words)


def _counts(held: list[Held], chosen: CollectionAccount | None) -> dict[str, Any]:
    counted = [one for one in held if chosen is None or one.account == chosen]
    return {
        "number": sum(one.number for one in counted),
        "by_itself": sum(one.by_itself for one in counted),
    }


def _rows(
    request: PersonRequest, held: list[Held], chosen: CollectionAccount | None
) -> dict[str, Any]:
    before = keys_of([request.GET.get("before", "")])
    accounts = [one.account for one in held]
    wanted = Wanted(account=chosen, among=accounts, outcome=Arrival.Outcome.FAILED)
    organization = request.person.organization
    part = part_of_ledger(organization, wanted, before=before[0] if before else None)
    return {"part": part, "rows": [shown(row) for row in part.rows]}


def _chosen(request: PersonRequest, held: list[Held]) -> CollectionAccount | None:
    """The account that is asked for; None for all, also where it has nothing (any more)."""
    asked = request.GET.get("account", "")
    return next((one.account for one in held if str(one.account.pk) == asked), None)


def _all_again(
    request: PersonRequest, held: list[Held], chosen: CollectionAccount | None
) -> HttpResponse:
    count = retry_all(request.person.organization, account=chosen)
    messages.success(request, they_wait(count))
    warn_of_standstill(request, [chosen] if chosen else [one.account for one in held])
    return redirect(reverse("quarantine"))


paths = [
    path("quarantine/", quarantine, name="quarantine"),
]
