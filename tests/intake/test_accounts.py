"""A new collection account: what may be in it, how many there may be, and its secret."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from buzon.desk import keyring
from buzon.desk.keyring import KeyringError
from buzon.desk.models import AgentGroup, Organization, Store
from buzon.intake.account_values import default_port
from buzon.intake.accounts import (
    FIELDS,
    AccountError,
    add_account,
    change_account,
    credentials_of,
    endpoint_of,
    field_defaults,
)
from buzon.intake.models import CollectionAccount, Folder
from buzon.wire.endpoint import Security
from tests.intake.rows import REQUIRED, with_name
from tests.lease.real_database import real_database


def test_defaults_are_the_safe_ones(shop: Organization) -> None:
    """R2, R3, R6, R7, R9: TLS, nothing removed, nothing created, the agent is told."""
    account = add_account(shop, **REQUIRED)
    told = {name: getattr(account, name) for name in FIELDS if name not in REQUIRED}
    assert told == {
        "active": True,
        "store": None,
        "address": "",
        "protocol": "imap",
        "port": 993,
        "security": "tls",
        "pinned_sha256": "",
        "group": None,
        "create_customer": False,
        "notify_agent": True,
        "after": "leave",
        "delete_after_days": 0,
        "start": "all",
        "start_date": None,
        "history": "auto",
        "history_to_whole_group": False,
        "max_message_bytes": 52_428_800,
        "trusted_authserv_id": "",
        "lists_as_persons": False,
        "hand_out_existing": False,
        "fetch_skipped_at_once": False,
        "fold_dots": False,
        "fold_plus": False,
        "reply_to_senders": [],
        "poll_seconds": None,
    }
    assert list(account.folders.values_list("name", "role")) == [("INBOX", "inbox")]
    assert set(account.duties.values_list("kind", flat=True)) == {"collect", "process"}
    assert all(duty.due_at <= timezone.now() for duty in account.duties.all())


def test_fields_are_all_those_that_a_person_may_set() -> None:
    """A field that is added to the model is added here, or to what Buzón keeps for itself."""
    kept = {
        "id", "organization", "secret", "state", "state_reason", "state_since", "told_failing_at",
        "failures", "failing_since", "accept_renumbering", "last_collected_at", "history_done_at",
        "created_at", "clock", "history_paused",
    }  # fmt: skip
    assert {field.name for field in CollectionAccount._meta.concrete_fields} - kept == set(FIELDS)
    assert set(field_defaults()) == set(FIELDS) - {"name", "host", "username"}


@pytest.mark.parametrize(
    ("protocol", "security", "port"),
    [
        ("imap", "tls", 993),
        ("imap", "starttls", 143),
        ("imap", "none", 143),
        ("pop3", "tls", 995),
        ("pop3", "starttls", 110),
        ("pop3", "none", 110),
    ],
)
def test_port_is_the_protocols(shop: Organization, protocol: str, security: str, port: int) -> None:
    """R3."""
    account = add_account(shop, **REQUIRED, protocol=protocol, security=security)
    assert account.port == port == default_port(protocol, security)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": " "}, "name"),
    ({"name": "a\nb"}, "line break"),
    ({"name": "x" * 201}, "longer than 200"),
    ({"host": ""}, "server's name"),
    ({"host": "imap example.com"}, "not the name of a server"),
    ({"host": "imaps://imap.example.com"}, "without imaps://"),
    ({"host": "imap.example.com:993"}, "port on its own"),
    ({"host": "imap.example.com/mail"}, "not the name"),
    ({"host": "imap..example.com"}, "not the name"),
    ({"host": "-x.example.com"}, "not the name"),
    ({"host": "x" * 300}, "not the name"),
    ({"port": 0}, "1 to 65535"),
    ({"port": 65_536}, "1 to 65535"),
    ({"port": "993"}, "whole number"),
    ({"username": ""}, "login"),
    ({"username": "a\r\nb"}, "line break"),
    ({"secret": ""}, "password is empty"),
    ({"secret": "a\nb"}, "line break"),
    ({"protocol": "smtp"}, "imap or pop3"),
    ({"security": "ssl"}, "tls or starttls or none"),
    ({"pinned_sha256": "abc"}, "64 hexadecimal"),
    ({"address": "nobody"}, "not an e-mail address"),
    ({"after": "burn"}, "leave or read or delete"),
    ({"start": "date"}, "the date is needed"),
    ({"start": "date", "start_date": date(2999, 1, 1)}, "in the future"),
    ({"start": "date", "start_date": date(1, 1, 1)}, "before 1970"),
    ({"start": "date", "start_date": "2026-01-01"}, "is a date"),
    ({"start": "later"}, "all or now or date"),
    ({"history": "loud"}, "auto or silent or notify"),
    ({"max_message_bytes": 9_999}, "10000 to 1000000000"),
    ({"poll_seconds": 0.5}, "1 to 86400"),
    ({"poll_seconds": True}, "1 to 86400"),
    ({"trusted_authserv_id": "mx one"}, "one word"),
    ({"reply_to_senders": ["form@example.com", "x"]}, "'x' is not an e-mail address"),
    ({"active": "yes"}, "Yes or no"),
    ({"folders": []}, "at least one folder"),
    ({"folders": [" "]}, "folder is empty"),
    ({"folders": ["A"], "sent_folders": ["A"]}, "not both"),
    ({"protocol": "pop3", "folders": ["Ventas"]}, "POP3 has no folders"),
    ({"protocol": "pop3", "sent_folders": ["Sent"]}, "POP3 has no folders"),
    ({"protocol": "pop3", "after": "read"}, "cannot mark messages as read"),
]


@pytest.mark.parametrize(("wrong", "told"), WRONG)
def test_a_wrong_value_is_one_sentence_and_leaves_nothing(
    shop: Organization, wrong: dict[str, Any], told: str
) -> None:
    with pytest.raises(AccountError) as caught:
        add_account(shop, **(REQUIRED | wrong))
    sentence = caught.value.sentence
    assert told in sentence
    assert sentence.endswith(".")
    assert "s3cret" not in sentence
    assert not CollectionAccount.objects.exists()
    assert not Folder.objects.exists()


@pytest.mark.parametrize(
    "host",
    ["imap.example.com", "IMAP.Example.com.", "localhost", "127.0.0.1", "::1", "correo.ñandú.es"],
)
def test_hosts_that_are_right(shop: Organization, host: str) -> None:
    assert add_account(shop, **(REQUIRED | {"host": host})).host == host.lower().rstrip(".")


def test_values_are_tidied(shop: Organization) -> None:
    account = add_account(
        shop,
        **REQUIRED,
        pinned_sha256=":".join(["AB"] * 32),
        reply_to_senders=["Form@Example.com", "form@example.com"],
        folders=["inbox", "Ventas", "Ventas"],
    )
    assert account.pinned_sha256 == "ab" * 32
    assert account.reply_to_senders == ["form@example.com"]
    assert list(account.folders.order_by("pk").values_list("name", flat=True)) == [
        "INBOX",
        "Ventas",
    ]


def test_today_is_a_start_also_where_the_day_began_earlier(shop: Organization) -> None:
    """R4: the date is the shop's."""
    shop.time_zone = "Pacific/Kiritimati"  # UTC+14
    there = (timezone.now() + timedelta(hours=14)).date()
    account = add_account(shop, **REQUIRED, start="date", start_date=there)
    assert account.start_date == there


