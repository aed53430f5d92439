"""A random history of an index beside a dict, by Hypothesis: what fails is shrunk and printed as calls."""

from __future__ import annotations

import copy
import pathlib
import pickle
import shutil
import tempfile
from typing import Any

import numpy as np
import pytest
from conftest import METRICS, STORAGES, make_index
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import segue
from segue import field

DIM = 5  # at most
IDS = st.integers(0, 30)
SOME = st.lists(IDS, max_size=6, unique=True)
# Whole numbers: many equal vectors and scores, and rounding of f16 and bf16 that changes nothing.
VECTORS = st.integers(0, 2**32 - 1).map(
    lambda seed: np.random.default_rng(seed).integers(-9, 10, (6, DIM)).astype(np.float32)
)
FILTERS = st.sampled_from(["none", "set", "complement", "mask", "minutes"])
MINUTES = st.none() | st.integers(0, 5)
# What a storage may round away, in shares of the largest number of a row.
ROUNDING = {"auto": 1e-6, "f32": 1e-6, "f16": 1e-3, "bf16": 8e-3, "sq8": 1 / 254 * 1.02, "sq4": 1 / 14 * 1.02}


class IndexMachine(RuleBasedStateMachine):
    kind, metric, storage = "flat", "l2", "f32"
    dim, place = DIM, None

    def __init__(self) -> None:
        super().__init__()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="segue-model-", dir=self.place))
        self.index = make_index(self.kind, DIM, self.metric, storage=self.storage)
        self.items: dict[int, np.ndarray] = {}  # as they are stored
        self.rows: dict[int, int | None] = {}

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    @initialize(vectors=VECTORS)
    def start(self, vectors: np.ndarray) -> None:
        self.put(self.index.add, list(range(6)), vectors)

    def put(self, call: Any, ids: list[int], vectors: np.ndarray) -> None:
        given = vectors[: len(ids), : self.dim].copy()
        given[:, 0] += (given == 0).all(axis=1)  # no zero vector, which cosine refuses
        call(given, ids)
        stored = self.index.get(ids)
        wanted = given / np.linalg.norm(given, axis=1, keepdims=True) if self.metric == "cosine" else given
        largest = np.abs(wanted).max(axis=1, keepdims=True) if ids else 1.0
        assert (np.abs(stored - wanted) <= ROUNDING[self.storage] * largest + 1e-6).all()
        self.items.update(zip(ids, stored))

    @rule(ids=SOME, vectors=VECTORS)
    def add(self, ids: list[int], vectors: np.ndarray) -> None:
        if any(i in self.items for i in ids):
            with pytest.raises(segue.AlreadyExists):
                self.index.add(vectors[: len(ids), : self.dim] + 100, ids)
        else:
            self.put(self.index.add, ids, vectors)

    @rule(ids=SOME, vectors=VECTORS)
    def upsert(self, ids: list[int], vectors: np.ndarray) -> None:
        self.put(self.index.upsert, ids, vectors)

    @rule(ids=SOME)
    def remove(self, ids: list[int]) -> None:
        assert self.index.remove(ids) == sum(i in self.items for i in ids)
        for i in ids:
            self.items.pop(i, None)

    @rule(id=IDS)
    def get(self, id: int) -> None:
        assert (id in self.index) == (id in self.items)
        if id in self.items:
            np.testing.assert_array_equal(self.index.get(id), self.items[id])
        else:
            with pytest.raises(segue.NotFound):
                self.index.get(id)

    @rule(mmap=st.booleans(), verify=st.booleans())
    def save_and_load(self, mmap: bool, verify: bool) -> None:
        path = self.folder / "index.segue"
        self.index.save(path)
        segue.verify(path)
        self.index = segue.load(path, mmap=mmap, verify=verify)

    @rule(form=st.sampled_from(["pickle", "copy"]))
    def duplicate(self, form: str) -> None:
        self.index = pickle.loads(pickle.dumps(self.index)) if form == "pickle" else copy.deepcopy(self.index)

    @rule(ids=SOME, minutes=st.lists(MINUTES, min_size=6, max_size=6))
    def tell_catalog(self, ids: list[int], minutes: list[int | None]) -> None:
        values = minutes[: len(ids)]
        if self.index.catalog is None:
            self.index.catalog = segue.Catalog({"minutes": values}, ids=ids, types={"minutes": "integer"})
        else:
            self.index.catalog.upsert({"minutes": values}, ids=ids)
        self.rows.update(zip(ids, values))

    @precondition(lambda self: self.index.catalog is not None)
    @rule(ids=SOME)
    def forget_rows(self, ids: list[int]) -> None:
        assert self.index.catalog.remove(ids) == sum(self.rows.pop(i, self) is not self for i in ids)

    def scores(self, query: np.ndarray, allowed: Any) -> dict[int, float]:
        q = query.astype(np.float64)
        if self.metric == "cosine":
            q /= np.linalg.norm(q)
        items = {i: x.astype(np.float64) for i, x in self.items.items() if allowed(i)}
        return {i: float(((x - q) ** 2).sum() if self.metric == "l2" else x @ q) for i, x in items.items()}

    def check(self, ids: np.ndarray, scores: np.ndarray, wanted: dict[int, float]) -> None:
        """All of `wanted`, best first; these indexes are small enough to lose nothing."""
        assert sorted(ids.tolist()) == sorted(wanted)
        np.testing.assert_allclose(scores, [wanted[i] for i in ids.tolist()], rtol=1e-4, atol=1e-4)
        best_first = scores if self.metric == "l2" else -scores
        assert (np.diff(best_first) >= 0).all()
        assert all(a < b for a, b, same in zip(ids[:-1], ids[1:], np.diff(scores) == 0) if same)

    @rule(vectors=VECTORS, listed=SOME, excluded=SOME, form=FILTERS)
    def search(self, vectors: np.ndarray, listed: list[int], excluded: list[int], form: str) -> None:
        query = vectors[0, : self.dim] + 0.25
        if form == "minutes" and self.index.catalog is None:
            form = "none"
        filter_, passes = {
            "none": (None, lambda i: True),
            "set": (segue.IdSet(listed), lambda i: i in listed),
            "complement": (~segue.IdSet(listed), lambda i: i not in listed),
            "mask": (np.isin(np.arange(31), listed), lambda i: i in listed),
            "minutes": (field("minutes") <= 2, lambda i: self.rows.get(i) is not None and self.rows[i] <= 2),
        }[form]
        wanted = self.scores(query, lambda i: passes(i) and i not in excluded)
        k = len(self.items) + 3
        found = self.index.search(query, k, ef=200, filter=filter_, exclude=excluded)
        assert found.ids.shape == (k,) and (found.ids[len(wanted) :] == -1).all()
        assert np.isinf(found.scores[len(wanted) :]).all()
        self.check(found.ids[: len(wanted)], found.scores[: len(wanted)], wanted)

    @rule(vectors=VECTORS, place=st.integers(0, 30))
    def range_search(self, vectors: np.ndarray, place: int) -> None:
        query = vectors[0, : self.dim] + 0.25
        every = self.scores(query, lambda i: True)
        ranked = sorted(every.values(), reverse=self.metric != "l2")
        if len(ranked) < 2 or place + 1 >= len(ranked) or abs(ranked[place] - ranked[place + 1]) < 0.01:
            return  # between two that rounding cannot swap
        threshold = (ranked[place] + ranked[place + 1]) / 2
        wanted = {i: s for i, s in every.items() if (s <= threshold if self.metric == "l2" else s >= threshold)}
        found = self.index.range_search(query, threshold, ef=200)
        self.check(found.ids, found.scores, wanted)

    @invariant()
    def holds_what_the_dict_holds(self) -> None:
        self.index.validate()
        ids = sorted(self.items)
        assert len(self.index) == len(ids) and self.index.ids().tolist() == ids
        if ids:
            np.testing.assert_array_equal(self.index.get(ids), [self.items[i] for i in ids])
        if self.index.catalog is not None:
            assert self.index.catalog.ids().tolist() == sorted(self.rows)
            assert self.index.catalog.select("minutes is missing").ids().tolist() == sorted(
                i for i, minutes in self.rows.items() if minutes is None
            )


