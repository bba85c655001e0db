"""Stores, groups, agents, customers, blocked senders and organizations, by their commands."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from buzon.desk.assignment import hand_out
from buzon.desk.models import Agent, AgentGroup, Customer, Event, Organization, User
from buzon.notify.models import Notification
from tests.config.conftest import Console

STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


def test_stores(buzon: Console) -> None:
    assert buzon("store", "add", "Norte") == "Added the store Norte.\n"
    buzon("store", "add", "Sur")
    assert "already" in buzon.refused("store", "add", "Sur")
    listed = buzon.json("store", "list")
    assert [set(each) for each in listed] == [{"id", "name", "created_at"}] * 2
    buzon("store", "remove", "Sur")
    assert buzon("store", "list").splitlines()[1].startswith("Norte")
    assert "'Sur'" in buzon.refused("store", "remove", "Sur")


def test_a_store_with_an_account_stays(buzon: Console, password: Path) -> None:
    buzon("store", "add", "Norte")
    add_account = ["account", "add", "a", "--host", "h.example", "--username", "u"]
    buzon(*add_account, "--password-file", password, "--store", "Norte")
    assert "collection accounts" in buzon.refused("store", "remove", "Norte")


def test_groups_and_agents(buzon: Console) -> None:
    buzon("group", "add", "Ventas")
    buzon("agent", "add", "Ana", "--email", "Ana@Shop.example", "--group", "Ventas")
    buzon("agent", "add", "Luis", "--email", "luis@shop.example", "--email-copies", "all")
    ana, luis = buzon.json("agent", "list")
    assert ana == {
        "id": ana["id"],
        "name": "Ana",
        "email": "ana@shop.example",
        "status": "free",
        "present": False,
        "active": True,
        "email_copies": "none",
        "groups": ["Ventas"],
    }
    assert (luis["groups"], luis["email_copies"]) == ([], "all")
    assert buzon.json("group", "list") == [
        {"id": AgentGroup.objects.get().pk, "name": "Ventas", "agents": ["Ana"]}
    ]
    assert "Ana" in buzon("group", "list")
    buzon("group", "remove", "Ventas")
    assert "There are no groups" in buzon("group", "list")


def test_what_was_added_is_what_the_list_shows(buzon: Console) -> None:
    for added in (
        ["store", "add", "Añil"],
        ["group", "add", "Ventas"],
        ["agent", "add", "Íñigo", "--email", "i@shop.example", "--group", "Ventas"],
        ["customer", "add", "ana@x.example", "--name", "Ana", "--store", "Añil"],
    ):
        one = buzon.json(*added)
        if added[0] == "agent":
            assert one["groups"] == ["Ventas"]
        if added[0] != "group":
            assert buzon.json(added[0], "list") == [one]
        else:
            assert one["agents"] == []


def test_an_agent_with_a_group_that_is_not_there_is_not_added(buzon: Console) -> None:
    told = buzon.refused("agent", "add", "Ana", "--email", "a@b.example", "--group", "Ventas")
    assert "'Ventas'" in told
    assert buzon.json("agent", "list") == []


def test_r12_status_and_presence_are_two_facts(buzon: Console) -> None:
    buzon("agent", "add", "Ana", "--email", "a@b.example")
    for status in ("busy", "lunch", "break", "free"):
        buzon("agent", "status", "Ana", status)
        assert Agent.objects.get().status == status
    buzon("agent", "status", "Ana", "lunch")
    buzon("agent", "present", "Ana", "--minutes", "5")
    agent = buzon.json("agent", "list")[0]
    assert (agent["status"], agent["present"]) == ("lunch", True)
    assert not Agent.objects.get().is_present(timezone.now() + timedelta(minutes=6))
    buzon("agent", "away", "Ana")
    agent = buzon.json("agent", "list")[0]
    assert (agent["status"], agent["present"]) == ("lunch", False)


def test_an_agent_is_changed_as_a_whole_or_not(buzon: Console) -> None:
    buzon("group", "add", "Ventas")
    buzon("agent", "add", "Ana", "--email", "a@b.example")
    buzon("agent", "add", "Luis", "--email", "l@b.example")
    assert "already an agent with the address a@b.example" in buzon.refused(
        "agent", "set", "Luis", "--join", "Ventas", "--email", "a@b.example"
    )
    assert buzon.json("group", "list")[0]["agents"] == []
    buzon("agent", "set", "Luis", "--name", "Lucho", "--join", "Ventas", "--email-copies", "all")
    assert buzon.json("group", "list")[0]["agents"] == ["Lucho"]
    buzon("agent", "set", "Lucho", "--leave", "Ventas")
    assert buzon.json("group", "list")[0]["agents"] == []
    assert "nothing to change" in buzon.refused("agent", "set", "Lucho")


def test_a_deactivated_agent_cannot_be_present(buzon: Console) -> None:
    buzon("agent", "add", "Ana", "--email", "a@b.example")
    buzon("customer", "add", "c@d.example", "--agent", "Ana")
    assert "1 customers" in buzon("agent", "deactivate", "Ana")
    assert "deactivated" in buzon.refused("agent", "present", "Ana")
    assert not buzon.json("agent", "list")[0]["active"]
    buzon("agent", "activate", "Ana")
    buzon("agent", "present", "Ana")


def test_an_agents_login_has_the_password_of_the_file(buzon: Console, password: Path) -> None:
    buzon("agent", "add", "Ana", "--email", "a@b.example", "--password-file", password)
    assert User.objects.get().check_password("s3cret ñ12")


def test_an_agents_new_address_is_what_they_sign_in_with(buzon: Console, password: Path) -> None:
    buzon("agent", "add", "Ana", "--email", "a@b.example", "--password-file", password)
    buzon("agent", "set", "Ana", "--email", "Ana@b.example")
    assert User.objects.get().email == "ana@b.example"


@pytest.mark.parametrize(("weak", "told"), [("123456789", "too short"), ("1234567890", "common")])
def test_every_verb_that_takes_a_persons_password_refuses_a_weak_one(
    buzon: Console, tmp_path: Path, weak: str, told: str
) -> None:
    file = tmp_path / "weak"
    file.write_text(weak)
    ana = ["agent", "add", "Ana", "--email", "a@b.example"]
    other = ["organization", "add", "Otra", "--administrator", "o@b.example"]
    for verb in (ana, other):
        assert told in buzon.refused(*verb, "--password-file", file)
    assert not User.objects.exists()
    assert [one["name"] for one in buzon.json("organization", "list")] != ["Otra"]


def test_customers(buzon: Console) -> None:
    buzon("store", "add", "Norte")
    buzon("agent", "add", "Ana", "--email", "a@b.example")
    buzon("customer", "add", "eva@x.example", "Eva@Work.example", "--name", "Eva",
          "--store", "Norte", "--agent", "Ana")  # fmt: skip
    buzon("customer", "add", "leo@x.example")
    eva, leo = buzon.json("customer", "list")
    assert eva == {
        "id": eva["id"],
        "store": "Norte",
        "addresses": ["eva@x.example", "Eva@Work.example"],
        "name": "Eva",
        "agent": "Ana",
        "created_by": "person",
        "created_at": eva["created_at"],
    }
    assert (leo["store"], leo["agent"], leo["name"]) == (None, None, "")
    for flags, ids in (
        (["--store", "Norte"], [eva["id"]]),
        (["--agent", "Ana"], [eva["id"]]),
        (["--unassigned"], [leo["id"]]),
    ):
        assert [each["id"] for each in buzon.json("customer", "list", *flags)] == ids
    assert "already" in buzon.refused("customer", "add", "LEO@x.example")
    assert buzon.json("customer", "show", "eva@work.example")["id"] == eva["id"]
    assert buzon.json("customer", "show", leo["id"])["assignments"] == []


def test_why_a_customer_is_this_agents(buzon: Console, shop: Organization) -> None:
    """R10."""
    buzon("group", "add", "Ventas")
    buzon("agent", "add", "Ana", "--email", "a@b.example", "--group", "Ventas")
    buzon("agent", "present", "Ana")
    buzon("customer", "add", "c@d.example")
    hand_out(Customer.objects.get(), AgentGroup.objects.get())
    shown = buzon("customer", "show", "c@d.example")
    assert "Ana" in shown
    assert "next in turn of 1" in shown
    given = buzon.json("customer", "show", "c@d.example")["assignments"]
    assert [(each["agent"], each["group"]) for each in given] == [("Ana", "Ventas")]
    assert given[0]["why"]["code"] == "free_next_in_turn"


def test_the_customers_of_deactivated_agents_are_listed(buzon: Console) -> None:
    """R10: they are handed out as if new when they next write."""
    for name in ("Ana", "Leo"):
        buzon("agent", "add", name, "--email", f"{name}@b.example")
        buzon("customer", "add", f"of.{name}@d.example", "--agent", name)
    assert buzon.json("customer", "list", "--left-behind") == []
    buzon("agent", "deactivate", "Leo")
    left = buzon.json("customer", "list", "--left-behind")
    assert [(each["addresses"], each["agent"]) for each in left] == [(["of.Leo@d.example"], "Leo")]
    for other in (["--unassigned"], ["--agent", "Ana"]):
        assert "exclude" in buzon.refused("customer", "list", "--left-behind", *other)


def test_one_address_in_two_stores_is_two_customers(buzon: Console) -> None:
    buzon("store", "add", "Norte")
    buzon("customer", "add", "c@d.example")
    buzon("customer", "add", "c@d.example", "--store", "Norte")
    assert "Several customers" in buzon.refused("customer", "show", "c@d.example")


@pytest.mark.parametrize(
    ("wanted", "told"),
    [("x@y.example", "There is no customer"), ("99", "no customer 99"), ("x", "neither")],
)
def test_a_customer_that_is_not_there(buzon: Console, wanted: str, told: str) -> None:
    assert told in buzon.refused("customer", "show", wanted)


def test_import_is_all_or_nothing(buzon: Console, tmp_path: Path) -> None:
    file = tmp_path / "customers.csv"
    file.write_bytes("email;nombre;color\nana@x.example;Peña;azul\n".encode("cp1252"))
    assert buzon("customer", "import", file) == "Imported 1 customer.\n"
    assert "color" in buzon.noted
    assert buzon.json("customer", "list")[0]["name"] == "Peña"
    file.write_text("email,color\nc@x.example,rojo\n")
    report = {"imported": 1, "ignored_columns": ["color"]}
    assert buzon.json("customer", "import", file) == report
    buzon.noted = ""
    file.write_text("email,name\nb@x.example,B\nnobody,C\n")
    assert "3" in buzon.refused("customer", "import", file)
    assert len(buzon.json("customer", "list")) == 2
    assert "There is no file" in buzon.refused("customer", "import", tmp_path / "none.csv")
    assert "is a folder" in buzon.refused("customer", "import", tmp_path)


def test_blocked_senders(buzon: Console) -> None:
    buzon("block", "add", "Spam@Example.com")
    buzon("block", "add", "@bad.example")
    listed = buzon.json("block", "list")
    assert [each["sender"] for each in listed] == ["@bad.example", "spam@example.com"]
    buzon("block", "remove", "spam@example.com")
    assert "not blocked" in buzon.refused("block", "remove", "spam@example.com")
    assert "neither" in buzon.refused("block", "add", "@")


def test_organizations(buzon: Console) -> None:
    assert "Suspend Shop first" in buzon.refused("organization", "remove", "Shop")
    buzon("organization", "suspend", "Shop")
    assert buzon.json("organization", "list")[0]["suspended_at"]
    assert "suspended" in buzon.refused("collect", "--once")
    buzon("organization", "resume", "Shop")
    assert buzon.json("organization", "list")[0]["suspended_at"] is None
    buzon("organization", "suspend", "Shop")
    buzon("organization", "remove", "Shop")
    assert buzon.json("organization", "list") == []


def test_nothing_crosses_from_one_organization_to_another(buzon: Console, password: Path) -> None:
    Organization.objects.create(name="Other")
    ours, theirs = ["--organization", "Shop"], ["--organization", "Other"]
    account = ["--host", "h.example", "--username", "u", "--password-file", password]
    for where in (ours, theirs):
        buzon("store", "add", "Norte", *where)
        buzon("group", "add", "Ventas", *where)
        buzon("agent", "add", "Ana", "--email", "a@b.example", *where)
        buzon("customer", "add", "c@d.example", *where)
        buzon("block", "add", "@bad.example", *where)
        buzon("account", "add", "sales", *account, "--group", "Ventas", *where)
    for noun in ("store", "group", "agent", "customer", "block", "account"):
        assert len(buzon.json(noun, "list", *theirs)) == 1
    buzon("account", "remove", "sales", *ours)
    buzon("group", "remove", "Ventas", *ours)
    buzon("store", "remove", "Norte", *ours)
    buzon("block", "remove", "@bad.example", *ours)
    for noun in ("store", "group", "agent", "customer", "block", "account"):
        assert len(buzon.json(noun, "list", *theirs)) == 1
    theirs_only = Customer.objects.get(organization__name="Other").pk
    assert "no customer" in buzon.refused("customer", "show", theirs_only, *ours)
    assert "Say which" in buzon.refused("store", "list")


def test_notifications(buzon: Console, shop: Organization) -> None:
    buzon("agent", "add", "Ana", "--email", "a@b.example")
    agent = Agent.objects.get()
    user = User.objects.create_login(
        shop, email="root@b.example", password="long enough", role="administrator"
    )
    event = Event.objects.create(organization=shop, kind="account_failed")
    for told in ({"agent": agent}, {"user": user}):
        Notification.objects.create(
            organization=shop, kind="account_failed", event=event, channels={"list": True}, **told
        )
    newest, oldest = buzon.json("notification", "list")
    assert newest["login"] == "root@b.example"
    assert set(oldest) == {
        "id", "agent", "login", "kind", "customer", "message", "created_at", "read_at",
        "channels", "data",
    }  # fmt: skip
    assert (oldest["agent"], oldest["kind"], oldest["channels"]) == (
        "Ana",
        "account_failed",
        {"list": True},
    )
    assert len(buzon.json("notification", "list", "--agent", "Ana")) == 1
    assert len(buzon.json("notification", "list", "--limit", "1")) == 1
    Notification.objects.filter(user=user).update(read_at=timezone.now())
    assert len(buzon.json("notification", "list", "--unread")) == 1
    assert "account failed" in buzon("notification", "list")


def test_a_notification_names_its_customer(buzon: Console, shop: Organization) -> None:
    buzon("agent", "add", "Ana", "--email", "a@b.example")
    for address, name in (("eva@x.example", "Eva"), ("luz@x.example", "")):
        buzon("customer", "add", address, "--name", name)
        event = Event.objects.create(organization=shop, kind="customer_assigned")
        Notification.objects.create(
            organization=shop, kind="customer_assigned", event=event, agent=Agent.objects.get(),
            customer=Customer.objects.get(addresses__address=address), channels={"list": True},
        )  # fmt: skip
    _, nameless, named = buzon("notification", "list").splitlines()
    assert "luz@x.example" in nameless
    assert "Eva" in named
