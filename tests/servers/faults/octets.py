"""The octets of a connection that is cut, stalls, or comes one at a time."""

import socket
import struct
import threading
import time
from typing import TYPE_CHECKING

from buzon.demo.server.stream import Hangup, Stream

if TYPE_CHECKING:
    from tests.servers.faults.server import FaultServer

RESET_AT_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER with no time: RST instead of FIN


class Budget:
    """How many octets the server has sent over all connections; shared by their threads."""

    def __init__(self) -> None:
        self.sent = 0
        self._lock = threading.Lock()

    def take(self, wanted: int, limit: int | None) -> int:
        """How many of `wanted` may still go out."""
        with self._lock:
            allowed = wanted if limit is None else max(0, min(wanted, limit - self.sent))
            self.sent += allowed
            return allowed


class FaultyStream(Stream):
    """Sends as the server's plan says. Octets are counted as the protocol's, before TLS."""

    def __init__(self, connection: socket.socket, server: "FaultServer") -> None:
        super().__init__(connection)
        self.server = server
        self._is_cut = False
        self._sent = 0  # on this connection

    def flush(self) -> None:
        if not self._out:
            return
        if self.server.is_honest:
            super().flush()
            return
        data = b"".join(self._out)
        self._out.clear()
        self._out_size = 0
        self._send_by_plan(data)

    def _send_by_plan(self, data: bytes) -> None:
        plan = self.server.plan
        limits = [at for at in (plan.cut_at, plan.stall_at) if at is not None]
        allowed = self.server.budget.take(len(data), min(limits, default=None))
        self._send(data[:allowed])
        if allowed == len(data):
            return
        if plan.stall_at is not None and (plan.cut_at is None or plan.stall_at < plan.cut_at):
            self.server.wait_for_the_end(plan.stall_seconds)
        self.cut()

    def _send(self, data: bytes) -> None:
        pause = self.server.plan.dribble
        at_once = max(0, self.server.plan.dribble_from - self._sent) if pause else len(data)
        self._sent += len(data)
        self._put(data[:at_once])
        for octet in range(at_once, len(data)):
            if self.server.is_over:
                raise Hangup
            self._put(data[octet : octet + 1])
            time.sleep(self.server.plan.dribble)  # which may have changed meanwhile

    def _put(self, piece: bytes) -> None:
        if piece:
            self._out.append(piece)
            self._out_size = len(piece)
            super().flush()

    def cut(self) -> None:
        """End the connection as the plan says; raises Hangup."""
        self._out.clear()
        self._out_size = 0
        self._is_cut = True
        if self.server.plan.cut_with == "rst":
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
        raise Hangup

    def close(self) -> None:
        if not self._is_cut or self.server.plan.cut_with == "fin":
            super().close()
            return
        # Without TLS's close_notify, as from an attacker or a dead machine (RFC 8446, 6.1).
        self._socket.close()
        self._bell.close()
        self._ringer.close()
