"""What people see stands in the order of its dates, whenever it came: a first download brings the
newest first, and mail of before may be collected after that of today.
"""

import re
from datetime import UTC, datetime, timedelta

import pytest

from buzon.desk.models import Membership
from buzon.intake.asked_history import collect_again
from tests.intake.collecting import collect
from tests.intake.scene import scene
from tests.web.cast import Cast

pytestmark = pytest.mark.django_db(transaction=True)
FIRST = datetime(2026, 9, 1, 12, tzinfo=UTC)
NAMES = ["diez", "once", "doce", "trece", "catorce", "quince"]


def seen(page: str) -> list[str]:
    """The names in the order in which they stand on the page, each once."""
    return list(dict.fromkeys(re.findall("|".join(rf"\b{name}\b" for name in NAMES), page)))


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_lists_stand_by_date_and_not_by_arrival(cast: Cast, protocol: str) -> None:
    days = dict(zip(NAMES, (30, 2, 50, 11, 41, 22), strict=True))
    by_date = sorted(NAMES, key=lambda name: -days[name])
    with scene(protocol) as at:
        for name in NAMES:
            when = FIRST + timedelta(days=days[name])
            received = f"Received: from a by b; {when:%a, %d %b %Y %H:%M:%S +0000}\r\n"
            letter = at.letter(f"{name}@x.example").replace(b"Subject: Letter", name_of(name))
            at.box.deliver(received.encode() + letter, internal_date=when)
        account = at.account(
            organization=cast.shop, start="date", start_date=(FIRST + timedelta(days=25)).date()
        )
        collect(account)
        collect_again(account, since=None)
        collect(account)
    browser = cast.browser(cast.olga)
    assert seen(browser.get("/letters/").text) == by_date
    assert seen(browser.get("/customers/").text) == by_date
    assert seen(browser.get(f"/collection-accounts/{account.pk}").text) == by_date
    home = browser.get("/").text
    assert seen(home[home.index('id="unassigned"') :]) == by_date


def name_of(name: str) -> bytes:
    return f"Subject: de {name}, letter".encode()


def test_what_an_agent_was_given_stands_by_date(cast: Cast) -> None:
    Membership.objects.filter(agent=cast.luis).delete()
    with scene() as at:
        for name, day in zip(NAMES, (30, 2, 50, 11, 41, 22), strict=True):
            at.box.deliver(
                at.letter(f"{name}@x.example"), internal_date=FIRST + timedelta(days=day)
            )
        collect(at.account(organization=cast.shop, group=cast.group, history="silent"))
    page = cast.browser(cast.ana).get("/").text
    given = page[page.index('id="given"') :]
    assert seen(given) == ["doce", "catorce", "diez", "quince", "trece", "once"]
