"""What a command's function hands back, and in which state and how it may be called."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from buzon.demo.server.imap_grammar import Arguments

if TYPE_CHECKING:
    from buzon.demo.server.imap_connection import ImapConnection


class No(Exception):
    """Answered with NO, a response code such as "[TRYCREATE]" or "", and this text."""

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(f"{code} {text}".strip())


class State(IntEnum):
    """Where a session is (RFC 9051, section 3)."""

    NOT_AUTHENTICATED = 1
    AUTHENTICATED = 2
    SELECTED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """A command. `run` answers the text after OK, or raises No or Bad.

    `lowest` and `highest` are the states it may be given in. It is unknown where the option of the
    name `option` is off. `expunges` false: no EXPUNGE may be sent while it is answered.
    """

    run: Callable[["ImapConnection", Arguments], str]
    lowest: State = State.NOT_AUTHENTICATED
    highest: State = State.SELECTED
    option: str = ""
    expunges: bool = True
