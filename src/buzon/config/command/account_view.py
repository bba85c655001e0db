"""How a collection account is shown: JSON for programs, a page of facts for people."""

from datetime import datetime
from typing import Any

from django.db.models import Count

from buzon.config.command import output
from buzon.config.command.output import stamp
from buzon.desk.reasons import sentence, told
from buzon.intake.first_download import FirstDownload, Reach
from buzon.intake.models import Arrival, CollectionAccount, Duty, Folder

_PLAIN = (
    "id", "name", "active", "address", "protocol", "host", "port", "security", "username",
    "pinned_sha256", "create_customer", "notify_agent", "after", "history",
    "history_to_whole_group", "max_message_bytes",
    "trusted_authserv_id", "lists_as_persons", "hand_out_existing", "fetch_skipped_at_once",
    "fold_dots", "fold_plus", "reply_to_senders", "poll_seconds", "delete_after_days", "state",
)  # fmt: skip


def as_json(
    account: CollectionAccount, first: FirstDownload | None, *, counts: bool = False
) -> dict[str, Any]:
    """The whole account but its secret, with its first download while that lasts. `counts` adds
    those of the ledger.
    """
    shown = {name: getattr(account, name) for name in _PLAIN}
    shown |= {
        "store": account.store.name if account.store else None,
        "group": account.group.name if account.group else None,
        "start": _start(account),
        "folders": [_folder(folder, first) for folder in _folders(account)],
        "first_download": first and _reach(first.whole) | {"paused": first.paused},
        "reason": told(account.state_reason),
        "state_since": stamp(account.state_since),
        "last_collected_at": stamp(account.last_collected_at),
        "next_collection_at": stamp(_next_collection(account)),
        "created_at": stamp(account.created_at),
    }
    return shown | ({"outcomes": _outcomes(account)} if counts else {})


def summary(account: CollectionAccount, first: FirstDownload | None) -> tuple[Any, ...]:
    """Its row in the list."""
    return (
        account.name,
        _state(account),
        account.store.name if account.store else None,
        f"{account.host}:{account.port} {account.protocol}",
        account.username,
        account.last_collected_at,
        progress_words(first.whole, paused=first.paused) if first else None,
    )


def progress_words(reach: Reach, *, paused: bool = False) -> str:
    """1,200 of 40,000 (3%), 250/s, 3 min left."""
    told = [f"{reach.done:,} of {reach.total:,} ({reach.percent}%)"]
    if paused:
        told.append("paused")
    if reach.rate:
        told.append(f"{reach.rate:,.0f}/s" if reach.rate >= 1 else f"{reach.rate * 60:.0f}/min")
    if reach.left is not None:
        told.append(f"{output.span(reach.left)} left")
    return ", ".join(told)


def _days_before_deletion(account: CollectionAccount) -> int | None:
    return account.delete_after_days if account.after == CollectionAccount.After.DELETE else None


def _octets(reach: Reach) -> str:
    fast = f", {output.size(reach.octets_rate)}/s" if reach.octets_rate else ""
    return f"{output.size(reach.octets)} of {output.size(reach.octets_total)}{fast}"


def _reach(reach: Reach) -> dict[str, Any]:
    return {
        "done": reach.done,
        "total": reach.total,
        "octets": reach.octets,
        "octets_total": reach.octets_total,
        "percent": reach.percent,
        "rate": reach.rate and round(reach.rate, 2),
        "octets_rate": reach.octets_rate and round(reach.octets_rate),
        "seconds_left": None if reach.left is None else round(reach.left.total_seconds(), 1),
    }


