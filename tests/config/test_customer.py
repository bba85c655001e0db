"""`buzon customer set` and `buzon customer remove`."""

from buzon.desk.filing import file_letter
from buzon.desk.models import Conversation, Customer, CustomerAddress, Event, Message, Organization
from tests.config.conftest import Console
from tests.desk import cast

EVA = "eva@x.example"


def codes(buzon: Console, customer: object) -> list[str]:
    given = buzon.json("customer", "show", customer)["assignments"]
    return [each["why"]["code"] for each in given]


def test_who_looks_after_a_customer_is_changed_by_hand(buzon: Console) -> None:
    for name in ("Ana", "Leo"):
        buzon("agent", "add", name, "--email", f"{name}@b.example")
    number = buzon.json("customer", "add", EVA, "--agent", "Ana")["id"]
    assert buzon("customer", "set", EVA, "--agent", "Leo") == f"Changed the customer {number}.\n"
    assert buzon.json("customer", "show", number)["agent"] == "Leo"
    told = Event.objects.filter(kind="customer_assigned").latest("pk")
    assert told.agent is not None
    assert told.agent.name == "Leo"
    changed = buzon.json("customer", "set", number, "--no-agent", "--name", " Eva ")
    assert changed == buzon.json("customer", "list")[0]
    assert (changed["agent"], changed["name"]) == (None, "Eva")
    buzon("customer", "set", EVA, "--no-agent")  # nobody to take it from: nothing is written down
    assert codes(buzon, number) == ["given_by_hand", "given_by_hand", "taken_by_hand"]
    assert buzon.json("customer", "set", number, "--name", "")["name"] == ""


def test_a_change_is_refused_whole(buzon: Console) -> None:
    buzon("agent", "add", "Ana", "--email", "a@b.example")
    buzon("agent", "deactivate", "Ana")
    number = buzon.json("customer", "add", EVA)["id"]
    for words, told in (
        ([EVA, "--name", "Eva", "--agent", "Ana"], "The agent Ana is deactivated"),
        ([EVA, "--name", "Eva", "--agent", "Leo"], "There is no agent 'Leo'."),
        ([EVA, "--name", "Eva", "--agent", ""], "There is no agent ''."),
        ([EVA, "--agent", "Ana", "--no-agent"], "--no-agent"),
        ([EVA], "nothing to change"),
        (["leo@x.example", "--name", "Leo"], "There is no customer leo@x.example."),
        ([number + 1, "--name", "Leo"], f"There is no customer {number + 1}."),
        (["leo", "--name", "Leo"], "neither an e-mail address nor a number"),
    ):
        assert told in buzon.refused("customer", "set", *words)
    shown = buzon.json("customer", "show", EVA)
    assert (shown["name"], shown["agent"], shown["assignments"]) == ("", None, [])


def test_of_several_with_one_address_the_number_says_which(buzon: Console) -> None:
    buzon("store", "add", "Norte")
    one = buzon.json("customer", "add", EVA)["id"]
    two = buzon.json("customer", "add", EVA, "--store", "Norte")["id"]
    several = f"Several customers have the address {EVA}: {one}, {two}. Give the number instead."
    assert buzon.refused("customer", "set", EVA, "--name", "Eva") == several
    assert buzon.refused("customer", "remove", EVA) == several
    buzon("customer", "set", two, "--name", "Eva")
    assert [each["name"] for each in buzon.json("customer", "list")] == ["", "Eva"]
    buzon("customer", "remove", one)
    assert buzon.json("customer", "show", EVA)["id"] == two


def test_the_letters_of_a_removed_customer_stay(buzon: Console, shop: Organization) -> None:
    buzon("customer", "add", EVA)
    eva = Customer.objects.get()
    file_letter(cast.letter(shop), customer=eva, link={})
    told = f"Removed the customer {eva.pk}; 1 letter stays, without a customer.\n"
    assert buzon("customer", "remove", EVA.upper()) == told
    assert Message.objects.get().customer is None
    assert Conversation.objects.get().customer is None
    assert not CustomerAddress.objects.exists()
    assert "There is no customer" in buzon.refused("customer", "remove", EVA)
    number = buzon.json("customer", "add", EVA)["id"]
    told = f"Removed the customer {number}, who had no letters.\n"
    assert buzon("customer", "remove", number) == told
