"""`python -m bench.new_mail`: how soon new mail is filed while a first download runs over IMAP.

A mailbox of letters of 2 KB on a real Dovecot; `buzon collect` takes all of it, in a process of its
own; meanwhile a letter is delivered every second or so, and its row of the ledger says when it was
filed. Percentiles of the seconds from the delivery to that moment, and the rate of the download:

    delivered into the Maildir ──▶ the session looks ──▶ in custody, processed: decided_at

Letters that come when the history is all here, or within its last two seconds, are not counted:
then nothing is in their way but the next poll (Dovecot may miss a file for a second: the times of a
Maildir have no finer grain). A second collection takes what is left; a letter that is missing then
is lost, which is an error, and no figure.
"""

import argparse
import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.servers.dovecot import Dovecot, DovecotUnavailable

LOGIN, SECRET = "pedidos@tienda.example", "secret"
BUZON = Path(sys.executable).with_name("buzon")
LONGEST = 3_000.0  # seconds for the download
GOAL = 5.0  # seconds, at the 95th percentile
EVERY = (0.5, 1.5)  # seconds between two new letters
AT_THE_END = timedelta(seconds=2)
_FIRST_DAY = datetime(2026, 1, 1, 8, tzinfo=UTC)
_LINE = "Lo que pedimos sigue sin llegar, y nadie contesta al telefono por las tardes.\r\n"


class CannotMeasure(Exception):
    """One sentence: what is missing, or which figure would be wrong."""


@dataclass(slots=True)
class Download:
    """What a run of `buzon collect` met: when each new letter was delivered, by Message-ID."""

    delivered: dict[str, datetime] = field(default_factory=dict)
    seconds: float = 0.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print; exit status 2 where that is not possible, 1 where the goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.new_mail", description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000, help="of the history (20,000)")
    parser.add_argument("--folders", type=int, default=1, help="that are collected (1)")
    options = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory(prefix="buzon-bench-") as place, Dovecot() as dovecot:
            late = _measure(Path(place), dovecot, options)
    except (CannotMeasure, DovecotUnavailable) as error:
        print(error, file=sys.stderr)
        return 2
    return int(late > GOAL)


def _measure(place: Path, dovecot: Dovecot, options: argparse.Namespace) -> float:
    folders = ["INBOX", *(f"Carpeta {number}" for number in range(1, options.folders))]
    dovecot.add_login(LOGIN, SECRET)
    for number in range(options.messages):
        _deliver(dovecot, _letter(number), folders[0], when=_day(number))
    environment = {k: v for k, v in os.environ.items() if not k.startswith("BUZON_")}
    environment |= {"BUZON_DATA_DIR": str(place / "data"), "BUZON_ALLOW_PRIVATE_HOSTS": "yes"}
    _set_up(dovecot, environment, folders)
    download = _download(dovecot, environment, folders)
    _run(environment, "collect", "--once")
    waits = sorted(_waits(place / "data", download))
    if len(waits) < 5:
        raise CannotMeasure(f"The download was over after {len(waits)} new letters: ask for more.")
    rate = options.messages / download.seconds
    print(f"{options.messages:,} letters of 2 KB in {len(folders)} folders: {rate:,.0f} a second")
    told = "  ".join(f"{part} % {_percentile(waits, part):.2f} s" for part in (50, 90, 95, 99, 100))
    print(f"{len(waits)} new letters were filed within  {told}")
    return _percentile(waits, 95)


def _set_up(dovecot: Dovecot, environment: dict[str, str], folders: Sequence[str]) -> None:
    named = [word for folder in folders for word in ("--folder", folder)]
    for folder in folders[1:]:
        dovecot.add_folder(LOGIN, folder)
    for words in (
        ("organization", "add", "Tienda"),
        ("group", "add", "Ventas"),
        ("agent", "add", "Ana", "--email", "ana@tienda.example", "--group", "Ventas"),
        ("account", "add", "pedidos", "--host", dovecot.host, "--security", "none", "--port",
         str(dovecot.port("imap", "none")), "--username", LOGIN, "--password-file", "-",
         "--create-customer", "--group", "Ventas", *named),
    ):  # fmt: skip
        _run(environment, *words)


