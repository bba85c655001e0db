"""`buzon block …`: senders and domains whose mail is ignored."""

from argparse import Namespace

from buzon.config.command import output, scope
from buzon.config.command.parser import Parser
from buzon.desk.blocking import block_sender, unblock_sender
from buzon.desk.models import BlockedSender


def add_to(parser: Parser) -> None:
    """The verbs."""
    verbs = parser.verbs()
    add = verbs.add("add", "Ignore the mail of a sender or domain from now on", _add, writes=True)
    verbs.add("list", "All that is blocked", _list).add_json()
    remove = verbs.add("remove", "Block it no longer", _remove, writes=True)
    for verb in (add, remove):
        verb.add_argument(
            "sender", metavar="SENDER", help="an address, or a domain such as @example.com"
        )


def _add(options: Namespace) -> None:
    blocked = block_sender(scope.organization_of(options), options.sender)
    print(f"Mail of {blocked.pattern} is ignored from now on.")


def _list(options: Namespace) -> None:
    rows = BlockedSender.objects.filter(organization=scope.organization_of(options))
    blocked = list(rows.order_by("pattern"))
    if options.json:
        output.document(
            [{"sender": b.pattern, "created_at": output.stamp(b.created_at)} for b in blocked]
        )
        return
    shown = ((b.pattern, b.created_at) for b in blocked)
    output.table(("sender", "since"), shown, empty="Nobody is blocked.")


def _remove(options: Namespace) -> None:
    unblock_sender(scope.organization_of(options), options.sender)
    print(f"{options.sender} is blocked no longer.")
