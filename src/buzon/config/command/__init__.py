"""The `buzon` command: one file for each noun, loaded only when that noun is asked for.

main ─▶ noun's file ─▶ parser ─▶ installation (if it needs one) ─▶ what the verb does
  └── every error that a person can do something about ─▶ one sentence on stderr, exit status 2
"""

import contextlib
import importlib
import os
import signal
import sys
from argparse import Namespace
from collections.abc import Sequence

from buzon.config.command.nouns import NOUNS, Noun
from buzon.config.command.parser import Parser, readable

WRONG = 2
INTERRUPTED = 130  # 128 + SIGINT, as a shell would say


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit status: 0 done, 1 not all went well, 2 wrong, 130 interrupted."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        # A letter may hold what the terminal's encoding does not.
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    try:
        status = _run(given)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return _reader_has_gone()
    except Exception as error:
        sentence = _sentence(error)
        if sentence is None:
            raise
        print(sentence, file=sys.stderr)
        return WRONG
    finally:
        _close_database()
    return status


def _run(given: list[str]) -> int:
    options = parsed(given)
    if options.needs == "installation":
        from buzon.config.command import scope  # needs Django

        scope.open_for(options)
    return int(options.do(options) or 0)


def parsed(given: list[str]) -> Namespace:
    """What was asked for; `do` of it does it. Raises WrongArgument."""
    noun = _noun_of(given)
    if noun and NOUNS[noun].needs_django:
        _set_up_django()
    return readable(_parser(noun).parse(given))


def _noun_of(given: list[str]) -> str:
    first = next((one for one in given if not one.startswith("-")), "")
    return first if first in NOUNS else ""


def _parser(chosen: str) -> Parser:
    """The whole command's parser, of which only the chosen noun's part is filled in."""
    top = Parser(
        prog="buzon",
        description="Collects the e-mail that customers send to a shop's mailboxes, links each "
        "message to its customer,\nand hands new customers out to agents.",
        epilog="buzon COMMAND --help explains each. Settings come from the environment: "
        "docs/settings.md.",
    )
    nouns = top.add_subparsers(title="commands", metavar="COMMAND", dest="noun", required=True)
    for name, noun in NOUNS.items():
        parser: Parser = nouns.add_parser(name, help=noun.meaning, description=noun.meaning + ".")
        if name == chosen:
            _fill(noun, parser)
    return top


def _fill(noun: Noun, parser: Parser) -> None:
    importlib.import_module(f"buzon.config.command.{noun.module}").add_to(parser)


def _set_up_django() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "buzon.config.settings"
    import django  # half a second that `buzon --help` need not wait

    django.setup()


def _close_database() -> None:
    """A server keeps no session of ours waiting, and Python does not complain of one."""
    if "buzon.config.settings" in sys.modules:  # not where a setting was wrong
        from django.db import connections

        connections.close_all()


def _sentence(error: Exception) -> str | None:
    from buzon.config.command.failures import sentence_of

    with contextlib.suppress(BrokenPipeError):
        sys.stdout.flush()  # what was shown before comes before it
    return sentence_of(error)


def _reader_has_gone() -> int:
    """`buzon ledger --jsonl | head`: nobody reads on, which is no error of ours."""
    # The interpreter flushes stdout at its end, and would complain once more.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 128 + signal.SIGPIPE
