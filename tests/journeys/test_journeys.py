"""The main job from end to end: a real Dovecot, the real command line, 500 letters, a `kill -9`.

deliver 350 ─▶ collect ─▶ deliver 150 ─▶ collect ─▶ compare all ─▶ collect: nothing changes
                  └── one of the two is killed in the middle, and begun again ──┘
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.journeys import cast
from tests.journeys.compare import compare_all, compare_server
from tests.journeys.found import Found
from tests.journeys.rules import Journey, Rules
from tests.journeys.shop import Shop
from tests.journeys.specimens import LARGE, OLD, Mail
from tests.servers.dovecot import Dovecot

# When a collection is killed; each is a question to its database. `settling`: the server is being
# asked to remove messages, and nobody has noted yet that it did.
MOMENTS = {
    "listed": "select count(*) from intake_arrival",
    "in custody": "select count(*) from intake_arrival where sha256 <> ''",
    "filed": "select count(*) from intake_arrival where outcome = 'filed'",
    "settling": "select count(*) from intake_arrival where settling_at is not null",
    "new in custody": "select count(*) from intake_arrival where sha256 <> '' and not of_history",
    "new settling": (
        "select count(*) from intake_arrival where settling_at is not null and not of_history"
    ),
}
JOURNEYS = (
    Journey(
        name="imap-create-delete-all", protocol="imap", create=True, after="delete", start="all",
        dies_at="settling", sent_folder=True,
    ),
    Journey(
        name="imap-no-leave-date", protocol="imap", create=False, after="leave", start="date",
        dies_at="listed", store="", trusts=True,
    ),
    Journey(
        name="imap-create-read-now", protocol="imap", create=True, after="read", start="now",
        dies_at="new settling", dies_in_second=True, limited=True, trusts=True,
    ),
    Journey(
        name="imap-no-delete-now", protocol="imap", create=False, after="delete", start="now",
        dies_at="new in custody", dies_in_second=True, limited=True, notify_agent=False,
    ),
    Journey(
        name="imap-create-leave-date", protocol="imap", create=True, after="leave", start="date",
        dies_at="filed", store="", history="silent", lists_as_persons=True, limited=True,
    ),
    Journey(
        name="pop3-create-leave-date", protocol="pop3", create=True, after="leave", start="date",
        dies_at="in custody", history="notify", hand_out_existing=True, limited=True,
    ),
    Journey(
        name="pop3-no-delete-all", protocol="pop3", create=False, after="delete", start="all",
        dies_at="settling", limited=True,
    ),
    Journey(
        name="pop3-create-delete-now", protocol="pop3", create=True, after="delete", start="now",
        dies_at="new settling", dies_in_second=True, group=False, trusts=True,
    ),
)  # fmt: skip


@pytest.mark.timeout(200)
@pytest.mark.parametrize("journey", JOURNEYS, ids=str)
def test_what_becomes_of_500_letters(
    journey: Journey,
    shop: Shop,
    mail: Mail,
    dovecot: Dovecot,
    fresh_login: Callable[..., str],
    tmp_path: Path,
) -> None:
    """R3 to R11, by the table of what becomes of a message; also twice, and killed in between."""
    login, rules = fresh_login(), Rules(journey, mail)
    add_account(shop, journey, mail, dovecot, login)
    deliver(journey, mail, dovecot, login, new=False)
    collect(journey, shop, tmp_path, dies=not journey.dies_in_second)
    deliver(journey, mail, dovecot, login, new=True)
    totals = collect(journey, shop, tmp_path, dies=journey.dies_in_second)
    if not journey.dies_in_second:
        compare_totals(rules, totals)
    found = Found(shop, mail)
    compare_all(rules, found, dovecot, login)
    before = found.everything()
    compare_totals_of_nothing(rules, collect(journey, shop, tmp_path, dies=False))
    assert found.everything() == before, "collecting once more changed something"
    compare_server(rules, dovecot, login)


def add_account(shop: Shop, journey: Journey, mail: Mail, dovecot: Dovecot, login: str) -> None:
    start = mail.start.date().isoformat() if journey.start == "date" else journey.start
    words = [
        "account", "add", "pedidos", "--host", dovecot.host, "--security", "none",
        "--port", str(dovecot.port(journey.protocol, "none")), "--protocol", journey.protocol,
        "--username", login, "--password-file", "-", "--address", cast.OWN_ADDRESS,
        "--after", journey.after, "--start", start, "--history", journey.history,
        "--create-customer" if journey.create else "--no-create-customer",
        "--notify-agent" if journey.notify_agent else "--no-notify-agent",
    ]  # fmt: skip
    further = {
        ("--store", cast.CENTRO): bool(journey.store),
        ("--group", cast.GROUP): journey.group,
        ("--max-message-bytes", str(LARGE)): journey.limited,
        ("--trusted-authserv-id", cast.AUTHSERV): journey.trusts,
        ("--lists-as-persons",): journey.lists_as_persons,
        ("--hand-out-existing",): journey.hand_out_existing,
        ("--folder", "INBOX", "--sent-folder", "Enviados"): journey.sent_folder,
    }
    words += [word for flags, wanted in further.items() if wanted for word in flags]
    shop.run(*words, given="secret\n")


def deliver(journey: Journey, mail: Mail, dovecot: Dovecot, login: str, *, new: bool) -> None:
    for letter in mail.letters:
        if letter.is_new == new:
            dovecot.deliver(login, letter.octets, internal_date=letter.received_at)
    if journey.sent_folder and not new:
        dovecot.add_folder(login, "Enviados")
        for sent in mail.sent:
            dovecot.deliver(login, sent.octets, "Enviados", internal_date=sent.received_at)


def collect(journey: Journey, shop: Shop, folder: Path, *, dies: bool) -> dict[str, object]:
    """`buzon collect --once`; where it dies, it is killed at its moment and then begun again."""
    if dies:
        output = folder / "killed.txt"
        process = shop.start("collect", "--once", "--json", output=output)
        shop.kill_when(MOMENTS[journey.dies_at], process)
        assert output.read_bytes() == b"", "it had told its totals before it was killed"
    (totals,) = json.loads(shop.run("collect", "--once", "--json"))
    assert totals["error"] == ""
    assert totals["failed"] == 0
    return dict(totals)


def compare_totals(rules: Rules, totals: dict[str, object]) -> None:
    """What the second collection says of itself, where nobody killed it."""
    new = [m for m in rules.mail.letters if m.is_new]
    for outcome in ("filed", "skipped", "ignored", "oversized"):
        assert totals[outcome] == rules.count(new, outcome), outcome
    left = {m.number for m in rules.left_on_server()}
    still_there = [m for m in rules.mail.letters if m.is_new or m.number in left]
    assert totals["listed"] == len(still_there) + _in_sent_folder(rules)
    assert totals["outside"] == _outside(rules)
    settles = rules.journey.after != "leave"
    assert totals["settled"] == (rules.count(new, "filed") if settles else 0)
    assert int(str(totals["bytes"])) > sum(
        len(m.octets) for m in new if rules.fates[m.number].outcome == "filed"
    )


def compare_totals_of_nothing(rules: Rules, totals: dict[str, object]) -> None:
    """Twice the same collection adds nothing."""
    for name in ("filed", "skipped", "ignored", "oversized", "settled"):
        assert totals[name] == 0, name
    assert totals["listed"] == len(rules.left_on_server()) + _in_sent_folder(rules)
    assert totals["outside"] == _outside(rules)


def _in_sent_folder(rules: Rules) -> int:
    return len(rules.mail.sent) if rules.journey.sent_folder else 0


def _outside(rules: Rules) -> int:
    letters = [*rules.fates.values(), *rules.sent_fates.values()]
    return sum(fate.outcome == "outside" for fate in letters)


def test_the_journeys_are_of_every_kind() -> None:
    """Each value of what the main job can be told is in one of them, with IMAP and with POP3."""
    assert OLD > 300
    for protocol in ("imap", "pop3"):
        own = [j for j in JOURNEYS if j.protocol == protocol]
        assert {j.create for j in own} == {True, False}
        assert {j.start for j in own} == {"all", "now", "date"}
        assert {j.after for j in own} >= {"leave", "delete"}
