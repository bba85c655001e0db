"""`python -m tests.chaos [PART…]`: the trials, part by part; none of them twice.

Each trial is a line of the results file: {"part", "database", "number", "seconds", "mib", "wrong"},
of which `mib` is how much memory it took at its peak, above idle, and `wrong` a list of sentences.
The exit status is 0 only where no invariant was violated.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.chaos import memory
from tests.chaos.database import prepare

INVARIANTS = tuple(f"I{number}" for number in range(1, 9))


def main() -> int:
    """Run what was asked for, and print the table of all results."""
    asked = _asked()
    results = Path(asked.results)
    results.parent.mkdir(parents=True, exist_ok=True)
    if not asked.table:
        _run(asked, results)
    rows = [json.loads(line) for line in results.read_text().splitlines()]
    print(table(rows))
    return 1 if any(row["wrong"] for row in rows) else 0


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("parts", metavar="PART", nargs="*", help="which parts (default: all)")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--subset", action="store_true", help="the few of every `make test`")
    parser.add_argument("--trials", type=int, help="at most so many of each part")
    parser.add_argument(
        "--share", type=_share, default="0/1", help="K/N: of each part every Nth trial from K on"
    )
    parser.add_argument("--minutes", type=float, default=55.0, help="stop after so long (55)")
    parser.add_argument("--results", default="var/chaos.jsonl", help="(var/chaos.jsonl)")
    parser.add_argument("--table", action="store_true", help="only print what is known")
    return parser.parse_args()


def _share(text: str) -> slice:
    first, _, step = text.partition("/")
    return slice(int(first), None, int(step))


def _run(asked: argparse.Namespace, results: Path) -> None:
    place, cluster = prepare(asked.database)
    from tests.chaos.parts import PARTS, Context  # models: after Django is set up
    from tests.chaos.processes import Processes

    known = {part.name for part in PARTS}
    if unknown := set(asked.parts) - known:
        sys.exit(f"There is no part {unknown.pop()}; there are: {', '.join(sorted(known))}.")
    done = _done(results, asked.database)
    ends = time.monotonic() + asked.minutes * 60
    with Processes() as processes, results.open("a", encoding="utf-8") as file:
        context = Context(place, asked.database, processes, cluster)
        for part in PARTS:
            if asked.parts and part.name not in asked.parts:
                continue
            numbers = part.in_subset(asked.database) if asked.subset else part.all(context)
            mine = numbers[: asked.trials][asked.share]
            left = [n for n in mine if (part.name, n) not in done]
            for at, line in enumerate(_trials(part, context, left, ends), start=1):
                file.write(json.dumps(line) + "\n")
                file.flush()
                _show(line, at, len(left))
            print(file=sys.stderr)


def _done(results: Path, database: str) -> set[tuple[str, int]]:
    if not results.exists():
        return set()
    rows = map(json.loads, results.read_text().splitlines())
    return {(row["part"], row["number"]) for row in rows if row["database"] == database}


def _trials(part: Any, context: Any, numbers: list[int], ends: float) -> Iterable[dict[str, Any]]:
    idle = memory.resident()
    for number in numbers:
        if time.monotonic() > ends:
            print("\nThe time is over; the same command goes on here.", file=sys.stderr)
            return
        started = time.monotonic()
        memory.forget_peak()
        wrong = part.trial(context, number)
        above = max(memory.peak() - idle, context.processes.most_above())
        if above > memory.MOST:
            wrong.append(f"I8 {above // memory.MIB} MiB above idle")
        yield {
            "part": part.name,
            "what": part.what,
            "real": part.real,
            "database": context.database,
            "number": number,
            "seconds": round(time.monotonic() - started, 3),
            "mib": above // memory.MIB,
            "wrong": sorted(set(wrong)),
        }


def _show(line: dict[str, Any], at: int, of: int) -> None:
    for one in line["wrong"]:
        print(f"\n{line['part']} {line['number']}: {one}", file=sys.stderr)
    if sys.stderr.isatty() or at % 100 == 0 or at == of:
        print(f"\r{line['part']:12} {at:>6} of {of}", end="", file=sys.stderr, flush=True)


def table(rows: list[dict[str, Any]]) -> str:
    """Fault, trials, how many with real processes, violations of each invariant."""
    lines = [
        f"{'fault':58} {'database':10} {'trials':>7} {'real':>6} {'min':>5}  "
        + " ".join(f"{one:>3}" for one in (*INVARIANTS, "else"))
    ]
    keys = dict.fromkeys((row["what"], row["database"]) for row in rows)
    for what, database in keys:
        mine = [row for row in rows if (row["what"], row["database"]) == (what, database)]
        minutes = sum(row["seconds"] for row in mine) / 60
        counts = [_violations(mine, invariant) for invariant in INVARIANTS]
        other = sum(any(not one.startswith(INVARIANTS) for one in row["wrong"]) for row in mine)
        real = sum(row["real"] for row in mine)
        lines.append(
            f"{what:58} {database:10} {len(mine):>7,} {real:>6,} {minutes:>5.1f}  "
            + " ".join(f"{count:>3}" for count in (*counts, other))
        )
    return "\n".join(lines)


def _violations(rows: list[dict[str, Any]], invariant: str) -> int:
    """Trials in which it was violated."""
    return sum(any(one.startswith(invariant) for one in row["wrong"]) for row in rows)


if __name__ == "__main__":
    sys.exit(main())
