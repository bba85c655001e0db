"""The log: the same keys on every line, for people or for programs, and nothing that is secret."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from buzon.config import logs


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """The log of the tests themselves is left as it was."""
    root = logging.getLogger()
    handlers, level, configured = root.handlers, root.level, structlog.get_config()
    yield
    root.handlers = handlers
    root.setLevel(level)
    logging.getLogger("buzon").setLevel(logging.NOTSET)
    structlog.configure(**configured)


def lines(written: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_elsewhere_than_on_a_terminal_each_line_is_json() -> None:
    written = io.StringIO()
    logs.set_up(level="info", stream=written)
    structlog.get_logger("buzon.collect").info("collected", account_id=7, filed=3)
    logging.getLogger("somebody.else").warning("of the %s library", "other")
    ours, theirs = lines(written)
    assert ours.pop("at")
    assert ours == {
        "event": "collected",
        "account_id": 7,
        "filed": 3,
        "level": "info",
        "logger": "buzon.collect",
    }
    assert theirs["event"] == "of the other library"
    assert set(theirs) == {"event", "level", "logger", "at"}


def test_on_a_terminal_it_is_for_people() -> None:
    written = Terminal()
    logs.set_up(level="info", stream=written)
    structlog.get_logger("buzon.collect").info("collected", filed=3)
    assert "collected" in written.getvalue()
    assert not written.getvalue().startswith("{")


@pytest.mark.parametrize(("level", "count"), [("debug", 4), ("info", 3), ("error", 1)])
def test_the_level_decides_what_is_written(level: str, count: int) -> None:
    written = io.StringIO()
    logs.set_up(level=level, stream=written)
    log = structlog.get_logger("buzon.fleet")
    for method in (log.debug, log.info, log.warning, log.error):
        method("something")
    assert len(lines(written)) == count


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_a_traceback_shows_no_values_and_no_details_of_a_constraint(
    stream: type[io.StringIO],
) -> None:
    written = stream()
    logs.set_up(level="info", stream=written)
    try:
        _fails(secret=f"hunter{1 + 1}")
    except ValueError:
        structlog.get_logger("buzon.fleet").exception("run failed")
    told = written.getvalue()
    assert "ValueError" in told
    assert "duplicate key" in told
    assert "hunter2" not in told
    assert "eva@example.com" not in told


def _fails(*, secret: str) -> None:
    raise ValueError(
        "duplicate key\nDETAIL:  Key (folded)=(eva@example.com) already exists." + secret[:0]
    )
