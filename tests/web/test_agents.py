"""Agents and administrators: added, changed, let in and out; each refusal next to its field."""

import re

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from buzon.desk.assignment import hand_out
from buzon.desk.customers import add_customer
from buzon.desk.models import Agent, User
from buzon.desk.people import add_administrator, add_agent, add_group, deactivate_agent, let_answer
from tests.web.cast import PASSWORD, Cast

pytestmark = pytest.mark.django_db
LUCIA = {"name": "Lucía", "email": "lucia@olivo.example"}


def error_of(page: str, field: str) -> str:
    """What stands next to the field."""
    return page.split(f'id="error-{field}"')[1].split("</div>")[0]


def signed_in(cast: Cast, email: str, password: str = PASSWORD) -> Client | None:
    """By the sign-in page itself; None where it refuses."""
    browser = cast.browser()
    page = browser.post("/sign-in", {"email": email, "password": password})
    return browser if page.status_code == 302 else None


def test_agents_are_listed_with_status_and_presence_as_two_facts(cast: Cast) -> None:
    add_customer(cast.shop, addresses=["eva@example.com"], agent=cast.ana)
    cast.ana.set_status(Agent.Status.LUNCH)
    cast.ana.heard_from()
    page = cast.browser(cast.olga).get("/agents/").text
    ana, luis = page.split("<tbody>")[1].split("</tr>")[:2]
    for fact in ("Ana", "ana@olivo.example", "is-lunch", "At lunch", "Ventas", ">1</td>", ">yes</"):
        assert fact in ana
    assert '<span class="presence is-here">signed in</span>' in ana
    assert '<span class="presence">not signed in</span>' in luis
    assert "Elsewhere" not in page
    assert "charlie" not in page


def test_an_open_page_asks_for_its_rows_alone(cast: Cast) -> None:
    """And leaves the messages of the next page alone."""
    browser = cast.browser(cast.olga)
    browser.post(f"/agents/{cast.ana.pk}/status", {"status": "busy"})
    rows = browser.get("/agents/", headers={"hx-request": "true"}).text
    assert rows.lstrip().startswith('<div id="agents"')
    assert "is-busy" in rows
    assert "Ana is now: Busy." in browser.get("/agents/").text


def test_the_deactivated_stand_apart(cast: Cast) -> None:
    browser = cast.browser(cast.olga)
    assert "show=deactivated" not in browser.get("/agents/").text
    deactivate_agent(cast.luis)
    assert "Luis" not in browser.get("/agents/").text
    gone = browser.get("/agents/?show=deactivated").text
    assert "Luis" in gone
    assert f"/agents/{cast.ana.pk}" not in gone


def test_an_agent_is_added_with_a_typed_password_and_signs_in(cast: Cast) -> None:
    typed = LUCIA | {"groups": [cast.group.pk], "signs_in": "on", "password": PASSWORD}
    page = cast.browser(cast.olga).post("/agents/new", typed, follow=True)
    assert "Added the agent Lucía." in page.text
    lucia = Agent.objects.get(name="Lucía")
    assert (lucia.status, list(lucia.groups.all())) == ("free", [cast.group])
    assert signed_in(cast, "lucia@olivo.example")


def test_a_password_that_was_made_is_shown_once(cast: Cast) -> None:
    browser = cast.browser(cast.olga)
    page = browser.post("/agents/new", LUCIA | {"signs_in": "on", "password": ""})
    found = re.search(r'class="secret-shown">([a-z2-9-]{19})<', page.text)
    assert found
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    assert signed_in(cast, "lucia@olivo.example", found[1])
    lucia = Agent.objects.get(name="Lucía")
    for address in ("/agents/", f"/agents/{lucia.pk}", f"/agents/{lucia.pk}/login"):
        assert found[1] not in browser.get(address).text
    assert found[1] not in str(dict(browser.session))