def test_an_unknown_field_is_a_fault_of_the_program(shop: Organization) -> None:
    with pytest.raises(TypeError, match="colour"):
        add_account(shop, **REQUIRED, colour="red")


def test_names_are_once_per_organization(shop: Organization) -> None:
    add_account(shop, **REQUIRED)
    with pytest.raises(AccountError, match="already"):
        add_account(shop, **REQUIRED)
    other = Organization.objects.create(name="Other")
    assert add_account(other, **REQUIRED).name == "sales"


@pytest.mark.parametrize("field", ["store", "group"])
def test_nothing_of_another_organization(shop: Organization, field: str) -> None:
    other = Organization.objects.create(name="Other")
    theirs = {
        "store": Store.objects.create(organization=other, name="Norte"),
        "group": AgentGroup.objects.create(organization=other, name="Ventas"),
    }[field]
    with pytest.raises(AccountError, match="Shop has no"):
        add_account(shop, **REQUIRED, **{field: theirs})
    account = add_account(shop, **REQUIRED)
    with pytest.raises(AccountError, match="Shop has no"):
        change_account(account, **{field: theirs})


def test_r1_the_eleventh_account_is_refused(shop: Organization) -> None:
    for number in range(10):
        add_account(shop, **with_name(number))
    with pytest.raises(AccountError, match="has 10 collection accounts"):
        add_account(shop, **with_name(10))
    add_account(Organization.objects.create(name="Other"), **REQUIRED)