def _run(environment: dict[str, str], *words: str) -> None:
    command = [str(BUZON), *words]
    done = subprocess.run(command, env=environment, input=SECRET, capture_output=True, text=True)
    if done.returncode:
        raise CannotMeasure(f"buzon {' '.join(words[:2])} failed: {done.stderr.strip()}")


def _download(dovecot: Dovecot, environment: dict[str, str], folders: Sequence[str]) -> Download:
    """Collect, with a new letter into one folder after the other as long as it takes."""
    found, rng = Download(), random.Random(5)
    began = time.monotonic()
    command = [str(BUZON), "collect", "--once", "--json"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            for number in _while_it_runs(process, rng, until=began + LONGEST):
                message_id = f"new.{number}@mail.example"
                found.delivered[message_id] = datetime.now(UTC)
                octets = _letter(number, message_id=message_id)
                _deliver(dovecot, octets, folders[number % len(folders)], when=datetime.now(UTC))
            said = process.communicate()[0]
        finally:
            process.kill()
    found.seconds = time.monotonic() - began
    (totals,) = json.loads(said or "[{}]")
    if totals.get("error", "nothing was said"):
        raise CannotMeasure(f"buzon collect failed: {totals}.")
    return found


def _while_it_runs(
    process: "subprocess.Popen[str]", rng: random.Random, *, until: float
) -> Iterator[int]:
    number = 0
    time.sleep(3)  # for the first look: what is there then is history
    while process.poll() is None:
        if time.monotonic() > until:
            raise CannotMeasure("The download did not end in time.")
        yield number
        number += 1
        time.sleep(rng.uniform(*EVERY))


def _waits(data: Path, download: Download) -> list[float]:
    """Seconds until each letter was filed, of those that came before the history was all here.

    Raises CannotMeasure where one is missing.
    """
    with closing(sqlite3.connect(data / "buzon.sqlite3")) as database:
        rows = database.execute(
            "SELECT m.message_id, a.decided_at FROM intake_arrival a "
            "JOIN desk_message m ON m.id = a.message_id WHERE NOT a.of_history"
        ).fetchall()
        last = database.execute(
            "SELECT MAX(decided_at) FROM intake_arrival WHERE of_history"
        ).fetchone()[0]
    filed = {message_id.strip("<>"): _time(at) for message_id, at in rows}
    if lost := download.delivered.keys() - filed.keys():
        raise CannotMeasure(f"{len(lost)} new letters are lost: {min(lost)}.")
    ends = _time(last) - AT_THE_END
    times = download.delivered.items()
    return [(filed[name] - at).total_seconds() for name, at in times if at < ends]


def _time(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=UTC)


def _percentile(ordered: Sequence[float], part: int) -> float:
    """The smallest that is not exceeded by `part` in a hundred."""
    return ordered[max(-(-len(ordered) * part // 100), 1) - 1]


def _deliver(dovecot: Dovecot, octets: bytes, folder: str, *, when: datetime) -> None:
    dovecot.deliver(LOGIN, octets, folder=folder, internal_date=when)


def _day(number: int) -> datetime:
    return _FIRST_DAY + timedelta(minutes=3 * number)


def _letter(number: int, *, message_id: str = "") -> bytes:
    """2 KB, of one of 400 senders."""
    sender = number % 400
    header = (
        f"From: Cliente {sender} <cliente{sender}@correo.example>\r\nTo: {LOGIN}\r\n"
        f"Subject: Pedido {number}\r\nDate: {_day(number):%a, %d %b %Y %H:%M:%S +0000}\r\n"
        f"Message-ID: <{message_id or f'{number}.old@mail.example'}>\r\n\r\n"
    )
    return (header + _LINE * ((2_000 - len(header)) // len(_LINE))).encode()


if __name__ == "__main__":
    sys.exit(main())
