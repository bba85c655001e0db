"""Values with parameters: Content-Type and Content-Disposition (RFC 2045 §5.1, 2183, 2231)."""

import re
from urllib.parse import unquote_to_bytes

from buzon.wire.reading.charsets import decode
from buzon.wire.reading.values import Oddities
from buzon.wire.reading.words import decoded

# name = "quoted" | rest up to the next semicolon. A missing semicolon before, or a missing closing
# quote, is forgiven. Possessive throughout: linear.
_PARAMETER = re.compile(
    r'(?<=[;\s])([^\s=;"<>]++)\s*+=\s*+(?:"((?:[^"\\]++|\\.|\\)*)"?|([^;]*+))', re.DOTALL
)
_CONTINUED = re.compile(r"(.+?)(?:\*(\d{1,3}))?(\*)?", re.DOTALL)
_TOKEN = re.compile(r"[^\s();\",]*+")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_FREE_TEXT = {"filename", "name"}
FILENAME_LIMIT = 1_000  # characters

Segments = list[tuple[int, bool, str]]


def parse_parameters(value: str, odd: Oddities) -> tuple[str, dict[str, str]]:
    """The main value in lower case, and the parameters by lower-case name, decoded."""
    main, semicolon, _ = value.partition(";")
    main = main.strip().lower()
    if "=" not in value:
        return main, {}
    if not semicolon:
        main = main.split(None, 1)[0] if main else ""
    plain: dict[str, str] = {}
    segments: dict[str, Segments] = {}
    for match in _PARAMETER.finditer(value):
        name = match[1].lower()
        text = _written(name, match)
        if "*" in name:
            base, index, extended = _CONTINUED.fullmatch(name).groups()  # type: ignore[union-attr]
            segments.setdefault(base, []).append((int(index or 0), bool(extended), text))
        elif plain.setdefault(name, text) != text:
            odd.note("parameter-repeated", name[:40])
    for base, pieces in segments.items():
        plain[base] = _joined(pieces, odd)
    for name in _FREE_TEXT & plain.keys():
        plain[name] = _backslash_kept(decoded(plain[name], odd))[:FILENAME_LIMIT]
    return main, plain


def _written(name: str, match: re.Match[str]) -> str:
    quoted: str | None = match[2]
    if quoted is not None:
        if "\\" in quoted and name.split("*", 1)[0] not in _FREE_TEXT:
            return _ESCAPED.sub(r"\1", quoted)
        return quoted
    text: str = match[3].strip()
    if name.split("*", 1)[0] in _FREE_TEXT:
        return text
    token = _TOKEN.match(text)
    return token[0] if token else text


def _joined(pieces: Segments, odd: Oddities) -> str:
    """RFC 2231 §3 and §4: numbered segments, the starred ones percent-encoded."""
    pieces = sorted(pieces, key=lambda piece: piece[0])
    if not any(extended for _, extended, _ in pieces):
        return "".join(text for _, _, text in pieces)
    charset, octets = "", b""
    for position, (_, extended, text) in enumerate(pieces):
        if position == 0 and extended and text.count("'") >= 2:
            charset, _, text = text.split("'", 2)
        octets += unquote_to_bytes(text) if extended else text.encode("utf-8", "replace")
    return decode(octets, charset or "utf-8", odd)


def _backslash_kept(name: str) -> str:
    """Only an escaped quote or backslash is unescaped: file names hold Windows paths, unescaped."""
    return name.replace('\\"', '"').replace("\\\\", "\\") if "\\" in name else name
