"""Nothing ever crosses from one organization to another: every table, every match, every command.

Two organizations collect the same letters from the same logins. Theirs has, beside what both have,
one of each kind that is called Zeta.
"""

import argparse
import importlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from buzon.config.command.nouns import NOUNS
from buzon.config.command.parser import Parser
from buzon.desk.models import Customer, Event, Message, Organization, SentLetter
from buzon.intake import vault
from buzon.intake.models import Arrival, CollectionAccount, RawMessage
from buzon.notify.models import Notification
from buzon.notify.rounds import tell_now
from tests.config.conftest import Console
from tests.intake.collecting import collect
from tests.intake.scene import LOGIN, Scene, scene
from tests.intake.test_triage import bounce
from tests.organizations import crossings, rows_of, tables, way_home

pytestmark = pytest.mark.django_db(transaction=True)
EVA = "eva@x.example"
SECOND = "second@shop.example"
# Everything on this machine, or files alone; and the doctor, whose test is in test_doctor.
HISTORY = ("pause-history", "resume-history", "cancel-history")
WITHOUT = {("up",), ("read",), ("doctor",), ("backup",), ("restore",)}


@dataclass
class Two:
    """The organizations, and commands for Ours; `done` are the nouns and verbs that were tried."""

    buzon: Console
    at: Scene
    password: Path
    long_password: Path  # of people, where the servers' own is as short as can be
    done: set[tuple[str, ...]] = field(default_factory=set)

    def __call__(self, *words: object) -> str:
        """For Ours: nothing of Theirs is changed or shown."""
        return self._watched(self.buzon, words)

    def refused(self, *words: object) -> None:
        """For Ours, of something that only Theirs has."""
        self._watched(self.buzon.refused, words, names_zeta=True)

    def _watched(self, run: Any, words: tuple[object, ...], *, names_zeta: bool = False) -> str:
        before = rows_of(self.theirs)
        written = list(map(str, words))
        noun = written[0]
        self.done.add((noun, written[1]) if noun in with_verbs() else (noun,))
        within = [] if noun == "organization" else ["--organization", "Ours"]
        told = str(run(*written, *within))
        assert rows_of(self.theirs) == before, written
        assert crossings() == []
        assert names_zeta or "zeta" not in told.lower(), (written, told)
        return told

    @property
    def ours(self) -> Organization:
        return Organization.objects.get(name="Ours")

    @property
    def theirs(self) -> Organization:
        return Organization.objects.get(name="Theirs")

    def flags(self, login: str = LOGIN) -> list[object]:
        return ["--host", self.at.server.host, "--port", self.at.server.port, "--username", login,
                "--security", "none", "--password-file", self.password]  # fmt: skip


@pytest.fixture
def two(buzon: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Two]:
    monkeypatch.setattr(vault, "LARGEST_IN_ONE", 300)  # some of the letters are kept in pieces
    password = tmp_path / "secret"
    password.write_text("secret")
    with scene() as at:
        long_password = tmp_path / "long"
        long_password.write_text("a long password 4711")
        two = Two(buzon, at, password, long_password)
        at.store.add_login(SECOND, "secret")
        for name in ("Ours", "Theirs"):
            set_up(two, name)
        deliver(two)
        for name in ("Ours", "Theirs"):
            for account in ("keep", "sales"):
                collected = collect(
                    CollectionAccount.objects.get(organization__name=name, name=account)
                )
                assert collected.error == ""
        tell_now()
        yield two


def set_up(two: Two, name: str) -> None:
    """What both have. Eva is a customer of Ours alone, and only Ours blocks and has written."""
    where = ["--organization", name]
    two.buzon("organization", "add", name)
    for called in ("Both", "Zeta") if name == "Theirs" else ("Both",):
        two.buzon("store", "add", called, *where)
        two.buzon("group", "add", called, *where)
        email = f"{called}@agents.example"
        two.buzon("agent", "add", called, "--email", email, "--group", called, *where)
        two.buzon("block", "add", f"@{called}.example", *where)
        login = f"{called}@admins.example" if called == "Zeta" else f"{name}@admins.example"
        two.buzon("administrator", "add", login, "--password-file", two.long_password, *where)
        flags = ["--group", called, "--store", called]
        two.buzon("customer", "add", f"{called}@only.example", "--store", called, *where)
        if called == "Zeta":
            two.buzon("account", "add", called, *two.flags(), *flags, *where)
    two.buzon("account", "add", "keep", *two.flags(SECOND), "--start", "all", *where)
    create = ["--create-customer", "--group", "Both"]
    two.buzon("account", "add", "sales", *two.flags(), *create, *where)
    if name == "Ours":
        two.buzon("customer", "add", EVA, "--agent", "Both", *where)
        two.buzon("block", "add", "spam@x.example", *where)
        SentLetter.objects.create(
            organization=two.ours, message_id="<ours@shop.example>", purpose="letter"
        )


