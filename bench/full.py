"""`python -m bench.full [PART…]`: the measurement, part by part; no run of them twice.

Programs take turns, so that whatever else the machine does meets all of them alike, and each run is
a whole process that begins with nothing. Figures are medians; quote the ratios, machines differ.
The same command goes on where it was, for the same state of the project.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.servers.dovecot import DovecotUnavailable

from bench.bars import BARS
from bench.growth import NAMES, grow
from bench.measured import ROOT, CannotMeasure, measure
from bench.others.installed import install
from bench.parts import PARTS, SMALLER, Part, Size
from bench.program import Program
from bench.results import Line, Results, table
from bench.servers import Servers

GROWTH = {f"growth-{name.lower()}": name for name in NAMES}
QUICK = ("custody", "whole", "words", "pop3", "tls", "far", "triage")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what was asked for, and print the table of each part.

    Exit status 2 where that is not possible, 1 with --strict where a bar is missed.
    """
    asked = _asked(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # as by Ctrl-C
    results = Results(Path(asked.results))
    try:
        if not asked.table:
            _measure(asked, results)
    except (CannotMeasure, DovecotUnavailable) as error:
        print(error, file=sys.stderr)
        return 2
    reached = [_show(name, asked, results) for name in asked.parts]
    return 1 if asked.strict and not all(reached) else 0


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.full", description=__doc__)
    known = [*(part.name for part in PARTS), *GROWTH]
    parser.add_argument(
        "parts", metavar="PART", nargs="*", choices=[*known, []], help=f"of {', '.join(known)}"
    )
    parser.add_argument("--quick", action="store_true", help="fewer messages, within 15 minutes")
    parser.add_argument("--rounds", type=int, default=3, help="of each program (3)")
    parser.add_argument("--minutes", type=float, default=55.0, help="stop after so long (55)")
    parser.add_argument("--label", default=_commit(), help="what is measured (the commit)")
    parser.add_argument("--results", default="var/bench.jsonl", help="(var/bench.jsonl)")
    parser.add_argument("--table", action="store_true", help="only print what is known")
    parser.add_argument("--strict", action="store_true", help="fail where a bar is missed")
    asked = parser.parse_args(arguments)
    asked.parts = asked.parts or (QUICK if asked.quick else known)
    if asked.quick:  # begins anew each time
        asked.label += f", {datetime.now(UTC):%Y-%m-%d %H:%M}"
    return asked


def _commit() -> str:
    """The state of the project, with a + where something is not committed."""
    command = ["git", "describe", "--always", "--dirty=+", "--exclude=*"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def _measure(asked: argparse.Namespace, results: Results) -> None:
    parts = [part for part in PARTS if part.name in asked.parts]
    if any(part.needs_others for part in parts):
        install()
    ends = time.monotonic() + asked.minutes * 60
    size = SMALLER if asked.quick else Size()
    with Servers() as servers:
        for part in parts:
            _measure_part(part, servers, size, asked, results, ends)
        for name, database in GROWTH.items():
            if name in asked.parts:
                grow(
                    database,
                    servers,
                    until=size.stored,
                    step=size.step,
                    results=results,
                    label=asked.label,
                    ends=ends,
                )


def _measure_part(
    part: Part,
    servers: Servers,
    size: Size,
    asked: argparse.Namespace,
    results: Results,
    ends: float,
) -> None:
    """Those rounds of each program that are not known yet; stops when the time is over."""
    known = results.of(part.name, asked.label)
    programs = part.programs(servers, size)
    for number in range(asked.rounds):
        first = number % len(programs)  # nobody is always the first one
        for program in (*programs[first:], *programs[:first]):
            if known.has(program.name, number):
                continue
            if time.monotonic() > ends:
                print("The time is over; the same command goes on here.", file=sys.stderr)
                return
            line = one_run(program, part.name, number, asked.label)
            results.add(line)
            _tell(line)


def one_run(program: Program, part: str, number: int, label: str) -> Line:
    """In an empty folder, when all that was written before is on the disk."""
    load = os.getloadavg()[0]
    place = Path(tempfile.mkdtemp(prefix="buzon-bench-run-"))
    try:
        with program.prepare(place) as task:
            os.sync()
            used = measure(task.command, task.environment, folder=place)
            received = task.received(used.said)
    finally:
        shutil.rmtree(place)
    return Line(
        label=label,
        part=part,
        program=program.name,
        round=number,
        messages=program.messages,
        octets=program.octets,
        seconds=round(used.seconds, 3),
        processor=round(used.processor, 3),
        memory=used.memory,
        received=received,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        load=round(load, 1),
    )


def _tell(line: Line) -> None:
    told = f"{line.part} {line.round + 1}: {line.program}"
    print(f"{told:50} {line.rate:>9,.0f} messages/s", file=sys.stderr, flush=True)


def _show(name: str, asked: argparse.Namespace, results: Results) -> bool:
    """The part's table, and whether every bar that was measured is reached."""
    label = results.last_label(name) if asked.table else asked.label
    runs = results.of(name, label or asked.label)
    print(f"\n{name} ({label or 'not measured'})\n{table(runs)}")
    bars = [bar for bar in BARS if bar.part == name]
    for bar in bars:
        print(bar.line(runs))
    figures = [(bar, bar.figure(runs)) for bar in bars]
    return all(figure is not None and bar.is_reached(figure) for bar, figure in figures)


if __name__ == "__main__":
    sys.exit(main())
