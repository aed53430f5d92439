"""Plain graphs over float vectors: hnswlib, USearch, Voyager."""

from __future__ import annotations

from typing import Any

import numpy as np

from .peer import WIDTHS, Peer


class Hnswlib(Peer):
    modules = ("hnswlib",)
    settings = WIDTHS

    def __init__(self, m: int) -> None:
        self.m = m

    def build(self, base: np.ndarray, metric: str) -> None:
        import hnswlib

        self.index = hnswlib.Index(space="l2" if metric == "l2" else "ip", dim=base.shape[1])
        self.index.init_index(max_elements=len(base), M=self.m, ef_construction=200)
        self.index.add_items(base, num_threads=1)

    def use(self, setting: Any) -> None:
        self.index.set_ef(setting)

    def batch(self, queries: np.ndarray, k: int) -> np.ndarray:
        return self.index.knn_query(queries, k=k, num_threads=1)[0]


class Usearch(Peer):
    modules = ("usearch",)
    settings = WIDTHS

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype

    def build(self, base: np.ndarray, metric: str) -> None:
        from usearch.index import Index

        self.index = Index(ndim=base.shape[1], metric="l2sq" if metric == "l2" else "ip", dtype=self.dtype,
                           connectivity=16, expansion_add=200)
        self.index.add(np.arange(len(base)), base, threads=1)

    def use(self, setting: Any) -> None:
        self.index.expansion_search = setting

    def batch(self, queries: np.ndarray, k: int) -> np.ndarray:
        return np.asarray(self.index.search(queries, k, threads=1).keys).reshape(len(queries), k).astype(np.int64)

    def single(self, query: np.ndarray, k: int) -> Any:
        return self.index.search(query, k, threads=1)


class Voyager(Peer):
    modules = ("voyager",)
    settings = WIDTHS

    def build(self, base: np.ndarray, metric: str) -> None:
        import voyager

        space = voyager.Space.Euclidean if metric == "l2" else voyager.Space.InnerProduct
        self.index = voyager.Index(space, num_dimensions=base.shape[1], M=16, ef_construction=200)
        self.index.add_items(base, num_threads=1)

    def batch(self, queries: np.ndarray, k: int) -> np.ndarray:
        return self.index.query(queries, k=k, num_threads=1, query_ef=max(k, self.setting))[0]

    def single(self, query: np.ndarray, k: int) -> Any:
        return self.index.query(query, k=k, query_ef=max(k, self.setting))
