"""Several `buzon` commands one after the other in one process: a shop needs twenty to begin with,
and starting Python takes most of each one's time. What is measured or killed is a process of its
own.

stdin: [[[word, …], given], …]; stdout: [what each printed, in base64]; ends at the first refusal.
"""

import base64
import io
import json
import sys

from buzon.config.command import main


def run_all() -> int:
    """The exit status of the last one that ran."""
    printed = []
    for words, given in json.loads(sys.stdin.buffer.read()):
        status, octets = _run(words, given)
        if status:
            print(words, "ends with", status, file=sys.stderr)
            return status
        printed.append(base64.b64encode(octets).decode("ascii"))
    print(json.dumps(printed))
    return 0


def _run(words: list[str], given: str) -> tuple[int, bytes]:
    """Its exit status, and what it printed."""
    before = sys.stdin, sys.stdout
    out = io.BytesIO()
    sys.stdin, sys.stdout = _text(io.BytesIO(given.encode())), _text(out)
    try:
        status = main(words)
        sys.stdout.flush()
        return status, out.getvalue()
    finally:
        sys.stdin, sys.stdout = before


def _text(octets: io.BytesIO) -> io.TextIOWrapper:
    return io.TextIOWrapper(octets, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(run_all())
