"""Setting up: from nothing to the first mailbox, for whoever has the code."""

import errno
import html
import re
import socket
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from buzon.config.demonstration import OnDemand
from buzon.desk.customers import add_customer
from buzon.desk.errors import DeskError
from buzon.desk.models import Agent, AgentGroup, Organization, Store, User
from buzon.desk.organizations import add_organization
from buzon.desk.people import add_administrator
from buzon.desk.stores import add_store
from buzon.web import wiring
from buzon.web.pages.setup import setup_progress
from buzon.web.setup_code import forget_setup_code, is_setup_code, setup_code
from tests.web.accounts import TYPED
from tests.web.cast import PASSWORD, Cast
from tests.web.clock import Clock

pytestmark = pytest.mark.django_db
OLGA = "olga@olivo.example"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> None:
    settings.BUZON_DATA_DIR = tmp_path
    settings.BUZON_KEYS = "first:" + "A" * 43 + "="


@pytest.fixture
def shop(db: None) -> Organization:
    """As the first start leaves it: an organization, and nobody."""
    return add_organization("My shop")


@pytest.fixture
def browser(shop: Organization) -> Client:
    return Client(headers={"host": "localhost", "accept-language": "en"})


@pytest.fixture
def demonstration(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a demonstration leaves: its organization with an administrator."""
    begun: list[str] = []

    def begin() -> tuple[str, str]:
        begun.append("begun")
        demo = add_organization("Demonstration")
        add_administrator(demo, email="admin@demo.example", password=PASSWORD)
        return "admin@demo.example", PASSWORD

    monkeypatch.setattr(wiring, "demonstration", begin)
    return begun


def typed(**changes: object) -> dict[str, object]:
    return {
        "code": setup_code(),
        "email": OLGA,
        "password": PASSWORD,
        "name": "Casa Olivo",
        "language": "es",
        "time_zone": "Europe/Madrid",
    } | changes


def people(**changes: object) -> dict[str, object]:
    rows = {f"{field}_{n}": "" for n in range(1, 5) for field in ("name", "email")}
    return rows | {"group": "Ventas"} | changes


def error_of(page: str, field: str) -> str:
    return page.split(f'id="error-{field}"')[1].split("</div>")[0]


@pytest.mark.parametrize("path", ["/", "/stores/", "/me", "/ledger/"])
def test_every_page_leads_to_the_set_up_while_nobody_administers(
    browser: Client, path: str
) -> None:
    page = browser.get(path, follow=True)
    assert page.redirect_chain[-1][0] == "/setup"
    assert "Set up your shop" in page.text


def test_the_shop_gets_its_name_and_its_administrator_who_is_signed_in(
    browser: Client, shop: Organization
) -> None:
    code = setup_code()
    form = browser.get(f"/setup?code={code}").text
    assert f'value="{code}"' in form
    assert browser.post("/setup", typed(code=f" {code.upper()} "))["Location"] == "/setup/stores"
    shop.refresh_from_db()
    assert (shop.name, shop.language, shop.time_zone) == ("Casa Olivo", "es", "Europe/Madrid")
    olga = User.objects.get()
    assert (olga.email, olga.role, olga.organization) == (OLGA, "administrator", shop)
    assert olga.check_password(PASSWORD)
    assert browser.get("/setup/stores").status_code == 200


def test_afterwards_the_first_step_is_gone_and_the_code_forgotten(browser: Client) -> None:
    code = setup_code()
    browser.post("/setup", typed())
    assert not is_setup_code(code)
    stranger = Client(headers={"host": "localhost"})
    for one in (browser, stranger):
        assert one.get("/setup").status_code == 404
        assert one.post("/setup", typed(email="eve@evil.example")).status_code == 404
    assert stranger.get("/stores/")["Location"].startswith("/sign-in")


def test_an_installation_without_an_organization_gets_one(db: None) -> None:
    browser = Client(headers={"host": "localhost"})
    assert browser.post("/setup", typed()).status_code == 302
    assert Organization.objects.get().name == "Casa Olivo"


@pytest.mark.parametrize(("language", "zone"), [("es", "Europe/Madrid"), ("en", "UTC")])
def test_language_and_time_zone_are_suggested_by_the_browsers_language(
    browser: Client, language: str, zone: str
) -> None:
    page = browser.get("/setup", headers={"accept-language": language}).text
    assert f'<option value="{language}" selected>' in page
    assert f'<option value="{zone}" selected>' in page


@pytest.mark.parametrize(
    ("language", "field", "wrong", "told"),
    [
        ("en", "code", "guess", "This is not the code."),
        ("es", "code", "guess", "Este no es el código."),
        ("en", "email", "no address", "is not an e-mail address"),
        ("es", "email", "no address", "no es una dirección"),
        ("es", "password", "short", "demasiado corta"),
        ("en", "password", "", "This field is required."),
        ("en", "name", "a\x00b", "Null characters are not allowed."),
        ("en", "name", "   ", "This field is required."),
        ("es", "time_zone", "Mars/Olympus", "Escoja una opción válida"),
        ("en", "language", "tlh", "Select a valid choice"),
    ],
)
def test_what_is_wrong_is_told_next_to_its_field_and_nothing_else_is_lost(
    browser: Client, shop: Organization, language: str, field: str, wrong: str, told: str
) -> None:
    page = browser.post("/setup", typed(**{field: wrong}), headers={"accept-language": language})
    assert told in error_of(page.text, field)
    assert field == "name" or 'value="Casa Olivo"' in page.text
    assert PASSWORD not in page.text
    assert not User.objects.exists()
    shop.refresh_from_db()
    assert shop.name == "My shop"


def test_a_refusal_of_one_thing_leaves_everything_as_it_was(
    browser: Client, shop: Organization
) -> None:
    add_organization("Casa Olivo")
    page = browser.post("/setup", typed()).text
    assert "There is already an organization Casa Olivo." in error_of(page, "name")
    assert not User.objects.exists()
    assert is_setup_code(setup_code())


def test_the_code_cannot_be_guessed(browser: Client, clock: Clock) -> None:
    for _ in range(10):
        browser.post("/setup", typed(code="guess"))
    page = browser.post("/setup", typed()).text
    assert "Try again in 15 minutes." in page
    other = browser.post("/setup", typed(code="guess"), REMOTE_ADDR="198.51.100.7").text
    assert "This is not the code." in other
    clock.moves(minutes=16)
    assert browser.post("/setup", typed()).status_code == 302


@pytest.mark.parametrize("code", ["x", "-", "\n"])
def test_without_a_code_in_the_folder_none_fits(browser: Client, code: str) -> None:
    nothing = typed()
    forget_setup_code()
    browser.post("/setup", nothing | {"code": code})
    assert not User.objects.exists()


def test_stores_are_added_one_after_the_other(cast: Cast) -> None:
    browser = cast.browser(cast.olga)
    page = browser.post("/setup/stores", {"name": "Sur"}, follow=True).text
    assert "Added the store Sur." in page
    assert page.index("Norte") < page.index(">Go on<")
    refused = browser.post("/setup/stores", {"name": "sur"}).text
    assert "There is already a store Sur." in error_of(refused, "name")
    assert Store.objects.filter(organization=cast.shop).count() == 2


def test_people_are_added_at_once_and_their_passwords_are_shown_once(
    browser: Client, shop: Organization
) -> None:
    browser.post("/setup", typed())
    rows = {"name_1": "Ana", "email_1": "ana@olivo.example", "name_3": "Luis",
            "email_3": "luis@olivo.example", "answers": "on", "own_name": "Olga"}  # fmt: skip
    page = browser.post("/setup/people", people(**rows)).text
    ana = Agent.objects.select_related("user").get(name="Ana")
    password = page.split("<code>")[1].split("</code>")[0]
    assert ana.user is not None
    assert ana.user.check_password(password)
    assert password not in browser.get("/setup/people").text
    group = AgentGroup.objects.get(name="Ventas")
    assert {one.name for one in group.members.all()} == {"Ana", "Luis", "Olga"}
    assert Agent.objects.get(name="Olga").user == User.objects.get(email=OLGA)


def test_more_people_join_the_same_group_later(cast: Cast) -> None:
    browser = cast.browser(cast.olga)
    assert 'value="Ventas"' in browser.get("/setup/people").text
    browser.post("/setup/people", people(name_1="Eva", email_1="eva@olivo.example"))
    assert AgentGroup.objects.filter(organization=cast.shop).count() == 1
    assert cast.group.members.count() == 3


@pytest.mark.parametrize(
    ("language", "rows", "field", "told"),
    [
        ("en", {"name_2": "ana", "email_2": "a@x.example"}, "name_2", "already an agent Ana"),
        ("es", {"name_2": "ana", "email_2": "a@x.example"}, "name_2", "Ya hay un agente Ana"),
        ("en", {"name_2": "Eva", "email_2": "ana@olivo.example"}, "email_2", "with the address"),
        ("en", {"name_2": "Eva"}, "email_2", "address"),
        ("en", {"email_2": "eva@olivo.example"}, "name_2", "name"),
        ("en", {"group": "a\x00b"}, "group", "Null characters"),
        ("es", {"answers": "on"}, "own_name", "Diga el nombre"),
        ("en", {"answers": "on", "own_name": "ANA"}, "own_name", "already an agent Ana"),
    ],
)
def test_one_wrong_person_is_told_in_that_row_and_nobody_is_added(
    cast: Cast, language: str, rows: dict[str, object], field: str, told: str
) -> None:
    right = {"name_1": "Noa", "email_1": "noa@olivo.example"}
    page = cast.browser(cast.olga, language=language).post(
        "/setup/people", people(**(right | rows))
    )
    assert told in error_of(page.text, field)
    assert 'value="Noa"' in page.text
    assert Agent.objects.filter(organization=cast.shop).count() == 2


@pytest.mark.parametrize(
    ("language", "told"), [("en", "Name at least one agent"), ("es", "Nombre al menos a un agente")]
)
def test_adding_nobody_says_what_to_do(cast: Cast, language: str, told: str) -> None:
    page = cast.browser(cast.olga, language=language).post("/setup/people", people())
    assert told in page.text


def test_the_mailbox_step_leads_to_its_form(cast: Cast) -> None:
    page = cast.browser(cast.olga).get("/setup/mailbox").text
    assert 'href="/collection-accounts/new?setup=1"' in page.replace("&amp;", "&")


def test_the_first_mailbox_leads_to_what_happens_now(cast: Cast) -> None:
    answer = cast.browser(cast.olga).post("/collection-accounts/new?setup=1", TYPED)
    assert answer["Location"] == "/setup/done"
    page = cast.browser(cast.olga).get("/setup/done").text
    assert "The shop is set up." in page
    assert "Still to do" not in page


def test_the_form_of_the_first_mailbox_leads_on_too(cast: Cast) -> None:
    """Whatever the browser sends from it: saved, checked, or the other tab."""
    page = cast.browser(cast.olga).get("/collection-accounts/new?setup=1").text
    sent = html.unescape(page)
    assert '<form id="account"' in sent
    assert 'action="/collection-accounts/new?setup=1"' in sent
    assert 'hx-post="/collection-accounts/new?setup=1"' in sent
    assert 'href="/collection-accounts/new?setup=1&tab=outgoing"' in sent
    assert "?setup=1" not in cast.browser(cast.olga).get("/collection-accounts/new").text


def test_letters_come_with_what_the_form_of_the_first_mailbox_proposes(cast: Cast) -> None:
    """Without a customer, and with none created, not one letter would be downloaded."""
    browser = cast.browser(cast.olga)
    page = browser.get("/collection-accounts/new?setup=1").text
    assert re.search(r'name="create_customer" value="yes"[^>]* checked', page)
    assert f'<option value="{cast.group.pk}" selected>' in page
    assert "You have no customers yet" in page
    add_customer(cast.shop, addresses=["eva@example.com"])
    page = browser.get("/collection-accounts/new?setup=1").text
    assert re.search(r'name="create_customer" value="no"[^>]* checked', page)
    assert "You have no customers yet" not in page


def test_how_far_it_is(shop: Organization, browser: Client) -> None:
    def done() -> list[bool]:
        return [step.done for step in setup_progress(shop)]

    assert done() == [False, False, False]
    browser.post("/setup", typed())
    add_store(shop, "Norte")
    browser.post("/setup/people", people(name_1="Ana", email_1="ana@olivo.example"))
    assert done() == [True, True, False]
    assert [step.step for step in setup_progress(shop)] == ["stores", "people", "mailbox"]
    assert all(browser.get(step.url).status_code == 200 for step in setup_progress(shop))
    assert "Still to do" in browser.get("/setup/done").text


def test_the_demonstration_shop_needs_the_code_and_nothing_else(
    browser: Client, shop: Organization, demonstration: list[str]
) -> None:
    assert "Try it with the demonstration shop" in browser.get("/setup").text
    page = browser.post("/setup/demonstration", typed(code="guess", name="Mine")).text
    assert "This is not the code." in error_of(page, "code")
    assert 'value="Mine"' in page
    assert demonstration == []
    page = browser.post("/setup/demonstration", {"code": setup_code()}, follow=True)
    assert page.redirect_chain == [("/", 302)]
    assert "admin@demo.example" in page.text
    assert f"and the password {PASSWORD}. Your own shop is set up whenever" in page.text


def test_after_the_demonstration_the_shop_can_still_be_set_up(
    browser: Client, shop: Organization, demonstration: list[str]
) -> None:
    browser.post("/setup/demonstration", {"code": setup_code()})
    browser.post("/sign-out")
    assert 'href="/setup"' in browser.get("/sign-in").text
    assert browser.post("/setup", typed())["Location"] == "/setup/stores"
    assert User.objects.get(email=OLGA).organization == shop
    assert browser.get("/setup").status_code == 404


def test_where_no_demonstration_can_be_started_the_page_says_how(browser: Client) -> None:
    page = browser.get("/setup").text
    assert "make demo" in page
    assert "Try it with" not in page
    assert browser.post("/setup/demonstration", {"code": setup_code()}).status_code == 404


def test_an_administrator_of_an_empty_shop_may_look_at_the_demonstration(
    browser: Client, shop: Organization, demonstration: list[str]
) -> None:
    browser.post("/setup", typed())
    assert "Try it with" in browser.get("/setup/mailbox").text
    assert browser.post("/setup/mailbox")["Location"] == "/"
    assert "admin@demo.example" in browser.get("/me").text


def test_nobody_else_starts_the_demonstration(cast: Cast, demonstration: list[str]) -> None:
    for who in (cast.charlie, cast.ana):
        cast.browser(who).post("/setup/mailbox")
    cast.browser(None).post("/setup/demonstration", {"code": setup_code()})
    assert demonstration == []


def test_a_demonstration_that_cannot_start_says_why(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> tuple[str, str]:
        raise DeskError("No port is free.")

    monkeypatch.setattr(wiring, "demonstration", refuse)
    page = browser.post("/setup/demonstration", {"code": setup_code()})
    assert "No port is free." in page.text
    browser.post("/setup", typed())
    assert "No port is free." in browser.post("/setup/mailbox").text


def test_the_demonstration_of_this_process_says_why_it_cannot_start(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(socket, "create_server", refuse)
    monkeypatch.setattr(wiring, "demonstration", OnDemand().login)
    page = browser.post("/setup/demonstration", {"code": setup_code()})
    assert "cannot start: Too many open files." in page.text


def test_the_steps_cost_no_more_with_many_stores_and_agents(
    cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for n in range(60):
        add_store(cast.shop, f"Store {n}")
        Agent.objects.create(organization=cast.shop, name=f"Agent {n}", email=f"{n}@x.example")
    browser = cast.browser(cast.olga)
    for path in ("stores", "people", "mailbox", "done"):
        browser.get(f"/setup/{path}")
        with django_assert_max_num_queries(11):
            assert browser.get(f"/setup/{path}").status_code == 200
