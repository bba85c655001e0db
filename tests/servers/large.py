"""A mail server full of large letters, in a process of its own: its memory is not the collector's.

`python -m tests.servers.large` does what `Large` asks. It says in a line of JSON where it listens,
and how many letters are left for each line that it is given; it ends with its standard input.
"""

import base64
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from buzon.demo.server import MailServer, Mailstore, Options

LOGIN, SECRET = "ana@tienda.example", "se cret"
MB = 1_000_000
ROOT = Path(__file__).parents[2]


def with_attachment(size: int, *, number: int = 0) -> bytes:
    """A letter with an attachment, which repeats itself too far apart to be compressed well. The
    same for the same number.
    """
    head = (
        b"From: Eva <eva@cliente.example>\r\nTo: ana@tienda.example\r\nSubject: Planos\r\n"
        b"Date: Mon, 02 Nov 2026 10:00:00 +0000\r\nMessage-ID: <big%d@cliente.example>\r\n"
        b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
        b"--x\r\nContent-Type: text/plain\r\n\r\nAdjunto.\r\n"
        b"--x\r\nContent-Type: application/zip; name=planos.zip\r\n"
        b"Content-Transfer-Encoding: base64\r\n"
        b"Content-Disposition: attachment; filename=planos.zip\r\n\r\n"
    ) % number
    block = base64.encodebytes(Random(number).randbytes(3 * MB)).replace(b"\n", b"\r\n")
    tail = b"--x--\r\n"
    blocks = (size - len(head) - len(tail)) // len(block) + 1
    return head + block * blocks + tail


class Large:
    """The other process, as its tests see it. `digests` are the letters' SHA-256."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        told = json.loads(self._line())
        self.port: int = told["port"]
        self.digests: list[str] = told["digests"]

    def left(self) -> int:
        """How many letters it still holds."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return int(self._line())

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


@contextmanager
def large(protocol: str, *, letters: int, size: int) -> Iterator[Large]:
    """So many letters of so many octets, on 127.0.0.1, in the clear."""
    command = [sys.executable, "-m", "tests.servers.large", protocol, str(letters), str(size)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Large(process)
        finally:
            process.kill()


def main() -> None:
    """The other process."""
    protocol, letters, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    store = Mailstore()
    box = store.add_login(LOGIN, SECRET).folder()
    for number in range(letters):
        box.deliver(with_attachment(size, number=number))
    digests = [hashlib.sha256(message.octets).hexdigest() for message in box.messages]
    with MailServer(store, protocol=protocol, security="none", options=Options()) as server:  # type: ignore[arg-type]
        print(json.dumps({"port": server.port, "digests": digests}), flush=True)
        for _ in sys.stdin:
            print(len(box.messages), flush=True)


if __name__ == "__main__":
    main()