class LiveMachine(IndexMachine):
    """A LiveIndex, its directory closed, left behind, salvaged and opened again, other indexes in place of its own."""

    place = "/dev/shm" if pathlib.Path("/dev/shm").is_dir() else None  # a sync a change

    def __init__(self) -> None:
        super().__init__()
        self.homes, self.background = 0, False
        self.home = self.folder / "live"
        self.index = segue.LiveIndex(self.home, self.index, snapshots=False)

    def teardown(self) -> None:
        self.index.close()
        super().teardown()

    duplicate = None  # what has a directory has no copy

    def open(self, home: pathlib.Path, background: bool = False, **options: Any) -> None:
        self.home, self.background = home, background
        self.index = segue.LiveIndex(home, **options)
        assert self.index.open_report["cut_bytes"] == 0 and self.index.open_report["notes"] == []

    def next_home(self) -> pathlib.Path:
        self.homes += 1
        return self.folder / f"live-{self.homes}"

    @rule(mmap=st.booleans(), verify=st.booleans())
    def save_and_load(self, mmap: bool, verify: bool) -> None:
        path = self.folder / "index.segue"
        self.index.save(path)
        loaded = segue.load(path, mmap=mmap, verify=verify)
        assert loaded.ids().tolist() == sorted(self.items) and loaded.dim == self.dim

    @rule(durability=st.sampled_from(["batch", "interval", "never"]), background=st.booleans())
    def reopen(self, durability: str, background: bool) -> None:
        self.index.close()
        with pytest.raises(segue.Unsupported):
            self.index.remove(range(31))
        self.open(self.home, background, durability=durability, snapshots=background, snapshot_bytes=1024)

    def settle(self) -> None:
        """What the background has begun is done, and nothing in the directory moves until the next change."""
        if self.background:
            self.index.snapshot()

    @rule()
    def read_beside(self) -> None:
        self.settle()
        with segue.LiveIndex(self.home, read_only=True) as reader:
            assert reader.ids().tolist() == sorted(self.items)
        with pytest.raises(segue.AlreadyExists):
            segue.LiveIndex(self.home)

    @rule()
    def leave_behind(self) -> None:
        """As if it had been killed: the files as they lie there, without a last word."""
        self.settle()
        copied = shutil.copytree(self.home, self.next_home(), ignore=shutil.ignore_patterns("LOCK"))
        self.index.close()
        self.open(pathlib.Path(copied))

    @rule()
    def salvage(self) -> None:
        self.index.close()
        to = self.next_home()
        report = segue.LiveIndex.salvage(self.home, to)
        assert report["losses"] == [] and report["items"] == len(self.items)
        self.open(to)

    @rule()
    def snapshot(self) -> None:
        self.index.snapshot()
        stats = self.index.live_stats()
        assert stats["snapshot"] == stats["sequence"] and stats["snapshot_error"] == ""

    @rule(ids=SOME, vectors=VECTORS, dim=st.integers(1, DIM))
    def replace(self, ids: list[int], vectors: np.ndarray, dim: int) -> None:
        """A new model's vectors, of another dimension; the catalog stays."""
        self.dim, self.items = dim, {}
        fresh = make_index(self.kind, dim, self.metric, storage=self.storage)
        fresh.add(np.ones((len(ids), dim), np.float32), ids)
        self.index.replace(fresh)
        assert self.index.dim == dim and self.index.ids().tolist() == sorted(ids)
        self.put(self.index.upsert, ids, vectors)


