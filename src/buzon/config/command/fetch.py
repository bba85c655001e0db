"""`buzon fetch`: what was left on the server is downloaded, because a person asks."""

from argparse import Namespace

from buzon.config.command import output, scope
from buzon.config.command.parser import Parser, WrongArgument
from buzon.config.command.values import identifier
from buzon.intake.asked import fetch, fetch_earlier_letters


def add_to(parser: Parser) -> None:
    """The one verb."""
    parser.description = (
        "Download messages that were skipped, or larger than the limit, at the next collection: "
        "these,\nor everything that a customer wrote before being one. All, or none of them."
    )
    parser.does(_fetch, writes=True)
    parser.add_argument(
        "ids", metavar="ID", nargs="*", type=identifier, help="the number in the ledger"
    )
    parser.add_argument("--customer", metavar="ADDRESS", help="all that this customer wrote")


def _fetch(options: Namespace) -> None:
    if bool(options.ids) == (options.customer is not None):
        raise WrongArgument("Say either which messages of the ledger, or --customer ADDRESS.")
    organization = scope.organization_of(options)
    if options.ids:
        number = fetch(organization, options.ids)
    else:
        number = fetch_earlier_letters(organization, options.customer)
    if not number:
        print("Nothing of that customer was left on a server.")
        return
    verb = "waits" if number == 1 else "wait"
    print(
        f"{output.counted(number, 'message')} {verb} to be downloaded by the next collection: "
        "buzon collect --once, or buzon up."
    )
