"""How much memory this process takes, as the kernel counts it (proc(5)): I8."""

from pathlib import Path

MIB = 1 << 20
MOST = 256 * MIB  # above idle, in any trial


def resident() -> int:
    """Octets at this moment."""
    return _of("VmRSS")


def peak() -> int:
    """The most octets since the last `forget_peak`."""
    return _of("VmHWM")


def forget_peak() -> None:
    """The peak is from now on that of what comes."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _of(name: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(name)
