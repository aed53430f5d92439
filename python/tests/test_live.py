"""LiveIndex: durable, one writer, readers beside it, damage said, and killed at random moments."""

from __future__ import annotations

import pathlib
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
from conftest import KINDS, random_vectors

import segue

DIM = 8


def vectors_of(ids: list[int]) -> np.ndarray:
    return np.stack([np.random.default_rng(id).standard_normal(DIM, dtype=np.float32) for id in ids])


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_acknowledged_is_there(kind: str, tmp_path: pathlib.Path) -> None:
    index = KINDS[kind](DIM, "l2")
    index.add(random_vectors(1, 300, DIM))
    folder = tmp_path / "live"
    assert not segue.LiveIndex.exists(folder)
    with segue.LiveIndex(folder, index) as live:
        assert isinstance(live, segue.Index) and len(live) == 300
        live.add(vectors_of([500, 501]), ids=[500, 501])
        live.upsert(vectors_of([502]), ids=[5])
        assert live.remove([0, 1, 999]) == 2
        assert live.live_stats()["durable"] == live.live_stats()["sequence"] == 3
    assert segue.LiveIndex.exists(folder)
    with segue.LiveIndex(folder) as live:
        assert live.open_report["records"] == 3 and live.open_report["cut_bytes"] == 0
        assert len(live) == 300 and 0 not in live and 500 in live
        np.testing.assert_array_equal(live.get(5), vectors_of([502])[0])
        assert live.search(vectors_of([501]), k=1).ids.tolist() == [[501]]
        live.snapshot()
        live.validate()
    with segue.LiveIndex(folder) as live:
        assert live.open_report["records"] == 0 and live.open_report["snapshot"] == 3
        assert live.stats()["live: changes"] == 3


def test_the_catalog_is_as_durable(tmp_path: pathlib.Path) -> None:
    index = segue.FlatIndex(DIM)
    index.add(vectors_of([0, 1]))
    index.catalog = segue.Catalog({"minutes": [30, 45]}, keys=["a", "b"])
    with segue.LiveIndex(tmp_path / "live", index) as live:
        live.catalog.append({"minutes": [20]}, keys=["c"])
        live.add(vectors_of([2]))
        live.catalog.remove([0])
        found = live.search(vectors_of([2]), k=3, filter=segue.field("minutes") < 40)
        assert found.ids.tolist() == [[2, -1, -1]]
    with segue.LiveIndex(tmp_path / "live") as live:
        assert live.catalog.keys() == ["b", "c"] and live.catalog["c"] == 2
        live.catalog = segue.Catalog({"n": [1]})
        with pytest.raises(segue.InvalidArgument):
            live.catalog.append({"none": [1]})
    with segue.LiveIndex(tmp_path / "live") as live:
        assert live.catalog.columns == {"n": "integer"}


def test_a_new_model(tmp_path: pathlib.Path) -> None:
    index = segue.FlatIndex(DIM)
    index.add(vectors_of([0, 1]))
    index.catalog = segue.Catalog({"minutes": [30, 45]})
    with segue.LiveIndex(tmp_path / "live", index) as live:
        catalog = live.catalog
        live.replace(segue.build(random_vectors(2, 50, 5), metric="cosine"))
        assert live.dim == 5 and live.metric == "cosine" and live.catalog == catalog
        catalog.upsert({"minutes": [1]}, ids=[1])
    with segue.LiveIndex(tmp_path / "live") as live:
        assert len(live) == 50 and live.catalog.take([0, 1], "minutes").tolist() == [30, 1]


