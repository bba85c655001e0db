"""Who holds a lease: a name that tells, on the same machine, whether its process still lives.

`hostname/boot/pid namespace/pid/start time/number`. A process that was killed writes no more,
so its lease may be taken at once by a process of the same machine; anyone else waits until it runs
out.
"""

import functools
import os
import socket
import threading
from pathlib import Path


def owner_name() -> str:
    """This thread's name as a holder of leases: one process may hold several."""
    return f"{_process_name()}/{threading.get_native_id()}"


def has_died(owner: str) -> bool:
    """True only where it is certain: same machine, same boot, and that process is no more."""
    parts = owner.split("/")
    mine = _process_name().split("/")
    if len(parts) != 6 or parts[:3] != mine[:3] or not parts[3].isdigit():
        return False
    return _start_time(int(parts[3])) != parts[4]


def machine_prefix() -> str:
    """What the names of all owners on this machine begin with."""
    return "/".join(_machine()) + "/"


@functools.cache
def _machine() -> tuple[str, str, str]:
    boot = Path("/proc/sys/kernel/random/boot_id")
    try:
        boot_id = boot.read_text(encoding="ascii").strip()
        # Containers share a boot but not their process numbers.
        namespace = os.readlink("/proc/self/ns/pid").strip("pid:[]")
    except OSError:
        return socket.gethostname(), "unknown", str(os.getpid())
    return socket.gethostname().replace("/", "-"), boot_id, namespace


def _process_name() -> str:
    pid = os.getpid()
    return "/".join((*_machine(), str(pid), _start_time(pid)))


def _start_time(pid: int) -> str:
    """Clock ticks after boot at which the process began (proc(5), field 22), "" if it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    after_name = stat.rpartition(")")[2].split()
    if after_name[0] == "Z":  # killed, not yet reaped: it will not write again
        return ""
    return after_name[19]
