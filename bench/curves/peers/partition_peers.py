"""Partitions that are scanned: ScaNN, RaBitQ-Library's inverted lists."""

from __future__ import annotations

from typing import Any

import numpy as np

from .peer import PROBES, Peer


class Scann(Peer):
    """A setting is how many leaves are searched and how many of what is found there is scored again."""

    modules = ("scann",)
    settings = [(leaves, kept) for leaves in (2, 4, 8, 16, 32, 64, 128, 256) for kept in (30, 120, 500)]

    def build(self, base: np.ndarray, metric: str) -> None:
        import scann

        builder = scann.scann_ops_pybind.builder(base, 10, "squared_l2" if metric == "l2" else "dot_product")
        builder = builder.set_n_training_threads(1).tree(
            num_leaves=int(2 * len(base) ** 0.5), num_leaves_to_search=10,
            training_sample_size=min(len(base), 250_000), soar_lambda=None if metric == "l2" else 1.5)
        threshold = float("nan") if metric == "l2" else 0.2
        self.index = builder.score_ah(2, anisotropic_quantization_threshold=threshold).reorder(100).build()

    def use(self, setting: Any) -> None:
        self.search = dict(zip(("leaves_to_search", "pre_reorder_num_neighbors"), setting))

    def batch(self, queries: np.ndarray, k: int) -> np.ndarray:
        return self.index.search_batched(queries, k, **self.search)[0].astype(np.int64)

    def single(self, query: np.ndarray, k: int) -> Any:
        return self.index.search(query, k, **self.search)


class RabitqIvf(Peer):
    """Needs FAISS for the centroids, as its own examples do."""

    modules = ("rabitqlib", "faiss")
    settings = PROBES

    def __init__(self, bits: int) -> None:
        self.bits = bits

    def build(self, base: np.ndarray, metric: str) -> None:
        import faiss
        import rabitqlib

        faiss.omp_set_num_threads(1)
        self.lists = max(16, int(4 * len(base) ** 0.5))
        means = faiss.Kmeans(base.shape[1], self.lists, niter=10, seed=1, max_points_per_centroid=256)
        means.train(base)
        nearest = means.index.search(base, 1)[1][:, 0].astype(np.uint32)
        self.index = rabitqlib.IvfIndex(dim=base.shape[1], max_elements=len(base), num_clusters=self.lists,
                                        nbits=self.bits, metric="l2" if metric == "l2" else "ip")
        centroids = np.ascontiguousarray(means.centroids, np.float32)
        self.index.build(base, centroids, nearest, fast_quantization=True)

    def batch(self, queries: np.ndarray, k: int) -> np.ndarray:
        probes = min(self.setting, self.lists)
        return self.index.search(queries, k=k, nprobe=probes, high_accuracy=True, num_threads=1)[0]
