"""Lists of customers: whatever a spreadsheet writes, all or nothing."""

import io

import pytest

from buzon.desk.customers import add_customer, import_csv
from buzon.desk.errors import DeskError
from buzon.desk.models import Assignment, Customer, CustomerAddress, Event, Organization
from buzon.desk.people import deactivate_agent
from buzon.desk.stores import add_store
from tests.desk import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Organization:
    return cast.organization()


def _held() -> dict[str, str]:
    rows = CustomerAddress.objects.select_related("customer")
    return {row.folded: row.customer.name for row in rows}


@pytest.mark.parametrize(
    "octets",
    [
        "email,name\nana@x.es,Begoña\neva@x.es,Eva\n".encode(),
        "email,name\r\nana@x.es,Begoña\r\neva@x.es,Eva".encode("utf-8-sig"),
        "E-Mail;Nombre\r\nana@x.es;Begoña\r\neva@x.es;Eva\r\n".encode("cp1252"),
        "name\temail\nBegoña\tana@x.es\nEva\teva@x.es\n".encode("utf-16"),
        'sep=;\r\n"Correo electrónico";"Nombre"\r\n"ana@x.es";"Begoña"\r\neva@x.es;Eva'.encode(),
        "\n\nANA@x.es, Begoña \n , \n eva@x.es ,Eva\n".encode(),
    ],
)
def test_any_usual_form_of_the_list_is_understood(shop: Organization, octets: bytes) -> None:
    assert import_csv(shop, octets).count == 2
    assert _held() == {"ana@x.es": "Begoña", "eva@x.es": "Eva"}
    assert set(Customer.objects.values_list("created_by", flat=True)) == {"import"}


def test_lines_may_come_as_a_file_or_as_text(shop: Organization) -> None:
    assert import_csv(shop, io.BytesIO(b"ana@x.es\neva@x.es\n")).count == 2
    assert import_csv(shop, io.StringIO("\ufeffemail\nbea@x.es\n")).count == 1
    assert import_csv(shop, ["email,name", "leo@x.es,Leo"]).count == 1
    assert import_csv(shop, "email\nluz@x.es").count == 1
    assert len(_held()) == 5


def test_stores_agents_several_addresses_and_columns_that_mean_nothing(shop: Organization) -> None:
    madrid, sevilla = add_store(shop, "Madrid"), add_store(shop, "Sevilla")
    agent = cast.agent(shop)
    text = (
        "id,Email,Name,Tienda,Agente,,phone\n"
        f'1,ana@x.es; ana@y.es,"Ana\nMaría",Madrid,{agent.name},,600\n'
        f'2,"""eva b""@x.es",Eva,,{agent.email},,\n'
        "3,ana@x.es,Other Ana\n"
    )
    done = import_csv(shop, text, store=sevilla)
    assert (done.count, done.ignored) == (3, ("id", "phone"))
    ana, eva, other = Customer.objects.order_by("pk")
    assert (ana.name, ana.store, ana.agent) == ("Ana\nMaría", madrid, agent)
    assert ana.addresses.count() == 2
    assert (eva.store, eva.agent, other.store, other.agent) == (sevilla, agent, sevilla, None)
    assert eva.addresses.get().folded == '"eva b"@x.es'
    assert [one.why["code"] for one in Assignment.objects.all()] == ["given_at_import"] * 2
    told = Event.objects.filter(kind="customer_assigned")
    assert [(one.agent, one.silent) for one in told] == [(agent, True)] * 2
    assert Event.objects.filter(kind="customer_created").count() == 3


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "The list is empty."),
        ("\n , \n", "The list is empty."),
        ("name\nAna", 'Line 1 has no column for the e-mail address; call one of them "email".'),
        ("email,correo\na@x.es,b@x.es", "Line 1 has two columns for the address."),
        ("email\na@x.es\nana", "Line 3: 'ana' is not an e-mail address."),
        ("email,name\na@x.es,A\n,Eva", "Line 3: A customer needs an e-mail address."),
        ("email\na@x.es\n\nA@x.es", "Line 4: the address A@x.es is in line 2 already."),
        ("email\na@x.es a@X.es", "Line 2: The address a@X.es is given twice."),
        ("email\nb@x.es\nHELD@x.es", "Line 3: the address HELD@x.es already belongs to a customer "
         "of no store."),
        ("email,store\na@x.es,Nowhere", "Line 2: There is no store 'Nowhere'. There is: Madrid."),
        ("email,agent\na@x.es,Nobody", "Line 2: There is no agent 'Nobody'. There is none yet."),
        ('email,name\n"a@x.es",A\nb@x.es,B,C,D', "Line 3 has 4 fields, the first line has 2; "
         "a field that holds the separator needs quotation marks."),
        ('email,name\na@x.es,"A\nb@x.es,B', "Line 2 is not CSV: unexpected end of data."),
    ],
)  # fmt: skip
def test_one_wrong_line_refuses_the_list_and_is_named(
    shop: Organization, text: str, sentence: str
) -> None:
    add_store(shop, "Madrid")
    add_customer(shop, addresses=["held@x.es"])
    with pytest.raises(DeskError) as raised:
        import_csv(shop, text)
    assert raised.value.sentence == sentence
    assert list(_held()) == ["held@x.es"]


def test_octets_that_are_no_text_are_refused(shop: Organization) -> None:
    with pytest.raises(DeskError, match="neither UTF-8 nor Windows-1252"):
        import_csv(shop, b"email\n\x81\x8d@x.es")
    with pytest.raises(DeskError, match=r"is not an e-mail address|not CSV"):
        import_csv(shop, b"email\n\x00@x.es")
    assert not Customer.objects.exists()


def test_a_deactivated_agent_and_anothers_store_are_refused(shop: Organization) -> None:
    gone = cast.agent(shop)
    deactivate_agent(gone)
    with pytest.raises(DeskError, match=r"Line 2: .* is deactivated"):
        import_csv(shop, f"email,agent\na@x.es,{gone.name}")
    with pytest.raises(DeskError, match="another organization"):
        import_csv(shop, "a@x.es", store=add_store(cast.organization(), "B"))


def test_the_same_address_may_be_in_two_stores(shop: Organization) -> None:
    add_store(shop, "Madrid")
    assert import_csv(shop, "email,store\na@x.es,Madrid\na@x.es,\n").count == 2


def test_a_list_of_thousands_takes_few_queries(
    shop: Organization, django_assert_max_num_queries
) -> None:
    text = "email,name\n" + "".join(f"sender{n}@x.es,Name {n}\n" for n in range(3000))
    with django_assert_max_num_queries(100):
        assert import_csv(shop, text).count == 3000
