"""`buzon account …`: every flag, the defaults, and one sentence for each wrong value."""

import contextlib
import os
import pty
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from buzon.config.command.account_flags import FLAGS
from buzon.desk.models import AgentGroup, Organization, Store
from buzon.desk.organizations import remove_organization, suspend_organization
from buzon.intake.accounts import FIELDS, credentials_of, field_defaults
from buzon.intake.models import Arrival, CollectionAccount
from tests.config.commands import ROOT
from tests.config.conftest import Console, Installation


@pytest.fixture
def needed(password: Path) -> list[Any]:
    """What an account cannot do without."""
    return ["--host", "imap.example.com", "--username", "ana", "--password-file", password]


def test_an_account_with_the_defaults(buzon: Console, needed: list[Any]) -> None:
    assert "buzon account check sales" in buzon("account", "add", "sales", *needed)
    account = CollectionAccount.objects.get()
    told = {name: getattr(account, name) for name in field_defaults()}
    assert told == field_defaults() | {"port": 993}
    assert credentials_of(account).secret == "s3cret ñ12"  # one line end is not part of it


def test_every_field_has_a_flag() -> None:
    """The form, the model and the command line have the same fields."""
    beside = {"secret", "folders", "sent_folders"}
    by_themselves = {"name", "active", "start_date"}  # NAME, --inactive, and a part of --start
    assert {flag.field for flag in FLAGS} - beside == set(FIELDS) - by_themselves


def test_the_defaults_that_help_shows_are_the_models(buzon: Console, needed: list[Any]) -> None:
    defaults = field_defaults()
    written = {True: "yes", False: "no"}
    for flag in FLAGS:
        if flag.read is None:
            assert flag.default == written[defaults[flag.field]], flag.name
        elif flag.field in ("protocol", "security", "after", "start", "history"):
            assert flag.default == defaults[flag.field], flag.name
        elif flag.field in ("store", "group", "pinned_sha256", "trusted_authserv_id"):
            assert flag.default.startswith("none"), flag.name
            assert not defaults[flag.field], flag.name
    by_field = {flag.field: flag.default for flag in FLAGS}
    assert by_field["max_message_bytes"].split()[0] == str(defaults["max_message_bytes"])
    buzon("account", "add", "sales", *needed)
    assert by_field["folders"] == CollectionAccount.objects.get().folders.get().name


def test_every_flag_sets_its_field(buzon: Console, shop: Organization, needed: list[Any]) -> None:
    store = Store.objects.create(organization=shop, name="Norte")
    group = AgentGroup.objects.create(organization=shop, name="Ventas")
    buzon(
        "account", "add", "sales", *needed, "--protocol", "imap", "--port", "1143",
        "--security", "none", "--pin", "AB" * 32, "--address", "shop@example.com",
        "--store", "Norte", "--folder", "INBOX", "--folder", "Clientes/2026",
        "--sent-folder", "Enviados", "--create-customer", "--group", "Ventas",
        "--no-notify-agent", "--delete-downloaded", "--start", "2026-01-31",
        "--history", "silent", "--max-message-bytes", "20000", "--poll-seconds", "30",
        "--trusted-authserv-id", "mx.example.com", "--lists-as-persons", "--hand-out-existing",
        "--fetch-skipped-at-once", "--fold-dots", "--fold-plus",
        "--reply-to-sender", "form@example.com", "--inactive",
    )  # fmt: skip
    shown = buzon.json("account", "show", "sales")
    account = CollectionAccount.objects.get()
    assert (account.store, account.group) == (store, group)
    assert [(each["name"], each["role"]) for each in shown["folders"]] == [
        ("INBOX", "inbox"),
        ("Clientes/2026", "inbox"),
        ("Enviados", "sent"),
    ]
    expected = {
        "name": "sales", "active": False, "address": "shop@example.com", "protocol": "imap",
        "host": "imap.example.com", "port": 1143, "security": "none", "username": "ana",
        "pinned_sha256": "ab" * 32, "create_customer": True, "notify_agent": False,
        "after": "delete", "start": "2026-01-31", "history": "silent",
        "max_message_bytes": 20_000, "poll_seconds": 30.0,
        "trusted_authserv_id": "mx.example.com", "lists_as_persons": True,
        "hand_out_existing": True, "fetch_skipped_at_once": True, "fold_dots": True,
        "fold_plus": True, "reply_to_senders": ["form@example.com"], "store": "Norte",
        "group": "Ventas", "state": "working", "reason": None, "next_collection_at": None,
    }  # fmt: skip
    assert {name: shown[name] for name in expected} == expected
    assert "s3cret" not in str(shown)


