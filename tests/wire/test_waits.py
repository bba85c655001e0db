"""Whether a run only waits: the arithmetic with the clock moved, and real sockets."""

import contextvars
import socket
import threading
import time

import pytest

from buzon.wire.endpoint import Endpoint, Security
from buzon.wire.errors import TimedOut
from buzon.wire.transport import Transport
from buzon.wire.waits import (
    AFTER,
    MOST,
    SLOW,
    SLOWEST,
    WORK_WEIGHS,
    Waits,
    asked,
    came,
    look_at,
    waiting,
)


def turns(*pairs: tuple[float, float]) -> tuple[Waits, float]:
    """Waits and the moment after so many turns of (seconds waited, seconds worked)."""
    now = 1000.0
    waits = Waits(now=now)
    for waited, worked in pairs:
        waits.begin(now=now)
        now += waited
        waits.end(now=now)
        now += worked
    return waits, now


def test_a_run_that_just_began_is_at_work() -> None:
    assert not Waits(now=0).is_waiting(now=0)
    assert not Waits(now=0).is_waiting(now=1e6)  # it does something else than wait for a server


def test_one_long_wait_tells_while_it_lasts() -> None:
    waits = Waits(now=0)
    waits.begin(now=0)
    assert not waits.is_waiting(now=AFTER * 0.9)
    assert waits.is_waiting(now=AFTER)


def test_octets_that_drip_are_no_work() -> None:
    waits, now = turns(*[(0.15, 0.001)] * 20)
    assert waits.is_waiting(now=now)


def test_a_server_that_keeps_us_at_work_is_not_waited_for() -> None:
    waits, now = turns(*[(0.02, 0.01)] * 1_000)
    assert not waits.is_waiting(now=now)


def test_a_slow_line_is_waited_for_also_while_a_batch_is_stored() -> None:
    waits, now = turns((16, 0.2), (16, 0.2))
    assert waits.is_waiting(now=now)


def test_a_run_that_works_while_another_of_its_threads_waits_is_at_work() -> None:
    waits = Waits(now=0)
    waits.beside(works=True, now=0)
    waits.begin(now=0)
    assert not waits.is_waiting(now=AFTER * 10)
    assert waits.is_slow(now=SLOW), "its server is slow all the same"
    waits.beside(works=False, now=AFTER * 10)
    assert not waits.is_waiting(now=AFTER * 10.9)
    assert waits.is_waiting(now=AFTER * 11)


def test_one_long_wait_for_an_answer_is_slow_and_the_next_answer_begins_anew() -> None:
    waits = Waits(now=0)
    waits.begin(now=0)
    assert not waits.is_slow(now=SLOW * 0.99)
    assert waits.is_slow(now=SLOW)
    waits.end(now=SLOW)
    assert not waits.is_slow(now=SLOW), "nobody waits any more"
    waits.asked()
    waits.begin(now=SLOW)
    assert not waits.is_slow(now=SLOW * 1.99)


def test_octets_that_drip_do_not_help_and_those_of_a_slow_line_do() -> None:
    waits, now = turns(*[(0.15, 0.001)] * int(SLOW / 0.15))
    waits.begin(now=now)
    assert waits.is_slow(now=now + 0.2)
    waits.came(int(SLOWEST * SLOW / 2))
    assert not waits.is_slow(now=now + 0.2)


def test_whoever_looks_at_a_thread_sees_what_it_asked_and_what_came() -> None:
    def play() -> None:
        waits, now = turns((SLOW, 0))
        look_at(waits)
        waits.begin(now=now)
        assert waits.is_slow(now=now)
        came(SLOWEST)
        assert not waits.is_slow(now=now)
        assert waits.is_slow(now=now + 1)
        asked()
        assert not waits.is_slow(now=now + 1)

    contextvars.copy_context().run(play)


def test_it_counts_again_after_a_moment_of_work_however_long_it_waited() -> None:
    waits, now = turns((100_000, 0))
    longest = (MOST - AFTER) / WORK_WEIGHS
    assert waits.is_waiting(now=now + longest * 0.99)
    assert not waits.is_waiting(now=now + longest * 1.01)


@pytest.mark.parametrize("during", ["answer", "handshake"])
def test_the_transport_says_when_it_waits(during: str) -> None:
    """A server that accepts the connection and never says a word."""
    waits, seen = Waits(), list[bool]()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = Endpoint(
            host="127.0.0.1",
            port=silent.getsockname()[1],
            security=Security.TLS if during == "handshake" else Security.NONE,
            connect_timeout=0.6,
            read_timeout=0.6,
            allow_private=True,
        )
        run = threading.Thread(target=_waited_for, args=(endpoint, waits))
        run.start()
        deadline = time.monotonic() + 0.4
        while time.monotonic() < deadline:
            seen.append(waits.is_waiting(now=time.monotonic() + AFTER))  # as if it went on
            time.sleep(0.02)
        run.join()
    assert any(seen)
    assert not waits.is_waiting(now=time.monotonic() + AFTER)  # it is over


def _waited_for(endpoint: Endpoint, waits: Waits) -> None:
    look_at(waits)
    with pytest.raises(TimedOut), Transport.connect(endpoint) as transport:
        transport.receive()


def test_where_nobody_looks_nothing_is_told() -> None:
    def inside() -> None:
        with waiting() as told:
            assert told is None

    contextvars.Context().run(inside)
