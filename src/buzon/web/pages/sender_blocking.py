"""A sender is blocked where it is seen: from a letter, or from a customer's card."""

from collections.abc import Iterable

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from buzon.desk.addresses import fold_all
from buzon.desk.blocking import block_sender
from buzon.web.access import PersonRequest, for_administrators
from buzon.web.forms import PageForm, sent


class BlockForm(PageForm):
    """One of the addresses, or everybody at one of their domains."""

    written = forms.ChoiceField(
        label=gettext_lazy("Ignore mail from"),
        widget=forms.RadioSelect,
        help_text=gettext_lazy(
            "Ignored mail stays on the server and is not downloaded. Letters that are here stay."
        ),
    )

    def offer(self, addresses: Iterable[str]) -> None:
        """Each address, then each domain once."""
        folded = fold_all(addresses)
        domains = dict.fromkeys("@" + one.rpartition("@")[2] for one in folded)
        everybody = _("everybody who writes from {domain}")
        self.fields["written"].choices = [  # type: ignore[attr-defined]  # a ChoiceField
            *((one, one) for one in folded),
            *((one, everybody.format(domain=one)) for one in domains),
        ]
        self.fields["written"].initial = next(iter(folded), None)


@require_http_methods(["GET", "POST"])
@for_administrators
def customer_blocking(request: PersonRequest, pk: int) -> HttpResponse:
    """From a customer's card."""
    rows = request.person.customers().prefetch_related("addresses")
    row = get_object_or_404(rows, pk=pk)
    addresses = [one.address for one in row.addresses.all()]
    back = reverse("customer", args=[row.pk])
    return _blocking(request, addresses, back=back, name=row.shown_name(), here="customers")


@require_http_methods(["GET", "POST"])
@for_administrators
def letter_blocking(request: PersonRequest, pk: int) -> HttpResponse:
    """From a letter, whoever's it is."""
    row = get_object_or_404(request.person.messages(), pk=pk)
    back = reverse("letter", args=[row.pk])
    name = row.subject or _("(no subject)")
    return _blocking(request, [row.from_address], back=back, name=name, here="letters")


def _blocking(
    request: PersonRequest, addresses: list[str], *, back: str, name: str, here: str
) -> HttpResponse:
    form = BlockForm(sent(request))
    form.offer(addresses)
    if form.is_valid():
        written = form.cleaned_data["written"]
        blocked = form.does(lambda: block_sender(request.person.organization, written))
        if blocked is not None:
            told = _("Mail from {pattern} is ignored from now on.")
            messages.success(request, told.format(pattern=blocked.pattern))
            return redirect(back)
    context = {"form": form, "back": back, "name": name, "here": here}
    return render(request, "customers/blocking.html", context)


paths = [
    path("customers/<int:pk>/blocking", customer_blocking, name="customer_blocking"),
    path("letters/<int:pk>/blocking", letter_blocking, name="letter_blocking"),
]
