"""Our small server, made to do things at a chosen moment: by subclass, over real sockets."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from buzon.demo.server import ImapConnection, MailServer, Pop3Connection
from buzon.demo.server.stream import Hangup


class DeliversDuring(MailServer):
    """`on(command, what, times=…)`: do `what` before the n-th such commands are answered."""

    plans: dict[str, tuple[Callable[[], Any], tuple[int, ...]]]
    heard: Counter[str]

    def on(self, command: str, what: Callable[[], Any], *, times: tuple[int, ...] = (1,)) -> None:
        self.plans = {**getattr(self, "plans", {}), command: (what, times)}
        self.heard = Counter()

    def hear(self, command: str) -> None:
        if command not in getattr(self, "plans", {}):
            return
        self.heard[command] += 1
        what, times = self.plans[command]
        if self.heard[command] in times:
            what()


class HangsUp(DeliversDuring):
    """`at(command, n)`: the n-th such command is not answered; the connection ends, once."""

    def at(self, command: str, number: int) -> None:
        self.on(command, _hang_up, times=(number,))


def _hang_up() -> None:
    raise Hangup


class _HearingImap(ImapConnection):
    def dispatch(self, tag: str, name: str, arguments: Any) -> None:
        self.server.hear(name)  # type: ignore[attr-defined]
        super().dispatch(tag, name, arguments)


class _HearingPop3(Pop3Connection):
    def dispatch(self, command: str, rest: bytes) -> None:
        self.server.hear(command)  # type: ignore[attr-defined]
        super().dispatch(command, rest)


DeliversDuring.imap_connection = _HearingImap
DeliversDuring.pop3_connection = _HearingPop3


POISON = b"poison for this server"


class StumblesOver(MailServer):
    """The connection ends whenever it is to give octets that hold `poison`."""

    poison = POISON


class _StumblingImap(ImapConnection):
    def write(self, data: bytes) -> None:
        _stumble(self.server, data)
        super().write(data)


class _StumblingPop3(Pop3Connection):
    def write(self, data: bytes) -> None:
        _stumble(self.server, data)
        super().write(data)


def _stumble(server: Any, data: bytes) -> None:
    if server.poison in data:
        raise Hangup


StumblesOver.imap_connection = _StumblingImap
StumblesOver.pop3_connection = _StumblingPop3
