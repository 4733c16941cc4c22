"""Bar charts as SVG, readable in light and dark, for the documents."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, LEFT, RIGHT = 720, 170, 84
ROW, BAR, TOP = 26, 16, 56
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.part0 { fill: #8c959f } .part1 { fill: #0969da }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .part0 { fill: #6e7681 } .part1 { fill: #58a6ff }
}
"""


@dataclass(frozen=True)
class Bar:
    """A row: its name, the lengths of its parts from left to right, and the text behind it."""

    name: str
    parts: Sequence[float]
    text: str

    @property
    def length(self) -> float:
        return sum(self.parts)


def bars(title: str, legend: Sequence[str], rows: Sequence[Bar]) -> str:
    """Return the chart. ``legend`` names the parts of all bars."""
    scale = (WIDTH - LEFT - RIGHT) / max(row.length for row in rows)
    height = TOP + ROW * len(rows) + 8
    drawn = [f'<text x="8" y="20">{escape(title)}</text>', *_legend(legend)]
    for number, row in enumerate(rows):
        drawn += _row(row, TOP + number * ROW, scale)
    box = f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    head = [f'<svg {box} role="img">', f"<title>{escape(title)}</title>", f"<style>{STYLE}</style>"]
    return "\n".join([*head, *drawn, "</svg>\n"])


def _legend(names: Sequence[str]) -> list[str]:
    return [
        f'<rect class="part{number}" x="{LEFT + number * 190}" y="31" width="12" height="12"/>'
        f'<text x="{LEFT + number * 190 + 18}" y="42">{escape(name)}</text>'
        for number, name in enumerate(names)
    ]


def _row(row: Bar, top: float, scale: float) -> list[str]:
    drawn, x = [f'<text x="{LEFT - 8}" y="{top + 13}" text-anchor="end">{escape(row.name)}</text>'], float(LEFT)
    for number, part in enumerate(row.parts):
        drawn.append(f'<rect class="part{number}" x="{x:.1f}" y="{top}" width="{part * scale:.1f}" height="{BAR}"/>')
        x += part * scale
    return [*drawn, f'<text x="{x + 6:.1f}" y="{top + 13}">{escape(row.text)}</text>']
