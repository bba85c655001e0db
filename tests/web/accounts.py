"""What the tests of incoming mailboxes share: accounts, what a browser sends, what a page says."""

import html
import re
from typing import Any

from django.utils import timezone

from buzon.desk.models import Organization
from buzon.desk.reasons import reason_of_error
from buzon.intake.accounts import add_account
from buzon.intake.models import Arrival, CollectionAccount
from buzon.web.pages.collection_account_fields import AccountForm
from buzon.wire.errors import MailError

# What a browser sends of the new form where only the needed fields were typed.
TYPED: dict[str, Any] = {
    "name": "Pedidos",
    "store": "",
    "address": "",
    "active": "on",
    "protocol": "imap",
    "host": "imap.example.com",
    "security": "tls",
    "port": "",
    "username": "pedidos@example.com",
    "secret": "s3cret-4711",
    "pinned_sha256": "",
    "start": "all",
    "start_date": "",
    "folders": "INBOX",
    "sent_folders": "",
    "max_message_bytes": "50",
    "create_customer": "no",
    "group": "",
    "notify_agent": "on",
    "after": "leave",
    "delete_after_days": "0",
    "history": "auto",
    "reply_to_senders": "",
    "trusted_authserv_id": "",
    "poll_seconds": "",
}


def account_of(shop: Organization, name: str = "Pedidos", **fields: Any) -> CollectionAccount:
    values = {
        "host": "imap.example.com",
        "username": "pedidos@example.com",
        "secret": "s3cret-4711",
    }
    return add_account(shop, name=name, **(values | fields))


def arrive(account: CollectionAccount, number: int, **fields: Any) -> None:
    """So many rows of its ledger."""
    first = Arrival.objects.filter(account=account).count() + 1
    values: dict[str, Any] = {"outcome": "filed", "sha256": "ab" * 32, "size": 1_000} | fields
    Arrival.objects.bulk_create(
        Arrival(
            organization=account.organization,
            account=account,
            folder=account.folders.order_by("pk")[0],
            uidvalidity=1,
            uid=uid,
            **values,
        )
        for uid in range(first, first + number)
    )


def error_of(page: str, field: str) -> str:
    """What stands in the page next to this field."""
    return html.unescape(page.split(f'id="error-{field}"')[1].split("</div>")[0])


def wrong_fields(page: str) -> dict[str, str]:
    """Field → what stands next to it, of those where something does."""
    found = {name: error_of(page, name) for name in AccountForm.base_fields}
    return {name: told for name, told in found.items() if "<p>" in told}


def words(page: str) -> str:
    """The page's text, on one line."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def set_state(account: CollectionAccount, state: str, why: dict[str, Any]) -> None:
    CollectionAccount.objects.filter(pk=account.pk).update(
        state=state, state_reason=why, state_since=timezone.now()
    )


def fails(account: CollectionAccount, state: str, error: MailError) -> None:
    set_state(account, state, reason_of_error("mail_error", error, kind=type(error).__name__))


def kept(page: str, field: str) -> str:
    """What the page holds in this text field."""
    tag = re.search(rf'<input[^>]*name="{field}"[^>]*>', page)
    assert tag is not None
    value = re.search(r'value="([^"]*)"', tag.group())
    return html.unescape(value.group(1)) if value else ""


def change_of(account: CollectionAccount) -> str:
    return f"/collection-accounts/{account.pk}/change"
