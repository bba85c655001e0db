"""What every test may use. Servers are real, or speak the protocol."""

import os
from collections.abc import Iterator

import pytest
import structlog

pytest_plugins = ["tests.servers.fixtures", "tests.database"]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that may take longest come first, else in random order: begun as the last one, a test
    of minutes would let the other workers wait for it.
    """
    items.sort(key=_longest, reverse=True)


def _longest(item: pytest.Item) -> float:
    """The seconds of its own time limit; 0 where it has none."""
    limit = item.get_closest_marker("timeout")
    return float(limit.args[0]) if limit else 0.0


@pytest.fixture(autouse=True, scope="session")
def plain_log() -> None:
    """Tracebacks as plain text: structlog's usual ones, drawn with every variable, take seconds."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["event"]),
        ]
    )


@pytest.fixture(autouse=True)
def umask_of_before() -> Iterator[None]:
    """Opening an installation sets this process's umask, which no other test is to inherit."""
    before = os.umask(0o022)
    os.umask(before)
    yield
    os.umask(before)
