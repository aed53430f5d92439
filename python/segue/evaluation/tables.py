"""Evaluations and comparisons as text for a terminal and as HTML for a notebook or a page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .comparison import Comparison
    from .differences import Difference
    from .evaluation import Evaluation, Measure

ORDER = (
    *("recall", "precision", "hit-rate", "ndcg", "mrr", "map"),
    *("coverage", "gini", "novelty", "diversity", "popularity", "popularity-lift"),
)
# Which way is better, where there is one.
_WAY = {**dict.fromkeys(ORDER[:7], 1), "gini": -1}

STYLE = """
.segue { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; }
.segue th, .segue td { padding: 4px 12px; text-align: right; white-space: nowrap; border-bottom: 1px solid #8883; }
.segue th { font-weight: 600; border-bottom: 2px solid #8886; }
.segue th:first-child, .segue td:first-child { text-align: left; padding-left: 4px; }
.segue .quiet { opacity: 0.8; font-size: 12.5px; }
.segue .better { color: #0057d9; font-weight: 600; } .segue .worse { color: #c2410c; font-weight: 600; }
.segue tr.first td { border-top: 2px solid #8884; }
"""

Rows = list[list[str]]


def verdict(name: str, of: Difference) -> str:
    """What the interval says: nothing where it holds 0."""
    if math.isnan(of.low) or of.low <= 0 <= of.high:
        return ""
    way = _WAY.get(name.partition("@")[0])
    if way is None:
        return "higher" if of.difference > 0 else "lower"
    return "better" if of.difference * way > 0 else "worse"


def evaluation_text(of: Evaluation) -> str:
    parts = [f"{summary(of)}\n{_columns(_evaluation_rows(of.measures, of.k))}"]
    return "\n\n".join([*parts, *([_columns(_group_rows(of))] if of.groups else [])])


def evaluation_html(of: Evaluation) -> str:
    head, *rows = _evaluation_rows(of.measures, of.k)
    whole = _html(head, rows, f"{summary(of)}; intervals of {of.confidence * 100:g} %")
    return whole + (table_html(_group_rows(of)) if of.groups else "")


def _group_rows(of: Evaluation) -> Rows:
    """Of each group what it finds at the largest k; `groups` has the other measures."""
    names = [f"{name}@{of.k[-1]}" for name in ("recall", "hit-rate", "ndcg")]
    rows = [["group", "lists", *names]]
    for label, measures in of.groups.items():
        cells = [measures[name] for name in names]
        rows.append([str(label), f"{cells[0].lists:,}", *map(_measured, cells)])
    return rows


def _measured(of: Measure) -> str:
    return f"{_number(of.value)} {_interval(of.low, of.high)}".rstrip()


def comparison_rows(measures: Mapping[str, Difference], names: tuple[str, str], confidence: float) -> Rows:
    ordered = sorted(measures, key=lambda n: (ORDER.index(n.partition("@")[0]), int(n.partition("@")[2])))
    return [_headings("", names, confidence), *([name, *_cells(name, measures[name])] for name in ordered)]


def group_rows(of: Comparison) -> Rows:
    """Of each group the difference of one measure; `groups` has the others."""
    name = f"ndcg@{of.a.k[-1]}"
    rows = [[str(label), *_cells(name, measures[name])] for label, measures in of.groups.items()]
    return [_headings(name, of.names, of.a.confidence), *rows]


def _headings(first: str, names: tuple[str, str], confidence: float) -> list[str]:
    return [first, *names, "difference", "", f"{confidence * 100:g} % interval", "wins", "losses", "ties", ""]


def _cells(name: str, of: Difference) -> list[str]:
    relative = of.a > 0 and not math.isnan(of.difference) and not name.startswith("popularity-lift")
    share = f"{of.difference / of.a * 100:+.1f} %" if relative else ""
    counts = [f"{n:,}" for n in (of.wins, of.losses, of.ties)] if of.lists else ["", "", ""]
    figures = [_number(of.a), _number(of.b), _number(of.difference, "+"), share, _interval(of.low, of.high, "+")]
    return [*figures, *counts, verdict(name, of)]


def comparison_text(of: Comparison) -> str:
    title = f"{of.names[1]} against {of.names[0]}: {summary(of.a)}"
    whole = f"{title}\n{_columns(comparison_rows(of.measures, of.names, of.a.confidence))}"
    return f"{whole}\n\n{_columns(group_rows(of))}" if of.groups else whole


def comparison_html(of: Comparison) -> str:
    head, *rows = comparison_rows(of.measures, of.names, of.a.confidence)
    whole = _html(head, rows, f"{of.names[1]} against {of.names[0]}: {summary(of.a)}")
    return whole + (table_html(group_rows(of)) if of.groups else "")


def summary(of: Evaluation) -> str:
    parts = [f"{of.users:,} users" if of.users == of.lists else f"{of.lists:,} lists of {of.users:,} users"]
    if of.without_relevant:
        parts.append(f"{of.without_relevant:,} without anything relevant")
    if of.without_list:
        parts.append(f"{of.without_list:,} without a list" if of.users == of.lists else f"{of.without_list:,} empty")
    return ", ".join(parts)


def _evaluation_rows(measures: Mapping[str, Measure], depths: Sequence[int]) -> Rows:
    rows = [["", *(f"@{k}" for k in depths)]]
    for name in ORDER:
        if f"{name}@{depths[0]}" in measures:
            cells = [measures[f"{name}@{k}"] for k in depths]
            rows.append([name, *map(_measured, cells)])
    return rows


def _number(value: float, sign: str = "") -> str:
    return "-" if math.isnan(value) else f"{value:{sign}.4f}"


def _interval(low: float, high: float, sign: str = "") -> str:
    return "" if math.isnan(low) else f"[{low:{sign}.4f}, {high:{sign}.4f}]"


def _columns(rows: Rows) -> str:
    """The first column to the left, a last one of words too, figures between them to the right."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        for i, (cell, width) in enumerate(zip(row[1:], widths[1:]), 1):
            words = i == len(row) - 1 and rows[0][-1] == ""
            figure = cell.split(" [")[0]
            if "[" in cell and figure:  # a figure before its interval: under the figures that have none
                cell = figure.rjust(width - len(cell) + len(figure)) + cell[len(figure) :]
            cells.append(cell.ljust(width) if words else cell.rjust(width))
        lines.append("   ".join(cells).rstrip())
    return "\n".join(lines)


def _html(head: list[str], rows: Rows, caption: str = "") -> str:
    def cells(kind: str, row: list[str]) -> str:
        parts = []
        for cell in row:
            figure, bracket, rest = cell.partition("[")
            text = escape(figure) + (f'<span class="quiet">{escape(bracket + rest)}</span>' if bracket else "")
            mark = f' class="{cell}"' if cell in ("better", "worse") else ""
            parts.append(f"<{kind}{mark}>{text}</{kind}>")
        return f"<tr>{''.join(parts)}</tr>"

    title = f'<caption style="text-align: left; padding: 4px">{escape(caption)}</caption>' if caption else ""
    body = "".join(cells("td", row) for row in rows)
    return f'<style>{STYLE}</style><table class="segue">{title}{cells("th", head)}{body}</table>'


def table_html(rows: Rows) -> str:
    """Rows of texts, the first of them headings."""
    return _html(rows[0], rows[1:])
