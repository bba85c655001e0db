"""The mail of a trial: few letters, every awkward kind of them; the same for the same seed."""

import random
from dataclasses import dataclass

KNOWN = ("ana@customer.example", "luis@customer.example")
STRANGERS = ("zoe@stranger.example", "max@else.example", "ida@elsewhere.example")


@dataclass(frozen=True, slots=True)
class Piece:
    """One message on the server. `merges`: it has a Message-ID, so that equal ones are one."""

    octets: bytes
    sender: str
    merges: bool

    @property
    def is_known(self) -> bool:
        return self.sender in KNOWN


def pieces(seed: int, number: int) -> list[Piece]:
    """So many letters: known and unknown senders, twins, without or with a shared Message-ID."""
    draw = random.Random(f"mail {seed}")
    made: list[Piece] = []
    for index in range(number):
        if made and draw.random() < 0.15:
            made.append(draw.choice(made))  # the very same octets once more
        else:
            made.append(_piece(draw, seed, index))
    return made


def further(seed: int, index: int) -> Piece:
    """One that is delivered while the client is at work."""
    return _piece(random.Random(f"further {seed} {index}"), seed, 1000 + index)


def _piece(draw: random.Random, seed: int, index: int) -> Piece:
    sender = draw.choice(KNOWN + STRANGERS)
    kind = draw.random()
    message_id = f"Message-ID: <{index}.{seed}@mail.example>\r\n"
    if kind < 0.15:
        message_id = ""
    elif kind < 0.30:
        message_id = f"Message-ID: <shared.{seed}@mail.example>\r\n"
    lines = [f"Line {n} of {index}.{seed}." for n in range(draw.choice((1, 3, 20, 400)))]
    if draw.random() < 0.3:
        lines.insert(0, ".")  # POP3 has to stuff it
        lines.append("..two dots")
    odd = draw.choice((b"", b"\xe9\xff latin\r\n", b"\x00nul\r\n", b"x" * 5000 + b"\r\n"))
    head = (
        f"From: {sender}\r\nTo: shop@shop.example\r\nSubject: Letter {index} of {seed}\r\n"
        f"Date: Mon, 02 Nov 2026 10:00:{index % 60:02d} +0100\r\n{message_id}\r\n"
    )
    body = "\r\n".join(lines) + "\r\n"
    return Piece((head + body).encode() + odd, sender, bool(message_id))
