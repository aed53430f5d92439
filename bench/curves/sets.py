"""Sets to search: a base, queries, and the exact neighbours of each query.

Two are made here, the same on every machine with the same numpy, so that the curves need no file; others come as .npz
with `base` (n, d), `queries` (q, d), `neighbors` (q, 10 or more; best first) and `metric` ("l2", "ip" or "cosine").
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

METRICS = ("l2", "ip", "cosine")
KEPT = 100  # neighbours a query


@dataclass(frozen=True)
class Set:
    name: str
    base: np.ndarray
    queries: np.ndarray
    neighbors: np.ndarray
    metric: str


def load(path: Path) -> Set:
    with np.load(path, allow_pickle=False) as file:
        missing = {"base", "queries", "neighbors", "metric"} - set(file.files)
        if missing:
            lacks = ", ".join(sorted(missing))
            raise ValueError(f"{path}: has no {lacks}; a set needs base, queries, neighbors, metric")
        made = Set(
            path.stem,
            np.ascontiguousarray(file["base"], np.float32),
            np.ascontiguousarray(file["queries"], np.float32),
            np.asarray(file["neighbors"]),
            str(file["metric"]),
        )
    if made.metric not in METRICS:
        raise ValueError(f"{path}: metric is {made.metric!r}, expected one of {', '.join(METRICS)}")
    if made.base.shape[1:] != made.queries.shape[1:] or len(made.neighbors) != len(made.queries):
        raise ValueError(f"{path}: base {made.base.shape}, queries {made.queries.shape} and neighbors "
                         f"{made.neighbors.shape} do not belong together")
    return made


def save(made: Set, path: Path) -> None:
    np.savez(path, base=made.base, queries=made.queries, neighbors=made.neighbors, metric=made.metric)


def exact(base: np.ndarray, queries: np.ndarray, metric: str, k: int) -> np.ndarray:
    """The k best of each query by double precision, among those that single precision puts first."""
    norms = (base.astype(np.float64) ** 2).sum(1)
    spare = min(len(base), 2 * k + 20)
    found = np.empty((len(queries), min(k, len(base))), np.int32)
    for row, query in enumerate(queries):
        rough = base @ query
        cost = norms.astype(np.float32) - 2 * rough if metric == "l2" else -rough
        near = np.argpartition(cost, spare - 1)[:spare]
        scores = base[near].astype(np.float64) @ query.astype(np.float64)
        costs = norms[near] - 2 * scores if metric == "l2" else -scores
        found[row] = near[np.lexsort((near, costs))][:k]
    return found


def draw_clusters(random: np.random.Generator, count: int, dim: int, centres: np.ndarray) -> np.ndarray:
    """Points around centres, of which the first are the largest: the share of number i falls with 1 / (i + 1)."""
    share = 1 / np.arange(1, len(centres) + 1)
    chosen = random.choice(len(centres), count, p=share / share.sum())
    return centres[chosen] + np.float32(0.6) * random.standard_normal((count, dim), np.float32)


def clustered(items: int, queries: int) -> Set:
    """Cosine, 96 dimensions, 500 clusters of unequal sizes that overlap."""
    random = np.random.default_rng(11)
    centres = random.standard_normal((500, 96), np.float32)
    base, asked = (draw_clusters(random, count, 96, centres) for count in (items, queries))
    base, asked = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (base, asked))
    return Set("clustered", base, asked, exact(base, asked, "cosine", KEPT), "cosine")


def factors(items: int, queries: int) -> Set:
    """Inner product, 64 dimensions, norms over six decades as those of real factors: few items are all the answers.

    A third of the norms are tiny, those of items that hardly anybody chose; popular items share a direction.
    """
    random = np.random.default_rng(12)
    centres = random.standard_normal((300, 64), np.float32)
    base, asked = (draw_clusters(random, count, 64, centres) for count in (items, queries))
    base /= np.linalg.norm(base, axis=1, keepdims=True)
    norm = np.exp(random.normal(0, 1.1, items)) * np.where(random.random(items) < 1 / 3, 1e-4, 1)
    common = random.standard_normal(64).astype(np.float32)
    base = (base + np.float32(0.1) * common) * norm[:, None].astype(np.float32)
    asked += np.float32(0.3) * common
    return Set("factors", base, asked, exact(base, asked, "ip", KEPT), "ip")


MADE: dict[str, Callable[[int, int], Set]] = {"clustered": clustered, "factors": factors}