WRONG: list[tuple[list[Any], str]] = [
    (["--host", "imaps://x.example"], "without imaps://"),
    (["--host", "a b"], "not the name of a server"),
    (["--host", "x.example:993"], "port on its own"),
    (["--username", " "], "login"),
    (["--start", "2999-01-01"], "in the future"),
    (["--store", "Norte"], "no store 'Norte'"),
    (["--group", "Ventas"], "no group 'Ventas'"),
    (["--protocol", "pop3", "--folder", "Ventas"], "POP3 has no folders"),
    (["--protocol", "pop3", "--after", "read"], "POP3 cannot mark"),
    (["--pin", "abc"], "64 hexadecimal"),
    (["--folder", ""], "folder is empty"),
    (["--reply-to-sender", "x"], "not an e-mail address"),
    (["--password-file", "/nowhere/at/all"], "There is no file /nowhere/at/all."),
    (["--password-file", "/"], "is a folder"),
    (["--password-file", "/dev/null"], "is empty"),
]


@pytest.mark.parametrize(("wrong", "told"), WRONG)
def test_a_wrong_value_is_one_sentence(
    buzon: Console, needed: list[Any], wrong: list[Any], told: str
) -> None:
    assert told in buzon.refused("account", "add", "sales", *needed, *wrong)
    assert buzon.json("account", "list") == []


def test_a_password_file_that_holds_something_else(
    buzon: Console, needed: list[Any], tmp_path: Path
) -> None:
    file = tmp_path / "file"
    for octets, told in (
        (b"\n", "is empty"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"x" * 70_000, "too long"),
        (b"one\ntwo\n", "line break"),
    ):
        file.write_bytes(octets)
        told_us = buzon.refused("account", "add", "a", *needed, "--password-file", file)
        assert told in told_us
        assert "one" not in told_us.replace("one line", "")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_password_file_that_may_not_be_read(
    buzon: Console, needed: list[Any], password: Path
) -> None:
    password.chmod(0)
    assert "may not be read" in buzon.refused("account", "add", "a", *needed)


def test_the_password_may_come_from_standard_input(installed: Installation) -> None:
    add = ["account", "add", "a", "--host", "h.example", "--username", "u", "--password-file", "-"]
    assert installed(*add, stdin=b"s3cret\r\n").status == 0
    assert "empty" in installed(*add, stdin=b"\n").sentence()
    shown = installed("account", "show", "a")
    assert "s3cret" not in shown.text


def test_on_a_terminal_the_password_is_asked_for_and_not_shown(installed: Installation) -> None:
    add = ["account", "add", "a", "--host", "h.example", "--username", "u", "--password-file", "-"]
    screen, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "buzon.config.command", *add],
        env=installed.env,
        cwd=ROOT,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,  # the test runner's own terminal, if any, is left alone
    )
    os.close(terminal)
    shown = b""
    while b"not shown" not in shown:
        shown += os.read(screen, 65_536)
    os.write(screen, b"s3cret\n")
    with contextlib.suppress(OSError):  # EIO: the other end was closed
        while piece := os.read(screen, 65_536):
            shown += piece
    os.close(screen)
    assert process.wait(60) == 0, shown
    assert b"Added a;" in shown
    assert b"s3cret" not in shown


def test_r1_the_eleventh_is_refused(buzon: Console, needed: list[Any]) -> None:
    for number in range(10):
        buzon("account", "add", f"a{number}", *needed)
    assert "has 10 collection accounts" in buzon.refused("account", "add", "more", *needed)
    buzon("account", "remove", "a0")
    buzon("account", "add", "more", *needed)


def test_set_changes_what_is_given(buzon: Console, shop: Organization, needed: list[Any]) -> None:
    Store.objects.create(organization=shop, name="Norte")
    buzon("account", "add", "sales", *needed, "--store", "Norte", "--sent-folder", "Sent",
          "--pin", "ab" * 32)  # fmt: skip
    before = buzon.json("account", "show", "sales")
    buzon("account", "set", "sales", "--create-customer", "--name", "shop")
    after = buzon.json("account", "show", "shop")
    changed = {name for name in before if before[name] != after[name]} - {"next_collection_at"}
    assert changed == {"name", "create_customer"}
    buzon("account", "set", "shop", "--no-store", "--no-sent-folder", "--no-pin",
          "--no-create-customer", "--inactive")  # fmt: skip
    after = buzon.json("account", "show", "shop")
    assert (after["store"], after["pinned_sha256"]) == (None, "")
    assert [each["name"] for each in after["folders"]] == ["INBOX"]
    assert (after["create_customer"], after["active"]) == (False, False)
    assert "nothing to change" in buzon.refused("account", "set", "shop")
    assert "in the future" in buzon.refused("account", "set", "shop", "--start", "2999-01-01")


