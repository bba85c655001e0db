"""Work in a thread of its own, while the run's goes on: it knows no database."""

from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


def aside(work: Callable[[], T], *, name: str) -> "Future[T]":
    """Begin it; what it returns or raises is in the future. `name` is the thread's."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - raised again by whoever takes it
            future.set_exception(error)
        else:
            future.set_result(result)

    # In a copy of our context: what it waits for is told of this run (`buzon.wire.waits`).
    context = copy_context()
    # A daemon: a run that hangs in the network does not keep the process from ending.
    Thread(target=context.run, args=(run,), name=name, daemon=True).start()
    return future
