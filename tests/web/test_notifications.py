"""Notifications on the pages: the list and the bell, what each leads to, read and unread (R13)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import resolve
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from buzon.desk.models import Agent, User
from buzon.intake.models import CollectionAccount
from buzon.notify import copies
from buzon.notify.links import address_of
from buzon.notify.models import Notification
from tests.notify import people
from tests.servers.smtp import SmtpServer
from tests.web.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(cast: Cast) -> CollectionAccount:
    return CollectionAccount.objects.create(
        organization=cast.shop, name="Pedidos", host="h.example", port=993, secret=b""
    )


def told(to: Agent | User, kind: str = "message_received", **fields: Any) -> Notification:
    """One notification of this kind, about a customer of Ana's or (for a login) an account."""
    shop = to.organization
    if kind in ("customer_assigned", "message_received", "letter_bounced"):
        assert isinstance(to, Agent)
        customer = fields.pop("customer", None) or people.customer(shop, agent=to)
        about = {"customer": customer, "agent": to, "data": {"notify": True}}
        if kind != "customer_assigned":
            about["message"] = people.letter(customer)
        people.event(kind, shop, **(about | fields))
    else:
        people.event(kind, shop, **fields)
    people.tell(shop)
    return Notification.objects.order_by("-pk")[0]


def unread_shown(page: Any) -> str:
    """What the bell says."""
    return str(page.text.split("data-unread")[1].split(">")[1].split("<")[0])


@pytest.mark.parametrize(
    ("language", "kind", "new", "headline"),
    [
        ("en", "Message received", "New</span>", "New message from"),
        ("es", "Mensaje recibido", "Nuevo</span>", "Nuevo mensaje de"),
    ],
)
def test_r13_the_list_says_what_happened(
    cast: Cast, language: str, kind: str, new: str, headline: str
) -> None:
    row = told(cast.ana)
    page = cast.browser(cast.ana, language=language).get("/notifications/")
    assert kind in page.text
    assert headline in page.text
    assert new in page.text
    assert f'href="/notifications/{row.pk}/open"' in page.text
    assert unread_shown(page) == "1"


def test_nothing_yet_and_nothing_unread(cast: Cast) -> None:
    browser = cast.browser(cast.ana)
    assert "No notifications yet" in browser.get("/notifications/").text
    assert "No notifications yet" in browser.get("/notifications/latest").text
    assert "You have read everything" in browser.get("/notifications/?unread=1").text


def test_the_newest_first_and_only_the_unread_ones(cast: Cast) -> None:
    first, second = told(cast.ana), told(cast.ana, "customer_assigned")
    browser = cast.browser(cast.ana)
    page = browser.get("/notifications/").text
    assert page.index(f"/{second.pk}/open") < page.index(f"/{first.pk}/open")
    browser.post(f"/notifications/{first.pk}/read")
    page = browser.get("/notifications/?unread=1").text
    assert f"/{first.pk}/open" not in page
    assert f"/{second.pk}/open" in page


def test_everybody_sees_only_their_own(cast: Cast) -> None:
    row = told(cast.ana)
    for other in (cast.luis, cast.olga, cast.charlie):
        browser = cast.browser(other)
        assert f"/{row.pk}/open" not in browser.get("/notifications/").text
        assert f"/{row.pk}/open" not in browser.get("/notifications/latest").text
        assert browser.get(f"/notifications/{row.pk}/open").status_code == 404
        assert browser.post(f"/notifications/{row.pk}/read").status_code == 404
        browser.post("/notifications/read")
    row.refresh_from_db()
    assert row.read_at is None


def test_following_its_link_marks_it_as_read_and_leads_to_the_letter(cast: Cast) -> None:
    row = told(cast.ana)
    answer = cast.browser(cast.ana).get(f"/notifications/{row.pk}/open")
    assert answer.headers["Location"] == f"/letters/{row.message_id}"
    row.refresh_from_db()
    assert row.read_at is not None


def test_a_page_that_is_loaded_ahead_marks_nothing(cast: Cast) -> None:
    row = told(cast.ana)
    browser = cast.browser(cast.ana)
    browser.get(f"/notifications/{row.pk}/open", headers={"Sec-Purpose": "prefetch;prerender"})
    assert browser.head(f"/notifications/{row.pk}/open").status_code == 405
    row.refresh_from_db()
    assert row.read_at is None


def _letter(cast: Cast, _account: CollectionAccount) -> tuple[Notification, str]:
    row = told(cast.ana, "letter_bounced")
    return row, f"/letters/{row.message_id}"


def _customer(cast: Cast, _account: CollectionAccount) -> tuple[Notification, str]:
    row = told(cast.ana, "customer_assigned")
    return row, f"/customers/{row.customer_id}"


def _history(cast: Cast, account: CollectionAccount) -> tuple[Notification, str]:
    data = {"account": account.name, "account_id": account.pk, "letters": 70, "customers": 3}
    return told(cast.ana, "history_collected", agent=cast.ana, data=data), "/letters/"


@pytest.mark.parametrize("about", [_letter, _customer, _history])
def test_what_an_agent_is_told_leads_to_it(
    cast: Cast,
    account: CollectionAccount,
    about: Callable[[Cast, CollectionAccount], tuple[Notification, str]],
) -> None:
    row, there = about(cast, account)
    assert row.agent == cast.ana
    answer = cast.browser(cast.ana).get(f"/notifications/{row.pk}/open")
    assert answer.headers["Location"] == there
    resolve(there)


