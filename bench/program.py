"""What takes part in a measurement: a program that takes so many messages from a mail server."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Where:
    """A login on a mail server of this machine. `ca_file` says whom to trust over TLS, "" where
    the connection is in the clear.
    """

    host: str
    port: int
    login: str
    secret: str
    ca_file: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """One run. `received` checks what the command said and left behind, and answers how many
    octets came from the server, None where nobody counts them; it raises CannotMeasure.
    """

    command: list[str]
    environment: dict[str, str]
    received: Callable[[str], int | None]


@dataclass(frozen=True, slots=True)
class Program:
    """A contender. `prepare` makes all that one run needs in an empty folder, from nothing, and
    takes away afterwards what is not in that folder.
    """

    name: str
    messages: int
    octets: int
    prepare: Callable[[Path], AbstractContextManager[Task]]


def is_new(name: str) -> str:
    """A name that nothing had before: of a login, or of a database."""
    return f"{name}_{time.time_ns():x}"
