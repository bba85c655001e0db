"""What a notification says on a page, and in which language its copy is written."""

import pytest
from django.utils import translation
from pytest_django import DjangoAssertNumQueries

from buzon.desk.models import Customer, Organization, User
from buzon.notify.models import Notification
from buzon.notify.texts import headline, language_of, subject_and_body
from tests.notify import people

pytestmark = pytest.mark.django_db
WHY = {"code": "group_without_agents", "group": "Ventas"}
DATA = {"account": "pedidos", "account_id": 1, "letters": 3, "customers": 2, "why": WHY}
SAID = {
    "customer_assigned": (
        "A customer was assigned to you: Ana",
        "Se le ha asignado un cliente: Ana",
    ),
    "message_received": (
        "New message from Ana: Where is my order?",
        "Nuevo mensaje de Ana: Where is my order?",
    ),
    "letter_bounced": (
        "A letter to Ana was not delivered: Where is my order?",
        "Una carta a Ana no se ha entregado: Where is my order?",
    ),
    "history_collected": (
        "pedidos brought 3 letters of your customers from before; new customers of yours: 2",
        "pedidos ha traído 3 cartas de sus clientes de antes; clientes nuevos suyos: 2",
    ),
    "customer_left_unassigned": (
        "Ana has no agent. The group Ventas has no active agents.",
        "Ana no tiene agente. El grupo Ventas no tiene agentes activos.",
    ),
    "account_failed": (
        "Mail is not being collected: pedidos. The group Ventas has no active agents.",
        "No se está recogiendo el correo: pedidos. El grupo Ventas no tiene agentes activos.",
    ),
    "account_recovered": (
        "Mail is being collected again: pedidos",
        "Se vuelve a recoger el correo: pedidos",
    ),
    "account_stopped": (
        "A decision is needed: pedidos. The group Ventas has no active agents.",
        "Hace falta una decisión: pedidos. El grupo Ventas no tiene agentes activos.",
    ),
}


def ana(shop: Organization) -> Customer:
    customer = people.customer(shop)
    customer.name = "Ana"
    customer.save()
    return customer


def notification(kind: str, customer: Customer) -> Notification:
    shop = customer.organization
    agent = people.agent(shop)
    message = people.letter(customer)
    event = people.event(kind, shop, customer=customer, message=message, data=DATA)
    return Notification.objects.create(
        organization=shop, kind=kind, agent=agent, event=event, customer=customer,
        message=message, data=DATA,
    )  # fmt: skip


@pytest.mark.parametrize("kind", Notification.Kind.values)
def test_every_kind_has_one_line_in_both_languages(kind: str) -> None:
    one = notification(kind, ana(people.shop()))
    for language, said in zip(("en", "es"), SAID[kind], strict=True):
        with translation.override(language):
            assert headline(one) == said


@pytest.mark.parametrize("kind", Notification.Kind.values)
def test_every_kind_has_a_letter_in_both_languages(kind: str) -> None:
    one = notification(kind, ana(people.shop()))
    english, spanish = (subject_and_body(one, language) for language in ("en", "es"))
    assert all(a != b for a, b in zip(english, spanish, strict=True))
    assert "{" not in "".join(english + spanish)
    assert "no responda" in spanish[1]
    assert "nobody else's business" not in english[1]


def test_the_subject_of_a_stranger_stays_on_its_line() -> None:
    one = notification("message_received", ana(people.shop()))
    assert one.message is not None
    one.message.subject = "a\r\nb\u2028c {customer}"
    assert headline(one) == "New message from Ana: a b c {customer}"
    one.message.subject = ""
    assert headline(one) == "New message from Ana: (no subject)"


def test_a_page_of_them_asks_a_bounded_number_of_queries(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    shop = people.shop()
    for _ in range(5):
        notification("message_received", people.customer(shop))
    rows = Notification.objects.select_related("customer", "message")
    with django_assert_num_queries(2):
        lines = [headline(one) for one in rows.prefetch_related("customer__addresses")]
    assert len(set(lines)) == 5


def test_a_copy_goes_in_the_readers_language_else_the_organizations() -> None:
    shop = people.shop(language="es")
    one = notification("customer_assigned", ana(shop))
    assert one.agent is not None
    assert language_of(one) == "es"  # an agent without a login
    one.agent.user = people.administrator(shop, role=User.Role.AGENT, language="en")
    assert language_of(one) == "en"
    one.agent.user.language = ""  # the browser's: a letter has none
    assert language_of(one) == "es"
    one.agent, one.user = None, people.administrator(shop, language="en")
    assert language_of(one) == "en"
