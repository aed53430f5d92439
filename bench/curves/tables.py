"""The tables as Markdown, and their place in a document: between two markers, so that a command can refresh them."""

from __future__ import annotations

import textwrap
from pathlib import Path

from .points import Measured, SetPoints
from .summary import HEADINGS, best_columns, cells, summarize, title

BEGIN = "<!-- curves: begin; written by `python -m bench.curves tables`, not by hand -->"
END = "<!-- curves: end -->"


def table(of_set: SetPoints) -> str:
    rows = summarize(of_set)
    lines = ["| " + " | ".join(HEADINGS) + " |", "|---|" + "---:|" * (len(HEADINGS) - 1)]
    for row, won in zip(rows, best_columns(rows)):
        shown = [f"**{cell}**" if i in won or (i == 0 and row.own) else cell for i, cell in enumerate(cells(row))]
        lines.append("| " + " | ".join(shown) + " |")
    return "\n".join(lines)


def block(measured: Measured) -> str:
    machine = measured.machine
    versions = ", ".join(f"{package} {version}" for package, version in machine["versions"].items())
    told = (f"{machine['cpu']}, {machine['cores']} cores of which one was used; kernels {machine['isa']}; commit "
            f"{machine['commit']}; {machine['date']}; {versions}. {machine.get('note', '')}")
    parts = [textwrap.fill(told, 120), f"```sh\n{machine['command']}\n```"]
    for name, of_set in measured.sets.items():
        if not of_set.points:
            continue
        parts += [f"### {name}: {title(of_set.about)}", table(of_set)]
        if of_set.left_out:
            reasons = "; ".join(f"{peer} ({why})" for peer, why in sorted(of_set.left_out.items()))
            parts.append(f"Left out: {reasons}.")
    return "\n\n".join(parts)


def write_into(path: Path, measured: Measured) -> None:
    text = path.read_text()
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise ValueError(f"{path}: expected one line {BEGIN} and after it one {END}")
    before, rest = text.split(BEGIN)
    path.write_text(f"{before}{BEGIN}\n\n{block(measured)}\n\n{END}{rest.split(END)[1]}")
