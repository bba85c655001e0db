"""What the account's own server found about a message's authenticity (RFC 8601, 7489)."""

import re
from typing import Literal

from buzon.wire.reading.values import Reading

Verdict = Literal["pass", "fail"]

# Comments and quoted strings hold what the sender chose: nothing in them is a result.
_QUOTED_OR_PAREN = re.compile(r'"(?:[^"\\]++|\\.)*"|\\.|[()]', re.DOTALL)
_DMARC = re.compile(r"\s*dmarc(?:/\d+)?\s*=\s*([a-z]+)(?![\w-])", re.IGNORECASE)
_SERVER = re.compile(r"\s*([^\s;=]+)(?:\s+\d+)?\s*\Z")


def dmarc_verdict(reading: Reading, authserv_id: str) -> Verdict | None:
    """The DMARC result of the account's own server: "pass", "fail", or None for no verdict.

    Only the topmost Authentication-Results field counts, and only if it bears the server's own
    authserv-id (compared without case): whatever stands below it, or alone without it, may have
    come with the message (RFC 8601 §1.2, §5). An empty `authserv_id` gives None.
    """
    if not authserv_id.strip() or not reading.authentication_results:
        return None
    server, *results = _without_comments(reading.authentication_results[0]).split(";")
    named = _SERVER.match(server)
    if not named or named[1].lower() != authserv_id.strip().lower():
        return None
    found = {match[1].lower() for match in map(_DMARC.match, results) if match}
    if "fail" in found:
        return "fail"
    return "pass" if found == {"pass"} else None


def _without_comments(value: str) -> str:
    """The field with each comment and quoted string made a space; "" if one never closes."""
    out: list[str] = []
    depth = position = 0
    for token in _QUOTED_OR_PAREN.finditer(value):
        if depth == 0:
            out.append(value[position : token.start()])
        if token[0] == "(":
            depth += 1
        elif token[0] == ")":
            depth = max(0, depth - 1)
        position = token.end()
    rest = value[position:]
    if depth or '"' in rest:
        return ""
    return " ".join([*out, rest])
