"""Deliver and read where each message is a file: past Dovecot, and past any protocol."""

import os
import pwd
from datetime import datetime
from pathlib import Path


def make(path: Path) -> None:
    """An empty Maildir."""
    for part in (path, path / "tmp", path / "new", path / "cur"):
        part.mkdir(parents=True, exist_ok=True)
        lend(part)


def append(path: Path, octets: bytes, number: int, when: datetime, letters: str) -> None:
    """The `number`-th message of all that this server was given, with its flags' letters."""
    name = _name(octets, number)
    written = path / "tmp" / name
    written.write_bytes(octets)
    lend(written)
    os.utime(written, (when.timestamp(), when.timestamp()))
    flags = "".join(sorted(letters))
    written.rename(path / "cur" / f"{name}:2,{flags}" if flags else path / "new" / name)


def files(path: Path) -> list[Path]:
    """Each message's file, in order of delivery."""
    found = [file for part in ("new", "cur") for file in (path / part).iterdir()]
    return sorted(found, key=lambda file: file.name)


def lend(path: Path) -> None:
    """Give it to the owner of the mail."""
    if os.geteuid() == 0:
        os.chown(path, *owner())


def owner() -> tuple[int, int]:
    """Who owns the mail: Dovecot refuses root, so root lends it to nobody."""
    if os.geteuid() != 0:
        return os.getuid(), os.getgid()
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def _name(octets: bytes, number: int) -> str:
    """Sorts by delivery; S and W (size as stored, size with CRLF) save Dovecot reading the file."""
    sent = len(octets) + octets.count(b"\n") - octets.count(b"\r\n")
    seconds, micros = divmod(number, 1_000_000)
    return f"{1_700_000_000 + seconds}.M{micros:06}P1.buzon,S={len(octets)},W={sent}"
