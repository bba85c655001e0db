"""Every address of the pages, by noun. A page module's `paths` are its own part of the table."""

from django.urls import URLPattern, URLResolver

from buzon.web.pages import (
    administrators,
    agents,
    blocked,
    collection_accounts,
    customer_changes,
    customers,
    forgotten,
    groups,
    home,
    ledger,
    letter,
    letters,
    me,
    my_sessions,
    notifications,
    organization,
    quarantine,
    search,
    sender_blocking,
    setup,
    setup_steps,
    sign_in,
    stores,
    stream,
)

handler400 = "buzon.web.refusals.wrong_request"
handler404 = "buzon.web.refusals.not_found"
handler500 = "buzon.web.refusals.fault"

urlpatterns: list[URLPattern | URLResolver] = [
    *home.paths,
    *setup.paths,
    *setup_steps.paths,
    *sign_in.paths,
    *forgotten.paths,
    *me.paths,
    *my_sessions.paths,
    *collection_accounts.paths,
    *ledger.paths,
    *quarantine.paths,
    *letters.paths,
    *letter.paths,
    *search.paths,
    *customers.paths,
    *customer_changes.paths,
    *sender_blocking.paths,
    *agents.paths,
    *administrators.paths,
    *groups.paths,
    *stores.paths,
    *organization.paths,
    *blocked.paths,
    *notifications.paths,
    *stream.paths,
]
