"""The connection of one browser, which may not hold up the rest: whoever connects and says nothing,
or a little at a time, is hung up on, and only so many may be connected at all.

    connected ─HEAD seconds─▶ the request's head ─BODY seconds─▶ all of it ─▶ answered ─▶ (the next)

The mail of all shops is collected by this process; file descriptors are what it has least of.
"""

import asyncio
import resource
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD = 20.0  # seconds for a request's head, from its first octet or from connecting
BODY = 120.0  # seconds for all the rest: the largest form needs 0.75 Mbit/s
_MOST = 4_000  # connections; a browser has one for its stream, and up to five for a moment
_SHARE = 0.6  # of the file descriptors: the rest is for mail servers and the database


class BrowserConnection(H11Protocol):
    """uvicorn's, with an end to all waiting for what the browser still has to say."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waits_for: object = None
        self._alarm: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > most_connections():
            transport.abort()
            return
        self._wait_for(h11.IDLE)

    def data_received(self, data: bytes) -> None:
        # A head that begins while the one before it is being answered is waited for, too.
        super().data_received(data)
        said = self.conn.their_state
        self._wait_for(said if said in (h11.IDLE, h11.SEND_BODY) else None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_for(None)
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.conn.their_state is not h11.SEND_BODY:
            self._wait_for(None)  # uvicorn's own time for the next request runs from here

    def _wait_for(self, phase: object) -> None:
        """The time for a phase runs from its beginning: what comes meanwhile makes it no longer."""
        if phase is self._waits_for:
            return
        self._waits_for = phase
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if phase is not None:
            seconds = HEAD if phase is h11.IDLE else BODY
            self._alarm = self.loop.call_later(seconds, self.transport.abort)


def more_descriptors() -> None:
    """As many open files as this machine lets a process have without being asked."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def most_connections() -> int:
    """How many browsers' connections there may be at once."""
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST if soft == resource.RLIM_INFINITY else min(_MOST, int(soft * _SHARE))