def test_one_writer_and_readers(tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "live"
    with segue.LiveIndex(folder, segue.FlatIndex(DIM)) as live:
        with pytest.raises(segue.AlreadyExists, match="is held by process"):
            segue.LiveIndex(folder)
        with pytest.raises(segue.AlreadyExists):
            segue.LiveIndex(folder, segue.FlatIndex(DIM))
        live.add(vectors_of([3]))
        reader = segue.LiveIndex(folder, read_only=True)
        assert len(reader) == 1 and reader.read_only
        with pytest.raises(segue.Unsupported, match="read only"):
            reader.add(vectors_of([4]))
    with pytest.raises(segue.Unsupported, match="closed"):
        live.add(vectors_of([4]))
    assert len(live) == 1


def test_bad_arguments(tmp_path: pathlib.Path) -> None:
    with pytest.raises(segue.FileNotFound):
        segue.LiveIndex(tmp_path / "none")
    with pytest.raises(FileNotFoundError):
        segue.LiveIndex(tmp_path)
    for wrong in ({"durability": "often"}, {"interval_ms": 0}, {"snapshot_bytes": 0}, {"threads": 0}):
        with pytest.raises(segue.InvalidArgument):
            segue.LiveIndex(tmp_path / "live", segue.FlatIndex(DIM), **wrong)
    with pytest.raises(segue.InvalidArgument):
        segue.LiveIndex(tmp_path / "live", "no index")
    assert not (tmp_path / "live").exists()
    with segue.LiveIndex(tmp_path / "live", segue.FlatIndex(DIM)) as live:
        live.add(vectors_of([0]))
        with pytest.raises(segue.AlreadyExists):
            live.add(vectors_of([0]), ids=[0])
        with pytest.raises(segue.InvalidArgument):
            live.add(np.zeros((2, DIM + 1), np.float32))
        assert live.live_stats()["sequence"] == 1


def test_tuning_lasts(tmp_path: pathlib.Path) -> None:
    for kind in ("hnsw", "ivf"):
        index = KINDS[kind](DIM, "l2")
        index.add(random_vectors(3, 2000, DIM))
        with segue.LiveIndex(tmp_path / kind, index) as live:
            tuning = segue.tune(live, random_vectors(4, 100, DIM), recall=0.9)
            assert str(tuning)
        with segue.LiveIndex(tmp_path / kind) as live:
            live.search(random_vectors(5, 3, DIM), recall=0.9)


def test_damage_is_said_and_salvaged(tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "live"
    with segue.LiveIndex(folder, segue.FlatIndex(DIM)) as live:
        for id in range(5):
            live.add(vectors_of([id]))
    (segment,) = folder.glob("journal-*.log")
    whole = segment.read_bytes()
    segment.write_bytes(whole[:200] + bytes([whole[200] ^ 1]) + whole[201:])
    with pytest.raises(segue.CorruptFile, match=rf"{segment}.*byte 160 "):
        segue.LiveIndex(folder)
    report = segue.LiveIndex.salvage(folder, tmp_path / "saved")
    assert report["items"] == 4 and report["records"] == 4 and "change 2" in report["losses"][0]
    with segue.LiveIndex(tmp_path / "saved") as live:
        assert live.ids().tolist() == [0, 2, 3, 4]
    segment.write_bytes(whole[:-50])
    with segue.LiveIndex(folder) as live:
        assert live.open_report["cut_bytes"] > 0 and live.open_report["cut_file"] == str(segment)
        assert live.ids().tolist() == [0, 1, 2, 3]


def test_threads(tmp_path: pathlib.Path) -> None:
    index = segue.HnswIndex(DIM, "l2")
    index.add(vectors_of(list(range(100))))
    live = segue.LiveIndex(tmp_path / "live", index, snapshot_bytes=5000)
    failures: list[BaseException] = []

    def write(first: int) -> None:
        try:
            for id in range(first, first + 40):
                live.upsert(vectors_of([id]), [id])
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(1000 * i,)) for i in range(1, 5)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert live.search(vectors_of([7]), k=1).ids.tolist() == [[7]]
    for thread in threads:
        thread.join()
    assert not failures
    live.close()
    with segue.LiveIndex(tmp_path / "live") as again:
        assert len(again) == 260
        again.validate()


WRITER = """
import sys, numpy as np, segue
with segue.LiveIndex(sys.argv[1], snapshot_bytes=20_000) as live:
    id = int(live.ids()[-1]) + 1 if len(live) else 0
    while True:
        live.add(np.full((1, 8), id, np.float32), [id])
        print(id, flush=True)
        id += 1
"""


def test_killed_at_any_moment(tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "live"
    segue.LiveIndex(folder, segue.FlatIndex(DIM, "l2")).close()
    random = np.random.default_rng(7)
    last = -1
    for _ in range(4):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            for _ in range(int(random.integers(1, 60))):
                last = int(writer.stdout.readline())
            writer.send_signal(signal.SIGKILL)
            for line in writer.stdout:
                last = int(line) if line.endswith("\n") else last
        with segue.LiveIndex(folder, read_only=True) as live:
            ids = live.ids()
            assert last + 1 <= len(ids) <= last + 2 and ids.tolist() == list(range(len(ids)))
            np.testing.assert_array_equal(live.get(ids)[:, 0], ids)
            live.validate()
