"""`python -m bench.reading`: what it costs to understand one message, in microseconds.

Each row reads the same generated messages several times and prints the median run: the whole
reading, the header alone (triage), and beside them the standard library's parser on the same
octets, which understands less. One process, one core.
"""

import base64
import email
import email.policy
import hashlib
import random
import statistics
import time
from collections.abc import Callable

from buzon.wire.reading import read, read_header, split_header

MESSAGES = 40
RUNS = 7
WORDS = "pedido envío factura gracias tienda order parcel refund mañana color talla".split()


def main() -> None:
    """Print the table."""
    kinds = {
        "one part, 2 KB": [one_part(seed, 2_000) for seed in range(MESSAGES)],
        "one part, 60 KB": [one_part(seed, 60_000) for seed in range(MESSAGES)],
        "multipart, 60 KB": [multipart(seed, 60_000) for seed in range(MESSAGES)],
    }
    print(f"{'message':<18} {'read':>8} {'header':>8} {'stdlib':>8} {'sha256':>8}   µs, median")
    for name, messages in kinds.items():
        headers = [split_header(octets)[0] for octets in messages]
        row = (
            cost(read, messages),
            cost(read_header, headers),
            cost(standard_library, messages),
            cost(lambda octets: hashlib.sha256(octets).digest(), messages),
        )
        print(f"{name:<18} " + " ".join(f"{figure:>8.0f}" for figure in row))


def cost(work: Callable[[bytes], object], messages: list[bytes]) -> float:
    """Microseconds for each message: the median of several runs over all of them."""
    runs = []
    for _ in range(RUNS):
        started = time.perf_counter()
        for octets in messages:
            work(octets)
        runs.append((time.perf_counter() - started) / len(messages) * 1e6)
    return statistics.median(runs)


def standard_library(octets: bytes) -> object:
    """Header fields and every part decoded, by `email` with the policy compat32."""
    message = email.message_from_bytes(octets, policy=email.policy.compat32)
    fields = [message.get(name) for name in ("From", "To", "Subject", "Date", "Message-ID")]
    return fields, [part.get_payload(decode=True) for part in message.walk()]


def one_part(seed: int, size: int) -> bytes:
    """A plain Spanish letter, of about `size` octets."""
    return _header(seed, "text/plain; charset=utf-8", "8bit") + _text(seed, size).encode()


def multipart(seed: int, size: int) -> bytes:
    """Plain and HTML text, and a base64 attachment that makes up the size."""
    text = _text(seed, 1_500)
    octets = random.Random(seed).randbytes(size * 3 // 4)
    attachment = "\r\n".join(_lines(octets))
    body = (
        f"--b{seed}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
        f"--b{seed}\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>{text}</p>\r\n"
        f"--b{seed}\r\nContent-Type: image/jpeg; name=foto.jpg\r\n"
        "Content-Disposition: attachment; filename=foto.jpg\r\n"
        f"Content-Transfer-Encoding: base64\r\n\r\n{attachment}\r\n--b{seed}--\r\n"
    )
    return _header(seed, f"multipart/mixed; boundary=b{seed}", "7bit") + body.encode()


def _header(seed: int, content_type: str, encoding: str) -> bytes:
    trace = "".join(
        f"Received: from mx{n}.example by mail.shop.example with ESMTPS id {seed}{n};\r\n"
        f" Mon, 02 Nov 2026 10:00:{n:02d} +0100\r\n"
        for n in range(5)
    )
    return (
        f"{trace}From: =?utf-8?q?Mar=C3=ADa_{seed}?= <maria{seed}@example.com>\r\n"
        "To: Tienda <info@shop.example>\r\nSubject: =?utf-8?q?Pedido_n=C2=BA_7?=\r\n"
        f"Date: Mon, 02 Nov 2026 10:00:00 +0100\r\nMessage-ID: <{seed}@example.com>\r\n"
        f"MIME-Version: 1.0\r\nContent-Type: {content_type}\r\n"
        f"Content-Transfer-Encoding: {encoding}\r\n\r\n"
    ).encode()


def _text(seed: int, size: int) -> str:
    chance = random.Random(seed)
    lines: list[str] = []
    while sum(map(len, lines)) < size:
        lines.append(" ".join(chance.choice(WORDS) for _ in range(9)) + "\r\n")
    return "".join(lines)


def _lines(octets: bytes) -> list[str]:
    encoded = base64.b64encode(octets).decode("ascii")
    return [encoded[start : start + 76] for start in range(0, len(encoded), 76)]


if __name__ == "__main__":
    main()
