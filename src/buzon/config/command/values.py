"""What may be written behind a flag. Each reader says what it expects: `--port must be …`."""

import getpass
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import BinaryIO

from buzon.config.command.parser import WrongArgument

_MOST_SECRET = 65_536  # octets: a file that is larger holds something else


def one_of(*choices: str) -> Callable[[str], str]:
    """One of these words."""

    def read(written: str) -> str:
        if written not in choices:
            raise ArgumentTypeError(f"must be {_or(choices)}, not {written!r}")
        return written

    return read


def whole(least: int, most: int) -> Callable[[str], int]:
    """A whole number, both ends included."""

    def read(written: str) -> int:
        digits = written if written.isascii() and written.isdigit() and len(written) < 20 else "-1"
        if not least <= int(digits) <= most:
            raise ArgumentTypeError(
                f"must be a whole number from {least} to {most}, not {written!r}"
            )
        return int(digits)

    return read


def seconds(written: str) -> float:
    """Between two collections: 1 second to a day."""
    try:
        value = float(written)
    except ValueError:
        value = -1.0
    if not 1 <= value <= 86_400:
        raise ArgumentTypeError(f"must be a number of seconds from 1 to 86400, not {written!r}")
    return value


def start(written: str) -> tuple[str, date | None]:
    """all, now, or a date."""
    if written in ("all", "now"):
        return written, None
    try:
        return "date", _date(written)
    except ValueError:
        raise ArgumentTypeError(
            f"must be all, now or a date such as 2026-01-31, not {written!r}"
        ) from None


def day(written: str) -> date:
    """A date."""
    try:
        return _date(written)
    except ValueError:
        raise ArgumentTypeError(f"must be a date such as 2026-01-31, not {written!r}") from None


def _date(written: str) -> date:
    if len(written) != 10:  # 20260131 and 2026-W05-6 are dates too, but nobody means them
        raise ValueError
    return date.fromisoformat(written)


def identifier(written: str) -> int:
    """The number of a row."""
    return whole(1, 2**63 - 1)(written)


def sha256(written: str) -> str:
    """64 hexadecimal digits."""
    digits = written.lower()
    if len(digits) != 64 or set(digits) - set("0123456789abcdef"):
        raise ArgumentTypeError(f"must be 64 hexadecimal digits, not {written!r}")
    return digits


def secret_from(file: str, *, word: str = "password") -> str:
    """A secret from a file, or for "-" from standard input, without one final line end. On a
    terminal it is asked for, and not shown while it is typed.

    It is never an argument, because the arguments of a process are shown to every user of the
    machine. Raises WrongArgument.
    """
    if file == "-" and sys.stdin.isatty():
        return _typed(word)
    octets = _octets_of(file, word)
    if len(octets) > _MOST_SECRET:
        raise WrongArgument(f"{_named(file)} is too long to hold a {word}.")
    try:
        text = octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise WrongArgument(f"{_named(file)} is not UTF-8 text.") from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise WrongArgument(f"{_named(file)} is empty: the {word} is expected in it.")
    return text


def _typed(word: str) -> str:
    try:
        text = getpass.getpass(f"The {word} (it is not shown): ")
    except EOFError:
        text = ""
    if not text:
        raise WrongArgument(f"No {word} was typed.")
    return text


def octets_from(file: str) -> bytes:
    """A whole file, or for "-" all of standard input. Raises WrongArgument."""
    return _octets_of(file, "data", most=None)


def check_readable(file: str) -> None:
    """Raise WrongArgument now where `octets_from` would do so later."""
    if file != "-":
        _opened(file, "data").close()


def _octets_of(file: str, word: str, most: int | None = _MOST_SECRET) -> bytes:
    limit = -1 if most is None else most + 1
    if file == "-":
        return sys.stdin.buffer.read(limit)
    with _opened(file, word) as opened:
        try:
            return opened.read(limit)
        except OSError as error:
            raise WrongArgument(f"The file {file} cannot be read: {error.strerror}.") from error


def _opened(file: str, word: str) -> BinaryIO:
    path = Path(file)
    try:
        if path.is_dir():
            raise WrongArgument(f"{file} is a folder: the file that holds the {word} is expected.")
        return path.open("rb")
    except FileNotFoundError:
        raise WrongArgument(f"There is no file {file}.") from None
    except PermissionError:
        raise WrongArgument(f"The file {file} may not be read by this user.") from None
    except (OSError, ValueError) as error:
        raise WrongArgument(f"The file {file!r} cannot be opened: {error}.") from error


def _named(file: str) -> str:
    return "Standard input" if file == "-" else f"The file {file}"


def _or(choices: tuple[str, ...]) -> str:
    *first, last = choices
    return f"{', '.join(first)} or {last}" if first else last