def test_an_agent_without_a_login_gets_customers_and_cannot_sign_in(cast: Cast) -> None:
    browser = cast.browser(cast.olga)
    browser.post("/agents/new", LUCIA | {"groups": [cast.group.pk]})
    lucia = Agent.objects.get(name="Lucía")
    assert lucia.user is None
    assert "none: cannot sign in" in browser.get(f"/agents/{lucia.pk}").text
    assert ">none</span>" in browser.get("/agents/").text
    browser.post(f"/agents/{lucia.pk}/login", {"password": PASSWORD})
    assert signed_in(cast, "lucia@olivo.example")


@pytest.mark.parametrize(
    ("language", "typed", "field", "told"),
    [
        ("en", {"name": "ana"}, "name", "There is already an agent Ana."),
        ("es", {"name": "ana"}, "name", "Ya hay un agente Ana."),
        ("en", {"email": "ANA@olivo.example"}, "email", "already an agent with the address"),
        ("es", {"email": "charlie@elsewhere.example"}, "email", "Ya hay un acceso con la"),
        ("en", {"email": "nowhere"}, "email", "&#39;nowhere&#39; is not an e-mail address."),
        ("es", {"name": ""}, "name", "Este campo es obligatorio."),
        ("en", {"password": "sh0rt!x"}, "password", "This password is too short."),
        ("es", {"password": "sh0rt!x"}, "password", "La contraseña es demasiado corta."),
        ("en", {"signs_in": ""}, "password", "Nobody signs in with it"),
        ("es", {"groups": ["999999"]}, "groups", "999999"),
    ],
)
def test_a_wrong_agent_is_refused_and_what_was_typed_stays(
    cast: Cast, language: str, typed: dict[str, object], field: str, told: str
) -> None:
    whole = LUCIA | {"groups": [cast.group.pk], "signs_in": "on", "password": PASSWORD}
    sent = {name: value for name, value in (whole | typed).items() if value != ""}
    page = cast.browser(cast.olga, language=language).post("/agents/new", sent).text
    assert told in error_of(page, field)
    assert Agent.objects.count() == 2
    for name in ("name", "email"):
        if sent.get(name):
            assert f'value="{sent[name]}"' in page
    assert str(sent.get("password")) not in page  # a secret never comes back
    if field != "groups":
        assert re.search(rf'name="groups" value="{cast.group.pk}"[^>]* checked', page)


def test_another_organizations_group_cannot_be_chosen(cast: Cast) -> None:
    theirs = add_group(cast.elsewhere, "Theirs")
    page = cast.browser(cast.olga).post("/agents/new", LUCIA | {"groups": [theirs.pk]})
    assert "Select a valid choice" in error_of(page.text, "groups")
    assert not Agent.objects.filter(name="Lucía").exists()


def test_an_agent_is_changed_and_the_login_follows(cast: Cast) -> None:
    browser, repairs = cast.browser(cast.olga), add_group(cast.shop, "Reparaciones")
    form = browser.get(f"/agents/{cast.ana.pk}/change").text
    assert 'value="ana@olivo.example"' in form
    assert re.search(rf'value="{cast.group.pk}"[^>]* checked', form)
    typed = {"name": "Ana Ruiz", "email": "ruiz@olivo.example", "copies": "assigned"}
    page = browser.post(
        f"/agents/{cast.ana.pk}/change", typed | {"groups": [repairs.pk]}, follow=True
    )
    assert "Changed Ana Ruiz." in page.text
    assert "Of new customers only" in page.text
    cast.ana.refresh_from_db()
    assert (cast.ana.email_copies, list(cast.ana.groups.all())) == ("assigned", [repairs])
    assert signed_in(cast, "ruiz@olivo.example")
    assert signed_in(cast, "ana@olivo.example") is None


def test_a_wrong_change_keeps_the_old_name_in_the_heading(cast: Cast) -> None:
    typed = {"name": "Luis", "email": "ana@olivo.example", "copies": "none"}
    page = cast.browser(cast.olga, language="es").post(f"/agents/{cast.ana.pk}/change", typed).text
    assert "Ya hay un agente Luis." in error_of(page, "name")
    assert "<h1>Cambiar Ana</h1>" in page
    assert 'value="Luis"' in page