def test_new_customers_who_go_to_nobody_are_pointed_out(buzon: Console, needed: list[Any]) -> None:
    told = buzon("account", "add", "de ventas", *needed)
    assert "check 'de ventas' asks" in told
    assert "--group" not in told
    told = buzon("account", "add", "b", *needed, "--create-customer")
    assert "buzon account set b --group NAME." in told
    buzon("group", "add", "Ventas")
    told = buzon("account", "add", "c", *needed, "--create-customer", "--group", "Ventas")
    assert "--group" not in told


def test_list_and_show_for_people(buzon: Console, needed: list[Any]) -> None:
    assert "no collection accounts yet" in buzon("account", "list")
    buzon("account", "add", "sales", *needed)
    account = CollectionAccount.objects.get()
    account.state, account.state_reason = "rejected", {
        "code": "mail_error", "error": "No \x1b[31mlogin.", "kind": "AuthRejected",
    }  # fmt: skip
    account.last_collected_at = datetime(2026, 11, 23, 10, tzinfo=UTC)
    account.save()
    account.folders.update(history_total=120, outside=7, low=3, high=130)
    _arrivals(account, "filed", 2)
    _arrivals(account, "skipped", 1)
    listed = buzon("account", "list").splitlines()
    assert "rejected" in listed[1]
    assert max(map(len, listed)) < 100
    shown = buzon("account", "show", "sales")
    assert "\x1b" not in shown
    assert "login." in shown
    assert "2026-11-23 10:00:00" in shown
    for pieces in (["INBOX", "inbox", "120", "7", "3", "130"], ["filed", "2"], ["skipped", "1"]):
        assert any(line.split() == pieces for line in shown.splitlines())
    told = buzon.json("account", "show", "sales")
    assert told["outcomes"] == {
        "waiting": 0, "filed": 2, "skipped": 1, "ignored": 0, "oversized": 0, "failed": 0,
    }  # fmt: skip
    assert told["reason"]["code"] == "mail_error"
    assert told["last_collected_at"] == "2026-11-23T10:00:00Z"


def test_a_first_download_is_listed_and_shown(buzon: Console, needed: list[Any]) -> None:
    buzon("account", "add", "sales", *needed, "--folder", "INBOX", "--folder", "Ventas")
    assert "first download" not in buzon("account", "list")
    account = CollectionAccount.objects.get()
    inbox, _ventas = account.folders.order_by("pk")
    now = timezone.now()
    account.folders.update(history_begun_at=now, history_total=1_000, history_octets=4_000_000)
    account.folders.filter(pk=inbox.pk).update(to_come=500, octets_to_come=2_000_000)
    account.folders.update(pace=[[0.0, 400, 1_600_000], [50.0, 250, 1_000_000]])
    assert "1,500 of 2,000 (75%)" in buzon("account", "list")
    account.duties.filter(kind="collect").update(
        lease_owner="worker", lease_until=now + timedelta(minutes=5)
    )
    assert "1,500 of 2,000 (75%), 6/s, 83 s left" in buzon("account", "list")
    shown = buzon("account", "show", "sales")
    assert "6.0 MB of 8.0 MB, 24.0 kB/s" in shown
    assert "500 of 1,000 (50%), 3/s, 83 s left" in shown
    told = buzon.json("account", "show", "sales")
    assert told["first_download"] == {
        "done": 1_500, "total": 2_000, "octets": 6_000_000, "octets_total": 8_000_000,
        "percent": 75, "rate": 6.0, "octets_rate": 24_000, "seconds_left": 83.3, "paused": False,
    }  # fmt: skip
    assert [each["first_download"]["done"] for each in told["folders"]] == [500, 1_000]
    assert buzon.json("account", "list")[0]["first_download"] == told["first_download"]


