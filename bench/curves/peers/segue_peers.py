"""Segue's own indexes, with the defaults unless the name says otherwise."""

from __future__ import annotations

from typing import Any

import numpy as np

from .peer import PROBES, WIDTHS, CannotRun, Peer

KINDS: dict[str, tuple[str, str | None, list[Any]]] = {
    "flat": ("FlatIndex", None, [None]),
    "hnsw": ("HnswIndex", "ef", WIDTHS),
    "ivf": ("IvfIndex", "nprobe", PROBES),
}


class Segue(Peer):
    modules = ("segue",)

    def __init__(self, kind: str, **parameters: Any) -> None:
        self.class_name, self.argument, self.settings = KINDS[kind]
        self.parameters = parameters

    def prepare(self, rows: np.ndarray, metric: str) -> np.ndarray:
        return rows

    def build(self, base: np.ndarray, metric: str) -> None:
        import segue

        try:
            self.index = getattr(segue, self.class_name)(base.shape[1], metric=metric, **self.parameters)
        except segue.Unsupported as error:
            raise CannotRun(str(error)) from None
        self.index.add(base, threads=1)

    def use(self, setting: Any) -> None:
        self.search = {"threads": 1} if self.argument is None else {"threads": 1, self.argument: setting}

    def batch(self, queries: np.ndarray, k: int) -> np.ndarray:
        return self.index.search(queries, k, **self.search).ids

    def single(self, query: np.ndarray, k: int) -> Any:
        return self.index.search(query, k, **self.search)
