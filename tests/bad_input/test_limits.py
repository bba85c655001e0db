"""An eleventh account, a group without agents, a store that is in use; odd but right things."""

import csv
import json
from pathlib import Path

import pytest

from buzon.demo.server import MailLogin, Mailstore
from tests.bad_input.conftest import Serve, letter
from tests.bad_input.shop import LOGIN, SECRET, Shop, clear
from tests.servers.dovecot import Dovecot

REQUIRED = {"host": "imap.example.com", "username": "ana", "secret": "s"}
PROTOCOLS = ("imap", "pop3")


def test_r1_the_eleventh_account_is_refused_and_fits_once_there_is_room(shop: Shop) -> None:
    shop.accounts(REQUIRED | {"name": f"a{number}"} for number in range(10))
    add = ["account", "add", "eleventh", "--host", "h.example", "--username", "u",
           "--password-file", shop.password]  # fmt: skip
    told = shop.refused(*add)
    assert told == (
        "My shop has 10 collection accounts, which is the most there may be: remove one first."
    )
    shop.do("account", "remove", "a3")
    shop.do(*add)


def test_r1_of_two_added_at_once_one_is_the_eleventh(shop: Shop) -> None:
    shop.accounts(REQUIRED | {"name": f"a{number}"} for number in range(9))
    add = ["--host", "h.example", "--username", "u", "--password-file", shop.password]
    both = [shop.installation.start("account", "add", name, *add) for name in ("x", "y")]
    ended = [process.communicate(timeout=60) for process in both]
    assert sorted(process.returncode for process in both) == [0, 2], ended
    (refused,) = [error.decode() for _, error in ended if error]
    assert "the most there may be" in clear(refused.rstrip("\n"))
    assert shop.counts()["intake_collectionaccount"] == 10


def test_r10_a_group_without_agents_leaves_the_customer_unassigned_and_tells_the_administrator(
    shop: Shop, box: MailLogin, serve: Serve
) -> None:
    shop.do(
        "administrator",
        "add",
        "olga@shop.internal",
        "--password-file",
        "-",
        stdin=b"long enough 47\n",
    )
    shop.do("group", "add", "Ventas")
    shop.account("a", serve(), "--create-customer", "--group", "Ventas")
    assert shop.collected("a")["filed"] == 3
    customers = shop("customer", "list", "--json").json()
    assert [each["agent"] for each in customers] == [None] * 3
    told = shop("notification", "list", "--json").json()
    assert {(each["login"], each["agent"], each["kind"]) for each in told} == {
        ("olga@shop.internal", None, "customer_left_unassigned")
    }
    shop.do("agent", "add", "Eva", "--email", "eva@shop.example", "--group", "Ventas")
    box.folder().deliver(letter(4))
    assert shop.collected("a")["filed"] == 1
    assigned = [each["agent"] for each in shop("customer", "list", "--json").json()]
    assert sorted(map(str, assigned)) == ["Eva", "None", "None", "None"]


def test_a_store_with_an_account_is_not_removed(shop: Shop, box: MailLogin, serve: Serve) -> None:
    shop.account("a", serve(), "--create-customer", "--store", "Norte")
    assert "collection accounts" in shop.refused("store", "remove", "Norte")
    assert shop.collected("a")["filed"] == 3  # it goes on as before
    shop.do("account", "remove", "a")
    assert "customers" in shop.refused("store", "remove", "Norte")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_empty_mailbox_is_nothing_wrong(shop: Shop, serve: Serve, protocol: str) -> None:
    shop.account("a", serve(protocol), "--create-customer", "--delete-downloaded")
    totals = shop.collected("a")
    assert [totals[word] for word in ("listed", "outside", "filed", "settled")] == [0, 0, 0, 0]
    assert shop("ledger", "--jsonl").lines() == []


def test_a_folder_with_a_name_that_is_not_ascii(shop: Shop, dovecot: Dovecot, login: str) -> None:
    name = "Año & 台北"
    dovecot.add_folder(login, name)
    dovecot.deliver(login, letter(1), name)
    server = ["--host", dovecot.host, "--port", dovecot.port("imap", "none"), "--security", "none"]
    secret = shop.password.with_name("dovecot")
    secret.write_text("secret\n")
    shop.do("account", "add", "a", *server, "--username", login, "--password-file", secret,
            "--folder", "Ano & 台北", "--create-customer", "--delete-downloaded")  # fmt: skip
    told = shop.fails("a")
    assert "Ano & 台北" in told
    assert dovecot.messages(login, name) == [letter(1)]
    shop.do("account", "set", "a", "--folder", name)
    assert shop.collected("a")["settled"] == 1
    assert [row["folder"] for row in shop("ledger", "--jsonl").lines()] == [name]
    assert dovecot.messages(login, name) == []


def test_a_folder_that_is_not_there_holds_up_no_other(
    shop: Shop, mail: Mailstore, box: MailLogin, serve: Serve
) -> None:
    shop.account("a", serve(), "--create-customer", "--folder", "INBOX", "--folder", "Ventas")
    ran = shop("collect", "a", "--once", "--json")
    assert ran.status == 1
    assert "Ventas" in clear(ran.error.rstrip("\n"))
    findings = json.loads(shop("doctor", "--json").out)
    (found,) = [one for one in findings if one["name"] == "account"]
    assert "Ventas" in clear(found["detail"])
    assert shop.mail()["desk_message"] == 3
    box.add_folder("Ventas").deliver(letter(7))
    assert shop.collected("a")["filed"] == 1


CSV = [
    ("email;name\nana@x.example;Ana\nana@x.example;Otra\n", "Line 3"),
    ("email,name\nana@x.example,Ana\nnobody,Leo\n", "Line 3"),
    ('email,name\nana@x.example,"Ana\n', "Line 2"),
]


def test_a_wrong_csv_line_is_named_and_nothing_is_imported(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "customers.csv"
    for text, word in CSV:
        file.write_text(text, newline="")
        told = shop.refused("customer", "import", file)
        assert word.lower() in told.lower(), (text, told)
    with file.open("w", newline="", encoding="utf-8") as opened:
        csv.writer(opened).writerows([["email", "name"], ["ana@x.example", "Ana"]])
    assert shop.do("customer", "import", file) == "Imported 1 customer.\n"


WRONG = [
    (["--start", "2026-02-30"], "2026-02-30"),
    (["--host", "imaps://imap.example.com"], "without imaps://"),
    (["--password-file", "/nowhere/password"], "There is no file /nowhere/password"),
    (["--store", "Oeste"], "Norte"),
]


def test_a_wrong_date_file_port_or_name_adds_no_account(shop: Shop) -> None:
    right = ["account", "add", "a", "--host", "h.example", "--username", LOGIN,
             "--password-file", shop.password]  # fmt: skip
    for flags, word in WRONG:
        told = shop.refused(*right, *flags)
        assert word in told
        assert SECRET not in told
    shop.do(*right)
