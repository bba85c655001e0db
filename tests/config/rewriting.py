"""A backup with another header, and a seal that fits: as another version would have written it."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import zstandard

SEAL = 8 + 64 + 1


def rewritten(file: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Rows of tables that `change` takes out of the header go too."""
    written = file.read_bytes()[:-SEAL]
    line, _, frame = written.partition(b"\n")
    header = json.loads(line)
    before = header["tables"]
    rows = zstandard.ZstdDecompressor().decompressobj().decompress(frame)
    change(header)
    left = {table["name"] for table in header["tables"]}
    kept = b"".join(octets for name, octets in _split(rows, before) if name in left)
    content = json.dumps(header, separators=(",", ":")).encode() + b"\n"
    content += zstandard.ZstdCompressor().compress(kept)
    seal = f"SHA-256 {hashlib.sha256(content).hexdigest()}\n".encode()
    file.write_bytes(content + seal)


def _split(rows: bytes, tables: list[dict[str, Any]]) -> list[tuple[str, bytes]]:
    """Each table's rows, with the octets behind them."""
    found = []
    at = 0
    for table in tables:
        begin = at
        for _ in range(table["rows"]):
            end = rows.index(b"\n", at) + 1
            row = json.loads(rows[at:end])
            kinds = [column["kind"] for column in table["columns"]]
            at = end + sum(n or 0 for n, kind in zip(row, kinds, strict=True) if kind == "octets")
        found.append((table["name"], rows[begin:at]))
    assert at == len(rows)
    return found
