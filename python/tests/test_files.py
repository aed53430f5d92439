"""Index files from Python: round trips, what inspect and verify say, and what becomes of files that are none."""

from __future__ import annotations

import copy
import os
import pathlib
import pickle
import subprocess
import sys

import numpy as np
import pytest
from conftest import METRICS, STORAGES, make_index, random_vectors

import segue


def small(kind: str, metric: str = "l2", **params: object) -> segue.Index:
    index = make_index(kind, 16, metric, **params)
    index.add(random_vectors(3, 200, 16), ids=np.arange(200) * 7)
    index.remove([7, 70])
    return index


def same(a: segue.Index, b: segue.Index) -> None:
    assert type(a) is type(b)
    assert (a.dim, a.metric, a.storage) == (b.dim, b.metric, b.storage)
    np.testing.assert_array_equal(a.ids(), b.ids())
    np.testing.assert_array_equal(a.get(a.ids()), b.get(b.ids()))
    q = random_vectors(4, 20, 16)
    for first, second in zip(a.search(q, 10), b.search(q, 10)):
        np.testing.assert_array_equal(first, second)
    b.validate()


@pytest.mark.parametrize("mmap", [True, False])
@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("metric", METRICS)
def test_round_trip(tmp_path: pathlib.Path, kind: str, metric: str, mmap: bool, verify: bool) -> None:
    index = small(kind, metric)
    index.save(tmp_path / "x.segue")
    same(index, segue.load(tmp_path / "x.segue", mmap=mmap, verify=verify))
    segue.verify(tmp_path / "x.segue")


@pytest.mark.parametrize("storage", STORAGES)
def test_round_trip_of_every_storage(tmp_path: pathlib.Path, kind: str, storage: str) -> None:
    index = small(kind, storage=storage)
    index.save(tmp_path / "x.segue")
    same(index, segue.load(tmp_path / "x.segue"))


def test_graph_parameters_return(tmp_path: pathlib.Path) -> None:
    index = small("hnsw", m=6, ef_construction=50, seed=9, storage="sq8", rerank="f16")
    index.save(tmp_path / "x.segue")
    back = segue.load(tmp_path / "x.segue")
    assert (back.m, back.ef_construction, back.seed, back.rerank) == (6, 50, 9, "f16")


def test_an_empty_index_returns(tmp_path: pathlib.Path, kind: str) -> None:
    make_index(kind, 3).save(tmp_path / "x")
    back = segue.load(tmp_path / "x")
    assert len(back) == 0
    back.add(np.ones((2, 3), np.float32))
    assert len(back) == 2


def test_a_loaded_index_changes_apart_from_its_file(tmp_path: pathlib.Path, kind: str) -> None:
    path = tmp_path / "x.segue"
    small(kind).save(path)
    before = path.read_bytes()
    index = segue.load(path)
    index.remove([0, 14])
    index.add(np.ones((3, 16), np.float32))
    index.upsert(np.zeros((1, 16), np.float32), [21])
    index.validate()
    assert path.read_bytes() == before and 0 in segue.load(path)
    index.save(path)
    same(index, segue.load(path))


def test_same_input_same_bytes(tmp_path: pathlib.Path, kind: str) -> None:
    x = random_vectors(3, 700, 16)
    for name, threads in (("a", 1), ("b", 2)):
        index = make_index(kind, 16)
        index.add(x, threads=threads)
        index.save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_paths_of_every_kind(tmp_path: pathlib.Path) -> None:
    index = small("flat")
    name = tmp_path / "naïve 表 \udcff.segue"
    for path in (name, str(name), os.fsencode(name)):
        index.save(path)
        assert len(segue.load(path)) == len(index)
    for wrong in (None, 3, "a\0b"):
        for call in (index.save, segue.load, segue.inspect, segue.verify):
            with pytest.raises(segue.InvalidArgument, match="path"):
                call(wrong)


def test_inspect(tmp_path: pathlib.Path, kind: str) -> None:
    path = tmp_path / "x.segue"
    small(kind, "cosine", storage="f16").save(path)
    info = segue.inspect(path)
    assert (info.kind, info.metric, info.storage, info.dim, info.size) == (kind, "cosine", "f16", 16, 198)
    assert info.format_version >= 1 and info.bytes == path.stat().st_size
    assert info.sections and all(isinstance(s, segue.FileSection) for s in info.sections)
    assert all(s.offset + s.bytes <= info.bytes for s in info.sections)


