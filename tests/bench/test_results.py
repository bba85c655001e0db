"""What is kept of the runs, and what becomes of them: medians, bars, a plot."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from bench.bars import (
    BARS,
    OURS,
    Bar,
    above_idle,
    kept,
    megabytes,
    memory_times,
    received,
    seconds,
    times,
)
from bench.full import GROWTH
from bench.page import HEAD, page
from bench.parts import PARTS
from bench.plot import HEIGHT, WIDTH, plot
from bench.results import Line, Results, Runs, table


def line(program: str, number: int = 0, **fields: Any) -> Line:
    values: dict[str, Any] = {
        "label": "abc", "part": "custody", "messages": 100, "octets": 6_000, "seconds": 1.0,
        "processor": 0.5, "memory": 50_000_000, "received": 6_000, "at": "2026-11-02T10:00:00Z",
        "load": 1.5,
    }  # fmt: skip
    return Line(program=program, round=number, **values | fields)


def runs(*lines: Line) -> Runs:
    return Runs(lines)


def test_lines_outlive_the_process_and_labels_are_not_mixed(tmp_path: Path) -> None:
    results = Results(tmp_path / "var" / "bench.jsonl")
    results.add(line("buzon"))
    results.add(line("buzon", label="later", seconds=2.0))
    again = Results(tmp_path / "var" / "bench.jsonl")
    assert again.lines == results.lines
    assert again.of("custody", "abc").rate("buzon") == 100
    assert again.of("custody", "later").rate("buzon") == 50
    assert again.last_label("custody") == "later"
    assert again.last_label("pop3") is None


def test_a_round_that_is_known_is_not_run_again() -> None:
    known = runs(line("buzon"), line("buzon", 1))
    assert [known.has("buzon", number) for number in range(3)] == [True, True, False]
    assert not known.has("mbsync", 0)


def test_a_ratio_is_that_of_the_medians() -> None:
    measured = runs(
        *(line("buzon", n, seconds=s) for n, s in enumerate((1.0, 9.0, 2.0))),
        *(line("mbsync", n, seconds=s) for n, s in enumerate((4.0, 3.0, 5.0))),
    )
    assert times("buzon", "mbsync")(measured) == pytest.approx(2.0)
    assert times("buzon", "getmail6")(measured) is None


def test_the_other_figures() -> None:
    measured = runs(
        line("none", messages=0, octets=0, memory=60_000_000),
        line("large", messages=2, octets=80_000_000, memory=180_000_000, received=8_000_000),
    )
    assert seconds("large")(measured) == 1
    assert megabytes("large")(measured) == 180
    assert memory_times("large", "none")(measured) == 3
    assert above_idle("large", "none")(measured) == 3
    assert received("large")(measured) == pytest.approx(0.1)


def test_growth_compares_medians_of_three_steps() -> None:
    took = {0: 5.0, 1: 1.0, 2: 1.0, 47: 2.0, 48: 2.0, 49: 9.0}
    measured = runs(
        *(line("SQLite", n, messages=10_000, seconds=took.get(n, 3.0)) for n in range(50))
    )
    assert kept("SQLite")(measured) == pytest.approx(0.5)
    some = runs(*(line("SQLite", n, messages=10_000) for n in range(49)))
    assert kept("SQLite")(some) is None


def test_a_bar_is_reached_at_exactly_its_figure() -> None:
    least = Bar(part="p", says="rate", figure=times("a", "b"), least=2.0)
    most = Bar(part="p", says="memory", figure=megabytes("a"), most=50)
    measured = runs(line("a"), line("b", seconds=2.0))
    assert "reached" in least.line(measured)
    assert "reached" in most.line(measured)
    assert "MISSED" in least.line(runs(line("a"), line("b", seconds=1.99)))
    assert "MISSED" in most.line(runs(line("a", memory=50_000_001)))
    assert "not measured" in least.line(runs(line("a")))


def test_every_bar_is_of_a_part_that_is_measured() -> None:
    assert {bar.part for bar in BARS} == {part.name for part in PARTS} | set(GROWTH)


def test_the_table_names_every_program() -> None:
    told = table(runs(line("buzon"), line("buzon", 1, seconds=4.0), line("mbsync")))
    _, first, second = told.splitlines()
    assert first.split() == ["buzon", "100", "62", "25", "100", "2", "0.5", "50"]
    assert second.startswith("mbsync")


def test_the_page_has_what_was_measured_last(tmp_path: Path) -> None:
    results = Results(tmp_path / "bench.jsonl")
    for program, seconds_of in ((OURS, 1.0), ("mbsync", 2.5)):
        results.add(line(program, label="before", seconds=9.0))
        results.add(line(program, seconds=seconds_of))
    told = page(results, "\nSQLite   µs each\n")
    assert "Of abc, measured 2026-11-02; load of the machine before a run 1.5, on " in told
    assert f"| {OURS} | 100 | 100 | 100 | 100 | 1 | 0.5 | 50 |" in told
    assert f"| {OURS}: times as fast as mbsync | 2.50 | at least 2 | reached |" in told
    assert "## whole" not in told
    assert "```\nSQLite   µs each\n```" in told


def test_the_page_of_the_docs_is_printed_by_its_command() -> None:
    """Its words, that is: the figures are those of one machine."""
    written = (Path(__file__).parents[2] / "docs/measured.md").read_text(encoding="utf-8")
    assert written.startswith(HEAD)


def test_a_plot_is_well_formed_and_stays_within() -> None:
    drawn = plot("<a & b>", {"SQLite": [(0, 1), (500_000, 1_830)]}, across="stored", up="rate")
    root = ElementTree.fromstring(drawn)
    (path,) = root.iter("{http://www.w3.org/2000/svg}polyline")
    for point in path.attrib["points"].split():
        x, y = map(float, point.split(","))
        assert 0 <= x <= WIDTH
        assert 0 <= y <= HEIGHT
    with pytest.raises(ValueError, match="nothing"):
        plot("a", {}, across="stored", up="rate")
