"""Which step of a message's way a thread is at, told by its stack.

The innermost function of ours decides. Where it waits for the database inside the vault or the
custody it stores; what is plain SQL, or a rule of the lease, belongs to whoever called it.

    fetch     the protocols, with the time that the server takes
    hash      SHA-256 of the octets
    read      understanding the octets
    compress  zstd
    store     octets, ledger and cursor
    index     the words of a letter
    match     whose letter it is
    judge     what becomes of it
    file      customer, conversation, message, assignment, event
    notify    who is told
"""

from collections.abc import Sequence
from typing import NamedTuple

STEPS = ("fetch", "hash", "read", "compress", "store", "index", "match", "judge", "file", "notify",
         "other")  # fmt: skip


class Frame(NamedTuple):
    """A function on a stack: "buzon.intake.vault", "digest"."""

    module: str
    function: str


# The first that fits; None: whoever called it.
MODULES: tuple[tuple[str, str | None], ...] = (
    ("buzon.wire.reading", "read"),
    ("buzon.intake.reader", "read"),
    ("buzon.wire", "fetch"),
    ("buzon.intake.vault", "store"),
    ("buzon.intake.custody", "store"),
    ("buzon.intake.statements", None),
    ("buzon.intake.again", None),
    ("buzon.intake.run", None),
    ("buzon.intake.surroundings", "judge"),
    ("buzon.intake.screen", "judge"),
    ("buzon.intake.triage", "judge"),
    ("buzon.intake.retrieved", "judge"),
    ("buzon.intake.take_imap", "store"),
    ("buzon.intake.take_pop3", "store"),
    ("buzon.intake.sitting", "file"),
    ("buzon.intake.process", "file"),
    ("buzon.intake.process_batch", "file"),
    ("buzon.desk.search", "index"),
    ("buzon.desk.matching", "match"),
    ("buzon.desk.senders", "match"),
    ("buzon.desk.addresses", "match"),
    ("buzon.desk.statements", None),
    ("buzon.desk.rows", None),
    ("buzon.desk.keys", None),
    ("buzon.desk", "file"),
    ("buzon.notify", "notify"),
    ("buzon.lease", None),
)
_IDLE = ("threading", "queue", "selectors", "concurrent.futures")
_DATABASE = ("django.db", "psycopg", "psycopg_binary", "sqlite3")


def step_of(stack: Sequence[Frame]) -> str | None:
    """Of a stack, innermost first; None for a thread that waits for another one."""
    if not stack or _is_in(stack[0].module, _IDLE):
        return None
    in_database = False
    for frame in stack:
        in_database = in_database or _is_in(frame.module, _DATABASE)
        step = _step_of_function(frame, in_database=in_database)
        if step is not None:
            return step
    return "other"


def _step_of_function(frame: Frame, *, in_database: bool) -> str | None:
    if frame.module == "buzon.intake.vault" and not in_database:
        return "hash" if "digest" in frame.function else "compress"
    for module, step in MODULES:
        if _is_in(frame.module, (module,)):
            return step
    return None


def _is_in(module: str, packages: Sequence[str]) -> bool:
    return any(module == one or module.startswith(one + ".") for one in packages)
