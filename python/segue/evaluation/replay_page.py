"""The body of a replay's page: what changed, where in time, for whom."""

from __future__ import annotations

import math
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING

from .page import comparison_body
from .tables import evaluation_html, table_html

if TYPE_CHECKING:
    from .report import Replay, ReplayExample

_TAKEN = 12  # of what was taken, how many at most in an example


def replay_body(of: Replay, name: Callable[[int], str]) -> str:
    first = next(iter(of.evaluations.values()))
    parts = [
        f"<p>At the beginning of each of {len(first.groups)} windows of the log, every generator made lists for those "
        f"who took something within it, from what was known by then: {first.lists:,} lists of each. They are scored by "
        "what was taken.</p>"
    ]
    if not of.comparisons:
        parts.append(f'<div class="wide">{evaluation_html(first)}</div>')
    for other, comparison in of.comparisons.items():
        parts.append(f"<h2>{escape(other)} against {escape(comparison.names[0])}</h2>{comparison_body(comparison)}")
    parts.append(f'<h2>Window by window</h2><div class="wide">{table_html(_by_window(of))}</div>')
    for other in of.comparisons:
        for what, found in zip(("Who gains most", "Who loses most"), of.examples(name=other)):
            if found:
                measure = f"ndcg@{first.k[-1]}"
                parts.append(f"<h2>{what} from {escape(other)}, by {measure}</h2>")
                parts += [_example(one, name) for one in found]
    return "\n".join(parts)


def _by_window(of: Replay) -> list[list[str]]:
    first = next(iter(of.evaluations.values()))
    measures = [f"recall@{first.k[-1]}", f"ndcg@{first.k[-1]}"]
    rows = [["window", "lists", *(f"{measure}, {name}" for measure in measures for name in of.evaluations)]]
    for label, group in first.groups.items():
        cells = [e.groups[label][measure].value for measure in measures for e in of.evaluations.values()]
        rows.append(
            [str(label), f"{group[measures[0]].lists:,}", *("-" if math.isnan(v) else f"{v:.4f}" for v in cells)]
        )
    return rows


def _example(one: ReplayExample, name: Callable[[int], str]) -> str:
    taken = set(one.taken)

    def listed(title: str, ids: list[int], kind: str, marked: bool, rest: int = 0) -> str:
        rows = "".join(
            f"<li{' class=hit' if marked and item in taken else ''}>{escape(name(item))}</li>" for item in ids
        )
        more = f'<div class="quiet">and {rest:,} more</div>' if rest > 0 else ""
        return f"<div><h4>{escape(title)}</h4><{kind}>{rows}</{kind}>{more}</div>"

    parts = [listed("before, newest first", one.history, "ul", False)]
    parts += [listed(title, ids, "ol", True) for title, ids in one.lists.items()]
    parts.append(listed("taken next", one.taken[:_TAKEN], "ul", False, len(one.taken) - _TAKEN))
    return (
        f'<div class="example"><h3>{escape(str(one.user))} <span class="quiet">{one.difference:+.3f}, window '
        f'{escape(one.window)}</span></h3><div class="lists">{"".join(parts)}</div></div>'
    )