def test_r1_an_organizations_own_limit_comes_first(shop: Organization, settings: Settings) -> None:
    settings.BUZON_MAX_ACCOUNTS = 1
    Organization.objects.filter(pk=shop.pk).update(max_accounts=2)
    add_account(shop, **with_name(0))
    add_account(shop, **with_name(1))
    with pytest.raises(AccountError, match="has 2 collection accounts"):
        add_account(shop, **with_name(2))


ADDER = "tests.intake.adder"


def test_r1_two_processes_that_add_the_tenth_at_once() -> None:
    """One of them is the tenth, the other gets the sentence."""
    database = real_database(BUZON_KEYS="first:" + "A" * 43 + "=")
    database.run(ADDER, "prepare", 9)
    adders = [database.start(ADDER, "add", f"racer{number}") for number in range(2)]
    for adder in adders:
        assert adder.stdout is not None
        assert adder.stdout.readline() == "ready\n"
    for adder in adders:
        assert adder.stdin is not None
        adder.stdin.write("go\n")
        adder.stdin.flush()
    told = sorted(adder.communicate(timeout=60)[0] for adder in adders)
    assert told[0].startswith("Shop has 10 collection accounts")
    assert told[1] == "added\n"
    assert database.run(ADDER, "count", "") == "10\n"
    database.remove()


def test_the_secret_is_sealed_for_this_account_alone(shop: Organization) -> None:
    account = add_account(shop, **REQUIRED)
    account.refresh_from_db()
    assert b"s3cret" not in bytes(account.secret)
    credentials = credentials_of(account)
    assert (credentials.username, credentials.secret) == ("ana@example.com", "s3cret")
    assert "s3cret" not in repr(credentials)
    other = add_account(shop, **with_name(1))
    other.secret = account.secret
    with pytest.raises(KeyringError):
        credentials_of(other)


def test_endpoint_has_the_installations_limits(shop: Organization, settings: Settings) -> None:
    settings.BUZON_CA_FILE = "/ca.pem"
    settings.BUZON_ALLOW_PRIVATE_HOSTS = False
    settings.BUZON_LEASE_SECONDS = 20.0
    endpoint = endpoint_of(
        add_account(shop, **REQUIRED, security="starttls", pinned_sha256="ab" * 32)
    )
    assert (endpoint.host, endpoint.port) == ("imap.example.com", 143)
    assert endpoint.security is Security.STARTTLS
    assert endpoint.pinned_sha256 == "ab" * 32
    assert endpoint.ca_file == "/ca.pem"
    assert not endpoint.allow_private
    assert endpoint.read_timeout < 10  # a command ends before half of the lease has passed


def test_seal_is_the_keyrings(shop: Organization) -> None:
    """A secret that was sealed for another row is refused, not returned."""
    account = add_account(shop, **REQUIRED)
    account.secret = keyring.seal("other", row="something/else")
    with pytest.raises(KeyringError):
        credentials_of(account)
