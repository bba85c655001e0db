"""argparse, speaking in sentences: a wrong argument raises WrongArgument, and nothing is dumped."""

import argparse
import re
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

Do = Callable[[argparse.Namespace], int | None]

_REWRITTEN = (
    (r"argument [^:]*: invalid choice: '?(.*?)'? \(choose from (.*)\)", "verb"),
    (r"unrecognized arguments: (.*)", "unknown"),
    (r"the following arguments are required: (.*)", "missing"),
    (r"argument ([^:]*): expected .*argument.*", "no_value"),
    (r"argument ([^:]*): ignored explicit argument .*", "takes_none"),
    (r"argument ([^:]*): not allowed with argument (.*)", "both"),
    (r"argument ([^:]*): (.*)", "wrong"),
)


class WrongArgument(Exception):
    """What was asked for makes no sense; `sentence` says what is wrong, and what to do."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        super().__init__(sentence)


class Parser(argparse.ArgumentParser):
    """One command, or one level of it. Long options are never abbreviated: a script that relies
    on an abbreviation breaks when a second option begins alike.
    """

    def __init__(self, **options: Any) -> None:
        options.setdefault("formatter_class", _Help)
        super().__init__(allow_abbrev=False, **options)

    def verbs(self) -> "Verbs":
        """Begin the list of what this noun can do."""
        return Verbs(self)

    def does(
        self, do: Do, *, writes: bool = False, within: bool = True, needs: str = "installation"
    ) -> "Parser":
        """What runs. `writes`: an installation is made where there is none. `within`: it concerns
        one organization. `needs`: "installation", or "nothing", or "itself", where it opens one.
        """
        self.set_defaults(do=do, writes=writes, needs=needs, leaf=self)
        if within and needs != "nothing":
            self.add_argument(
                "--organization",
                metavar="NAME",
                help="which organization; not needed while there is only one",
            )
        return self

    def parse(self, given: Sequence[str]) -> argparse.Namespace:
        """All of the command line. Raises WrongArgument, also for what no verb knows."""
        options, unknown = self.parse_known_args(given)
        if unknown:
            # argparse would name the whole command here; the verb's help is the one to read.
            leaf: Parser = getattr(options, "leaf", self)
            leaf.error(f"unrecognized arguments: {' '.join(unknown)}")
        return options

    def add_json(self) -> None:
        """The flag for programs."""
        self.add_argument("--json", action="store_true", help="one JSON document on stdout")

    def error(self, message: str) -> NoReturn:
        """Raise the message as a sentence."""
        raise WrongArgument(_sentence(self.prog, message))


_FILES = {"file", "files", "paths", "secret", "password_file"}  # names of files may be any octets


def readable(options: argparse.Namespace) -> argparse.Namespace:
    """The same options. Raises WrongArgument for text that is not UTF-8: no database holds it."""
    for name, value in vars(options).items():
        for text in value if isinstance(value, list) else [value]:
            if name not in _FILES and isinstance(text, str) and not _is_utf8(text):
                shown = text.encode("ascii", "backslashreplace").decode()
                raise WrongArgument(f"{shown} is not UTF-8 text: set the terminal to UTF-8.")
    return options


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class Verbs:
    """The verbs of one noun: `buzon store add`, `buzon store list`, …"""

    def __init__(self, parser: Parser) -> None:
        self._actions = parser.add_subparsers(
            title="verbs", metavar="VERB", dest="verb", required=True
        )

    def add(
        self,
        name: str,
        meaning: str,
        do: Do,
        *,
        writes: bool = False,
        within: bool = True,
        needs: str = "installation",
        description: str = "",
    ) -> Parser:
        """`meaning` begins with a capital and has no full stop; it is the help's line."""
        verb: Parser = self._actions.add_parser(
            name, help=meaning, description=description or meaning + "."
        )
        return verb.does(do, writes=writes, within=within, needs=needs)


class _Help(argparse.RawDescriptionHelpFormatter):
    """Wide enough for a flag and its meaning on one line each."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=34)
        # argparse forgets the indent of the verbs when it makes room for their names.
        self._action_max_length = 16


def _sentence(prog: str, message: str) -> str:
    for pattern, kind in _REWRITTEN:
        found = re.fullmatch(pattern, message, re.DOTALL)
        if found:
            return _WORDS[kind](prog, *found.groups())
    return f"{prog}: {message}."


def _verb(prog: str, given: str, choices: str) -> str:
    names = ", ".join(re.findall(r"[\w-]+", choices))
    return f"{prog} has no {given!r}; it has: {names}."


def _missing(prog: str, names: str) -> str:
    return f"{prog} needs {names.replace(', ', ' and ')}; see {prog} --help."


_WORDS: dict[str, Callable[..., str]] = {
    "verb": _verb,
    "missing": _missing,
    "unknown": lambda prog, given: f"{prog} does not know {given}; see {prog} --help.",
    "no_value": lambda prog, flag: f"{flag} needs a value; see {prog} --help.",
    "takes_none": lambda prog, flag: f"{flag} takes no value.",
    "both": lambda prog, one, other: f"{one} and {other} exclude each other.",
    "wrong": lambda prog, flag, wrong: f"{flag} {wrong}.",
}