def deliver(two: Two) -> None:
    """The same into both logins: a letter, an answer to it, a blocked sender's, a bounce."""
    letters = (
        two.at.letter(EVA, extra="References: <root@mail.example>\r\n"),
        two.at.letter("leo@x.example", extra="In-Reply-To: <root@mail.example>\r\n"),
        two.at.letter("spam@x.example"),
        bounce(1, "<ours@shop.example>"),
    )
    for box in (two.at.box, two.at.store.logins[SECOND].folder()):
        for letter in letters:
            box.deliver(letter)


def with_verbs() -> set[str]:
    return {words[0] for words in commands() if len(words) > 1}


def commands() -> set[tuple[str, ...]]:
    """Every noun, with each of its verbs where it has some."""
    found: set[tuple[str, ...]] = set()
    for noun, entry in NOUNS.items():
        parser = Parser()
        importlib.import_module(f"buzon.config.command.{entry.module}").add_to(parser)
        verbs = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
        found |= {(noun, verb) for one in verbs for verb in one.choices} or {(noun,)}
    return found


@pytest.mark.parametrize("table", tables(), ids=lambda table: table.__name__)
def test_every_row_of_every_table_is_of_one_organization(table: Any) -> None:
    assert way_home(table) is not None


def test_the_same_letters_in_two_organizations(two: Two) -> None:
    """R5: no customer, letter, conversation, blocked sender or sent letter is shared."""
    assert crossings() == []
    filled = {name for name, rows in rows_of(two.theirs).items() if rows}
    unfilled = {"SignIn", "OutsideMail", "SentLetter", "Copy", "Notification"}
    assert {table.__name__ for table in tables()} - filled <= unfilled
    fates = {
        (row.account.organization.name, row.account.name, row.sender): row.outcome
        for row in Arrival.objects.select_related("account__organization")
    }
    assert fates["Ours", "keep", EVA] == "filed"
    assert fates["Theirs", "keep", EVA] == "skipped"
    assert fates["Ours", "sales", "spam@x.example"] == "ignored"
    assert fates["Theirs", "sales", "spam@x.example"] == "filed"
    came_back = Arrival.objects.filter(reason__code="bounce_of_our_letter")
    assert {row.organization for row in came_back} == {two.ours}
    evas = Customer.objects.filter(addresses__folded=EVA)
    assert {one.organization.name for one in evas} == {"Ours", "Theirs"}
    for organization in (two.ours, two.theirs):
        letters = Message.objects.filter(organization=organization)
        assert letters.filter(from_address=EVA).count() == 1
        held = RawMessage.objects.filter(organization=organization)
        assert set(letters.values_list("sha256", flat=True)) == set(
            held.values_list("sha256", flat=True)
        )
    for one in Notification.objects.exclude(agent=None).select_related("agent"):
        assert one.agent is not None
        assert one.agent.organization_id == one.organization_id
    assert not Event.objects.filter(told_at=None).exists()


def test_no_command_for_one_organization_shows_or_changes_anothers(
    two: Two, tmp_path: Path
) -> None:
    show(two)
    ask_for_zeta(two, tmp_path / "list.csv")
    change(two, tmp_path / "list.csv")
    assert not Customer.objects.filter(organization__name="Ours").exists()
    tried = two.done | WITHOUT | {("organization", "add")}
    assert commands() - tried == set()


def show(two: Two) -> None:
    """What may only be looked at."""
    for noun in (
        "store", "group", "agent", "administrator", "customer", "block", "account", "notification",
    ):  # fmt: skip
        two(noun, "list")
        two(noun, "list", "--json")
    two("organization", "list", "--json")
    for words in (["ledger"], ["ledger", "--jsonl"], ["account", "show", "sales"],
                  ["account", "check", "keep"], ["account", "deletions", "keep"],
                  ["account", "preview", "keep", "--json"],
                  ["customer", "show", EVA], ["search", "hola"], ["search", "zeta", "--json"],
                  ["search", "example"]):  # fmt: skip
        two(*words)
    for words in (["customer", "list", "--unassigned"], ["customer", "list", "--left-behind"]):
        two(*words)
    mine = RawMessage.objects.filter(organization=two.ours)[0].sha256
    two("raw", mine)