def shown(account: CollectionAccount, first: FirstDownload | None) -> None:
    """The page for a person."""
    output.facts(_facts(account) + (_first(first) if first else []))
    print()
    headings = ["folder", "role", "on the server at first", "outside", "from UID", "to UID"]
    rows = [[f.name, f.role, f.history_total, f.outside, *_numbers(f)] for f in _folders(account)]
    if first is not None and len(first.folders) > 1:
        headings.append("first download")
        rows = [[*row, _of(first, f)] for row, f in zip(rows, _folders(account), strict=True)]
    output.table(headings, rows, empty="It has no folders.")
    print()
    outcomes = [pair for pair in _outcomes(account).items() if pair[1]]
    output.table(("outcome", "messages"), outcomes, empty="The ledger is empty.")


def _first(first: FirstDownload) -> list[tuple[str, Any]]:
    return [
        ("first download", progress_words(first.whole, paused=first.paused)),
        ("downloaded", _octets(first.whole)),
    ]


def _of(first: FirstDownload, folder: Folder) -> str | None:
    reach = first.folders.get(folder.pk)
    return progress_words(reach) if reach is not None else None


def _numbers(folder: Folder) -> tuple[int | None, int | None]:
    """The UIDs that were looked at; POP3 has none."""
    if folder.high < folder.low:
        return None, None
    return folder.low, folder.high


def _facts(account: CollectionAccount) -> list[tuple[str, Any]]:
    return [
        ("name", account.name),
        ("state", _state(account)),
        ("why", _reason(account)),
        ("last collected", account.last_collected_at),
        ("next collection", _next_collection(account)),
        ("server", f"{account.host}:{account.port}, {account.protocol}, {account.security}"),
        ("pinned certificate", account.pinned_sha256),
        ("login", account.username),
        ("address", account.address or account.username),
        ("store", account.store.name if account.store else "all stores"),
        ("create customers", account.create_customer),
        ("agent group", account.group.name if account.group else None),
        ("notify the agent", account.notify_agent),
        ("after download", account.after),
        ("days before deletion", _days_before_deletion(account)),
        ("start", _start(account)),
        ("history", account.history),
        ("message limit", output.size(account.max_message_bytes)),
        ("trusted for DMARC", account.trusted_authserv_id),
        ("web forms", account.reply_to_senders),
        ("further", [name.replace("_", " ") for name in _FURTHER if getattr(account, name)]),
    ]


_FURTHER = (
    "lists_as_persons", "hand_out_existing", "history_to_whole_group", "fetch_skipped_at_once",
    "fold_dots", "fold_plus",
)  # fmt: skip


def _state(account: CollectionAccount) -> str:
    return account.state if account.active else f"inactive ({account.state})"


def _reason(account: CollectionAccount) -> str:
    return sentence(account.state_reason)


def _start(account: CollectionAccount) -> str:
    if account.start == CollectionAccount.Start.DATE and account.start_date:
        return account.start_date.isoformat()
    return account.start


def _folders(account: CollectionAccount) -> list[Folder]:
    return sorted(account.folders.all(), key=lambda folder: (folder.role, folder.pk))


def _folder(folder: Folder, first: FirstDownload | None) -> dict[str, Any]:
    reach = first.folders.get(folder.pk) if first else None
    return {
        "name": folder.name,
        "role": folder.role,
        "uidvalidity": folder.uidvalidity,
        "baseline_at": stamp(folder.baseline_at),
        "history_total": folder.history_total,
        "outside": folder.outside,
        "low": folder.low,
        "high": folder.high,
        "cancelled_at": stamp(folder.cancelled_at),
        "first_download": reach and _reach(reach),
    }


def _next_collection(account: CollectionAccount) -> datetime | None:
    if not account.active or account.state == CollectionAccount.State.STOPPED:
        return None
    duties = [duty for duty in account.duties.all() if duty.kind == Duty.Kind.COLLECT]
    return duties[0].due_at if duties else None


def _outcomes(account: CollectionAccount) -> dict[str, int]:
    rows = account.arrivals.order_by().values_list("outcome").annotate(Count("pk"))
    return dict.fromkeys(Arrival.Outcome.values, 0) | dict(rows)
