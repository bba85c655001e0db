"""Mail servers that this very process runs: reached where they are, whatever else is inside.

The demonstration's servers stand on this machine. They are told by host and port, for as long as
they run, so that BUZON_ALLOW_PRIVATE_HOSTS may stay off and nothing beside them can be reached.
"""

import threading

_lock = threading.Lock()
_running: set[tuple[str, int]] = set()


def admit(host: str, port: int) -> None:
    """From now on this server may be connected to. `host` is an address: a name may change."""
    with _lock:
        _running.add((host, port))


def dismiss(host: str, port: int) -> None:
    """It no longer runs: the port may be anybody's."""
    with _lock:
        _running.discard((host, port))


def is_own(host: str, port: int) -> bool:
    """Whether exactly this server runs in this process."""
    with _lock:
        return (host, port) in _running
