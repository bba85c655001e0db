"""The results: one line of JSON for each run, so that nothing measured is measured again.

    {"label", "part", "program", "round", "messages", "octets", "seconds", "processor", "memory",
     "received", "at", "load"}

`label` says which state of the project was measured, by default its commit; `seconds` and
`processor` seconds are of the whole process, `memory` its most octets, `received` the octets that
came from the server (None where nobody counts them), `load` the machine's load average before the
run: what is more than about one for a program that has just ended is somebody else's. Only lines of
one label are compared.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One run of one program."""

    label: str
    part: str
    program: str
    round: int
    messages: int
    octets: int
    seconds: float
    processor: float
    memory: int
    received: int | None
    at: str
    load: float

    @property
    def rate(self) -> float:
        """Messages per second."""
        return self.messages / self.seconds


class Results:
    """The lines of a file, and those of one part and label."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.lines: list[Line] = []
        if file.exists():
            self.lines = [Line(**json.loads(one)) for one in file.read_text().splitlines()]

    def add(self, line: Line) -> None:
        """Kept at once."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(line)) + "\n")
        self.lines.append(line)

    def of(self, part: str, label: str) -> "Runs":
        """Those of one part."""
        return Runs(line for line in self.lines if (line.part, line.label) == (part, label))

    def last_label(self, part: str) -> str | None:
        """Under which the part was measured last."""
        labels = [line.label for line in self.lines if line.part == part]
        return labels[-1] if labels else None


class Runs:
    """The runs of one part, by program, in the order of their first ones."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self.by_program: dict[str, list[Line]] = {}
        for line in lines:
            self.by_program.setdefault(line.program, []).append(line)

    def has(self, program: str, number: int) -> bool:
        """Whether that round of the program was measured."""
        return any(line.round == number for line in self.by_program.get(program, ()))

    def rate(self, program: str) -> float | None:
        """Messages per second, the median; None where nothing was measured."""
        return self._median([line.rate for line in self._of(program)])

    def seconds(self, program: str) -> float | None:
        """For all the messages, the median."""
        return self._median([line.seconds for line in self._of(program)])

    def rate_at(self, program: str, stored: int) -> float | None:
        """The same, of the three steps of a growing store that ended nearest to so many messages;
        None where it is not so large.
        """
        points = self.growth(program)
        if not points or points[-1][0] < stored:
            return None
        nearest = sorted(points, key=lambda point: abs(point[0] - stored))[:3]
        return median(rate for _, rate in nearest)

    def growth(self, program: str) -> list[tuple[float, float]]:
        """(messages stored at its end, messages per second) of each step."""
        points, stored = [], 0
        for line in sorted(self._of(program), key=lambda line: line.round):
            stored += line.messages
            points.append((float(stored), line.rate))
        return points

    def memory(self, program: str) -> float | None:
        """Octets at most, the median."""
        return self._median([float(line.memory) for line in self._of(program)])

    def load(self) -> float | None:
        """Of the machine before each run, the median."""
        lines = [line for each in self.by_program.values() for line in each]
        return self._median([line.load for line in lines])

    def received_share(self, program: str) -> float | None:
        """Octets that came from the server, as a part of those of all messages there."""
        lines = [line for line in self._of(program) if line.received is not None and line.octets]
        return self._median([(line.received or 0) / line.octets for line in lines])

    def octets_of_one(self, program: str) -> float | None:
        """The mean message."""
        return self._median([line.octets / max(line.messages, 1) for line in self._of(program)])

    def _of(self, program: str) -> Sequence[Line]:
        return self.by_program.get(program, ())

    @staticmethod
    def _median(values: Sequence[float]) -> float | None:
        return median(values) if values else None


def table(runs: Runs) -> str:
    """Every program of a part: medians, with the slowest and the fastest run."""
    heading = f"{'messages/s':34}{'messages':>9}{'median':>9}{'min':>8}{'max':>8}{'runs':>5}"
    lines = [f"{heading}{'CPU s':>8}{'MB':>7}"]
    for name, each in runs.by_program.items():
        rates = [line.rate for line in each]
        figures = "".join(f"{one:>8,.0f}" for one in (min(rates), max(rates)))
        processor = median(line.processor for line in each)
        memory = median(line.memory for line in each) / 1e6
        lines.append(
            f"{name:34}{each[0].messages:>9,}{median(rates):>9,.0f}{figures}{len(each):>5}"
            f"{processor:>8.1f}{memory:>7,.0f}"
        )
    return "\n".join(lines)
