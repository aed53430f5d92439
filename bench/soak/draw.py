"""Latencies, memory, rates and recall over the time of a soak, one above the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.ticker import FuncFormatter  # noqa: E402

from .read import Run  # noqa: E402

TEXT, QUIET, GRID = "#1a1a1a", "#555555", "#e2e2e2"
LIVE, SERVING, UPDATES = "#0057d9", "#d9480f", "#7b2cbf"
STYLE: dict[str, Any] = {"font.family": "DejaVu Sans", "font.size": 10, "text.color": TEXT, "axes.labelcolor": TEXT,
         "axes.edgecolor": "#999999", "xtick.color": TEXT, "ytick.color": TEXT, "svg.fonttype": "path",
         "svg.hashsalt": "segue"}


def latencies(axes: Axes, run: Run) -> None:
    at = run.column("t")
    for prefix, colour, name in (("", LIVE, "live index"), ("serving_", SERVING, "Serving")):
        for figure, width, dash in (("p50", 1.2, "--"), ("p99", 2.2, "-")):
            axes.plot(at, [us / 1e3 for us in run.column(prefix + figure)], dash, color=colour, linewidth=width,
                      label=f"{name}, {figure}")
    axes.plot(at, [us / 1e3 for us in run.column("max")], ".", color=LIVE, alpha=0.4, markersize=4,
              label="live index, longest")
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_ylabel("ms, from when it was due")


def memory(axes: Axes, run: Run) -> None:
    at = run.column("t")
    least, most = (([b / 1e6 for b in run.column(name)]) for name in ("resident", "resident_most"))
    axes.fill_between(at, least, most, color=LIVE, alpha=0.18, linewidth=0, label="resident, least to most")
    axes.plot(at, least, color=LIVE, linewidth=2.2, label="resident, least")
    axes.plot(at, [b / 1e6 for b in run.column("anonymous")], color=SERVING, linewidth=1.4, label="of it in no file")
    axes.plot(at, [b / 1e6 for b in run.column("index")], "--", color=QUIET, linewidth=1.2, label="memory_usage()")
    axes.set_ylim(0, max(most) * 1.15)
    axes.set_ylabel("MB")


def rates(axes: Axes, run: Run) -> None:
    at = run.column("t")
    lengths = [b - a for a, b in zip([0.0, *at[:-1]], at)]
    for name, colour, label in (("searches", LIVE, "searches, live index"), ("serving_searches", SERVING, "searches, Serving"),
                                ("updates", UPDATES, "updates")):
        axes.plot(at, [count / length for count, length in zip(run.column(name), lengths)], color=colour, linewidth=1.8,
                  label=label)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("a second")


def recalls(axes: Axes, run: Run) -> None:
    axes.plot(*run.known("recall"), color=LIVE, linewidth=1.4, label="live index")
    axes.plot(*run.known("serving_recall"), "o", color=SERVING, markersize=4, label="Serving, after a swap")
    low = min([*run.known("recall")[1], *run.known("serving_recall")[1], 0.95])
    axes.set_ylim(low - 0.02, 1.002)
    axes.set_ylabel(f"recall@{run.about['k']}, ef {run.about['ef']}")


def title(run: Run) -> str:
    about = run.about
    return (f"{about['items']:,} × {about['dim']}, {about['searches']:g} searches/s and {about['serving_searches']:g} in a "
            f"Serving, {about['updates']:g} updates/s, a snapshot and a swap each {about['snapshot_every']:g} s, "
            f"{about['cores']} cores; {run.errors} errors")


def draw(run: Run, out: Path) -> None:
    """Writes the picture, of the kind that its name ends in."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(10.2, 9.6), facecolor="white")
        rows = figure.subplots(4, 1, sharex=True, gridspec_kw={"height_ratios": [3, 2, 1.4, 1.6], "hspace": 0.12})
        for axes, panel in zip(rows, (latencies, memory, rates, recalls)):
            for at in run.swaps():
                axes.axvline(at, color=GRID, linewidth=1, zorder=0)
            axes.axvspan(0, run.about["warm_up"], color="#f5f5f5", zorder=-1)
            panel(axes, run)
            axes.grid(axis="y", color=GRID, linewidth=0.8, zorder=0)
            axes.tick_params(which="both", length=0)
            axes.legend(loc="center left", bbox_to_anchor=(1.005, 0.5), frameon=False, fontsize=9)
            for side in ("top", "right", "left"):
                axes.spines[side].set_visible(False)
        rows[-1].set_xlim(0, run.column("t")[-1])
        rows[-1].set_xlabel("seconds; grey: warm-up; lines: swaps")
        figure.text(0.075, 0.965, "Soak", fontsize=15, fontweight="bold")
        figure.text(0.075, 0.942, title(run), fontsize=9, color=QUIET)
        figure.subplots_adjust(left=0.075, right=0.79, top=0.93, bottom=0.055)
        figure.savefig(out, dpi=160, metadata={"Date": None} if out.suffix == ".svg" else None)
