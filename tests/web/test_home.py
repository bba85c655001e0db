"""The start page: an agent's own work, an administrator's shop."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from buzon.desk.assignment import hand_out
from buzon.desk.customers import add_customer, change_customer
from buzon.desk.models import Agent, Assignment, User
from buzon.desk.people import let_answer, set_status
from buzon.intake.models import Arrival, CollectionAccount
from tests.web.cast import Cast
from tests.web.letters import account_of, collected, filed, written

pytestmark = pytest.mark.django_db


def home(cast: Cast, who: User | Agent, language: str = "en") -> str:
    page = cast.browser(who, language=language).get("/")
    assert page.status_code == 200
    return page.text


def test_a_stranger_is_led_to_sign_in(cast: Cast) -> None:
    assert cast.browser().get("/").headers["Location"].startswith("/sign-in")


# An agent


@pytest.mark.parametrize("status", ["busy", "lunch", "break"])
def test_an_agent_who_is_not_free_is_told_what_it_means_first(cast: Cast, status: str) -> None:
    set_status(cast.ana, status)
    page = home(cast, cast.ana)
    assert "You are not Free" in page
    assert page.index("You are not Free") < page.index("Unread letters")
    assert "No está Libre" in home(cast, cast.ana, "es")
    set_status(cast.ana, "free")
    assert "You are not Free" not in home(cast, cast.ana)


def test_r12_the_start_page_sets_the_own_status_to_free(cast: Cast) -> None:
    set_status(cast.ana, "break")
    browser = cast.browser(cast.ana)
    form = browser.get("/").text.split("You are not Free")[1].split("</form>")[0]
    assert 'action="/me/status"' in form
    assert 'name="status" value="free"' in form
    browser.post("/me/status", {"status": "free", "next": "/"}, follow=True)
    assert Agent.objects.get(pk=cast.ana.pk).status == "free"


def test_an_agent_sees_the_own_unread_letters_and_none_that_is_read(cast: Cast) -> None:
    eva = add_customer(cast.shop, addresses=["eva@example.com"], agent=cast.ana)
    paul = add_customer(cast.shop, addresses=["paul@example.com"], agent=cast.luis)
    filed(eva, cast.shop, subject="Sin leer")
    filed(eva, cast.shop, subject="Leída", read=True)
    filed(paul, cast.shop, subject="De Paul")
    page = home(cast, cast.ana)
    assert "Sin leer" in page
    assert "Leída" not in page
    assert "De Paul" not in page


def test_ten_unread_letters_are_shown_and_where_the_others_are(cast: Cast) -> None:
    eva = add_customer(cast.shop, addresses=["eva@example.com"], agent=cast.ana)
    for _ in range(10):
        filed(eva, cast.shop)
    assert "All unread letters" not in home(cast, cast.ana)
    filed(eva, cast.shop)
    page = home(cast, cast.ana)
    assert "All unread letters" in page
    assert page.count('<li class="letter-row') == 10


def test_r10_an_agent_sees_who_was_given_today_and_why(cast: Cast) -> None:
    eva = add_customer(cast.shop, addresses=["eva@example.com"], name="Eva")
    old = add_customer(cast.shop, addresses=["old@example.com"], name="Vieja", agent=cast.ana)
    Assignment.objects.filter(customer=old).update(at=timezone.now() - timedelta(days=2))
    given = hand_out(eva, cast.group)
    assert given.agent == cast.ana
    page = home(cast, cast.ana)
    assert "Eva" in page
    assert "Nobody of the group was Free and signed in; next in turn of 2" in page
    assert "Vieja" not in page
    change_customer(eva, agent=cast.luis)
    assert f"/customers/{eva.pk}" not in home(cast, cast.ana)


def test_an_agent_with_nothing_to_do_is_told_so(cast: Cast) -> None:
    page = home(cast, cast.ana)
    assert "Nothing is unread" in page
    assert "No new customers today so far." in page
    assert "Incoming mailboxes" not in page


# An administrator


def test_a_new_shop_is_led_through_its_set_up(cast: Cast) -> None:
    assert "What is left to set up" in home(cast, cast.olga)
    spanish = home(cast, cast.olga, "es")
    assert "Lo que falta por preparar" in spanish
    assert "Continuar: La primera cuenta de recogida" in spanish
    assert "Newest letters" not in home(cast, cast.olga)
    account_of(cast.shop)
    page = home(cast, cast.olga)
    assert "What is left to set up" not in page
    assert "Newest letters" in page


def test_a_shop_without_mailboxes_that_has_letters_shows_them(cast: Cast) -> None:
    filed(add_customer(cast.shop, addresses=["eva@example.com"]), cast.shop, subject="Aquí")
    page = home(cast, cast.olga)
    assert "What is left to set up" in page
    assert "Aquí" in page


def test_failing_mailboxes_stand_first_with_what_is_the_matter(cast: Cast) -> None:
    account_of(cast.shop, name="Alfa")
    failing = account_of(cast.shop, name="Zeta")
    CollectionAccount.objects.filter(pk=failing.pk).update(
        state="rejected", state_reason={"code": "mail_error", "error": "The login is refused."}
    )
    page = home(cast, cast.olga)
    assert "1 mailbox is not being collected." in page
    assert "The login is refused." in page
    assert page.index("Zeta") < page.index("Alfa")
    assert "No se está recogiendo el correo de 1 cuenta." in home(cast, cast.olga, "es")


def test_a_paused_mailbox_is_no_failure(cast: Cast) -> None:
    account = account_of(cast.shop, active=False)
    CollectionAccount.objects.filter(pk=account.pk).update(state="unreachable")
    page = home(cast, cast.olga)
    assert "is not being collected" not in page
    assert "Paused" in page


def test_todays_mail_is_counted_by_outcome(cast: Cast) -> None:
    account = account_of(cast.shop)
    collected(account, written(), written())
    yesterday = collected(account, written())[0]
    before = timezone.localtime() - timedelta(days=1)
    Arrival.objects.filter(message=yesterday).update(decided_at=before)
    page = " ".join(home(cast, cast.olga).split())
    tally = page.split('<ul class="tally">')[1].split("</ul>")[0]
    assert '<span class="tally-number">2</span> <span>Filed</span>' in tally
    assert "Skipped" not in tally


def test_agents_and_customers_without_one_are_listed(cast: Cast) -> None:
    set_status(cast.luis, "lunch")
    cast.ana.heard_from()
    lonely = add_customer(cast.shop, addresses=["lonely@example.com"])
    add_customer(cast.elsewhere, addresses=["foreign@example.com"])
    page = " ".join(home(cast, cast.olga).split())
    assert "At lunch" in page
    assert page.count("not signed in") == 1
    assert f'<a href="/customers/{lonely.pk}"><bdi>lonely@example.com</bdi></a>' in page
    assert "foreign@example.com" not in page


def test_a_hundred_customers_without_an_agent_are_not_counted_further(cast: Cast) -> None:
    for number in range(100):
        add_customer(cast.shop, addresses=[f"a{number}@x.example"])
    page = home(cast, cast.olga)
    assert "99+<span" in page
    assert page.count("@x.example</bdi>") == 8


def test_an_administrator_who_answers_sees_both(cast: Cast) -> None:
    Agent.objects.filter(pk=cast.ana.pk).update(user=cast.olga)
    account_of(cast.shop)
    page = home(cast, cast.olga)
    assert "Unread letters" in page
    assert "Without an agent" in page


def test_the_page_asks_the_same_number_of_queries_for_fifty_of_everything(
    cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(10):
        account_of(cast.shop, name=f"Cuenta {number}")
    Agent.objects.filter(pk=cast.ana.pk).update(user=cast.olga)
    cast.ana.refresh_from_db()
    for number in range(50):
        mine = add_customer(cast.shop, addresses=[f"m{number}@x.example"])
        hand_out(mine, cast.group)
        filed(mine, cast.shop)
        add_customer(cast.shop, addresses=[f"n{number}@x.example"])
    browser = cast.browser(cast.olga)
    with django_assert_max_num_queries(34):
        page = browser.get("/").text
    assert page.count('<li class="letter-row') == 14


def test_what_is_left_to_set_up_comes_before_an_own_empty_list(cast: Cast) -> None:
    olga = cast.olga
    let_answer(olga, name="Olga Ríos")
    page = home(cast, olga)
    assert page.index("What is left to set up") < page.index("Nothing is unread")


@pytest.mark.parametrize(
    ("language", "told"),
    [("en", "there is no customer yet"), ("es", "todavía no hay ningún cliente")],
)
def test_where_no_letter_can_be_downloaded_it_is_said_why(
    cast: Cast, language: str, told: str
) -> None:
    account = account_of(cast.shop, create_customer=False)
    browser = cast.browser(cast.olga, language=language)
    places = ("/", "/letters/", f"/collection-accounts/{account.pk}")
    assert all(told in browser.get(place).text for place in places)
    add_customer(cast.shop, addresses=["eva@example.com"])
    assert not any(told in browser.get(place).text for place in places)


def test_where_customers_are_created_letters_are_only_waited_for(cast: Cast) -> None:
    account_of(cast.shop)
    assert "seconds after they arrive" in home(cast, cast.olga)
    assert "there is no customer yet" not in home(cast, cast.olga)
