"""`buzon up`: everything on this machine, until a signal."""

from argparse import Namespace

from buzon.config.command.parser import Parser
from buzon.config.installation import FIRST_ADMINISTRATOR, FIRST_ORGANIZATION

_DESCRIPTION = """Collect, process and notify on this machine until Ctrl-C. The first start makes
the data folder, the key file, the database, the first organization and its administrator,
whose password is shown once. A second buzon up on the same data folder is refused."""


def add_to(parser: Parser) -> None:
    """The one verb."""
    parser.description = _DESCRIPTION
    parser.does(_up, needs="itself", within=False)
    parser.add_argument(
        "--organization",
        metavar="NAME",
        default=FIRST_ORGANIZATION,
        help=f"at the first start: the organization's name (default: {FIRST_ORGANIZATION})",
    )
    parser.add_argument(
        "--administrator",
        metavar="EMAIL",
        default=FIRST_ADMINISTRATOR,
        help=f"at the first start: the administrator's login (default: {FIRST_ADMINISTRATOR})",
    )


def _up(options: Namespace) -> int:
    from buzon.config.up import run  # the wire and the dispatcher: help need not load them

    return run(organization=options.organization, administrator=options.administrator)
