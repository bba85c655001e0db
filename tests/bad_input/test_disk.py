"""A full disk: a real file system of a few megabytes, filled by another program.

In the middle of a collection it is told in a sentence; nothing is removed from the server that is
not in custody, and once there is room the next collection completes it, each message once.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from buzon.demo.server import MailLogin, Mailstore
from tests.bad_input.conftest import Serve, letter
from tests.bad_input.shop import LOGIN, Shop, clear
from tests.database import DATABASE

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small file system"),
    pytest.mark.skipif(DATABASE != "sqlite", reason="PostgreSQL's disk is not ours to fill"),
]
MANY = 60
PROTOCOLS = ("imap", "pop3")


@pytest.fixture
def small_disk(shop: Shop) -> Iterator[Path]:
    """The data folder, on a disk of its own with 12 MB, none of which are kept free."""
    shop.env["BUZON_MIN_FREE_DISK"] = "0"
    folder = shop.installation.folder
    held = {file.name: file.read_bytes() for file in folder.iterdir()}
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m,mode=700", "tmpfs", str(folder)], check=False
    )
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        for name, octets in held.items():
            (folder / name).write_bytes(octets)
            (folder / name).chmod(0o600)
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(folder: Path, *, but: int = 0) -> Path:
    """Another program takes all the room, but for so many octets."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(65_536))
        except OSError:
            file.truncate(max(file.tell() - but, 0))
    return ballast


def deliver(mail: Mailstore) -> MailLogin:
    """Three megabytes in many letters; compressed they still need more room than is left."""
    box = mail.logins[LOGIN]
    for number in range(MANY):
        box.folder().deliver(letter(number, body=os.urandom(25_000).hex().encode() + b"\r\n"))
    return box


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_disk_that_gets_full_loses_nothing_and_repeats_nothing(
    shop: Shop, mail: Mailstore, serve: Serve, small_disk: Path, protocol: str
) -> None:
    box = deliver(mail)
    shop.account("a", serve(protocol), "--create-customer", "--delete-downloaded")
    ballast = fill(small_disk, but=1_000_000)
    ran = shop("collect", "a", "--once", "--json")
    assert ran.status == 1, ran
    assert "disk is full" in clear(ran.error.rstrip("\n"))
    assert len(box.folder().messages) == MANY
    assert not mail.deeds("stored", "expunged", "moved", "marked-deleted", "deleted")
    ballast.unlink()
    totals = shop.collected("a")
    assert box.folder().messages == []
    assert totals["settled"] == MANY
    counts = shop.mail()
    assert {counts[table] for table in counts} == {MANY}, counts


def test_no_command_does_half_on_a_full_disk(shop: Shop, small_disk: Path, tmp_path: Path) -> None:
    customers = tmp_path / "customers.csv"
    customers.write_text("email\n" + "".join(f"a{n}@x.example\n" for n in range(5_000)))
    before = shop.counts()
    ballast = fill(small_disk)
    told = clear(shop("customer", "import", customers).sentence())
    assert "room" in told
    ballast.unlink()
    assert shop.counts() == before
    shop.do("customer", "import", customers)
    assert shop.counts()["desk_customer"] == 5_000