@pytest.mark.parametrize("kind", ["account_failed", "account_stopped", "account_recovered"])
def test_what_an_administrator_is_told_leads_to_the_account(
    cast: Cast, account: CollectionAccount, kind: str
) -> None:
    row = told(cast.olga, kind, data={"account": account.name, "account_id": account.pk})
    browser = cast.browser(cast.olga)
    there = browser.get(f"/notifications/{row.pk}/open").headers["Location"]
    assert there == f"/collection-accounts/{account.pk}"
    resolve(there)
    account.delete()
    page = browser.get(f"/notifications/{row.pk}/open", follow=True)
    assert "no longer there, or no longer yours" in page.text


def test_a_customer_without_an_agent_leads_an_administrator_to_the_customer(cast: Cast) -> None:
    customer = people.customer(cast.shop)
    row = told(cast.olga, "customer_left_unassigned", customer=customer)
    browser = cast.browser(cast.olga)
    there = browser.get(f"/notifications/{row.pk}/open").headers["Location"]
    assert there == f"/customers/{customer.pk}"


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("en", "no longer there, or no longer yours"), ("es", "ya no está, o ya no le corresponde")],
)
def test_a_customer_who_is_somebody_elses_by_now_is_not_shown(
    cast: Cast, language: str, sentence: str
) -> None:
    row = told(cast.ana)
    assert row.customer is not None
    row.customer.agent = cast.luis
    row.customer.save()
    browser = cast.browser(cast.ana, language=language)
    page = browser.get(f"/notifications/{row.pk}/open", follow=True)
    assert sentence in page.text


def test_one_and_all_are_marked_as_read(cast: Cast) -> None:
    first, _second, _third = (told(cast.ana) for _ in range(3))
    his = told(cast.luis)
    browser = cast.browser(cast.ana)
    here = "/notifications/?unread=1"
    answer = browser.post(f"/notifications/{first.pk}/read", {"next": here})
    assert answer.headers["Location"] == here
    assert unread_shown(browser.get("/notifications/")) == "2"
    page = browser.post("/notifications/read", {"next": "https://evil.example/"}, follow=True)
    assert page.redirect_chain == [("/notifications/", 302)]
    assert "2 notifications are read now." in page.text
    assert unread_shown(page) == ""
    his.refresh_from_db()
    assert his.read_at is None


def test_marking_needs_a_form_of_ours(cast: Cast) -> None:
    row = told(cast.ana)
    browser = Client(enforce_csrf_checks=True, headers={"host": "localhost"})
    browser.force_login(cast.ana.user)  # type: ignore[arg-type]  # an agent with a login
    for place in ("/notifications/read", f"/notifications/{row.pk}/read"):
        assert browser.post(place).status_code == 403


def test_the_bell_shows_the_last_eight(cast: Cast) -> None:
    rows = [told(cast.ana) for _ in range(10)]
    page = cast.browser(cast.ana).get("/notifications/latest").text
    shown = [row.pk for row in rows if f"/notifications/{row.pk}/open" in page]
    assert shown == [row.pk for row in rows[2:]]
    assert "<html" not in page


def test_a_long_list_takes_as_few_queries_as_a_short_one(
    cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(55):
        told(cast.ana)
    browser = cast.browser(cast.ana)
    browser.get("/notifications/")
    with django_assert_max_num_queries(8):
        page = browser.get("/notifications/")
    assert page.text.count("/open") == 50
    assert 'rel="next"' in page.text
    with django_assert_max_num_queries(8):
        browser.get("/notifications/latest")


def test_the_address_in_a_copy_is_one_of_the_pages(cast: Cast, settings: Settings) -> None:
    row = told(cast.ana)
    settings.BUZON_PUBLIC_URL = ""
    assert address_of(row) == ""
    settings.BUZON_PUBLIC_URL = "https://buzon.example.com"
    address = address_of(row)
    assert address.startswith("https://buzon.example.com/")
    found = resolve(address.removeprefix("https://buzon.example.com"))
    assert (found.url_name, found.kwargs) == ("notification_open", {"pk": row.pk})


@pytest.mark.parametrize(
    ("wish", "arrives"),
    [("none", []), ("assigned", ["customer"]), ("all", ["customer", "letter"])],
)
def test_R13_the_copy_that_an_agent_wished_for_on_the_page_arrives(
    cast: Cast, settings: Settings, wish: str, arrives: list[str]
) -> None:
    Agent.objects.filter(pk=cast.ana.pk).update(email="ana@olivo.internal")
    browser = cast.browser(cast.ana)
    browser.post("/me", {"language": "es", "appearance": "auto", "copies": wish})
    cast.ana.refresh_from_db()
    with SmtpServer() as server:
        settings.BUZON_SMTP_URL = f"smtp://127.0.0.1:{server.port}"
        settings.BUZON_MAIL_FROM = "buzon@shop.example"
        settings.BUZON_PUBLIC_URL = "https://buzon.example.com"
        rows = {"customer": told(cast.ana, "customer_assigned"), "letter": told(cast.ana)}
        copies.send_due(stop=lambda: False)
    assert [letter["To"] for letter in server.letters] == ["ana@olivo.internal"] * len(arrives)
    for what, letter in zip(arrives, server.letters, strict=True):
        body = letter.get_content()
        assert "Buzón" in body
        assert "Por favor, no responda" in body  # the language that was chosen on the page
        link = f"https://buzon.example.com/notifications/{rows[what].pk}/open"
        assert link in body.splitlines()
        there = browser.get(link.removeprefix("https://buzon.example.com"))
        assert there.status_code == 302
