"""`buzon read`: what Buzón understands of message files. Needs no installation and no database."""

from argparse import Namespace

from buzon.config.command import output
from buzon.config.command.parser import Parser
from buzon.config.command.values import check_readable, octets_from
from buzon.wire.reading import Address, Reading, as_json, read


def add_to(parser: Parser) -> None:
    """The one verb."""
    parser.description = "Show what Buzón understands of message files; no installation is needed."
    parser.does(_read, needs="nothing")
    parser.add_argument(
        "files", metavar="PATH", nargs="+", help="a file with one message, - for standard input"
    )
    parser.add_argument("--jsonl", "--json", action="store_true", help="one JSON object a line")


def _read(options: Namespace) -> None:
    for file in options.files:
        check_readable(file)  # all of them first, so that nothing is half done
    for file in options.files:
        reading = read(octets_from(file))
        if options.jsonl:
            output.line(as_json(reading, file))
        else:
            _show(file, reading)


def _show(file: str, reading: Reading) -> None:
    output.facts(
        [
            ("file", file),
            ("from", _written(reading.from_)),
            ("to", _written((*reading.to, *reading.cc))),
            ("subject", reading.subject),
            ("date", reading.date.isoformat(" ") if reading.date else None),
            ("kind", reading.kind.value),
            ("attachments", [each.filename or each.content_type for each in reading.attachments]),
            ("warnings", list(reading.warnings)),
        ]
    )
    print(f"\n{_text(reading)}\n")


def _written(addresses: tuple[Address, ...]) -> list[str]:
    return [f"{each.name} <{each.address}>" if each.name else each.address for each in addresses]


def _text(reading: Reading) -> str:
    return "\n".join(output.printable(row) for row in reading.text.splitlines())
