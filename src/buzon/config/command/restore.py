"""`buzon restore`: an installation becomes what a backup holds."""

import sys
from argparse import Namespace
from contextlib import closing
from typing import TYPE_CHECKING

from buzon.config.command import output
from buzon.config.command.backup import json_time, keys_place, set_up_logs
from buzon.config.command.parser import Parser

if TYPE_CHECKING:
    from buzon.config.backup import Restored

_DESCRIPTION = """Make the database what the backup FILE holds, on SQLite or on PostgreSQL, on
whichever of them it was made. Buzón must not be running. What is there already is replaced only
with --replace; on SQLite it is kept beside, as another file. Until it is complete, everything
stays as it was.

The keys are not in a backup: put them in their place before."""
_NOT_ALL_WELL = 1


def add_to(parser: Parser) -> None:
    """The one verb."""
    parser.description = _DESCRIPTION
    parser.does(_restore, needs="itself", within=False)
    parser.add_argument("file", metavar="FILE", help="what buzon backup wrote")
    parser.add_argument(
        "--replace",
        action="store_true",
        help="also where there is a database already; asks on a terminal",
    )
    parser.add_json()


def _restore(options: Namespace) -> int:
    from buzon.config.backup import amounts, restore_backup  # see `backup`
    from buzon.config.backup.archive import Header
    from buzon.config.command.filling import Filling

    def confirm(there: str, header: Header) -> bool:
        watch.close()
        if not sys.stdin.isatty():
            return True
        output.note(f"There is now: {there}.")
        output.note(f"From the backup of {header.made_at} UTC comes: {amounts(header.count)}.")
        return _says_yes()

    set_up_logs()
    with closing(Filling(quiet=options.json)) as watch:
        restored = restore_backup(
            options.file, replace=options.replace, confirm=confirm, watch=watch
        )
    if restored is None:
        output.note("Nothing was changed.")
        return _NOT_ALL_WELL
    if options.json:
        output.document(_as_json(restored))
    else:
        _tell(restored)
    return 0


def _says_yes() -> bool:
    print("Put the backup in its place? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes", "s", "sí", "si")


def _tell(restored: "Restored") -> None:
    from buzon.config.backup import amounts

    header = restored.header
    print(
        f"Restored the backup of {header.made_at} UTC: {amounts(header.count)}, "
        f"in {restored.seconds:.0f} s. buzon up goes on from there."
    )
    if restored.kept:
        print(f"The database of before is kept as {output.printable(str(restored.kept))}.")
    if restored.closed:
        _tell_of_keys(restored)


def _tell_of_keys(restored: "Restored") -> None:
    several = len({whose for whose, _ in restored.closed}) > 1
    names = ", ".join(f"{whose}: {name}" if several else name for whose, name in restored.closed)
    why = "There were no keys, so new ones were made" if restored.made_keys else "The keys differ"
    print(
        f"{why}: the passwords of these collection accounts cannot be opened: "
        f"{output.printable(names)}."
    )
    print(
        f"Put the keys of then into {keys_place()}, or enter each password again "
        "(buzon account set NAME --password-file -). The letters are all there."
    )


def _as_json(restored: "Restored") -> dict[str, object]:
    return {
        "made_at": json_time(restored.header.made_at),
        "tables": {table.name: table.rows for table in restored.header.tables},
        "kept": str(restored.kept) if restored.kept else None,
        "passwords_needed": [
            {"organization": whose, "account": name} for whose, name in restored.closed
        ],
        "new_keys": restored.made_keys,
        "seconds": round(restored.seconds, 1),
    }
