"""`buzon administrator`: added, listed, removed, and given another password."""

from pathlib import Path

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from buzon.desk.models import Organization, User
from buzon.desk.people import add_agent, let_answer
from buzon.web.setup_code import is_setup_code, setup_code
from tests.config.conftest import Console

PASSWORD = "a long password 4711"
OLGA = "olga@shop.example"


@pytest.fixture
def file(tmp_path: Path, settings: Settings) -> Path:
    settings.BUZON_DATA_DIR = tmp_path
    written = tmp_path / "password"
    written.write_text(f"{PASSWORD}\n")
    return written


def test_one_is_added_and_the_set_up_code_is_forgotten(
    buzon: Console, shop: Organization, file: Path
) -> None:
    code = setup_code()
    told = buzon("administrator", "add", "Olga@Shop.example", "--password-file", file)
    assert told == f"Added the administrator {OLGA}.\n"
    olga = User.objects.get()
    assert (olga.organization, olga.role) == (shop, "administrator")
    assert olga.check_password(PASSWORD)
    assert not is_setup_code(code)


def test_the_list_says_who_answers_customers_and_who_was_here(
    buzon: Console, shop: Organization, file: Path
) -> None:
    assert "There is no administrator" in buzon("administrator", "list")
    added = buzon.json("administrator", "add", OLGA, "--password-file", file)
    buzon("administrator", "add", "eva@shop.example", "--password-file", file)
    add_agent(shop, name="Ana", email="ana@shop.example", password=PASSWORD)
    let_answer(User.objects.get(email=OLGA), name="Olga")
    Client(headers={"host": "localhost"}).post("/sign-in", {"email": OLGA, "password": PASSWORD})
    eva, olga = buzon.json("administrator", "list")
    assert (eva["email"], eva["answers_customers"], eva["last_signed_in_at"]) == (
        "eva@shop.example", False, None,
    )  # fmt: skip
    assert (olga["id"], olga["active"], olga["answers_customers"]) == (added["id"], True, True)
    assert olga["last_signed_in_at"].endswith("Z")
    assert "olga@shop.example" in buzon("administrator", "list")


def test_the_last_one_stays(buzon: Console, file: Path) -> None:
    buzon("administrator", "add", OLGA, "--password-file", file)
    assert "is the last administrator" in buzon.refused("administrator", "remove", OLGA)
    buzon("administrator", "add", "eva@shop.example", "--password-file", file)
    buzon("administrator", "remove", OLGA)
    assert [user.email for user in User.objects.all()] == ["eva@shop.example"]


def test_an_agents_login_is_not_removed_here(
    buzon: Console, shop: Organization, file: Path
) -> None:
    add_agent(shop, name="Ana", email="ana@shop.example", password=PASSWORD)
    told = buzon.refused("administrator", "remove", "ana@shop.example")
    assert "buzon agent deactivate" in told
    assert "no login with the address" in buzon.refused("administrator", "remove", "x@y.example")


@pytest.mark.parametrize("email", [OLGA, "ana@shop.example"])
def test_a_new_password_ends_the_sessions_of_any_login(
    buzon: Console, shop: Organization, file: Path, email: str
) -> None:
    buzon("administrator", "add", OLGA, "--password-file", file)
    add_agent(shop, name="Ana", email="ana@shop.example", password=PASSWORD)
    browser = Client(headers={"host": "localhost"})
    browser.post("/sign-in", {"email": email, "password": PASSWORD})
    assert browser.get("/me").status_code == 200
    file.write_text("quite another one 0815")
    told = buzon("administrator", "password", email, "--password-file", file)
    assert told == f"{email} has a new password; 1 session ended.\n"
    assert browser.get("/me").status_code == 302
    assert User.objects.get(email=email).check_password("quite another one 0815")


@pytest.mark.parametrize(("weak", "told"), [("short", "too short"), ("1234567890", "too common")])
@pytest.mark.parametrize("verb", ["add", "password"])
def test_a_weak_password_is_one_sentence_and_changes_nothing(
    buzon: Console, file: Path, verb: str, weak: str, told: str
) -> None:
    if verb == "password":
        buzon("administrator", "add", OLGA, "--password-file", file)
    file.write_text(weak)
    assert told in buzon.refused("administrator", verb, OLGA, "--password-file", file)
    assert [user.check_password(PASSWORD) for user in User.objects.all()] in ([], [True])


def test_an_address_that_is_taken_or_makes_no_sense_is_refused(buzon: Console, file: Path) -> None:
    buzon("administrator", "add", OLGA, "--password-file", file)
    add = ["administrator", "add"]
    assert "already a login" in buzon.refused(*add, OLGA, "--password-file", file)
    assert "e-mail address" in buzon.refused(*add, "nobody", "--password-file", file)
    assert "needs --password-file" in buzon.refused(*add, "eva@shop.example")
