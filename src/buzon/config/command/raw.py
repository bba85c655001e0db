"""`buzon raw`: a message's octets, exactly as received."""

import sys
from argparse import Namespace

from buzon.config.command import scope
from buzon.config.command.parser import Parser, WrongArgument
from buzon.config.command.values import sha256
from buzon.intake.vault import Damaged, NotHeld, get


def add_to(parser: Parser) -> None:
    """The one verb."""
    parser.description = "Print the octets of a message on stdout, exactly as received."
    parser.does(_raw)
    parser.add_argument("sha256", metavar="SHA256", type=sha256, help="as the ledger names it")


def _raw(options: Namespace) -> None:
    organization = scope.organization_of(options)
    try:
        octets = get(organization.pk, options.sha256)
    except NotHeld:
        raise WrongArgument(f"{organization} holds no message {options.sha256}.") from None
    except Damaged:
        raise WrongArgument(
            f"What is stored as {options.sha256} is damaged: restore it from a backup."
        ) from None
    sys.stdout.buffer.write(octets)
    sys.stdout.buffer.flush()