def test_r12_an_administrator_sets_a_status_and_it_stays_over_sign_out(cast: Cast) -> None:
    ana = signed_in(cast, "ana@olivo.example")
    assert ana
    cast.ana.heard_from()
    page = cast.browser(cast.olga).post(
        f"/agents/{cast.ana.pk}/status", {"status": "lunch"}, follow=True
    )
    assert "Ana is now: At lunch." in page.text
    ana.post("/sign-out")
    cast.ana.refresh_from_db()
    assert (cast.ana.status, cast.ana.is_present()) == ("lunch", False)
    assert signed_in(cast, "ana@olivo.example")
    cast.ana.refresh_from_db()
    assert cast.ana.status == "lunch"


def test_r12_there_is_no_fifth_status(cast: Cast) -> None:
    page = cast.browser(cast.olga, language="es").post(
        f"/agents/{cast.ana.pk}/status", {"status": "gone"}, follow=True
    )
    assert "El estado debe ser uno de" in page.text
    cast.ana.refresh_from_db()
    assert cast.ana.status == "free"


def test_a_new_password_ends_what_is_signed_in_with_the_old_one(cast: Cast) -> None:
    ana = signed_in(cast, "ana@olivo.example")
    assert ana
    assert ana.get("/me").status_code == 200
    page = cast.browser(cast.olga).post(
        f"/agents/{cast.ana.pk}/login", {"password": "another long one 1"}, follow=True
    )
    assert "Ana signs in with ana@olivo.example and the new password." in page.text
    assert ana.get("/me").status_code == 302
    assert signed_in(cast, "ana@olivo.example") is None
    assert signed_in(cast, "ana@olivo.example", "another long one 1")


def test_ones_own_password_is_changed_elsewhere(cast: Cast) -> None:
    agent = let_answer(cast.olga, name="Olga")
    browser = cast.browser(cast.olga)
    for address in (f"/agents/{agent.pk}/login", f"/administrators/{cast.olga.pk}/password"):
        answer = browser.post(address, {"password": "another long one 1"})
        assert answer["Location"] == "/me"
    cast.olga.refresh_from_db()
    assert cast.olga.check_password(PASSWORD)


def test_deactivating_says_who_stays_behind_and_ends_the_sessions(cast: Cast) -> None:
    for number in range(3):
        add_customer(cast.shop, addresses=[f"c{number}@example.com"], agent=cast.ana)
    ana, browser = signed_in(cast, "ana@olivo.example"), cast.browser(cast.olga)
    asked = browser.get(f"/agents/{cast.ana.pk}/deactivation").text
    assert "3 customers stay listed here, and each is handed out as if new" in asked
    cast.ana.refresh_from_db()
    assert cast.ana.active
    page = browser.post(f"/agents/{cast.ana.pk}/deactivation", follow=True).text
    assert "Deactivated Ana." in page
    assert f"/customers/?agent={cast.ana.pk}" in page
    assert ana is not None
    assert ana.get("/me").status_code == 302
    assert signed_in(cast, "ana@olivo.example") is None
    page = browser.post(f"/agents/{cast.ana.pk}/reactivation", follow=True).text
    assert "Ana is back." in page
    assert signed_in(cast, "ana@olivo.example")


def test_a_deactivated_administrator_goes_on_administering(cast: Cast) -> None:
    agent, browser = let_answer(cast.olga, name="Olga"), signed_in(cast, "olga@olivo.example")
    assert browser
    assert "it is an administrator's" in browser.get(f"/agents/{agent.pk}/deactivation").text
    page = browser.post(f"/agents/{agent.pk}/deactivation", follow=True)
    assert page.status_code == 200
    assert browser.get("/agents/").status_code == 200


