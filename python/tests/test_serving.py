"""Serving: hot swaps from Python, beside searches of other threads."""

from __future__ import annotations

import datetime
import gc
import itertools
import pathlib
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from conftest import random_vectors

import segue

DIM = 8


def saved(folder: pathlib.Path, name: str, first: int, dim: int = DIM, metric: str = "l2") -> str:
    index = segue.FlatIndex(dim, metric)
    index.add(random_vectors(first + 1, 200, dim), ids=range(first, first + 200))
    path = str(folder / name)
    index.save(path)
    return path


def is_mapped(path: str) -> bool:
    return path in pathlib.Path("/proc/self/maps").read_text()


def comes_true(condition: object) -> bool:
    for _ in range(10_000):
        if condition():
            return True
        time.sleep(0.001)
    return False


def test_swap_and_what_it_says(tmp_path: pathlib.Path) -> None:
    a, b = saved(tmp_path, "a", 0), saved(tmp_path, "b", 1000)
    before = datetime.datetime.now(datetime.timezone.utc)
    serving = segue.Serving(a)
    assert (serving.generation, serving.path, serving.metric, serving.held) == (1, a, "l2", 1)
    assert before - datetime.timedelta(seconds=1) <= serving.loaded_at <= datetime.datetime.now(datetime.timezone.utc)
    q = random_vectors(9, 3, DIM)
    assert (serving.search(q, 5).ids < 1000).all()
    assert serving.swap(pathlib.Path(b)) == 2
    found, index = serving.search(q, 5, stats=True, exclude=[1000, 1001]), segue.load(b)
    wanted = index.search(q, 5, stats=True, exclude=[1000, 1001])
    np.testing.assert_array_equal(found.ids, wanted.ids)
    np.testing.assert_array_equal(found.scores, wanted.scores)
    np.testing.assert_array_equal(found.stats.distances, wanted.stats.distances)
    np.testing.assert_array_equal(serving.range_search(q, 9.0).ids, index.range_search(q, 9.0).ids)
    assert not is_mapped(a) and is_mapped(b)
    assert repr(serving) == f"Serving(generation=2, path={b!r})"


def test_filters_are_of_the_snapshot(tmp_path: pathlib.Path) -> None:
    index = segue.FlatIndex(DIM, "l2")
    index.add(random_vectors(1, 200, DIM))
    index.catalog = segue.Catalog({"minutes": np.arange(200) % 9})
    index.save(tmp_path / "with")
    serving = segue.Serving(saved(tmp_path, "without", 0))
    q = random_vectors(9, 1, DIM)
    with pytest.raises(segue.InvalidArgument, match="no catalog"):
        serving.search(q, 5, filter="minutes = 3")
    serving.swap(tmp_path / "with")
    assert (serving.search(q, 5, filter="minutes = 3").ids % 9 == 3).all()


def test_a_failed_swap_leaves_the_old(tmp_path: pathlib.Path) -> None:
    a = saved(tmp_path, "a", 0)
    serving = segue.Serving(a)
    (tmp_path / "cut").write_bytes(pathlib.Path(a).read_bytes()[:500])
    with pytest.raises(segue.FileNotFound, match="goes on serving"):
        serving.swap(tmp_path / "missing")
    with pytest.raises(segue.CorruptFile, match="truncated"):
        serving.swap(tmp_path / "cut")
    with pytest.raises(segue.InvalidArgument, match="metric"):
        serving.swap(saved(tmp_path, "ip", 0, metric="ip"))
    with pytest.raises((TypeError, segue.InvalidArgument)):
        serving.swap(17)
    assert serving.generation == 1 and (serving.search(random_vectors(9, 1, DIM)).ids < 200).all()
    with pytest.raises(segue.FileNotFound):
        segue.Serving(tmp_path / "missing")


