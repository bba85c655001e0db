"""`buzon account preview`: what a first download would bring."""

from argparse import Namespace
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from buzon.config.command import output, scope
from buzon.config.command.parser import Verbs

if TYPE_CHECKING:
    from buzon.intake.preview import Preview

_PREVIEW = """What collecting this account from its start on would bring, before it begins: how many
messages and octets, whose, and which agents would get the new customers. Headers are read, nothing
else, for half a minute at most: of more than 2,000 messages a sample, and then it says so. Nothing
is changed. Add the account with --inactive to look first."""


def add_to(verbs: Verbs) -> None:
    """The one verb."""
    preview = verbs.add(
        "preview", "What a first download would bring; changes nothing", _preview,
        description=_PREVIEW,
    )  # fmt: skip
    preview.add_argument("account", metavar="NAME", help="the account")
    preview.add_json()


def _preview(options: Namespace) -> None:
    # The wire: the other verbs need not load it.
    from buzon.intake.preview import preview

    account = scope.account_of(scope.organization_of(options), options.account)

    def heard(done: int, total: int) -> None:
        if not options.json and total:
            output.note(f"{account.name}: {done:,} of {total:,} headers")

    found = preview(account, heard)
    if options.json:
        output.document(_as_json(found))
        return
    output.facts(_facts(found))
    print()
    rows = [(share.agent, share.now, share.whole_group) for share in found.shares]
    headings = ("agent", "new customers", "if the whole group shared")
    output.table(headings, rows, empty="No agent would get a customer.")


def _as_json(found: "Preview") -> dict[str, Any]:
    told = asdict(found) | {"open_from": output.stamp(found.open_from)}
    told["takes_seconds"] = round(told.pop("takes").total_seconds(), 1)
    return told | {"is_sample": found.is_sample}


def _facts(found: "Preview") -> list[tuple[str, Any]]:
    many = found.creates if found.creates == found.creates_most else None
    created = many if many is not None else f"{found.creates:,} to {found.creates_most:,}"
    about = "about " if found.is_estimate else ""
    return [
        ("messages", f"{about}{found.messages:,}"),
        ("outside", f"{about}{found.outside:,}"),
        ("headers read", found.looked_at),
        ("senders", f"{found.senders:,}, of whom {found.known:,} are customers"),
        ("new customers", created),
        ("to download", f"{found.downloads:,}, {output.size(found.octets)}"),
        ("stay open", f"{found.stays_open:,} since {output.stamp(found.open_from)}"),
        ("told in a summary", found.is_summed_up),
        ("takes about", output.span(found.takes)),
    ]
