"""What a search call of one query costs in Python above the same call in C++.

An index of one item leaves nothing but the call. The C++ loop and the Python loops take turns, and
the best round of each counts, so that a busy machine disturbs all alike.

    python overhead.py BUILD/python/segue_search_overhead
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import timeit

import numpy as np

import segue

LIMIT_US = 5.0


def python_calls(kind: str, dim: int) -> dict[str, timeit.Timer]:
    index = segue.build(np.ones((1, dim), np.float32), kind=kind, progress=False)
    one = np.ones(dim, np.float32)
    names = {
        "index": index,
        "row": one.reshape(1, dim),
        "one": one,
        "wide": one.astype(np.float64),
        "banned": np.arange(5, 105),
        "few": ~segue.IdSet([7]),
    }
    calls = {
        "search(one, 10, ef=64)": "index.search(one, 10, ef=64)",
        "search(row, k=10, ef=64)": "index.search(row, k=10, ef=64)",
        "search(one, 10, ef=64, filter=, exclude=)": "index.search(one, 10, ef=64, filter=few, exclude=banned)",
        "search(one, 10, ef=64, stats=True)": "index.search(one, 10, ef=64, stats=True)",
        "search(float64, 10, ef=64)": "index.search(wide, 10, ef=64)",
    }
    return {label: timeit.Timer(code, globals=names) for label, code in calls.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the C++ half, segue_search_overhead")
    parser.add_argument("--dim", type=int, default=128)
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    worst = 0.0
    for kind in ("flat", "hnsw"):
        timers = python_calls(kind, options.dim)
        best = dict.fromkeys(timers, float("inf"))
        native = float("inf")
        for _ in range(options.rounds):
            command = [options.program, kind, str(options.dim), str(options.calls), "1"]
            native = min(native, float(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
            for label, timer in timers.items():
                best[label] = min(best[label], timer.timeit(options.calls) / options.calls * 1e9)
        print(f"{kind}, dim {options.dim}: C++ {native / 1000:.2f} us a call")
        for label, found in best.items():
            print(f"  {label:45s} {found / 1000:6.2f} us, {(found - native) / 1000:6.2f} us more")
        plain = list(best.values())[:2]
        worst = max(worst, max(plain) - native)
    print(f"plain calls: at most {worst / 1000:.2f} us more than C++ (limit {LIMIT_US:.0f})")
    return 0 if worst / 1000 <= LIMIT_US else 1


if __name__ == "__main__":
    sys.exit(main())
