"""segue.build(out=...): lists made in a file, of files and arrays of all kinds; what fails leaves nothing."""

from __future__ import annotations

import os
import pathlib
import signal
import threading
from typing import Any

import numpy as np
import pytest
from conftest import METRICS, exact, random_vectors

import segue

X = random_vectors(7, 20_000, 32)
ENOUGH = 32_000_000


def build(source: Any, folder: pathlib.Path, **params: Any) -> segue.Index:
    out = folder / "lists.segue"
    index = segue.build(source, out=out, max_memory=ENOUGH, threads=2, progress=False, **params)
    assert sorted(p.name for p in folder.iterdir() if p.name.startswith(("lists", ".segue"))) == ["lists.segue"]
    return index


def saved(x: np.ndarray, folder: pathlib.Path, metric: str, ids: Any = None, **params: Any) -> bytes:
    index = segue.IvfIndex(x.shape[1], metric, **params)
    index.add(x, ids)
    index.save(folder / "memory.segue")
    return (folder / "memory.segue").read_bytes()


@pytest.mark.parametrize("suffix", ["npy", "fbin", "fvecs", "parquet"])
def test_files_in_pieces(tmp_path: pathlib.Path, suffix: str) -> None:
    if suffix == "parquet":
        pytest.importorskip("pyarrow")
    path = tmp_path / f"x.{suffix}"
    segue.io.write_vectors(path, X)
    index = build(path if suffix == "npy" else str(path), tmp_path, metric="l2")
    assert isinstance(index, segue.IvfIndex) and len(index) == 20_000
    assert (tmp_path / "lists.segue").read_bytes() == saved(X, tmp_path, "l2")
    index.validate()
    segue.verify(tmp_path / "lists.segue")


@pytest.mark.parametrize("metric", METRICS)
def test_arrays_of_all_kinds(tmp_path: pathlib.Path, metric: str) -> None:
    np.save(tmp_path / "half.npy", X.astype(np.float16))
    half = X.astype(np.float16).astype(np.float32)
    expected = saved(half, tmp_path, metric, seed=3, storage="pca8")
    for source in (
        half,
        half.astype(np.float64),
        X.astype(np.float16),
        np.asfortranarray(half),
        np.repeat(half, 2, axis=1)[:, ::2],
        np.load(tmp_path / "half.npy", mmap_mode="r"),
        tmp_path / "half.npy",
        memoryview(half),
    ):
        build(source, tmp_path, metric=metric, seed=3, storage="pca8")
        assert (tmp_path / "lists.segue").read_bytes() == expected


def test_ids_answers_and_changes(tmp_path: pathlib.Path) -> None:
    ids = np.random.default_rng(1).permutation(60_000)[:20_000]
    index, plan = segue.build(X, ids, metric="l2", out=tmp_path / "x.segue", nlist=100, progress=False, explain=True)
    assert plan.kind == "ivf" and plan.parameters["nlist"] == 100 and "file" in plan.reasons[0]
    assert (tmp_path / "x.segue").read_bytes() == saved(X, tmp_path, "l2", ids, nlist=100)
    queries = random_vectors(8, 20, 32)
    truth, _ = exact(X, queries, 10, "l2")
    assert segue.recall(index.search(queries, 10, nprobe=100).ids, ids[truth], 10) > 0.99
    index.add(queries)
    assert index.search(queries, 1).ids[:, 0].tolist() == list(range(ids.max() + 1, ids.max() + 21))
    assert len(segue.load(tmp_path / "x.segue")) == 20_000


def test_a_path_is_read_without_out_too(tmp_path: pathlib.Path) -> None:
    np.save(tmp_path / "x.npy", X[:500])
    assert len(segue.build(tmp_path / "x.npy", kind="flat", progress=False)) == 500
    with pytest.raises(segue.FileNotFound):
        segue.build(tmp_path / "y.npy")


def test_parquet_row_groups_and_columns(tmp_path: pathlib.Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "x.parquet"
    lists = arrow.array(list(X[:3000].astype(np.float64)))
    parquet.write_table(arrow.table({"id": range(3000), "v": lists, "w": [[1.0]] * 3000}), path, row_group_size=700)
    build(path, tmp_path, metric="ip", column="v")
    assert (tmp_path / "lists.segue").read_bytes() == saved(X[:3000], tmp_path, "ip")
    with pytest.raises(segue.InvalidArgument, match="2 columns of lists"):
        build(path, tmp_path)
    broken = arrow.array([[1.0, 2.0]] * 2000 + [[1.0]] + [[1.0, 2.0]] * 99)
    parquet.write_table(arrow.table({"v": broken}), path, row_group_size=500)
    (tmp_path / "lists.segue").unlink()
    with pytest.raises(segue.CorruptFile, match="column 'v'"):
        segue.build(path, out=tmp_path / "lists.segue", progress=False)
    assert not list(tmp_path.glob("*lists*")) and not list(tmp_path.glob(".segue*"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "hnsw"}, "inverted lists"),
        ({"m": 8}, "no parameter m"),
        ({"nlist": 30_000}, "nlist is 30000"),
        ({"max_memory": 100_000}, "takes at least"),
        ({"ids": [1, 2]}, "20000 vectors came with 2 ids"),
        ({"column": "v"}, "column"),
        ({"vectors": X.astype(np.int32)}, "int32"),
        ({"vectors": X[0]}, r"\(32,\)"),
        ({"vectors": X[:0]}, "no vectors"),
        ({"vectors": "x.csv"}, "known are npy"),
        ({"out": "no/such/folder"}, "No such file"),
    ],
)
def test_what_is_refused(tmp_path: pathlib.Path, change: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"vectors": X, "out": tmp_path / "x.segue", "progress": False, **change}
    with pytest.raises((segue.InvalidArgument, segue.IoError), match=message):
        segue.build(arguments.pop("vectors"), **arguments)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("convert", [lambda x: x, np.asfortranarray])
def test_a_wrong_row_is_named(tmp_path: pathlib.Path, convert: Any) -> None:
    x = np.zeros((150_000, 2), np.float32) + np.arange(150_000, dtype=np.float32)[:, None]
    x[123_456] = np.nan
    with pytest.raises(segue.InvalidArgument, match="row 123456"):
        segue.build(convert(x), out=tmp_path / "x.segue", progress=False)
    assert not list(tmp_path.iterdir())


def test_progress_goes_up_and_may_stop_it(tmp_path: pathlib.Path) -> None:
    heard: list[tuple[int, int]] = []
    segue.build(X, out=tmp_path / "x.segue", progress=lambda *at: heard.append(at))
    assert heard == sorted(heard) and heard[-1] == (20_000, 20_000)
    before = (tmp_path / "x.segue").read_bytes()
    with pytest.raises(segue.Cancelled):
        segue.build(X[:9000], out=tmp_path / "x.segue", progress=lambda done, total: False)

    def complain(done: int, total: int) -> None:
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        segue.build(X, out=tmp_path / "x.segue", progress=complain)
    assert [p.name for p in tmp_path.iterdir()] == ["x.segue"] and (tmp_path / "x.segue").read_bytes() == before


@pytest.mark.slow
def test_ctrl_c_leaves_nothing(tmp_path: pathlib.Path) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        timer = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT))
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            segue.build(np.tile(X, (20, 1)), out=tmp_path / "x.segue", progress=False)
        timer.join()
    finally:
        signal.signal(signal.SIGINT, before)
    assert not list(tmp_path.iterdir())
