"""What of an account's books `buzon account` shows: the ledger beside the server, and what the next
collections would remove from it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.utils import timezone

from buzon.config.command import output
from buzon.desk.reasons import told
from buzon.intake.check_step import Step
from buzon.intake.grace import goes_at
from buzon.intake.models import Arrival, CollectionAccount, Folder
from buzon.intake.reconcile import Books, reconcile
from buzon.wire.errors import MailError

_MOST_NAMED = 10


def books_of(account: CollectionAccount, steps: Sequence[Step]) -> list[Books]:
    """Every folder's, after asking the server, unless the `steps` of the check have failed before
    the login; those that could not be compared have an `error`. Raises KeyringError.
    """
    failed = next((step.detail for step in steps if not step.ok), "")
    try:
        if any(step.name == "login" and step.ok for step in steps):
            return reconcile(account)
    except MailError as error:
        failed = str(error)
    folders = account.folders.order_by("role", "pk")
    return [Books(folder.name, 0, 0, 0, error=failed) for folder in folders]


def show_books(books: list[Books]) -> None:
    """A line for each folder, and what differs."""
    for one in books:
        if one.error:
            told = f"{output.printable(one.folder)}: {output.printable(one.error)}"
            print(f"NOT COMPARED {told}")
            continue
        print(
            f"{'ok    ' if one.balance else 'DIFFERS'} {output.printable(one.folder)}: "
            f"{one.on_server:,} on the server = {one.live:,} in the ledger + "
            f"{one.outside:,} outside + {one.not_yet_listed:,} not yet listed"
        )
        if one.renumbered:
            print("        The server has renumbered it: the next collection finds it again first.")
        elif one.unexplained:
            wrong = f"{one.unexplained:+,}"
            print(f"        The sum is wrong by {wrong}: the next collection counts anew.")
        _show_some("missing here, collected next", one.missing)
        _show_some("gone from the server, ledger ids", [str(pk) for pk in one.gone])


def _show_some(what: str, names: list[str]) -> None:
    if names:
        more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
        shown = ", ".join(output.printable(name) for name in names[:_MOST_NAMED])
        print(f"        {len(names):,} {what}: {shown}{more}")


def books_as_json(books: list[Books]) -> list[dict[str, Any]]:
    return [asdict(one) | {"balance": one.balance, "unexplained": one.unexplained} for one in books]


def deletions(account: CollectionAccount) -> Iterator[dict[str, Any]]:
    """Every message that is to be removed from the server, and from when on: now (None), or after
    the account's days; and those that never are, with the reason. Of an account that does not
    delete, what would go if it did (`is_on` False).
    """
    is_on = account.after == CollectionAccount.After.DELETE
    rows = Arrival.objects.filter(account=account).exclude(folder__role=Folder.Role.SENT)
    waiting = rows.to_settle().select_related("folder").order_by("decided_at", "pk")
    for row in waiting.iterator(chunk_size=2_000):
        yield {
            "is_on": is_on,
            "id": row.pk,
            "folder": row.folder.name,
            "uid": row.uid,
            "uidl": row.uidl,
            "sender": row.sender,
            "size": row.size,
            "sha256": row.sha256,
            "filed_at": output.stamp(row.decided_at),
            "from": output.stamp(_from(account, row)),
            "left_there": told(row.left_reason),
        }


def _from(account: CollectionAccount, row: Arrival) -> datetime | None:
    """When it may go; None for at the next collection, or for never."""
    if row.left_because or not account.delete_after_days:
        return None
    return goes_at(account, row.decided_at or timezone.now())


_DELETIONS = ("id", "goes", "sender", "size")


def show_deletions(account: CollectionAccount) -> None:
    """A line for each, the next ones first."""
    rows = (
        (str(one["id"]), _goes(one), one["sender"], output.size(one["size"]))
        for one in deletions(account)
    )
    if account.after == CollectionAccount.After.DELETE:
        output.table(_DELETIONS, rows, empty="Nothing waits to be removed from the server.")
        return
    output.table(_DELETIONS, rows, empty="There is nothing that could be removed.")
    output.note(
        f"{account.name} removes nothing from its server. With --delete-downloaded it would remove"
        " what is listed here."
    )


def _goes(one: dict[str, Any]) -> str:
    if one["left_there"] is not None:
        return "never: " + str(one["left_there"]["sentence"])
    return one["from"] or "next collection"
