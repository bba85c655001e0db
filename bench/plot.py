"""A plot as SVG: lines over a number of messages. Drawn by hand, so that nothing is installed."""

from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 760, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 40, 64, 50
COLOURS = ("#1f5fa8", "#b3541e", "#3c7a3c")

Points = Sequence[tuple[float, float]]


def plot(title: str, lines: Mapping[str, Points], *, across: str, up: str) -> str:
    """The document. Both axes begin at 0; ValueError where there is nothing to draw."""
    points = [point for line in lines.values() for point in line]
    if not points:
        raise ValueError("there is nothing to draw")
    most_x = _round_up(max(x for x, _ in points))
    most_y = _round_up(max(y for _, y in points))
    parts = [_axes(most_x, most_y, across=across, up=up)]
    for place, (name, line) in enumerate(lines.items()):
        colour = COLOURS[place % len(COLOURS)]
        path = " ".join(f"{_x(x, most_x):.1f},{_y(y, most_y):.1f}" for x, y in line)
        parts.append(f'<polyline points="{path}" stroke="{colour}"/>')
        height = TOP + 16 + 18 * place
        parts.append(_text(WIDTH - RIGHT, height, name, anchor="end", colour=colour))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'role="img" font-family="sans-serif" font-size="13">\n'
        f"<title>{escape(title)}</title>\n"
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n'
        f"{_text(LEFT, 24, title)}\n"
        f'<g fill="none" stroke-width="2">{"".join(parts)}</g>\n</svg>\n'
    )


def _axes(most_x: float, most_y: float, *, across: str, up: str) -> str:
    parts = []
    for part in range(6):
        x, y = most_x * part / 5, most_y * part / 5
        height = _y(y, most_y)
        parts.append(
            f'<path d="M{LEFT} {height:.1f}H{WIDTH - RIGHT}" stroke="#ddd" stroke-width="1"/>'
        )
        parts.append(_text(LEFT - 8, height + 4, f"{y:,.0f}", anchor="end"))
        parts.append(_text(_x(x, most_x), HEIGHT - BOTTOM + 18, f"{x:,.0f}", anchor="middle"))
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(_text(middle, HEIGHT - 10, across, anchor="middle"))
    parts.append(_text(LEFT, TOP - 12, up))
    return "".join(parts)


def _text(x: float, y: float, said: str, *, anchor: str = "start", colour: str = "#333") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" stroke="none" '
        f'text-anchor="{anchor}">{escape(said)}</text>'
    )


def _x(value: float, most: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * value / most


def _y(value: float, most: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / most


def _round_up(value: float) -> float:
    """To 1, 2, 2.5 or 5 times a power of ten."""
    power = 10.0 ** (len(str(int(value))) - 1)
    return next(power * one for one in (1, 2, 2.5, 5, 10) if value <= power * one)
