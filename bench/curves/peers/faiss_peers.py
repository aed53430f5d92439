"""FAISS, by the strings of its index factory."""

from __future__ import annotations

from typing import Any

import numpy as np

from .peer import PROBES, WIDTHS, Peer


class Faiss(Peer):
    """{lists} in the string stands for four times the root of the number of items."""

    modules = ("faiss",)

    def __init__(self, factory: str) -> None:
        self.factory = factory
        self.settings = WIDTHS if "HNSW" in factory else PROBES if "IVF" in factory else [None]

    def build(self, base: np.ndarray, metric: str) -> None:
        import faiss

        faiss.omp_set_num_threads(1)
        kind = faiss.METRIC_L2 if metric == "l2" else faiss.METRIC_INNER_PRODUCT
        factory = self.factory.format(lists=int(4 * len(base) ** 0.5))
        self.index = faiss.index_factory(base.shape[1], factory, kind)
        if "HNSW" in self.factory:
            self.index.hnsw.efConstruction = 200
        self.index.train(base)
        self.index.add(base)

    def use(self, setting: Any) -> None:
        if "HNSW" in self.factory:
            self.index.hnsw.efSearch = setting
        elif "IVF" in self.factory:
            self.index.nprobe = setting

    def batch(self, queries: np.ndarray, k: int) -> np.ndarray:
        return self.index.search(queries, k)[1]
