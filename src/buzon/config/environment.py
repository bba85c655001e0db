"""The settings: every BUZON_ variable of the environment, what it means, and how it is read.

`docs/settings.md` is generated from this list, and a test compares the two.
"""

import ipaddress
import os
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from buzon.wire.host_limits import read_entries


class SettingError(Exception):
    """A setting's value makes no sense; the sentence says which, and what is expected."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One variable: its name, default as one would write it, meaning, and reader."""

    name: str
    default: str
    meaning: str
    read: Callable[[str], Any]
    secret: bool = False  # may hold a password, which no sentence repeats


def read_environment(environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Every setting's value by name. Raises SettingError for a wrong value or an unknown name."""
    known = {setting.name for setting in SETTINGS}
    for name in sorted(environ):
        if name.startswith("BUZON_") and name not in known:
            raise SettingError(f"There is no setting {name}; docs/settings.md lists them all.")
    return {setting.name: _value(setting, environ) for setting in SETTINGS}


def _value(setting: Setting, environ: Mapping[str, str]) -> Any:
    written = environ.get(setting.name, "").strip() or setting.default
    try:
        return setting.read(written)
    except ValueError as error:
        given = "" if setting.secret else f", not {written!r}"
        raise SettingError(f"{setting.name} must be {error}{given}.") from None


def _text(written: str) -> str:
    return written


def _folder(written: str) -> Path:
    return Path(written).expanduser().resolve()


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(written: str) -> int:
        if not re.fullmatch(r"[0-9]{1,18}", written) or not least <= int(written) <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return int(written)

    return read


def _seconds(least: float, most: float) -> Callable[[str], float]:
    def read(written: str) -> float:
        expected = f"a number of seconds from {least:g} to {most:g}"
        try:
            value = float(written)
        except ValueError:
            raise ValueError(expected) from None
        if not least <= value <= most:
            raise ValueError(expected)
        return value

    return read


def _yes_or_no(written: str) -> bool:
    if written.lower() in ("yes", "true", "1", "on"):
        return True
    if written.lower() in ("no", "false", "0", "off"):
        return False
    raise ValueError("yes or no")


def _database(written: str) -> str:
    expected = "a URL such as postgresql://user:password@host/name, or empty"
    parts = _url(written, expected)
    if parts is None:
        return ""
    if parts.scheme not in ("sqlite", "postgres", "postgresql") or not parts.path.strip("/"):
        raise ValueError(expected)
    return written


def _smtp(written: str) -> str:
    expected = "a URL such as smtp+starttls://user:password@host:587, or empty"
    parts = _url(written, expected)
    if parts is None:
        return ""
    if parts.scheme not in ("smtp", "smtps", "smtp+starttls") or not parts.hostname:
        raise ValueError(expected)
    return written


def _url(written: str, expected: str) -> SplitResult | None:
    """Its parts; None where nothing was written. ValueError(expected) where it makes no sense."""
    if not written:
        return None
    try:
        parts = urlsplit(written)
        if parts.port == 0:  # asked for, because a port that is no number shows only then
            raise ValueError
    except ValueError:
        raise ValueError(expected) from None
    return parts


def _listen(written: str) -> tuple[str, int] | None:
    """("127.0.0.1", 8000); None for `off`."""
    if written.lower() == "off":
        return None
    expected = "an address and a port such as 127.0.0.1:8000 or [::1]:8000, or off"
    host, colon, port = written.rpartition(":")
    try:
        address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        raise ValueError(expected) from None
    if not colon or not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65_535:
        raise ValueError(expected)
    return str(address), int(port)


def _public_url(written: str) -> str:
    expected = "a URL such as https://buzon.example.com, without a path, or empty"
    parts = _url(written.rstrip("/"), expected)
    if parts is None:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise ValueError(expected)
    if parts.path or parts.query or parts.fragment:
        raise ValueError(expected)
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _proxies(written: str) -> list[str]:
    addresses = [one.strip() for one in written.split(",") if one.strip()]
    try:
        return [str(ipaddress.ip_network(one)) if "/" in one else str(ipaddress.ip_address(one))
                for one in addresses]  # fmt: skip
    except ValueError:
        raise ValueError("IP addresses or networks, separated by commas, or empty") from None


def _secret_key(written: str) -> str:
    if written and len(written) < 40:
        raise ValueError("at least 40 random characters, or empty")
    return written


def _authorities(written: str) -> str:
    if written:
        try:
            ssl.create_default_context(cafile=written)
        except (OSError, ValueError):  # a PEM that makes no sense is an OSError too
            raise ValueError("a PEM file of certificates that can be read, or empty") from None
    return written


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(written: str) -> str:
        if written not in choices:
            raise ValueError("one of " + ", ".join(choices))
        return written

    return read


SETTINGS = (
    Setting(
        "BUZON_DATA_DIR",
        "var",
        "The folder of this installation: the embedded database, the keys, the locks. "
        "Relative to the folder that the command is started in.",
        _folder,
    ),
    Setting(
        "BUZON_DATABASE_URL",
        "",
        "The database. Empty: SQLite in the data folder. Else "
        "`postgresql://user:password@host:port/name` (PostgreSQL 15 or later).",
        _database,
        secret=True,
    ),
    Setting(
        "BUZON_KEYS",
        "",
        "The key ring for stored secrets, `name:base64[,name:base64…]`, 32 octets each; the first "
        "encrypts, all decrypt. Empty: the file `keys` in the data folder, made at the first "
        "start.",
        _text,
    ),
    Setting(
        "BUZON_LISTEN",
        "127.0.0.1:8000",
        "Where `buzon up` serves the pages: an IP address and a port; `off` serves none.",
        _listen,
    ),
    Setting(
        "BUZON_PUBLIC_URL",
        "",
        "The address under which people reach the pages, such as `https://buzon.example.com`; "
        "needed unless BUZON_LISTEN is on this machine alone. With `https`, cookies are for "
        "encrypted connections only.",
        _public_url,
    ),
    Setting(
        "BUZON_TRUSTED_PROXIES",
        "",
        "The addresses (or networks) of proxies in front of Buzón, separated by commas: only "
        "theirs are the X-Forwarded-For and X-Forwarded-Proto headers that are believed.",
        _proxies,
    ),
    Setting(
        "BUZON_SECRET_KEY",
        "",
        "What sessions and forms are signed with. Empty: the file `secret-key` in the data "
        "folder, made at the first start. Several machines need the same one.",
        _secret_key,
        secret=True,
    ),
    Setting(
        "BUZON_MAX_ACCOUNTS",
        "10",
        "How many collection accounts an organization may have (R1).",
        _whole(1, 100_000),
    ),
    Setting(
        "BUZON_MAX_MESSAGE_BYTES",
        "52428800",
        "The limit of a message in octets for new collection accounts; larger ones get the "
        "outcome `oversized`.",
        _whole(10_000, 1_000_000_000),
    ),
    Setting(
        "BUZON_MIN_FREE_DISK",
        "500000000",
        "Octets that stay free on the disk of the data folder: below it collecting pauses, says "
        "so, and goes on by itself when there is room. The disk of a PostgreSQL server elsewhere "
        "cannot be seen; there it pauses when the server says that its disk is full. 0: never.",
        _whole(0, 1_000_000_000_000),
    ),
    Setting(
        "BUZON_POLL_SECONDS",
        "60",
        "How long after a collection an account is due again.",
        _seconds(1, 86_400),
    ),
    Setting(
        "BUZON_WORKERS",
        "4",
        "How many collection accounts `buzon up` works on at the same time; those that only wait "
        "for their servers come on top, twice as many at most.",
        _whole(1, 200),
    ),
    Setting(
        "BUZON_HOST_LIMITS",
        "",
        "What mail servers are asked for at most, by name: "
        "`imap.example.com day=2G second=500K connections=2; *.example.com connections=8`. `day`: "
        "octets within 24 hours, `login-day`: of each login, `second`: octets a second, "
        "`connections`: collections at a time (4 unless said); shared by all processes; `none` "
        "lifts a limit. Gmail and Microsoft have limits of their own, see docs/operate.md.",
        read_entries,
    ),
    Setting(
        "BUZON_LEASE_SECONDS",
        "120",
        "How long a worker's claim lasts unless renewed: the longest time that work waits for a "
        "worker of another machine that died.",
        _seconds(0.5, 3_600),
    ),
    Setting(
        "BUZON_CONNECT_TIMEOUT_SECONDS",
        "15",
        "How long to wait for a mail server to accept a connection.",
        _seconds(0.1, 300),
    ),
    Setting(
        "BUZON_READ_TIMEOUT_SECONDS",
        "50",
        "How long to wait for a mail server's next octets; kept below half of the lease.",
        _seconds(0.1, 600),
    ),
    Setting(
        "BUZON_ALLOW_PRIVATE_HOSTS",
        "no",
        "Whether mail servers on private and loopback addresses may be connected to: yes where "
        "they stand in your own network.",
        _yes_or_no,
    ),
    Setting(
        "BUZON_CA_FILE",
        "",
        "A PEM file of certificate authorities that are trusted beside the system's.",
        _authorities,
    ),
    Setting(
        "BUZON_SMTP_URL",
        "",
        "The server through which notifications are copied by e-mail: "
        "`smtp+starttls://user:password@host:587`, `smtps://…` or `smtp://…`. Empty: no copies.",
        _smtp,
        secret=True,
    ),
    Setting(
        "BUZON_MAIL_FROM",
        "",
        "The sender address of notifications by e-mail; needed with BUZON_SMTP_URL.",
        _text,
    ),
    Setting(
        "BUZON_READER_SECONDS",
        "20",
        "Processor time that a message may take which is read in a process of its own, because "
        "its reader died before.",
        _whole(1, 600),
    ),
    Setting(
        "BUZON_READER_MEGABYTES",
        "1024",
        "Memory for such a process.",
        _whole(256, 65_536),
    ),
    Setting(
        "BUZON_LOG_LEVEL",
        "info",
        "Which log lines are written: `debug`, `info`, `warning` or `error`.",
        _one_of("debug", "info", "warning", "error"),
    ),
)
