"""The ledger: the fate of every message seen on the servers, and what a person can ask of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods

from buzon.desk.models import Organization
from buzon.intake import vault
from buzon.intake.asked import fetch, retry
from buzon.intake.asked_customers import can_become_customer, create_customer_and_fetch
from buzon.intake.ledger import PLACES, Part, Wanted, part_of_ledger, rows_of_ledger
from buzon.intake.models import Arrival, CollectionAccount
from buzon.web.access import PersonRequest, for_administrators
from buzon.web.forms import REFUSALS, PageForm, PickField
from buzon.web.shown import number
from buzon.web.way_back import way_back

HERE = {"here": "ledger"}
MOST_ASKED = 200  # rows in one wish: the ticked ones of a page, and more than it shows
TONES = {"filed": "good", "waiting": "info", "oversized": "warn", "failed": "bad"}


class FilterForm(PageForm):
    account = PickField(
        none=gettext_lazy("All mailboxes"),
        label=gettext_lazy("Incoming mailbox"),
        required=False,
    )
    outcome = forms.ChoiceField(
        label=gettext_lazy("Outcome"),
        choices=lambda: [("", _("All outcomes")), *Arrival.Outcome.choices],
        required=False,
    )
    place = forms.ChoiceField(
        label=gettext_lazy("On the server"),
        choices=lambda: [("", _("There or not")), *((k, v[0]) for k, v in PLACES.items())],
        required=False,
    )
    sender = forms.CharField(label=gettext_lazy("Sender contains"), max_length=100, required=False)

    def __init__(self, request: PersonRequest) -> None:
        super().__init__(request.GET, auto_id="filter-%s")
        self.fields["account"].offer(request.person.collection_accounts())  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Shown:
    """A row, and what can be asked of it."""

    row: Arrival
    tone: str
    can_retry: bool
    can_fetch: bool
    can_create: bool

    @property
    def can_be_asked(self) -> bool:
        return self.can_retry or self.can_fetch

    @property
    def waits(self) -> bool:
        return self.row.outcome == Arrival.Outcome.WAITING


def shown(row: Arrival) -> Shown:
    """The row with its colour and its buttons."""
    is_there = row.gone_at is None
    return Shown(
        row=row,
        tone=TONES.get(row.outcome, "quiet"),
        can_retry=row.outcome == Arrival.Outcome.FAILED and row.is_obtainable,
        can_fetch=row.outcome in (Arrival.Outcome.SKIPPED, Arrival.Outcome.OVERSIZED) and is_there,
        can_create=can_become_customer(row),
    )


@require_http_methods(["GET", "POST"])
@for_administrators
def ledger(request: PersonRequest) -> HttpResponse:
    """The rows that the filters want; a POST asks something of the ticked ones."""
    ticked = keys_of(request.POST.getlist("ids"))
    if request.method == "POST" and ask(request, ticked):
        return redirect(ledger_of(ticked))
    form = FilterForm(request)
    ids = keys_of(request.GET.get("ids", "").split(","))
    organization = request.person.organization
    if ids:
        part = Part(rows_of_ledger(organization, ids))
    else:
        before = keys_of([request.GET.get("before", "")])
        part = part_of_ledger(organization, _wanted(form), before=before[0] if before else None)
    words = {"form": form, "part": part, "rows": [shown(row) for row in part.rows]}
    words |= {"asked": bool(ids), "ticked": ticked, "is_filtered": _is_filtered(request)}
    return render(request, "ledger/list.html", words | HERE)


@require_GET
@for_administrators
def ledger_changes(request: PersonRequest) -> HttpResponse:
    """Those of the waiting rows of a page that wait no more, to be put in their places."""
    keys = keys_of(request.GET.get("ids", "").split(","))
    rows = [shown(row) for row in rows_of_ledger(request.person.organization, keys)]
    return render(request, "ledger/changes.html", {"rows": rows})


@require_http_methods(["GET", "POST"])
@for_administrators
def ledger_row(request: PersonRequest, pk: int) -> HttpResponse:
    """One message: everything that is known of it, and what can be asked."""
    found = rows_of_ledger(request.person.organization, keys_of([str(pk)]))
    if not found:
        raise Http404
    if request.method == "POST" and ask(request, [pk]):
        return redirect("ledger_row", pk=pk)
    words = {"one": shown(found[0]), "back": way_back(request, otherwise="ledger")}
    return render(request, "ledger/row.html", words | HERE)


@require_GET
@for_administrators
def ledger_row_raw(request: PersonRequest, pk: int) -> HttpResponse:
    """The octets in custody, as they were received; of an oversized message its header."""
    row = get_object_or_404(request.person.arrivals(), pk=pk)
    name = row.sha256 or row.header_sha256
    if not name:
        raise Http404
    try:
        octets = vault.get(request.person.organization.pk, name)
    except (vault.NotHeld, vault.Damaged) as error:
        messages.error(request, _not_here(error))
        return redirect("ledger_row", pk=pk)
    answer = HttpResponse(octets, content_type="application/octet-stream")
    answer["Content-Disposition"] = f'attachment; filename="message-{pk}.eml"'
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer


def _not_here(error: Exception) -> str:
    if isinstance(error, vault.Damaged):
        return _("What is stored of this message is damaged: restore it from a backup.")
    return _("What was stored of this message is missing: restore it from a backup.")


def _wanted(form: FilterForm) -> Wanted:
    """What the filters ask for; one that makes no sense asks for nothing."""
    form.full_clean()
    given = form.cleaned_data
    return Wanted(
        account=given.get("account"),
        outcome=given.get("outcome", ""),
        place=given.get("place", ""),
        sender=given.get("sender", ""),
    )


def ledger_of(ids: list[int]) -> str:
    """Where these rows are shown, and what becomes of them."""
    asked = ",".join(map(str, ids))
    return f"{reverse('ledger')}?{urlencode({'ids': asked}, safe=',')}"


def ask(request: PersonRequest, ids: list[int]) -> bool:
    """What the pressed button asks for these rows; False where it was refused, and says why."""
    verb = _VERBS.get(request.POST.get("verb", ""))
    if verb is None:
        raise Http404
    if not ids:
        messages.error(request, _("Tick the messages first."))
        return False
    try:
        messages.success(request, verb(request.person.organization, ids))
    except REFUSALS as refusal:
        messages.error(request, refusal.sentence)
        return False
    accounts = request.person.collection_accounts()
    warn_of_standstill(request, accounts.filter(arrivals__in=ids).distinct())
    return True


def warn_of_standstill(request: PersonRequest, accounts: Iterable[CollectionAccount]) -> None:
    """Where nothing is collected, waiting for the next collection can take long."""
    for account in accounts:
        if not account.active or account.state == CollectionAccount.State.STOPPED:
            told = _("{name} is not being collected now: what waits there goes on when it does.")
            messages.warning(request, told.format(name=account.name))


def _retry(organization: Organization, ids: list[int]) -> str:
    return they_wait(retry(organization, ids))


def _fetch(organization: Organization, ids: list[int]) -> str:
    return they_wait(fetch(organization, ids))


def _create(organization: Organization, ids: list[int]) -> str:
    created = create_customer_and_fetch(organization, ids)
    told = ngettext(
        "%(num)s customer was created.", "%(num)s customers were created.", len(created.customers)
    )
    return told % {"num": len(created.customers)} + " " + they_wait(created.letters)


def they_wait(count: int) -> str:
    """What was asked for so many messages, in a sentence."""
    told = ngettext(
        "%(num)s message waits for the next collection.",
        "%(num)s messages wait for the next collection.",
        count,
    )
    return told % {"num": number(count)}


_VERBS: dict[str, Callable[[Organization, list[int]], str]] = {
    "retry": _retry,
    "fetch": _fetch,
    "create": _create,
}


def _is_filtered(request: HttpRequest) -> bool:
    return any(request.GET.get(name) for name in FilterForm.base_fields)


def keys_of(written: list[str]) -> list[int]:
    """Row numbers as a browser sends them; what is none of ours counts for nothing."""
    good = (one for one in written if one.isascii() and one.isdigit() and len(one) < 19)
    return [int(one) for one in good][:MOST_ASKED]


paths = [
    path("ledger/", ledger, name="ledger"),
    path("ledger/changes", ledger_changes, name="ledger_changes"),
    path("ledger/<int:pk>", ledger_row, name="ledger_row"),
    path("ledger/<int:pk>/raw", ledger_row_raw, name="ledger_row_raw"),
]
