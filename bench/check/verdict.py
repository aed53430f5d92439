"""From the runs of both builds to a verdict a name, and a table of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# What the same code may cost in another place: `sq8/dot/list/avx2`, not a line of it changed, took 154 ns for 147 (at
# worst 150), twice in a row, after the function before it had grown.
PLACEMENT = 0.03
# How far the recall of a search may fall: a hundredth of a point a query is what another seed changes.
RECALL_SLACK = 0.005


@dataclass(frozen=True)
class Run:
    nanoseconds: float
    recall: float | None = None


@dataclass(frozen=True)
class Verdict:
    name: str
    old_best: float
    old_worst: float
    new_best: float
    old_recall: float | None
    new_recall: float | None

    @property
    def slower(self) -> bool:
        """Even the best new run is slower than the worst old one, by more than moving code about explains."""
        return self.new_best > self.old_worst * (1 + PLACEMENT)

    @property
    def recalls_less(self) -> bool:
        if self.old_recall is None:
            return False
        return self.new_recall is None or self.new_recall < self.old_recall - RECALL_SLACK

    @property
    def failed(self) -> bool:
        return self.slower or self.recalls_less

    @property
    def speedup(self) -> float:
        """The best old time over the best new one: above 1 is faster."""
        return self.old_best / self.new_best


def worst_recall(runs: Sequence[Run]) -> float | None:
    """None where any run came without: a recall that is no longer reported has not been kept."""
    recalls = [run.recall for run in runs]
    return None if None in recalls else min(recalls)  # type: ignore[type-var]


def judge(old: Mapping[str, Sequence[Run]], new: Mapping[str, Sequence[Run]]) -> list[Verdict]:
    return [
        Verdict(
            name,
            old_best=min(run.nanoseconds for run in old[name]),
            old_worst=max(run.nanoseconds for run in old[name]),
            new_best=min(run.nanoseconds for run in runs),
            old_recall=worst_recall(old[name]),
            new_recall=worst_recall(runs),
        )
        for name, runs in new.items()
    ]


def duration(nanoseconds: float) -> str:
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.3g} {unit}"
    return f"{nanoseconds:.3g} ns"


def remark(verdict: Verdict) -> str:
    words = []
    if verdict.slower:
        words.append("SLOWER")
    if verdict.recalls_less:
        words.append("RECALL FELL")
    elif None not in (verdict.old_recall, verdict.new_recall) and verdict.old_recall != verdict.new_recall:
        words.append("recall changed")
    return ", ".join(words)


def table(verdicts: Sequence[Verdict]) -> str:
    """One line a name; the ratio is that of the best runs, old over new, so that above 1 is faster."""
    def recall(verdict: Verdict) -> str:
        if verdict.old_recall is None and verdict.new_recall is None:
            return ""
        return " -> ".join("none" if r is None else f"{r:.4f}" for r in (verdict.old_recall, verdict.new_recall))

    rows = [("", "old best", "old worst", "new best", "ratio", "recall@10", "")]
    rows += [
        (v.name, duration(v.old_best), duration(v.old_worst), duration(v.new_best), f"{v.speedup:.3f}", recall(v),
         remark(v))
        for v in verdicts
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(7)]
    lines = (
        "  ".join([row[0].ljust(widths[0]), *(row[i].rjust(widths[i]) for i in range(1, 6)), row[6]]).rstrip()
        for row in rows
    )
    return "\n".join(lines)
