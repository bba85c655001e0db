"""Who listens now: one look at the database a second serves every stream of this process.

    stream ──joins──▶ Switchboard ──each second, in one thread──▶ database
      ▲                    │            (its connection is closed after each look)
      └── a short queue ◀──┘

A stream is a queue and a coroutine: no thread, no connection. Who does not read fast enough to
keep its queue short loses the stream, not our memory; the browser comes back and hears the rest.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import NamedTuple
from weakref import WeakKeyDictionary

import structlog
from django.db import connections
from django.utils import timezone

from buzon.notify import inbox
from buzon.web.news import STILL_HERE, Ear, Heard, News, latest, who_may_not

EVERY = 1.0  # seconds between two looks
SESSIONS_EVERY = 2  # looks between two questions whether the sessions still last
SILENCE = 15.0  # seconds after which a stream says that it is still there
WAITING = 20  # frames that a slow reader may be behind
# Numbers are given before their rows can be seen, and workers of several organizations commit in
# any order: a look goes back so far. Of one reader they come in order, so none comes twice.
LAG = 10.0  # seconds

log = structlog.get_logger()


class Listener:
    """One stream: what it has heard, and what waits for it. `frames` ends where the stream does."""

    def __init__(self, ear: Ear, heard: Heard) -> None:
        self.ear = ear
        self.heard = heard
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue(WAITING)

    def tell(self, news: News) -> bool:
        """Whether there was room; where there is none the stream ends after what waits."""
        self.heard = news.heard
        if self._waiting.maxsize - self._waiting.qsize() < 2:
            self.end()
            return False
        self._waiting.put_nowait(b"".join(news.frames))
        return True

    def end(self) -> None:
        """No more frames, after those that wait."""
        if self._waiting.full():
            self._waiting.get_nowait()
        self._waiting.put_nowait(None)

    async def frames(self, *, seconds: float) -> AsyncIterator[bytes]:
        """As they come, for so long at most."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            try:
                async with asyncio.timeout(min(left, SILENCE)):
                    frame = await self._waiting.get()
            except TimeoutError:
                frame = STILL_HERE
            if frame is None:
                return
            yield frame


class _Look(NamedTuple):
    """What one look at the database found."""

    news: dict[Ear, News]
    shut: set[Ear]
    newest: int


class Switchboard:
    """The listeners of one event loop."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._task: asyncio.Task[None] | None = None

    @property
    def listening(self) -> int:
        """How many streams are open."""
        return len(self._listeners)

    def join(self, ear: Ear, heard: Heard) -> Listener:
        """A stream begins; the first one starts the looking."""
        listener = Listener(ear, heard)
        self._listeners.add(listener)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look_while_somebody_listens(heard.last))
        return listener

    def leave(self, listener: Listener) -> None:
        """A stream has ended; with the last one the looking ends by itself."""
        self._listeners.discard(listener)

    async def _look_while_somebody_listens(self, after: int) -> None:
        newest = deque([(time.monotonic(), after)])
        since, looks = timezone.now(), 0
        while self._listeners:
            await asyncio.sleep(EVERY)
            while len(newest) > 1 and newest[1][0] < time.monotonic() - LAG:
                newest.popleft()
            now, sessions_too = timezone.now(), looks % SESSIONS_EVERY == 0
            heard = {one.ear: one.heard for one in self._listeners}
            back = since - timedelta(seconds=LAG)
            try:
                look = await asyncio.to_thread(_look, heard, newest[0][1], back, sessions_too)
            except Exception:
                log.exception("stream", outcome="failed", streams=self.listening)
                continue
            self._tell(look)
            newest.append((time.monotonic(), look.newest))
            since, looks = now, looks + 1

    def _tell(self, look: _Look) -> None:
        # An ended session ends its agent's presence. Whoever of the same agent is still signed in
        # elsewhere comes back within a second, and that is a sign of life.
        agents = {ear.reader.agent_id for ear in look.shut} - {None}
        for listener in list(self._listeners):
            ear = listener.ear
            if ear in look.shut or ear.reader.agent_id in agents:
                listener.end()
                self.leave(listener)
            elif (news := look.news.get(ear)) is not None and not listener.tell(news):
                self.leave(listener)


def switchboard() -> Switchboard:
    """That of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _boards:
        _boards[loop] = Switchboard()
    return _boards[loop]


_boards: "WeakKeyDictionary[asyncio.AbstractEventLoop, Switchboard]" = WeakKeyDictionary()


def _look(heard: dict[Ear, Heard], after: int, since: datetime, sessions_too: bool) -> _Look:
    """In a thread of its own: one visit to the database, then the connection is closed."""
    try:
        newest = inbox.newest_id_of_all()
        shut = who_may_not(heard) if sessions_too else set()
        ears = {ear: far for ear, far in heard.items() if ear not in shut}
        return _Look(latest(ears, after=after, since=since), shut, newest)
    finally:
        connections.close_all()