def ask_for_zeta(two: Two, lines: Path) -> None:
    """By name, by number, by digest, by address; and as the value of a flag or a column."""
    theirs = Arrival.objects.filter(organization=two.theirs).order_by("pk")
    skipped = theirs.filter(outcome="skipped")[0]
    zeta = Customer.objects.get(addresses__folded="zeta@only.example")
    for noun in ("customer", "notification"):
        two.refused(noun, "list", "--agent", "Zeta")
    two.refused("customer", "list", "--store", "Zeta")
    for verb in ("show", "check", "set", "resume", "remove", "preview", *HISTORY):
        two.refused("account", verb, "Zeta", *(["--inactive"] if verb == "set" else []))
    two.refused("account", "collect-again", "Zeta", "--from", "all")
    for verb in ("present", "away", "deactivate", "activate"):
        two.refused("agent", verb, "Zeta")
    two.refused("agent", "status", "Zeta", "busy")
    two.refused("agent", "set", "Zeta", "--name", "Mine")
    two.refused("agent", "set", "Both", "--join", "Zeta")
    two.refused("agent", "add", "New", "--email", "n@agents.example", "--group", "Zeta")
    two.refused("administrator", "remove", "zeta@admins.example")
    new = ["zeta@admins.example", "--password-file", two.long_password]
    for verb in ("add", "password"):
        two.refused("administrator", verb, *new)
    two.refused("group", "remove", "Zeta")
    two.refused("store", "remove", "Zeta")
    two.refused("block", "remove", "@zeta.example")
    two.refused("collect", "Zeta", "--once")
    two.refused("ledger", "Zeta")
    two.refused("search", "hola", "--agent", "Zeta")
    two.refused("search", "hola", "--store", "Zeta")
    two.refused("search", "hola", "--account", "Zeta")
    two.refused("search", "hola", "--customer", zeta.pk)
    two.refused("retry", skipped.pk)
    two.refused("fetch", skipped.pk)
    two.refused("fetch", "--customer", "zeta@only.example")
    alone = RawMessage.objects.get(
        organization=two.theirs, sha256=theirs.get(sender="spam@x.example", outcome="filed").sha256
    )
    two.refused("raw", alone.sha256)
    for wanted in (zeta.pk, "zeta@only.example"):
        for words in (["show", wanted], ["set", wanted, "--no-agent"], ["remove", wanted]):
            two.refused("customer", *words)
    two.refused("customer", "set", EVA, "--agent", "Zeta")
    for flag in ("--agent", "--store"):
        two.refused("customer", "add", "new@x.example", flag, "Zeta")
    for head in ("agent", "store"):
        lines.write_text(f"email,{head}\nnew@x.example,Zeta\n")
        two.refused("customer", "import", lines)
    for flag in ("--group", "--store"):
        two.refused("account", "add", "new", *two.flags(), flag, "Zeta")
        two.refused("account", "set", "sales", flag, "Zeta")


def change(two: Two, lines: Path) -> None:
    """What both have under the same name, in Ours."""
    Arrival.objects.filter(organization=two.ours, outcome="ignored").update(outcome="failed")
    lines.write_text("email,agent\nlisted@x.example,Both\nBoth@elsewhere.example,Both\n")
    failed = Arrival.objects.get(organization=two.ours, outcome="failed", account__name="sales")
    mine = Arrival.objects.filter(organization=two.ours, outcome="skipped")[0]
    for words in (
        ["customer", "import", lines], ["customer", "add", "zoe@x.example", "--agent", "Both"],
        ["customer", "set", EVA, "--name", "Eva", "--no-agent"],
        ["customer", "set", EVA, "--agent", "Both", "--json"],
        ["store", "add", "Mine"], ["store", "remove", "Mine"],
        ["group", "add", "Mine"], ["block", "add", "x.example"], ["block", "remove", "x.example"],
        ["administrator", "add", "mine@admins.example", "--password-file", two.long_password],
        ["administrator", "password", "mine@admins.example", "--password-file", two.long_password],
        ["administrator", "remove", "mine@admins.example"],
        ["agent", "add", "Mine", "--email", "m@agents.example", "--group", "Mine"],
        ["agent", "status", "Both", "lunch"], ["agent", "present", "Both"],
        ["agent", "away", "Both"], ["agent", "set", "Both", "--join", "Mine"],
        ["agent", "deactivate", "Both"], ["agent", "activate", "Both"],
        ["retry", failed.pk], ["fetch", mine.pk], ["fetch", "--customer", EVA],
        ["customer", "remove", EVA],
        ["account", "add", "new", *two.flags()], ["account", "set", "sales", "--inactive"],
        ["account", "set", "sales", "--active"], ["account", "resume", "sales"],
        ["account", "collect-again", "keep", "--from", "all"],
        *(["account", verb, "keep"] for verb in HISTORY),
        ["collect", "keep", "--once"], ["collect", "sales", "--once", "--json"],
        ["account", "remove", "sales"], ["group", "remove", "Both"],
        ["organization", "suspend", "Ours"], ["organization", "resume", "Ours"],
        ["organization", "suspend", "Ours"], ["organization", "remove", "Ours"],
    ):  # fmt: skip
        two(*words)
