"""The log: one line for each hop, with the same keys; to stderr, where nothing else goes.

On a terminal for people, elsewhere one JSON object a line for programs. No traceback shows the
values of variables, and none the details of a constraint, which hold what people wrote.
"""

import logging
import re
import sys
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_DETAIL = re.compile(r"^DETAIL:.*$", re.MULTILINE)


def set_up(*, level: str, stream: TextIO | None = None) -> None:
    """Write lines of this level ("debug" … "error") and above to `stream`, by default stderr."""
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_common(),
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _renderer(for_people=stream.isatty()),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)  # libraries
    logging.getLogger("buzon").setLevel(level.upper())
    # What strangers ask for in vain (no such page, another Host) is no trouble of ours, and a
    # scanner asks thousands of times.
    logging.getLogger("django.request").setLevel(logging.ERROR)
    logging.getLogger("django.security.DisallowedHost").setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            *_common(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _common() -> list[Processor]:
    return [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.format_exc_info,
        without_details,
    ]


def without_details(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """A constraint's complaint names the values that it complains of: PostgreSQL's DETAIL."""
    if "exception" in line:
        line["exception"] = _DETAIL.sub("DETAIL: (left out)", str(line["exception"]))
    return line


def _renderer(*, for_people: bool) -> Processor:
    if not for_people:
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.dev.ConsoleRenderer(
        timestamp_key="at", exception_formatter=structlog.dev.plain_traceback
    )