def test_an_agents_page_tells_what_was_given_and_why(cast: Cast) -> None:
    cast.ana.heard_from()
    customer = add_customer(cast.shop, addresses=["eva@example.com"])
    hand_out(customer, cast.group)
    page = cast.browser(cast.olga).get(f"/agents/{cast.ana.pk}").text
    given = page.split('id="given"')[1].split("</section>")[0]
    assert f'href="/customers/{customer.pk}"' in given
    for words in ("eva@example.com", "Free and signed in, next in turn of 1", "Ventas, turn 1"):
        assert words in given
    page = cast.browser(cast.olga, language="es").get(f"/agents/{cast.ana.pk}").text
    assert "Libre y con la sesión iniciada" in page
    assert "1 cliente<" in page


def test_what_is_another_organizations_does_not_exist(cast: Cast) -> None:
    theirs = add_agent(cast.elsewhere, name="Eve", email="eve@elsewhere.example")
    browser = cast.browser(cast.olga)
    for rest in ("", "/change", "/login", "/deactivation"):
        assert browser.get(f"/agents/{theirs.pk}{rest}").status_code == 404
    for rest in ("/change", "/status", "/login", "/deactivation", "/reactivation"):
        assert browser.post(f"/agents/{theirs.pk}{rest}").status_code == 404
    for rest in ("/password", "/removal", "/agent"):
        for row in (cast.charlie.pk, cast.ana.user_id):  # an agent's login is no administrator
            assert browser.get(f"/administrators/{row}{rest}").status_code == 404
            assert browser.post(f"/administrators/{row}{rest}").status_code == 404
    theirs.refresh_from_db()
    assert theirs.active


def test_an_agent_administers_nobody(cast: Cast) -> None:
    browser = cast.browser(cast.ana)
    for address in (
        "/agents/", "/agents/new", f"/agents/{cast.luis.pk}", f"/agents/{cast.ana.pk}/change",
        "/administrators/", "/administrators/new",
    ):  # fmt: skip
        assert browser.get(address).status_code == 404
    assert browser.post(f"/agents/{cast.luis.pk}/status", {"status": "busy"}).status_code == 404


def test_an_administrator_is_added_and_signs_in(cast: Cast) -> None:
    typed = {"email": "direccion@olivo.example", "password": PASSWORD}
    page = cast.browser(cast.olga).post("/administrators/new", typed, follow=True)
    assert "Added the administrator direccion@olivo.example." in page.text
    browser = signed_in(cast, "direccion@olivo.example")
    assert browser
    assert browser.get("/agents/").status_code == 200


@pytest.mark.parametrize(
    ("language", "typed", "field", "told"),
    [
        ("en", {"email": "ana@olivo.example"}, "email", "There is already a login"),
        ("es", {"email": "charlie@elsewhere.example"}, "email", "Ya hay un acceso con la"),
        ("es", {"password": "password12"}, "password", "demasiado común"),
        ("en", {"email": "x"}, "email", "is not an e-mail address"),
    ],
)
def test_a_wrong_administrator_is_refused(
    cast: Cast, language: str, typed: dict[str, str], field: str, told: str
) -> None:
    whole = {"email": "direccion@olivo.example", "password": PASSWORD} | typed
    page = cast.browser(cast.olga, language=language).post("/administrators/new", whole).text
    assert told in error_of(page, field)
    assert f'value="{whole["email"]}"' in page
    assert whole["password"] not in page
    assert User.objects.count() == 4


def test_the_last_administrator_stays(cast: Cast) -> None:
    browser = cast.browser(cast.olga, language="es")
    asked = browser.get(f"/administrators/{cast.olga.pk}/removal").text
    assert "Es usted." in asked
    page = browser.post(f"/administrators/{cast.olga.pk}/removal").text
    assert "olga@olivo.example es el último administrador" in page
    assert User.objects.filter(pk=cast.olga.pk).exists()


