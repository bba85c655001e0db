"""A stored password is sent only where it was given for."""

from typing import Any

import pytest

from buzon.desk.models import Organization
from buzon.intake.accounts import AccountError, add_account, credentials_of
from buzon.intake.models import CollectionAccount
from buzon.intake.secret_use import change_with_secret_kept


@pytest.fixture
def account(db: None) -> CollectionAccount:
    return add_account(
        Organization.objects.create(name="Shop"),
        name="sales",
        host="imap.example.com",
        username="ana@example.com",
        secret="s3cret",
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"host": "imap.elsewhere.example"},
        {"port": 4711},
        {"security": "none"},
        {"username": "luis@example.com"},
    ],
)
def test_another_server_or_login_wants_the_password_again(
    account: CollectionAccount, changes: dict[str, Any]
) -> None:
    with pytest.raises(AccountError) as refused:
        change_with_secret_kept(account, secret=None, **changes)
    assert [field for field, _ in refused.value.all] == ["secret"]
    stored = CollectionAccount.objects.get(pk=account.pk)
    assert (stored.host, stored.port, stored.security) == ("imap.example.com", 993, "tls")
    changed = change_with_secret_kept(account, secret="n3w", **changes)
    assert credentials_of(changed).secret == "n3w"


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "orders"},
        {"host": "IMAP.example.com."},
        {"port": 993},
        {"pinned_sha256": "ab" * 32},
        {"after": "delete", "folders": ["INBOX", "Ventas"]},
    ],
)
def test_anything_else_keeps_the_password(
    account: CollectionAccount, changes: dict[str, Any]
) -> None:
    changed = change_with_secret_kept(account, secret=None, **changes)
    assert credentials_of(changed).secret == "s3cret"


def test_the_account_that_was_given_stays_as_it_is(account: CollectionAccount) -> None:
    changed = change_with_secret_kept(account, secret=None, name="orders")
    assert (account.name, changed.name) == ("sales", "orders")


def test_all_that_is_wrong_is_told_with_it(account: CollectionAccount) -> None:
    with pytest.raises(AccountError) as refused:
        change_with_secret_kept(account, secret=None, name="", host="a b")
    assert [field for field, _ in refused.value.all] == ["name", "host", "secret"]
    with pytest.raises(AccountError) as refused:
        change_with_secret_kept(account, secret=None, name="")
    assert [field for field, _ in refused.value.all] == ["name"]
