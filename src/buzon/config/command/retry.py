"""`buzon retry`: failed messages wait again."""

from argparse import Namespace

from buzon.config.command import output, scope
from buzon.config.command.parser import Parser, WrongArgument
from buzon.config.command.values import identifier
from buzon.intake.asked import retry, retry_all


def add_to(parser: Parser) -> None:
    """The one verb."""
    parser.description = (
        "Try failed messages again: those of buzon ledger --outcome failed. What is in custody is\n"
        "read again, the rest is downloaded again. Of those that are named all, or none."
    )
    parser.does(_retry, writes=True)
    parser.add_argument(
        "ids", metavar="ID", nargs="*", type=identifier, help="the number in the ledger"
    )
    parser.add_argument("--account", metavar="NAME", help="all that failed of this account")
    parser.add_argument("--all", action="store_true", help="all that failed of the organization")


def _retry(options: Namespace) -> None:
    ways = (bool(options.ids), options.account is not None, options.all)
    if sum(ways) != 1:
        raise WrongArgument("Say which messages: ID…, --account NAME or --all, one of the three.")
    number = _made_to_wait(options)
    if not number:
        print("No message has failed there.")
        return
    verb = "waits" if number == 1 else "wait"
    print(f"{output.counted(number, 'message')} {verb} to be tried again.")


def _made_to_wait(options: Namespace) -> int:
    organization = scope.organization_of(options)
    if options.ids:
        return retry(organization, options.ids)
    named = options.account
    account = scope.account_of(organization, named) if named is not None else None
    return retry_all(organization, account=account)