def test_an_administrator_is_removed_and_is_out(cast: Cast) -> None:
    luz = add_administrator(cast.shop, email="luz@olivo.example", password=PASSWORD)
    hers, browser = signed_in(cast, "luz@olivo.example"), cast.browser(cast.olga)
    assert hers
    assert "This is you." not in browser.get(f"/administrators/{luz.pk}/removal").text
    page = browser.post(f"/administrators/{luz.pk}/removal", follow=True)
    assert "luz@olivo.example is no longer an administrator." in page.text
    assert hers.get("/agents/").status_code == 302
    assert not User.objects.filter(email="luz@olivo.example").exists()


def test_an_administrator_answers_too_and_may_go_on_as_an_agent_alone(cast: Cast) -> None:
    luz = add_administrator(cast.shop, email="luz@olivo.example", password=PASSWORD)
    browser = signed_in(cast, "luz@olivo.example")
    assert browser
    assert f"/administrators/{luz.pk}/agent" in browser.get("/administrators/").text
    wrong = browser.post(f"/administrators/{luz.pk}/agent", {"name": "Ana"})
    assert "There is already an agent Ana." in error_of(wrong.text, "name")
    typed = {"name": "Luz", "groups": [cast.group.pk]}
    page = browser.post(f"/administrators/{luz.pk}/agent", typed, follow=True)
    assert "Luz answers customers too." in page.text
    agent = Agent.objects.get(user=luz)
    assert list(agent.groups.all()) == [cast.group]
    assert browser.get(f"/administrators/{luz.pk}/agent").status_code == 404
    assert "as Luz" in browser.get("/administrators/").text
    asked = browser.get(f"/administrators/{luz.pk}/removal").text
    assert "Luz goes on answering customers" in asked
    assert browser.post(f"/administrators/{luz.pk}/removal")["Location"] == "/"
    assert browser.get("/administrators/").status_code == 404
    assert browser.get("/me").status_code == 200


def test_another_administrators_password_is_set_and_ends_the_sessions(cast: Cast) -> None:
    luz = add_administrator(cast.shop, email="luz@olivo.example", password=PASSWORD)
    hers, browser = signed_in(cast, "luz@olivo.example"), cast.browser(cast.olga)
    page = browser.post(f"/administrators/{luz.pk}/password", {"password": ""})
    made = re.search(r'class="secret-shown">([^<]+)<', page.text)
    assert made
    assert hers is not None
    assert hers.get("/me").status_code == 302
    assert signed_in(cast, "luz@olivo.example", made[1])


def test_names_stand_in_the_order_of_the_alphabet(cast: Cast) -> None:
    for number, name in enumerate(("Tom", "Íñigo", "zoe", "Óscar")):
        add_agent(cast.shop, name=name, email=f"a{number}@olivo.example")
    page = cast.browser(cast.olga).get("/agents/").text
    places = [page.index(name) for name in ("Íñigo", "Óscar", "Tom", "zoe")]
    assert places == sorted(places)


def test_a_long_list_takes_as_few_queries_as_a_short_one(
    cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    groups = [add_group(cast.shop, f"Group {number}") for number in range(5)]
    for number in range(55):
        agent = add_agent(
            cast.shop, name=f"Agent {number:02}", email=f"{number}@olivo.example", groups=groups
        )
        Agent.objects.filter(pk=agent.pk).update(present_until=timezone.now())
        add_customer(cast.shop, addresses=[f"c{number}@example.com"], agent=agent)
    browser = cast.browser(cast.olga)
    with django_assert_max_num_queries(14):
        page = browser.get("/agents/").text
    assert page.count("<tr>") == 51
    assert "Agent 54" in browser.get("/agents/?page=2").text
    for number in range(25):
        hand_out(add_customer(cast.shop, addresses=[f"d{number}@example.com"]), cast.group)
    with django_assert_max_num_queries(14):
        page = browser.get(f"/agents/{cast.ana.pk}").text
    assert page.count('class="handout"') >= 12
    for number in range(20):
        add_administrator(cast.shop, email=f"boss{number}@olivo.example", password=PASSWORD)
    with django_assert_max_num_queries(12):
        assert "boss19@" in browser.get("/administrators/").text
