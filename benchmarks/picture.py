"""The picture: time to mitigate by scenario, all designs side by side, as SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import Any

COLOURS = {"a": "#9aa5b1", "b": "#5f7285", "c": "#d9a441", "d": "#b5651d", "e": "#0b7a4b"}
ORACLE = "#000000"
LEFT, TOP, WIDTH, ROW, RIGHT = 230, 64, 640, 22, 90
LOWEST_S, HIGHEST_S = 30.0, 1000.0
TICKS_S = (30, 60, 120, 300, 600)


def picture_of(results: Mapping[str, Any]) -> str:
    """A dot for each design's median on a logarithmic axis; what never happened, at the edge."""
    rows = [row for row in results["scenarios"] if row["expect"] != "held"]
    height = TOP + ROW * len(rows) + 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + RIGHT}" '
        f'height="{height}" font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="10" y="20" font-size="14">{escape("Time to mitigate, as clients saw it")} '
        "(simulated seconds from the fault, median)</text>",
        *_legend(results["designs"]),
    ]
    for tick in TICKS_S:
        x = _x(tick)
        parts.append(
            f'<line x1="{x}" x2="{x}" y1="{TOP - 6}" y2="{height - 30}" stroke="#e5e5e5"/>'
            f'<text x="{x}" y="{height - 14}" text-anchor="middle">{tick} s</text>'
        )
    parts.append(
        f'<text x="{LEFT + WIDTH + 40}" y="{height - 14}" text-anchor="middle">never</text>'
    )
    for number, row in enumerate(rows):
        y = TOP + ROW * number + ROW / 2
        parts.append(
            f'<text x="{LEFT - 12}" y="{y + 4}" text-anchor="end">{escape(row["scenario"])}</text>'
            f'<line x1="{LEFT}" x2="{LEFT + WIDTH}" y1="{y}" y2="{y}" stroke="#f0f0f0"/>'
        )
        parts += [_mark(key, row["cells"].get(key), y) for key in results["designs"]]
    return "\n".join([*parts, "</svg>", ""])


def _mark(key: str, cell: Mapping[str, Any] | None, y: float) -> str:
    if cell is None:
        return ""
    median_s = cell["median_s"]
    never = median_s is None
    x = LEFT + WIDTH + 20 + 8 * "abcdef".index(key) if never else _x(median_s)
    if key == "f":
        line = f'<line x1="{x}" x2="{x}" y1="{y - 8}" y2="{y + 8}" stroke="{ORACLE}"'
        return f'{line} stroke-width="2"/>'
    size = 6 if key == "e" else 4
    return f'<circle cx="{x}" cy="{y}" r="{size}" fill="{COLOURS[key]}" fill-opacity="0.9"/>'


def _legend(names: Mapping[str, str]) -> list[str]:
    parts, x = [], 10.0
    for key, name in names.items():
        colour = COLOURS.get(key, ORACLE)
        parts.append(f'<rect x="{x}" y="32" width="10" height="10" fill="{colour}"/>')
        parts.append(f'<text x="{x + 14}" y="41">{escape(f"({key}) {name}")}</text>')
        x += 30 + 6.6 * len(f"({key}) {name}")
    return parts


def _x(seconds: float) -> float:
    share = math.log(max(seconds, LOWEST_S) / LOWEST_S) / math.log(HIGHEST_S / LOWEST_S)
    return round(LEFT + WIDTH * min(share, 1.0), 1)