@pytest.mark.parametrize("state", CollectionAccount.State.values)
def test_every_state_is_listed_and_shown(buzon: Console, needed: list[Any], state: str) -> None:
    buzon("account", "add", "sales", *needed)
    CollectionAccount.objects.update(state=state, state_since=datetime(2026, 11, 23, 9, tzinfo=UTC))
    assert state in buzon("account", "list").splitlines()[1].split()
    assert state in buzon("account", "show", "sales").split()
    assert [told["state"] for told in buzon.json("account", "list")] == [state]
    told = buzon.json("account", "show", "sales")
    assert (told["state"], told["state_since"]) == (state, "2026-11-23T09:00:00Z")


def test_resume_and_remove(buzon: Console, needed: list[Any]) -> None:
    buzon("account", "add", "sales", *needed)
    CollectionAccount.objects.update(state="stopped")
    assert buzon.json("account", "show", "sales")["next_collection_at"] is None
    buzon("account", "resume", "sales")
    assert buzon.json("account", "show", "sales")["state"] == "working"
    _arrivals(CollectionAccount.objects.get(), "filed", 3)
    assert "3 rows" in buzon("account", "remove", "sales")
    assert not CollectionAccount.objects.exists()
    assert "'sales'" in buzon.refused("account", "show", "sales")


def test_the_only_copies_are_not_lost_with_their_account(buzon: Console, needed: list[Any]) -> None:
    buzon("account", "add", "sales", *needed)
    _arrivals(CollectionAccount.objects.get(), "failed", 2)
    Arrival.objects.update(sha256="ab" * 32, gone_at=timezone.now())
    assert "2 messages of sales" in buzon.refused("account", "remove", "sales")
    assert CollectionAccount.objects.exists()
    buzon("account", "remove", "sales", "--discard")
    assert not CollectionAccount.objects.exists()


def test_an_organization_goes_with_its_accounts_and_stores(
    buzon: Console, shop: Organization, needed: list[Any]
) -> None:
    buzon("store", "add", "Norte")
    buzon("account", "add", "sales", *needed, "--store", "Norte")
    suspend_organization(shop)
    remove_organization(shop)
    assert not CollectionAccount.objects.exists()


def _arrivals(account: CollectionAccount, outcome: str, number: int) -> None:
    first = account.arrivals.count() + 1
    Arrival.objects.bulk_create(
        Arrival(
            organization=account.organization,
            account=account,
            folder=account.folders.get(),
            uidvalidity=1,
            uid=uid,
            outcome=outcome,
            seen_at=timezone.now(),
        )
        for uid in range(first, first + number)
    )


def test_history_waits_goes_on_is_cancelled_and_comes_again(
    buzon: Console, needed: list[Any]
) -> None:
    buzon("account", "add", "sales", *needed)
    account = CollectionAccount.objects.get()
    now = timezone.now()
    account.folders.update(
        baseline_at=now, history_begun_at=now, baseline_uidnext=101, low=61, high=100,
        history_total=100, to_come=60,
    )  # fmt: skip
    assert "new mail is collected" in buzon("account", "pause-history", "sales")
    assert buzon.json("account", "show", "sales")["first_download"]["paused"]
    assert "40 of 100 (40%), paused" in buzon("account", "show", "sales")
    assert "goes on" in buzon("account", "resume-history", "sales")
    assert "60 messages stay on the server" in buzon("account", "cancel-history", "sales")
    assert "Nothing" in buzon("account", "cancel-history", "sales")
    shown = buzon.json("account", "show", "sales")
    assert (shown["folders"][0]["outside"], shown["first_download"]["done"]) == (60, 40)
    assert shown["folders"][0]["cancelled_at"]
    told = buzon("account", "collect-again", "sales", "--from", "2026-01-31")
    assert "again from 2026-01-31" in told
    assert "from the beginning" in buzon("account", "collect-again", "sales", "--from", "all")
    assert buzon.json("account", "show", "sales")["start"] == "all"
    assert account.folders.get().list_again


def test_history_refusals(buzon: Console, needed: list[Any]) -> None:
    buzon("account", "add", "sales", *needed)
    again = ("account", "collect-again", "sales", "--from")
    assert "was not looked at yet" in buzon.refused(*again, "all")
    assert "must be all or a date" in buzon.refused(*again, "now")
    assert "must be all or a date" in buzon.refused(*again, "20260131")
    now = timezone.now()
    CollectionAccount.objects.update(history_done_at=now)
    CollectionAccount.objects.get().folders.update(baseline_at=now, history_begun_at=now)
    assert "still to come" in buzon.refused("account", "pause-history", "sales")
    assert "still to come" in buzon.refused(*again, "2999-01-01")
