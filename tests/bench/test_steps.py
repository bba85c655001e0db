"""A stack tells the step of a message's way; the modules that it is told by exist."""

import importlib.util
import sys
import threading
from collections.abc import Callable

import pytest
from bench.sampled import _stack
from bench.steps import MODULES, STEPS, Frame, step_of

from buzon.intake import vault
from buzon.wire.reading import read

DATABASE = Frame("django.db.backends.utils", "execute")
SQL = Frame("buzon.desk.statements", "fetch")
RECIPE = Frame("buzon.intake.process_batch", "_commit")


@pytest.mark.parametrize("module", [module for module, _ in MODULES])
def test_every_module_named_exists(module: str) -> None:
    assert importlib.util.find_spec(module) is not None


def test_every_step_named_is_one() -> None:
    assert {step for _, step in MODULES if step} <= set(STEPS)


@pytest.mark.parametrize(
    ("stack", "step"),
    [
        ([Frame("buzon.wire.transport", "read")], "fetch"),
        ([Frame("buzon.wire.reading.fast", "parts")], "read"),
        ([Frame("buzon.intake.vault", "digest")], "hash"),
        ([Frame("buzon.intake.vault", "put")], "compress"),
        ([DATABASE, Frame("buzon.intake.vault", "put")], "store"),
        ([DATABASE, Frame("buzon.intake.custody", "_store")], "store"),
        ([DATABASE, SQL, Frame("buzon.desk.matching", "candidates")], "match"),
        ([DATABASE, Frame("buzon.lease.lease", "fence"), RECIPE], "file"),
        ([DATABASE, Frame("buzon.desk.conversations", "place"), RECIPE], "file"),
        ([Frame("buzon.intake.screen", "judge"), RECIPE], "judge"),
        ([Frame("importlib", "import_module"), Frame("buzon.config.command", "main")], "other"),
        ([Frame("threading", "wait"), Frame("buzon.config.command.collect", "_wait")], None),
        ([Frame("concurrent.futures.thread", "_worker")], None),
        ([], None),
    ],
)  # fmt: skip
def test_the_innermost_function_of_ours_decides(stack: list[Frame], step: str | None) -> None:
    assert step_of(stack) == step


OCTETS = b"Subject: a\r\n\r\n" + b"palabra " * 200_000


@pytest.mark.parametrize(
    ("work", "step"), [(lambda: vault.digest(OCTETS), "hash"), (lambda: read(OCTETS), "read")]
)
def test_the_product_at_work_is_told_apart(work: Callable[[], object], step: str) -> None:
    """Each function is worked on until a look from outside has met it there."""
    ends = threading.Event()

    def keep_at_it() -> None:
        while not ends.is_set():
            work()

    thread = threading.Thread(target=keep_at_it)
    thread.start()
    try:
        for _ in range(100_000):
            frame = sys._current_frames().get(thread.ident or 0)
            if step_of(_stack(frame)) == step:
                return
    finally:
        ends.set()
        thread.join()
    pytest.fail("nobody was ever seen at it")
