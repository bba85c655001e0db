"""`python -m bench.page > docs/measured.md`: the page of what was measured last, part by part."""

import os
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench.bars import BARS, Bar
from bench.full import GROWTH
from bench.measured import ROOT
from bench.parts import PARTS
from bench.profile import NOTED
from bench.results import Line, Results, Runs

RESULTS = ROOT / "var" / "bench.jsonl"

HEAD = """\
# What was measured
Each figure here was printed by the command beside it, and this page by `.venv/bin/python -m bench.page > docs/measured.md`. Programs took turns over the same mail on one machine, each run a whole process that began with nothing; figures are medians. Machines differ, and are noisy: what counts is the ratio of two programs in the same run.

| command | prints |
|---|---|
| `make bench` | custody, the whole way, words, POP3, TLS, far away and triage with 2,000 messages, within 15 minutes |
| `make bench-full` | all the parts below, for less than an hour at a time; called again it goes on where it was |
| `make bench-full PARTS=custody` | octets and ledger durable, nothing else, beside mbsync |
| `make bench-full PARTS=whole` | read, matched, filed, handed out, notified: beside mbsync, getmail6, django-mailbox, django-helpdesk |
| `make bench-full PARTS=words` | how long PostgreSQL then takes to index the words of all these letters |
| `make bench-full PARTS=pop3` | custody over POP3 beside mpop |
| `make bench-full PARTS=tls` | custody over TLS and in the clear |
| `make bench-full PARTS=far` | custody with a round-trip time of 80 ms, beside mbsync, getmail6, django-mailbox |
| `make bench-full PARTS=triage` | *create the customer = no* with 5 % of the mail from customers, beside *yes*; with a server that has not read the headers before, and one that has |
| `make bench-full PARTS=memory` | the collecting process at its peak: 20,000 messages of 62 KB; 20,000 and 100,000 of 2 KB |
| `make bench-full PARTS=large` | the same for 25 letters of 40 MB, both protocols, left on the server and deleted |
| `make bench-full PARTS="growth-sqlite growth-postgresql"` | the rate as the database grows to 500,000 messages of 2 KB; `.venv/bin/python -m bench.growth` prints the plot as SVG |
| `.venv/bin/python -m bench.full --table` | what was measured last, without measuring; `--strict` fails where a bar is missed |
| `.venv/bin/python -m bench.profile` | where the time of a message goes, step by step |
| `.venv/bin/python -m bench.reading` | what it costs to understand one message |

The mail is the same for everybody: `bench/letters.py` writes it from a seed. 62 KB in the mean, plain, HTML, with attachments up to 2 MB, in threads; or 2 KB each. The server is a real Dovecot on the same machine. Databases are durable: SQLite synchronous FULL, PostgreSQL with its fsync. mbsync has its fsync on and no COMPRESS; getmail6 and mpop sync each message; django-mailbox and django-helpdesk use SQLite. Far away is a relay of ours, `bench/relay.py`, that keeps everything back for 40 ms each way and does not limit the rate. The bars are in `bench/bars.py`. They are meant for the full size: of the time for 2,000 messages, the start of a process is a large part.

Results are lines of `var/bench.jsonl`, one for each run, with the commit that was measured; lines of different commits are never compared. The installations that grow, some gigabytes, stay in `var/bench/growth/`, the other programs of Python in `var/bench/others/`.
"""  # noqa: E501  # a paragraph is one line


def page(results: Results, profile: str) -> str:
    """The whole page; parts that were never measured are left out."""
    parts = [HEAD]
    for name in (*(part.name for part in PARTS), *GROWTH):
        label = results.last_label(name)
        if label is not None:
            runs = results.of(name, label)
            parts.append("\n".join(_part(name, label, runs)))
    if profile:
        parts.append(f"## Where the time goes\n```{profile.rstrip()}\n```\n")
    return "\n".join(parts)


def _part(name: str, label: str, runs: Runs) -> Iterator[str]:
    of_bars = [line for bar in BARS if bar.part == name for line in _bar(bar, runs)]
    yield f"## {name}\nOf {label}, measured {_day(runs)}; {_busy(runs)}.\n"
    yield "| program | messages | messages/s | slowest | fastest | runs | CPU s | MB |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|"
    for program, lines in runs.by_program.items():
        yield _program(program, lines)
    if of_bars:
        yield "\n| what | measured | bar | |\n|---|--:|--:|---|"
        yield from of_bars
    yield ""


def _program(program: str, lines: list[Line]) -> str:
    rates = [line.rate for line in lines]
    figures = (
        f"{lines[0].messages:,}",
        *(f"{rate:,.0f}" for rate in (median(rates), min(rates), max(rates))),
        str(len(lines)),
        f"{median(line.processor for line in lines):.1f}",
        f"{median(line.memory for line in lines) / 1e6:,.0f}",
    )
    return f"| {program} | {' | '.join(figures)} |"


def _bar(bar: Bar, runs: Runs) -> Iterator[str]:
    figure = bar.figure(runs)
    if figure is not None:
        verdict = "reached" if bar.is_reached(figure) else "**missed**"
        yield f"| {bar.says} | {figure:.2f} | {bar.limit} | {verdict} |"


def _day(runs: Runs) -> str:
    return max(line.at for lines in runs.by_program.values() for line in lines)[:10]


def _busy(runs: Runs) -> str:
    """Figures of a busy machine are too low, and those of some programs lower than others."""
    return f"load of the machine before a run {runs.load():.1f}, on {os.cpu_count()} processors"


def main() -> None:
    """Print it."""
    profile = NOTED.read_text(encoding="utf-8") if NOTED.exists() else ""
    print(page(Results(Path(RESULTS)), profile), end="")


if __name__ == "__main__":
    main()
