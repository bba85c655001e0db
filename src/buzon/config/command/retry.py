"""`buzon retry`: failed messages wait again."""

from argparse import Namespace

from buzon.config.command import output, scope
from buzon.config.command.parser import Parser
from buzon.config.command.values import identifier
from buzon.intake.asked import retry


def add_to(parser: Parser) -> None:
    """The one verb."""
    parser.description = (
        "Try failed messages again: those of buzon ledger --outcome failed. All, or none of them."
    )
    parser.does(_retry, writes=True)
    parser.add_argument(
        "ids", metavar="ID", nargs="+", type=identifier, help="the number in the ledger"
    )


def _retry(options: Namespace) -> None:
    number = retry(scope.organization_of(options), options.ids)
    verb = "waits" if number == 1 else "wait"
    print(f"{output.counted(number, 'message')} {verb} to be tried again.")
