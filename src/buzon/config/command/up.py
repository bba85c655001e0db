"""`buzon up`: everything on this machine, until a signal."""

from argparse import Namespace

from buzon.config.command.parser import Parser
from buzon.config.installation import FIRST_ORGANIZATION

_DESCRIPTION = """Collect, process, notify and serve the pages on this machine until Ctrl-C. The
first start makes the data folder, the keys, the database and the first organization, and shows
the address of the page where its administrator is made. A second buzon up on the same data
folder is refused."""


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
        help="at the first start: make this login, and show its password once (default: the "
        "set-up page makes it)",
    )
    parser.add_argument(
        "--demo",
        action="store_true",
        help="with a demonstration shop, made anew at each start: letters that keep coming, "
        "agents, customers, and where to sign in; other organizations are not touched",
    )


def _up(options: Namespace) -> int:
    from buzon.config.up import run  # the wire and the dispatcher: help need not load them

    return run(
        organization=options.organization,
        administrator=options.administrator,
        demo=options.demo,
    )