def machine(kind: str, metric: str, storage: str) -> type[IndexMachine]:
    return type("IndexMachine", (IndexMachine,), {"kind": kind, "metric": metric, "storage": storage})


SETTINGS = settings(max_examples=8, stateful_step_count=20)


@pytest.mark.parametrize("storage", STORAGES)
def test_an_index_is_a_dict_that_is_searched(kind: str, storage: str) -> None:
    run_state_machine_as_test(machine(kind, "l2", storage), settings=SETTINGS)


@pytest.mark.parametrize("metric", [m for m in METRICS if m != "l2"])
def test_similarities(kind: str, metric: str) -> None:
    run_state_machine_as_test(machine(kind, metric, "f32"), settings=SETTINGS)


@pytest.mark.parametrize("storage", STORAGES)
def test_a_live_index_is_too(kind: str, storage: str) -> None:
    made = type("LiveMachine", (LiveMachine,), {"kind": kind, "storage": storage})
    run_state_machine_as_test(made, settings=settings(SETTINGS, max_examples=5))


class Forgetful(IndexMachine):
    """Loses an item where it is loaded."""

    @rule()
    def save_and_load(self) -> None:
        if self.items:
            self.index.remove(min(self.items))


def test_what_is_planted_is_found() -> None:
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Forgetful, settings=settings(SETTINGS, print_blob=False, database=None))
