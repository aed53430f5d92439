"""What every library is reduced to, so that one loop can measure them all. One thread, always."""

from __future__ import annotations

import importlib.util
from abc import ABC, abstractmethod
from typing import Any

import numpy as np

# How wide a graph searches, how many lists are probed: geometric, twice a doubling where curves bend.
WIDTHS = [10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640]
PROBES = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256]


class CannotRun(Exception):
    """This peer does not do what the set asks for; the message says why."""


class Peer(ABC):
    """A library with its parameters: build once, then for each setting `use` it and search."""

    modules: tuple[str, ...] = ()
    settings: list[Any] = [None]  # in order of rising recall

    def missing(self) -> list[str]:
        return [module for module in self.modules if importlib.util.find_spec(module) is None]

    def prepare(self, rows: np.ndarray, metric: str) -> np.ndarray:
        """Not timed. Most have no cosine of their own: it is the inner product of normalised rows."""
        return rows / np.linalg.norm(rows, axis=1, keepdims=True) if metric == "cosine" else rows

    @abstractmethod
    def build(self, base: np.ndarray, metric: str) -> None: ...

    def use(self, setting: Any) -> None:
        self.setting = setting

    @abstractmethod
    def batch(self, queries: np.ndarray, k: int) -> np.ndarray:
        """Ids, (queries, k)."""

    def single(self, query: np.ndarray, k: int) -> Any:
        """One call as a server makes it; the answer is not looked at."""
        return self.batch(query[None], k)
