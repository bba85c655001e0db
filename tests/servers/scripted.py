"""A server that plays a list of steps over a real socket, for what no real server does.

    with conversation(send("+OK hello"), expect("CAPA"), send("-ERR"), hold) as script: script.port

`script.said` is every line the client sent. Leaving the `with` fails unless all of it was played.
"""

import contextlib
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.wire.scripted import line_from, scripted, until_closed

Step = Callable[[socket.socket, "Script"], None]


@dataclass(slots=True)
class Script:
    """The port it plays on, and the client's lines without their ends."""

    port: int = 0
    said: list[str] = field(default_factory=list)
    failure: str = "the script was not played to its end"


class _LeftError(Exception):
    """The client did not say what the script waits for."""


def send(*lines: str | bytes) -> Step:
    """Send each line with CRLF."""
    text = b"".join((x.encode() if isinstance(x, str) else x) + b"\r\n" for x in lines)
    return lambda peer, script: peer.sendall(text)


def raw(octets: bytes) -> Step:
    """Send just these octets."""
    return lambda peer, script: peer.sendall(octets)


def expect(*lines: str) -> Step:
    """The client says these lines; one that ends in "*" may end in any way."""

    def step(peer: socket.socket, script: Script) -> None:
        for expected in lines:
            said = line_from(peer).removesuffix(b"\r\n").decode("utf-8", "replace")
            script.said.append(said)
            begins = expected.endswith("*") and said.startswith(expected[:-1])
            if said != expected and not begins:
                raise _LeftError(f"the client said {said!r} instead of {expected!r}")

    return step


def silence(peer: socket.socket, script: Script) -> None:
    """The client says nothing for a tenth of a second."""
    peer.settimeout(0.1)
    try:
        raise _LeftError(f"the client said {peer.recv(100)!r} where it should wait")
    except TimeoutError:
        peer.settimeout(None)


def hold(peer: socket.socket, script: Script) -> None:
    """Say nothing more until the client hangs up."""
    with contextlib.suppress(ConnectionResetError):
        script.said.extend(until_closed(peer).decode("utf-8", "replace").splitlines())


def cut(peer: socket.socket, script: Script) -> None:
    """Hang up."""
    peer.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def conversation(*steps: Step) -> Iterator[Script]:
    """Play `steps` to one client. AssertionError unless the client kept to it, to the end."""
    script = Script()

    def play(peer: socket.socket) -> None:
        try:
            for step in steps:
                step(peer, script)
            script.failure = ""
        except _LeftError as error:
            script.failure = str(error)

    with scripted(play) as port:
        script.port = port
        yield script
    assert not script.failure, script.failure