def test_a_snapshot_is_held(tmp_path: pathlib.Path) -> None:
    a, wider = saved(tmp_path, "a", 0), saved(tmp_path, "wider", 1000, dim=2 * DIM)
    serving = segue.Serving(a)
    snapshot = serving.current()
    index = snapshot.index
    assert isinstance(index, segue.FlatIndex) and snapshot.prepared is None
    serving.swap(wider)
    assert serving.held == 2 and snapshot.generation == 1 and snapshot.path == a
    del snapshot
    q = random_vectors(9, 1, DIM)
    np.testing.assert_array_equal(index.get(index.search(q, 2).ids[0]), segue.load(a).get(index.search(q, 2).ids[0]))
    with pytest.raises(segue.InvalidArgument, match="16"):
        serving.search(q)
    del index
    gc.collect()
    assert comes_true(lambda: serving.held == 1)
    assert not is_mapped(a)


def test_given_indexes_are_kept() -> None:
    index = segue.FlatIndex(DIM)
    serving = segue.Serving(index)
    assert serving.current().index is index and serving.path is None
    del index
    gc.collect()
    assert len(serving.current().index) == 0
    other = segue.FlatIndex(DIM)
    other.add(random_vectors(1, 3, DIM))
    assert serving.swap(other) == 2 and len(serving.current().index) == 3


def test_prepare(tmp_path: pathlib.Path) -> None:
    a, b = saved(tmp_path, "a", 0), saved(tmp_path, "b", 1000)

    def prepare(index: segue.Index) -> segue.CandidateGenerator:
        assert threading.current_thread() is threading.main_thread()
        if 5000 in index:
            raise ValueError("recall fell")
        if 7000 in index:
            serving.swap(a)
        return segue.CandidateGenerator({"taste": segue.NearestToVectors(index)}, mmr=segue.Mmr(index))

    serving = segue.Serving(a, prepare=prepare)
    request = segue.Request(random_vectors(9, 1, DIM)[0], k=5)
    assert (serving.current().prepared.generate(request).ids < 200).all()
    serving.swap(b)
    assert (serving.current().prepared.generate(request).ids >= 1000).all()
    with pytest.raises(ValueError, match="recall fell"):
        serving.swap(saved(tmp_path, "c", 5000))
    with pytest.raises(segue.InvalidArgument, match="prepare called swap"):
        serving.swap(saved(tmp_path, "d", 7000))
    gc.collect()
    assert serving.generation == 2 and not is_mapped(a)


def test_searches_beside_swaps(tmp_path: pathlib.Path) -> None:
    paths = [saved(tmp_path, str(i), 1000 * i) for i in range(3)]
    q = random_vectors(9, 1, DIM)[0]
    wanted = [segue.load(path).search(q, 10) for path in paths]
    serving = segue.Serving(paths[0], niceness=0, prepare=lambda index: index.search(q, 1))
    done = threading.Event()
    failures: list[BaseException] = []
    seen: set[int] = set()

    def search() -> None:
        try:
            while not done.is_set():
                found = serving.search(q, 10)
                of = int(found.ids[0]) // 1000
                seen.add(of)
                np.testing.assert_array_equal(found.ids, wanted[of].ids)
                np.testing.assert_array_equal(found.scores, wanted[of].scores)
                snapshot = serving.current()
                assert snapshot.index.get(snapshot.index.search(q, 10).ids).shape == (10, DIM)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    # On few cores forty swaps may all pass before a searching thread has its turn: on they go until all were seen.
    until = time.monotonic() + 60
    for i in itertools.count():
        serving.swap(paths[i % 3])
        if failures or time.monotonic() > until or (i >= 40 and len(seen) == len(paths)):
            break
    done.set()
    for thread in threads:
        thread.join()
    assert not failures and seen == {0, 1, 2}
    gc.collect()
    assert comes_true(lambda: serving.held == 1)


def test_the_interpreter_ends_with_one_at_work(tmp_path: pathlib.Path) -> None:
    program = (
        "import segue, sys\n"
        "serving = segue.Serving(sys.argv[1], prepare=lambda index: [index])\n"
        "snapshot = serving.current()\n"
        "serving.swap(sys.argv[1])\n"
        "print(snapshot.prepared[0].search([0.0] * 8, 1).ids[0] >= 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, saved(tmp_path, "a", 0)], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout.strip()) == (0, "True"), done.stderr
