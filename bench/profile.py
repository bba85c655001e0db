"""`python -m bench.profile`: where the time of a message goes, the whole way, on both databases.

Microseconds per message at each step, and the share of all that the product's threads did. Threads
run beside each other, so the steps together may be more than the time that passed. The start of the
process is in `other`.
"""
# ruff: noqa: A005  # nobody imports this one by its bare name

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from bench.measured import ROOT, CannotMeasure, measure
from bench.ours import Way, ours
from bench.parts import DATABASES
from bench.servers import Mail, Servers
from bench.steps import STEPS

NOTED = ROOT / "var" / "bench-profile.txt"  # for the page of what was measured
Figures = Mapping[str, float]  # microseconds per message, by step


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print a table for each database; exit status 2 where that is not possible."""
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description=__doc__)
    parser.add_argument("--messages", type=int, default=4_000, help="in the mailbox (4,000)")
    parser.add_argument("--rounds", type=int, default=3, help="of each database (3)")
    parser.add_argument("--protocol", choices=("imap", "pop3"), default="imap")
    asked = parser.parse_args(arguments)
    tables: list[str] = []
    try:
        with Servers() as servers:
            for name, database in DATABASES:
                way = Way(database=database, protocol=asked.protocol)
                mail = servers.varied(asked.messages)
                runs = [one_profile(servers, mail, way) for _ in range(asked.rounds)]
                tables.append(table(f"{name}, {asked.messages:,} messages", runs))
                print(tables[-1], flush=True)
    except CannotMeasure as error:
        print(error, file=sys.stderr)
        return 2
    NOTED.parent.mkdir(exist_ok=True)
    NOTED.write_text("\n".join(tables), encoding="utf-8")
    return 0


def one_profile(servers: Servers, mail: Mail, way: Way) -> Figures:
    """Of one run, with "passed", the time that it took as a whole."""
    program = ours("profile", servers, mail, mail.where(way.protocol), way)
    place = Path(tempfile.mkdtemp(prefix="buzon-bench-run-"))
    try:
        with program.prepare(place) as task:
            noted = place / "steps.json"
            command = [sys.executable, "-m", "bench.sampled", str(noted)]
            used = measure(command, task.environment, folder=place)
            task.received(used.said)
            seconds = json.loads(noted.read_text())
    finally:
        shutil.rmtree(place)
    figures = {step: seconds.get(step, 0.0) / mail.messages * 1e6 for step in STEPS}
    return figures | {"passed": used.seconds / mail.messages * 1e6}


def table(heading: str, runs: Sequence[Figures]) -> str:
    """The median of each step."""
    figures = {step: median(run[step] for run in runs) for step in (*STEPS, "passed")}
    whole = sum(figures[step] for step in STEPS) or 1.0
    lines = [f"\n{heading:34}{'µs each':>9}{'share':>8}"]
    lines += [f"{step:34}{figures[step]:>9,.0f}{figures[step] / whole:>8.0%}" for step in STEPS]
    lines.append(f"{'all steps':34}{whole:>9,.0f}")
    lines.append(f"{'time that passed':34}{figures['passed']:>9,.0f}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
