"""Fixtures. Every random number comes from a seed in the test's own name or arguments; Hypothesis prints its own."""

from __future__ import annotations

import hypothesis
import numpy as np
import pytest

import segue

METRICS = ("ip", "l2", "cosine")
STORAGES = ("f32", "f16", "bf16", "sq8", "sq4")
KINDS = {"flat": segue.FlatIndex, "hnsw": segue.HnswIndex, "ivf": segue.IvfIndex}

hypothesis.settings.register_profile("segue", deadline=None, max_examples=60, print_blob=True)
hypothesis.settings.load_profile("segue")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: takes seconds; deselect with -m 'not slow'")


def make_index(kind: str, dim: int, metric: str = "ip", **params: object) -> segue.Index:
    return KINDS[kind](dim, metric, **params)


def random_vectors(seed: int, rows: int, dim: int) -> np.ndarray:
    print(f"seed {seed}")
    return np.random.default_rng(seed).standard_normal((rows, dim), dtype=np.float32)


def exact(vectors: np.ndarray, queries: np.ndarray, k: int, metric: str) -> tuple[np.ndarray, np.ndarray]:
    """Ids and scores by numpy in double precision, equal scores by id."""
    x, q = vectors.astype(np.float64), np.atleast_2d(queries).astype(np.float64)
    if metric == "cosine":
        x = x / np.linalg.norm(x, axis=1, keepdims=True)
        q = q / np.linalg.norm(q, axis=1, keepdims=True)
    scores = ((q[:, None, :] - x[None]) ** 2).sum(-1) if metric == "l2" else q @ x.T
    order = np.argsort(scores if metric == "l2" else -scores, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(scores, order, axis=1)


@pytest.fixture(params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=METRICS)
def metric(request: pytest.FixtureRequest) -> str:
    return request.param
