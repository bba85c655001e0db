"""`buzon backup`: the whole database in one file, while Buzón runs."""

from argparse import Namespace
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from buzon.config import logs
from buzon.config.command import output
from buzon.config.command.parser import Parser, WrongArgument

if TYPE_CHECKING:
    from buzon.config.backup import Made

_DESCRIPTION = """Write everything that this installation holds, with the octets of all messages,
into one file, as it is at this moment; Buzón may go on running. The file is read back before it
gets its name. It fits SQLite and PostgreSQL alike: see buzon restore.

It does not hold the keys that open the stored passwords: keep a copy of them somewhere else."""


def add_to(parser: Parser) -> None:
    """The one verb."""
    parser.description = _DESCRIPTION
    parser.does(_backup, needs="itself", within=False)
    parser.add_argument("file", metavar="FILE", help="the file to write, or - for standard output")
    parser.add_argument("--force", action="store_true", help="replace the backup that FILE is")
    parser.add_json()


def _backup(options: Namespace) -> None:
    # All tables and both databases: help need not load them.
    from buzon.config.backup import make_backup
    from buzon.config.command.filling import Filling

    if options.json and options.file == "-":
        raise WrongArgument("--json and - exclude each other: standard output holds the backup.")
    set_up_logs()
    with closing(Filling(quiet=options.json)) as watch:
        made = make_backup(options.file, force=options.force, watch=watch)
    if options.json:
        output.document(_as_json(made))
    else:
        _tell(made)


def _tell(made: "Made") -> None:
    from buzon.config.backup import amounts

    # stderr: standard output may be the backup.
    output.note(
        f"Backup of {made.header.made_at} UTC: {amounts(made.header.count)}; "
        f"{output.size(made.octets)} in {made.seconds:.0f} s."
    )
    output.note(f"The keys are not in it: keep a copy of {keys_place()} somewhere else.")


def _as_json(made: "Made") -> dict[str, object]:
    return {
        "file": made.file,
        "made_at": json_time(made.header.made_at),
        "bytes": made.octets,
        "sha256": made.sha256,
        "tables": {table.name: table.rows for table in made.header.tables},
        "keys": keys_place(),
        "seconds": round(made.seconds, 1),
    }


def set_up_logs() -> None:
    """A command is watched by a person: what goes well needs no line."""
    level = settings.BUZON_LOG_LEVEL
    logs.set_up(level="warning" if level == "info" else level)


def json_time(made_at: str) -> str:
    """A header's moment as JSON has times: ISO 8601, UTC."""
    return made_at.replace(" ", "T") + "Z"


def keys_place() -> str:
    """Where the keys are that no backup holds."""
    return "BUZON_KEYS" if settings.BUZON_KEYS else str(Path(settings.BUZON_DATA_DIR) / "keys")
