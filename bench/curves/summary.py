"""One row a peer: what the tables show and what orders the legend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .frontier import Point, frontier, speed_at
from .points import Record, SetPoints

TARGETS = (0.90, 0.95, 0.99)
CALLS_AT = 0.95  # single calls are shown for the quickest setting that has this recall
EXACT = 0.99995  # what rounds to 1.0000


@dataclass(frozen=True)
class Row:
    peer: str
    line: list[Point]
    speeds: dict[float, float | None]
    best_recall: float
    p50_us: float | None
    p99_us: float | None
    seconds: float
    megabytes: float

    @property
    def exact(self) -> bool:
        return len(self.line) == 1 and self.best_recall >= EXACT

    @property
    def own(self) -> bool:
        return self.peer.startswith("segue")


def summarize(of_set: SetPoints) -> list[Row]:
    """The fastest at 0.95 first; who never gets there, by what they reach."""
    rows = []
    for peer, points in of_set.points.items():
        cloud = [(point["recall"], point["qps"]) for point in points]
        good = [point for point in points if point["recall"] >= CALLS_AT]
        quickest = min(good, key=lambda point: point["p50_us"], default=None)
        built = of_set.built[peer]
        rows.append(Row(
            peer,
            frontier(cloud),
            {target: speed_at(cloud, target) for target in TARGETS},
            max(recall for recall, _ in cloud),
            quickest["p50_us"] if quickest else None,
            quickest["p99_us"] if quickest else None,
            built["seconds"],
            built["megabytes"],
        ))
    return sorted(rows, key=lambda row: (-(row.speeds[0.95] or 0), -row.best_recall, row.peer))


def title(about: Record) -> str:
    metric = {"ip": "inner product", "l2": "Euclidean distance", "cosine": "cosine"}[about["metric"]]
    return f"{about['items']:,} × {about['dim']}, {metric}"


HEADINGS = ("peer", *(f"q/s @{target:.2f}" for target in TARGETS), "best recall", "p50 µs", "p99 µs", "build s", "MB")


def cells(row: Row) -> list[str]:
    def number(value: float | None, digits: int = 0) -> str:
        return "-" if value is None else f"{value:,.{digits}f}"

    best = "1" if row.best_recall >= EXACT else f"{min(row.best_recall, 0.9999):.4f}"
    return [row.peer, *(number(row.speeds[target]) for target in TARGETS), best, number(row.p50_us, 1),
            number(row.p99_us, 1), number(row.seconds, 1), number(row.megabytes)]


def best_columns(rows: Sequence[Row]) -> list[set[int]]:
    """For each row the columns (as in cells) in which none is better."""
    keys: list[tuple[int, list[float | None]]] = [
        (column, [row.speeds[target] for row in rows]) for column, target in enumerate(TARGETS, 1)]
    keys += [(5, [negative(row.p50_us) for row in rows]), (6, [negative(row.p99_us) for row in rows])]
    won: list[set[int]] = [set() for _ in rows]
    for column, values in keys:
        known = [value for value in values if value is not None]
        for winners, value in zip(won, values):
            if known and value == max(known):
                winners.add(column)
    return won


def negative(value: float | None) -> float | None:
    return None if value is None else -value
