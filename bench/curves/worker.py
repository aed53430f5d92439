"""One peer in a process of its own: `python -m bench.curves.worker PEER SET.npz K FD`.

Builds, says so, then answers one round for each line that comes in. Records go to the file descriptor FD, because some
libraries write to stdout as they please.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from . import sets
from .peers import PEERS, CannotRun, Peer

ENOUGH = 0.9985  # wider settings than the first that gets there are not measured
BATCH_SECONDS, BATCH_TIMES = 0.25, 3
SINGLE_SECONDS, SINGLE_TIMES = 0.2, 1000


def resident_megabytes() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def recall(found: np.ndarray, truth: np.ndarray, k: int) -> float:
    """The share of the k best that were found."""
    if found.shape != (len(truth), k):
        raise ValueError(f"answers of shape {found.shape}, expected {(len(truth), k)}")
    hits = sum(len(np.intersect1d(row, best)) for row, best in zip(found, truth[:, :k]))
    return hits / found.size


def time_batches(peer: Peer, queries: np.ndarray, k: int) -> tuple[np.ndarray, float]:
    """The answers, and the seconds of the best batch of at least three, unless they take seconds."""
    found, best, begin, times = np.asarray(peer.batch(queries, k)), float("inf"), time.perf_counter(), 0
    while True:
        at = time.perf_counter()
        peer.batch(queries, k)
        now = time.perf_counter()
        best, times = min(best, now - at), times + 1
        # A slow batch is long enough to be measured once.
        if now - begin > 10 * BATCH_SECONDS or (times >= BATCH_TIMES and now - begin > BATCH_SECONDS):
            return found, best


def time_singles(peer: Peer, queries: np.ndarray, k: int) -> tuple[float, float]:
    """p50 and p99 of single calls, in microseconds."""
    taken: list[float] = []
    begin = time.perf_counter()
    while len(taken) < SINGLE_TIMES and (len(taken) < 100 or time.perf_counter() - begin < SINGLE_SECONDS):
        query = queries[len(taken) % len(queries)]
        at = time.perf_counter()
        peer.single(query, k)
        taken.append((time.perf_counter() - at) * 1e6)
    return float(np.percentile(taken, 50)), float(np.percentile(taken, 99))


def run_round(peer: Peer, queries: np.ndarray, truth: np.ndarray, k: int, enough: float) -> list[dict[str, Any]]:
    points = []
    for setting in peer.settings:
        peer.use(setting)
        found, seconds = time_batches(peer, queries, k)
        p50, p99 = time_singles(peer, queries, k)
        reached = recall(found, truth, k)
        points.append({"kind": "point", "setting": setting, "recall": round(reached, 5),
                       "qps": round(len(queries) / seconds, 1), "p50_us": round(p50, 2), "p99_us": round(p99, 2)})
        if reached >= enough and not isinstance(setting, tuple):
            break
    return points


def main() -> None:
    name, path, k, descriptor = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    with os.fdopen(descriptor, "w") as out:

        def say(record: dict[str, Any]) -> None:
            print(json.dumps(record), file=out, flush=True)

        given, peer = sets.load(path), PEERS[name]()
        base, queries = (np.ascontiguousarray(peer.prepare(x, given.metric)) for x in (given.base, given.queries))
        truth, metric = given.neighbors, given.metric
        del given
        gc.collect()
        before, begin = resident_megabytes(), time.perf_counter()
        try:
            peer.build(base, metric)
        except CannotRun as error:
            say({"kind": "left out", "why": str(error)})
            return
        seconds = time.perf_counter() - begin
        gc.collect()
        say({"kind": "built", "seconds": round(seconds, 2), "megabytes": round(resident_megabytes() - before, 1)})
        for line in sys.stdin:
            for point in run_round(peer, queries, truth, k, ENOUGH):
                say({**point, "round": int(line)})
            say({"kind": "done"})


if __name__ == "__main__":
    main()
