"""A small grey photograph as baseline JPEG (ITU-T T.81), each 8 by 8 block of one brightness.

Only the first coefficient of a block is written, so two short tables of codes are enough.
"""

import struct
from random import Random

# T.81, table K.3: how many codes there are of each length, for differences of 0 to 11 bits.
_LENGTHS = bytes((0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0))
_SIZES = bytes(range(12))
_CODES = ("00", "010", "011", "100", "101", "110", "1110", "11110", "111110", "1111110",
          "11111110", "111111110")  # fmt: skip
_END_OF_BLOCK = "0"  # the only code of our second table
_STEP = 8  # of the quantization: every entry of the table


def photograph(random: Random, *, width: int, height: int) -> bytes:
    """Hills under a sky, or nearly; `width` and `height` in pixels, multiples of 8."""
    bits = _bits(_brightness(random, width // 8, height // 8))
    bits += "1" * (-len(bits) % 8)
    # T.81, B.1.1.5: an FF in the data is followed by a 00.
    data = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\x00")
    frame = struct.pack(">BHHBBBB", 8, height, width, 1, 1, 0x11, 0)
    return b"".join(
        (
            b"\xff\xd8",
            _segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
            _segment(0xDB, b"\0" + bytes([_STEP]) * 64),
            _segment(0xC0, frame),
            _segment(0xC4, b"\x00" + _LENGTHS + _SIZES),
            _segment(0xC4, b"\x10" + bytes((1, *[0] * 15)) + b"\0"),
            _segment(0xDA, b"\x01\x01\x00\x00\x3f\x00"),
            data,
            b"\xff\xd9",
        )
    )


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def _brightness(random: Random, columns: int, rows: int) -> list[int]:
    """From -100 to 100, row by row."""
    hill = rows // 2
    horizon = []
    for _ in range(columns):
        hill = min(rows - 2, max(2, hill + random.choice((-1, 0, 0, 1))))
        horizon.append(hill)
    return [
        random.randrange(60, 70) - row if row < horizon[column] else -random.randrange(20, 70)
        for row in range(rows)
        for column in range(columns)
    ]


def _bits(brightness: list[int]) -> str:
    """T.81, F.1.2.1: each first coefficient as its difference from the one before."""
    out, before = [], 0
    for level in brightness:
        difference, before = level - before, level
        size = abs(difference).bit_length()
        low = difference if difference > 0 else difference + (1 << size) - 1
        out.append(_CODES[size] + (f"{low:0{size}b}" if size else "") + _END_OF_BLOCK)
    return "".join(out)
