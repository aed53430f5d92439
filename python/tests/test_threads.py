"""Python threads: many search one index, beside writers, and the interpreter lock is free meanwhile."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from conftest import make_index, random_vectors

import segue


def test_threads_search_one_index(kind: str) -> None:
    index = make_index(kind, 24, "l2")
    index.add(random_vectors(1, 1500, 24))
    queries = random_vectors(2, 160, 24)
    wanted = index.search(queries, 10, threads=1)
    start = threading.Barrier(8)

    def work(number: int) -> None:
        start.wait()
        for i in range(number, 160, 4):
            found = index.search(queries[i], 10)
            np.testing.assert_array_equal(found.ids, wanted.ids[i])
            np.testing.assert_array_equal(found.scores, wanted.scores[i])
        batch = index.search(queries, 10, threads=1, filter=segue.IdSet(range(1500)), stats=True)
        np.testing.assert_array_equal(batch.ids, wanted.ids)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))


def test_searches_beside_writers(kind: str) -> None:
    index = make_index(kind, 8, "l2")
    index.add(random_vectors(1, 300, 8))
    done = threading.Event()
    failures: list[BaseException] = []

    def search() -> None:
        q = random_vectors(2, 1, 8)[0]
        try:
            while not done.is_set():
                ids, scores = index.search(q, 5)
                assert (ids >= 0).all() and (np.diff(scores) >= 0).all()
                assert len(index) >= 300 and 0 in index and len(index.ids()) >= 300
                repr(index)
        except BaseException as error:
            failures.append(error)

    readers = [threading.Thread(target=search) for _ in range(3)]
    for reader in readers:
        reader.start()
    for round_ in range(20):
        index.add(random_vectors(round_, 10, 8), ids=range(1000, 1010))
        index.upsert(random_vectors(round_ + 50, 10, 8), ids=range(1000, 1010))
        assert index.remove(range(1000, 1010)) == 10
    done.set()
    for reader in readers:
        reader.join()
    assert not failures
    index.validate()


def progress_of_another_thread(work: object) -> tuple[int, float]:
    """How often a Python thread came to run while `work` ran, and how long that took."""
    counts, done = [0], threading.Event()

    def count() -> None:
        while not done.is_set():
            counts[0] += 1
            time.sleep(0.001)

    counter = threading.Thread(target=count)
    counter.start()
    before, start = counts[0], time.perf_counter()
    work()
    gone, after = time.perf_counter() - start, counts[0]
    done.set()
    counter.join()
    return after - before, gone


@pytest.mark.slow
def test_other_threads_run_during_long_calls() -> None:
    x = random_vectors(1, 4000, 64)
    graph, flat = segue.HnswIndex(64, "l2", ef_construction=100), segue.FlatIndex(64, "l2")
    flat.add(random_vectors(2, 100_000, 64))
    long_calls = {
        "add": lambda: graph.add(x, threads=1),
        "search": lambda: flat.search(x, 10, threads=1),
        "range_search": lambda: flat.range_search(x, 1.0, threads=1),
        "build": lambda: segue.build(x[:2000], kind="hnsw", progress=False, threads=1),
    }
    for name, call in long_calls.items():
        turns, seconds = progress_of_another_thread(call)
        assert seconds > 0.05, f"{name} took {seconds} s, too short to tell"
        # With the lock held, the other thread would get no turn, or one at either end.
        assert turns > 10, f"{turns} turns in {seconds:.2f} s of {name}"


def test_a_held_lock_would_be_seen() -> None:
    """The measure above, turned on a call that keeps the interpreter to itself."""
    mask = b"x" * 30_000_000
    turns, seconds = progress_of_another_thread(lambda: [mask.count(b"xy") for _ in range(4)] and None)
    assert seconds < 0.05 or turns < 10 + seconds * 300
