"""What a person was told: the list, the newest few for the header's bell, read and unread."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from buzon.notify.inbox import mark_read, newest_first
from buzon.web.access import PersonRequest, for_agents
from buzon.web.looked_at import is_looked_at
from buzon.web.paging import page_of
from buzon.web.told import gone, shown, way_to
from buzon.web.way_back import way_back

AT_THE_BELL = 8


@require_GET
@for_agents
def notifications(request: PersonRequest) -> HttpResponse:
    """All, the newest first; with `?unread=1` those that are not read yet."""
    rows = newest_first(request.person.notifications())
    only_unread = request.GET.get("unread") == "1"
    page = page_of(request, rows.filter(read_at=None) if only_unread else rows)
    words = {"page": page, "shown": [shown(row) for row in page.rows], "only_unread": only_unread}
    return render(request, "notifications/list.html", words | {"here": "notifications"})


@require_GET
@for_agents
def latest_notifications(request: PersonRequest) -> HttpResponse:
    """The newest few, for the menu of the bell."""
    rows = newest_first(request.person.notifications())[:AT_THE_BELL]
    return render(request, "notifications/latest.html", {"shown": [shown(row) for row in rows]})


@require_GET
@for_agents
def notification_open(request: PersonRequest, pk: int) -> HttpResponse:
    """Marks it as read and leads on to the customer, the letter or the account."""
    rows = newest_first(request.person.notifications())
    row = get_object_or_404(rows, pk=pk)
    if is_looked_at(request):
        mark_read(request.person.notifications().filter(pk=pk))
    there = way_to(request.person, row)
    if there:
        return redirect(there)
    messages.info(request, gone())
    return redirect("notifications")


@require_POST
@for_agents
def notification_read(request: PersonRequest, pk: int) -> HttpResponse:
    """Marks one as read, without going there."""
    get_object_or_404(request.person.notifications(), pk=pk)
    mark_read(request.person.notifications().filter(pk=pk))
    return redirect(way_back(request, otherwise="notifications"))


@require_POST
@for_agents
def notifications_read(request: PersonRequest) -> HttpResponse:
    """Marks all of them as read."""
    count = mark_read(request.person.notifications())
    told = ngettext(
        "%(num)s notification is read now.", "%(num)s notifications are read now.", count
    )
    messages.success(request, told % {"num": count})
    return redirect(way_back(request, otherwise="notifications"))


paths = [
    path("notifications/", notifications, name="notifications"),
    path("notifications/latest", latest_notifications, name="latest_notifications"),
    path("notifications/read", notifications_read, name="notifications_read"),
    path("notifications/<int:pk>/open", notification_open, name="notification_open"),
    path("notifications/<int:pk>/read", notification_read, name="notification_read"),
]
