"""A refused collection account says everything that is wrong with it, field by field."""

from datetime import date
from typing import Any

import pytest
from django.utils import translation

from buzon.desk.models import Organization, Store
from buzon.intake.accounts import FIELDS, AccountError, add_account, change_account
from buzon.intake.asked import AskedError, fetch, fetch_earlier_letters
from buzon.intake.models import CollectionAccount

RIGHT: dict[str, Any] = {"name": "sales", "host": "h.example", "username": "ana", "secret": "s"}


def test_everything_wrong_is_told_at_once_the_first_field_first(shop: Organization) -> None:
    with pytest.raises(AccountError) as refused:
        add_account(
            shop, name="", host="imap://h", username="ana", secret="", port=70_000, folders=[""]
        )
    assert [field for field, _ in refused.value.all] == [
        "name",
        "host",
        "port",
        "folders",
        "secret",
    ]
    assert (refused.value.field, refused.value.sentence) == refused.value.all[0]
    assert str(refused.value) == refused.value.sentence == "A name is needed."
    assert not CollectionAccount.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "x" * 201),
        ("username", "a\nb"),
        ("host", "two words"),
        ("protocol", "smtp"),
        ("security", "ssl"),
        ("after", "burn"),
        ("start", "soon"),
        ("start_date", date(1969, 1, 1)),
        ("history", "loud"),
        ("address", "nobody"),
        ("pinned_sha256", "abc"),
        ("max_message_bytes", 1),
        ("poll_seconds", 0),
        ("trusted_authserv_id", "two words"),
        ("reply_to_senders", ["nobody"]),
        ("active", "yes"),
    ],
)
def test_each_field_is_named(shop: Organization, field: str, value: object) -> None:
    assert field in FIELDS
    with pytest.raises(AccountError) as refused:
        add_account(shop, **(RIGHT | {field: value}))
    assert [found for found, _ in refused.value.all] == [field]


def test_what_belongs_together_names_one_of_its_fields(shop: Organization) -> None:
    other = Store.objects.create(organization=Organization.objects.create(name="B"), name="S")
    add_account(shop, **RIGHT)
    for field, values in [
        ("start_date", {"start": "date"}),
        ("start_date", {"start": "date", "start_date": date(2999, 1, 1)}),
        ("after", {"protocol": "pop3", "after": "read"}),
        ("folders", {"protocol": "pop3", "folders": ["INBOX", "Ventas"]}),
        ("sent_folders", {"sent_folders": ["INBOX"]}),
        ("store", {"store": other}),
        ("name", {"name": "SALES"}),
    ]:
        with pytest.raises(AccountError) as refused:
            add_account(shop, **(RIGHT | {"name": "more"} | values))
        assert [found for found, _ in refused.value.all] == [field], values


def test_a_change_tells_all_too_and_changes_nothing(shop: Organization) -> None:
    account = add_account(shop, **RIGHT)
    with pytest.raises(AccountError) as refused:
        change_account(account, name="", port=0, secret="a\nb", folders=["A"], sent_folders=["A"])
    assert [field for field, _ in refused.value.all] == ["name", "port", "sent_folders", "secret"]
    account.refresh_from_db()
    assert (account.name, account.port) == ("sales", 993)
    assert [folder.name for folder in account.folders.all()] == ["INBOX"]


def test_too_many_accounts_is_no_fields_fault(shop: Organization) -> None:
    Organization.objects.filter(pk=shop.pk).update(max_accounts=0)
    with pytest.raises(AccountError) as refused:
        add_account(shop, **RIGHT)
    assert [field for field, _ in refused.value.all] == [""]


def test_what_is_asked_of_the_ledger_names_its_argument(shop: Organization) -> None:
    with pytest.raises(AskedError) as refused:
        fetch(shop, [12345])
    assert refused.value.field == "ids"
    with pytest.raises(AskedError) as refused:
        fetch_earlier_letters(shop, "nobody")
    assert refused.value.field == "address"


def test_both_kinds_of_refusal_speak_the_readers_language(shop: Organization) -> None:
    with translation.override("es"), pytest.raises(AccountError) as refused:
        add_account(shop, **(RIGHT | {"name": "", "port": 0, "after": "burn", "secret": "a\nb"}))
    assert dict(refused.value.all) == {
        "name": "Hace falta un nombre.",
        "port": "El campo «puerto» debe ser un número entero de 1 a 65535, no «0».",
        "after": "El campo «tras la descarga» debe ser leave o read o delete, no «burn».",
        "secret": "La contraseña contiene un salto de línea u otro carácter de control.",
    }
    with translation.override("es"), pytest.raises(AskedError, match="no tiene ningún mensaje 7"):
        fetch(shop, [7])
