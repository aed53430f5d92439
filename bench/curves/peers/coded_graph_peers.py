"""Graphs that are walked over codes: Glass, SymphonyQG, RaBitQ-Library's, SVS."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from .peer import WIDTHS, CannotRun, Peer


class Glass(Peer):
    """Walks 8- or 4-bit codes, decides with float."""

    modules = ("glass",)
    settings = WIDTHS

    def __init__(self, codes: str) -> None:
        self.codes = codes

    def build(self, base: np.ndarray, metric: str) -> None:
        import glass

        glass.set_num_threads(1)
        name = "L2" if metric == "l2" else "IP"
        # 8-bit codes lose the small norms of an inner-product set while the graph is built.
        graph = glass.Index(index_type="HNSW", metric=name, quant="FP32" if metric == "ip" else "SQ8U", R=32,
                            L=200).build(base)
        self.searcher = glass.Searcher(graph=graph, data=base, metric=name, quantizer=self.codes, refine_quant="FP32")
        self.searcher.set_ef(WIDTHS[6])
        self.searcher.optimize(1)

    def use(self, setting: Any) -> None:
        self.searcher.set_ef(setting)

    def batch(self, queries: np.ndarray, k: int) -> np.ndarray:
        return np.asarray(self.searcher.batch_search(queries, k, 1)[0]).reshape(len(queries), k)

    def single(self, query: np.ndarray, k: int) -> Any:
        return self.searcher.search(query=query, k=k)


class SymphonyQG(Peer):
    """Has single calls only."""

    modules = ("symphonyqg",)
    settings = WIDTHS

    def build(self, base: np.ndarray, metric: str) -> None:
        if metric == "ip":
            raise CannotRun("it has Euclidean distance only")
        import symphonyqg

        self.index = symphonyqg.Index("QG", "L2", num_elements=len(base), dimension=base.shape[1], degree_bound=32)
        self.index.build_index(base, 200, 3, 1)

    def use(self, setting: Any) -> None:
        self.index.set_ef(setting)

    def batch(self, queries: np.ndarray, k: int) -> np.ndarray:
        return np.stack([self.index.search(query, k) for query in queries])

    def single(self, query: np.ndarray, k: int) -> Any:
        return self.index.search(query, k)


class RabitqGraph(Peer):
    modules = ("rabitqlib",)
    settings = WIDTHS

    def build(self, base: np.ndarray, metric: str) -> None:
        import rabitqlib

        self.index = rabitqlib.SymqgIndex(dim=base.shape[1], max_degree=32, metric="l2" if metric == "l2" else "ip")
        self.index.build(base, ef_construction=200, num_threads=1)

    def batch(self, queries: np.ndarray, k: int) -> np.ndarray:
        return self.index.search(queries, k=k, ef=self.setting, num_threads=1)[0]


class Svs(Peer):
    """Vamana over float32, float16, or two-level codes such as "4x8", which run on Intel processors only."""

    modules = ("svs",)
    settings = WIDTHS

    def __init__(self, storage: str) -> None:
        self.storage = storage

    def build(self, base: np.ndarray, metric: str) -> None:
        import svs

        if "x" in self.storage and "GenuineIntel" not in Path("/proc/cpuinfo").read_text():
            raise CannotRun("its codes run on Intel processors only")
        parameters = svs.VamanaBuildParameters(graph_max_degree=32, window_size=128,
                                               alpha=1.2 if metric == "l2" else 0.95)
        distance = svs.DistanceType.L2 if metric == "l2" else svs.DistanceType.MIP
        with tempfile.TemporaryDirectory() as folder:
            self.index = svs.Vamana.build(parameters, self.source(base, folder), distance, num_threads=1)
        self.index.num_threads = 1
        self.config = svs.SearchBufferConfig

    def source(self, base: np.ndarray, folder: str) -> Any:
        import svs

        if "x" not in self.storage:
            return base.astype(np.float16) if self.storage == "f16" else base
        path = str(Path(folder) / "base.fvecs")
        svs.write_vecs(base, path)
        primary, residual = map(int, self.storage.split("x"))
        loader = svs.VectorDataLoader(path, svs.float32, dims=base.shape[1])
        return svs.LVQLoader(loader, primary=primary, residual=residual, padding=32)

    def use(self, setting: Any) -> None:
        parameters = self.index.search_parameters
        parameters.buffer_config = self.config(setting)
        self.index.search_parameters = parameters

    def batch(self, queries: np.ndarray, k: int) -> np.ndarray:
        return self.index.search(queries, k)[0].astype(np.int64)
