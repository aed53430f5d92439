"""One picture a set: queries a second over recall, as PNG and SVG."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import numpy as np  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter  # noqa: E402

from .palette import look  # noqa: E402
from .points import Record, SetPoints  # noqa: E402
from .summary import Row, summarize, title  # noqa: E402

TEXT, QUIET, GRID = "#1a1a1a", "#555555", "#e2e2e2"
STYLE: dict[str, Any] = {"font.family": "DejaVu Sans", "font.size": 10.5, "text.color": TEXT, "axes.labelcolor": TEXT,
         "axes.edgecolor": "#999999", "xtick.color": TEXT, "ytick.color": TEXT, "svg.fonttype": "path",
         "svg.hashsalt": "segue"}
LOWEST = 0.70  # what answers worse is not worth a place on the axis
TICKS = (0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 1.0)
# As far right of 0.99 as 0.9 is left of it: errors are what is seen, on a logarithmic axis that ends at none.
SMALLEST_ERROR = 0.0025
FROM_LEFT = 0.9  # a curve that begins beyond this is led to from the left edge
LEGEND_LINES = 21


def stretch(recall: np.ndarray) -> np.ndarray:
    return -np.log10(np.maximum(1 - np.asarray(recall, float), 0) + SMALLEST_ERROR)


def unstretch(position: np.ndarray) -> np.ndarray:
    return 1 + SMALLEST_ERROR - 10.0 ** -np.asarray(position, float)


def shown(line: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """From the lowest recall of the axis on; the first point before it stays, so that a line enters from the edge."""
    first = next((i for i, (recall, _) in enumerate(line) if recall >= LOWEST), len(line))
    return line[max(0, first - 1):] if first < len(line) else []


def sample(axes: Axes, xs: list[float], ys: list[float], row: Row, **how: Any) -> None:
    style = look(row.peer)
    axes.plot(xs, ys, color=style.colour, marker=style.marker, linewidth=style.width, markersize=style.size,
              markeredgecolor="white" if row.own else style.colour, markeredgewidth=0.9 if row.own else 0.4,
              zorder=style.above, **how)


def draw_row(axes: Axes, row: Row) -> None:
    style, line = look(row.peer), shown(row.line)
    if not line:
        return
    recalls, speeds = map(list, zip(*line))
    sample(axes, recalls, speeds, row, clip_on=not row.exact)  # markers at recall 1 stand on the edge
    if recalls[0] > FROM_LEFT:  # its speed holds for whoever asks for less
        axes.plot([0, recalls[0]], [speeds[0]] * 2, color=style.colour, linewidth=style.width * 0.55,
                  linestyle=(0, (4, 3)), zorder=style.above - 0.5)


def legend(axes: Axes, rows: list[Row]) -> None:
    """In the order of the speeds at 0.95, which stand beside the names."""
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(LEGEND_LINES - 0.5, -1.5)
    axes.text(1, -1, "queries/s at recall 0.95", color=QUIET, fontsize=9.5, ha="right", va="center")
    for at, row in enumerate(rows):
        speed = row.speeds[0.95]
        how: dict[str, Any] = {"color": look(row.peer).colour if row.own else TEXT, "fontsize": 9.5, "va": "center",
               "fontweight": "bold" if row.own else "normal"}
        sample(axes, [0, 0.07, 0.14], [at] * 3, row, markevery=[1], clip_on=False)
        axes.text(0.2, at, row.peer, **how)
        axes.text(1, at, f"{speed:,.0f}" if speed else f"≤ {row.best_recall:.3f}", ha="right",
                  **(how if speed else {**how, "color": QUIET}))


def draw_axes(axes: Axes, about: Record, rows: list[Row]) -> None:
    axes.set_xscale("function", functions=(stretch, unstretch))
    axes.set_yscale("log")
    low = max(LOWEST, min((recall for row in rows for recall, _ in row.line), default=LOWEST) - 0.02)
    axes.set_xlim(low, 1)
    axes.xaxis.set_major_locator(FixedLocator([tick for tick in TICKS if tick >= low]))
    axes.xaxis.set_minor_locator(FixedLocator([]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    speeds = [speed for row in rows for recall, speed in row.line if recall >= low]
    axes.set_ylim(min(speeds) * 0.75, max(speeds) * 1.35)
    steps = [digit * 10.0 ** power for power in range(0, 8) for digit in (1, 2, 5)]
    bottom, top = axes.get_ylim()
    axes.yaxis.set_major_locator(FixedLocator([step for step in steps if bottom <= step <= top]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(which="both", length=0)
    axes.grid(color=GRID, linewidth=0.8, zorder=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.set_xlabel(f"recall@{about['k']}")
    axes.set_ylabel("queries a second, one core, in batches")


def draw_set(of_set: SetPoints, folder: Path) -> list[Path]:
    """Writes NAME.png and NAME.svg; returns their paths."""
    rows, about = summarize(of_set), of_set.about
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(10.2, 5.9), facecolor="white")
        axes = figure.add_axes((0.095, 0.095, 0.63, 0.77))
        draw_axes(axes, about, rows)
        for row in rows:
            draw_row(axes, row)
        legend(figure.add_axes((0.755, 0.095, 0.225, 0.80)), rows)
        figure.text(0.095, 0.945, about["set"], fontsize=15, fontweight="bold")
        figure.text(0.095, 0.902, f"{title(about)}; up and to the right is better", fontsize=10.5, color=QUIET)
        paths = [folder / f"{about['set']}.{ending}" for ending in ("png", "svg")]
        figure.savefig(paths[0], dpi=160)
        figure.savefig(paths[1], metadata={"Date": None})
    return paths