CALLS = [segue.load, segue.inspect, segue.verify]


@pytest.mark.parametrize("call", CALLS)
def test_what_is_no_index_file(tmp_path: pathlib.Path, call: object) -> None:
    with pytest.raises(segue.FileNotFound, match="gone") as caught:
        call(tmp_path / "gone")
    assert isinstance(caught.value, (FileNotFoundError, segue.NotFound))
    with pytest.raises(segue.IoError, match="directory"):
        call(tmp_path)
    for content, word in (
        (b"", "empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "lfs"),
        (b"PK\x03\x04" + bytes(500), "."),
        (pickle.dumps({"a": 1}), "."),
    ):
        (tmp_path / "x").write_bytes(content)
        with pytest.raises(segue.CorruptFile, match=word) as corrupt:
            call(tmp_path / "x")
        assert isinstance(corrupt.value, OSError)


def test_truncated_files(tmp_path: pathlib.Path, kind: str) -> None:
    index = make_index(kind, 3)
    index.add(np.eye(3, dtype=np.float32))
    index.save(tmp_path / "whole")
    whole = (tmp_path / "whole").read_bytes()
    for length in range(len(whole)):
        (tmp_path / "part").write_bytes(whole[:length])
        with pytest.raises(segue.CorruptFile):
            segue.load(tmp_path / "part", mmap=bool(length % 2))


def test_mutated_files(tmp_path: pathlib.Path, kind: str) -> None:
    index = make_index(kind, 3)
    index.add(random_vectors(1, 20, 3))
    index.save(tmp_path / "whole")
    whole = (tmp_path / "whole").read_bytes()
    rng = np.random.default_rng(17)
    for _ in range(200):
        mutant = bytearray(whole)
        mutant[rng.integers(len(whole))] ^= 1 << rng.integers(8)
        (tmp_path / "part").write_bytes(mutant)
        with pytest.raises(segue.CorruptFile):
            segue.load(tmp_path / "part")
        with pytest.raises(segue.CorruptFile):
            segue.verify(tmp_path / "part")
        try:
            segue.load(tmp_path / "part", verify=False).search(np.ones((2, 3), np.float32))
        except segue.Error:
            pass


def test_a_save_that_cannot_be(tmp_path: pathlib.Path) -> None:
    index = small("flat")
    with pytest.raises((segue.IoError, segue.FileNotFound)):
        index.save(tmp_path / "no" / "such" / "folder")
    with pytest.raises(segue.IoError):
        index.save(tmp_path)
    if os.geteuid() != 0:
        (tmp_path / "locked").mkdir(mode=0o500)
        with pytest.raises(segue.IoError, match="[Pp]ermission"):
            index.save(tmp_path / "locked" / "x")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickle(kind: str, protocol: int) -> None:
    index = small(kind)
    same(index, pickle.loads(pickle.dumps(index, protocol)))


def test_pickle_out_of_band() -> None:
    index = small("flat")
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(index, 5, buffer_callback=buffers.append)
    assert len(head) < 500 and len(buffers) == 1
    same(index, pickle.loads(head, buffers=buffers))


def test_pickle_into_another_process(tmp_path: pathlib.Path, kind: str) -> None:
    index = small(kind)
    (tmp_path / "x.pickle").write_bytes(pickle.dumps(index))
    code = (
        "import pickle, sys, numpy as np; index = pickle.load(open(sys.argv[1], 'rb')); "
        "print(type(index).__name__, index.search(np.ones(16, np.float32), 5).ids.tolist())"
    )
    out = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "x.pickle")], check=True, capture_output=True, text=True
    ).stdout
    wanted = index.search(np.ones(16, np.float32), 5).ids.tolist()
    assert out.strip() == f"{type(index).__name__} {wanted}"


def test_a_pickle_of_damaged_bytes_is_an_error() -> None:
    index = small("flat")
    restore, (data,) = index.__reduce_ex__(4)
    assert isinstance(data, bytes)
    with pytest.raises(segue.CorruptFile):
        restore(data[:-10])
    with pytest.raises(segue.CorruptFile):
        restore(b"")
    same(index, copy.copy(index))
