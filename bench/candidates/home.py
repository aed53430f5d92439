#!/usr/bin/env python3
"""A Home request with Segue, and the same by hand with FAISS and numpy, on one core:  home.py [--items 200000]

Four sources (two query vectors, five seeds, a list of what is popular, a function), a filter that half of the items
pass, 500 exclusions, two an artist, maximal marginal relevance over 200, k = 100. By hand means as it is usually done:
search for more than is wanted, drop what may not be there, blend in numpy, pick in loops that hand their arithmetic to
numpy. Both merge, scale and pick by the same rules, so their lists are compared too.
"""

from __future__ import annotations

import argparse
import os
import time

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np

import segue

K, POOL, LAMBDA, CAP = 100, 200, 0.7, 2
WEIGHTS = {"taste": 1.0, "session": 0.5, "popular": 0.3, "editors": 0.3}


def clustered(n: int, queries: int, dim: int = 128) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Clusters of Zipf-like sizes in 48 latent dimensions, mapped to `dim` with a little noise, rows of length 1.

    Items, queries, and the cluster of each of both.
    """
    rng = np.random.default_rng(20240117)
    clusters, latent = 2000, 48
    centres = rng.standard_normal((clusters, latent), dtype=np.float32)
    spread = rng.standard_normal((latent, dim), dtype=np.float32) / np.float32(np.sqrt(latent))
    weight = 1.0 / np.arange(1, clusters + 1) ** 0.8
    which = rng.choice(clusters, size=n + queries, p=weight / weight.sum())
    rows = np.empty((n + queries, dim), np.float32)
    for start in range(0, len(rows), 50_000):
        part = which[start : start + 50_000]
        x = centres[part] + np.float32(0.5) * rng.standard_normal((len(part), latent), dtype=np.float32)
        x = x @ spread + np.float32(0.05) * rng.standard_normal((len(part), dim), dtype=np.float32)
        rows[start : start + 50_000] = x / np.linalg.norm(x, axis=1, keepdims=True)
    return rows[:n], rows[n:], which


class Service:
    """The catalogue and what is asked of it."""

    def __init__(self, n: int, requests: int) -> None:
        self.x, self.queries, cluster = clustered(n, requests + 1)
        rng = np.random.default_rng(5)
        self.artist = rng.integers(0, n // 10, n)
        self.minutes = rng.integers(0, 60, n)
        self.allowed = self.minutes < 30
        self.popular = rng.permutation(n)[:2000]
        self.played = rng.integers(0, n, (requests, 500))
        # A session is about something: its tracks are of the cluster that the person's first vector is of.
        order = np.argsort(cluster[:n], kind="stable")
        first, last = (np.searchsorted(cluster[order], cluster[n : n + requests], side) for side in ("left", "right"))
        self.seeds = order[rng.integers(np.minimum(first, n - 1), np.maximum(last, first + 1), (5, requests)).clip(0, n - 1).T]

    def editors(self, i: int) -> np.ndarray:
        return self.popular[int(self.seeds[i, 0]) % 1000 :]


class WithSegue:
    def __init__(self, service: Service) -> None:
        self.service = service
        index = segue.HnswIndex(service.x.shape[1], "cosine")
        index.add(service.x)
        self.now = 0

        # It cannot see what is left out: it proposes all, and what is not allowed is dropped.
        def editors(request: segue.Request, n: int) -> np.ndarray:
            return service.editors(self.now)

        self.generator = segue.CandidateGenerator(
            [
                segue.Source("taste", segue.NearestToVectors(index), WEIGHTS["taste"]),
                segue.Source("session", segue.NearestToSeeds(index), WEIGHTS["session"]),
                segue.Source("popular", segue.RankedList(service.popular), WEIGHTS["popular"]),
                segue.Source("editors", segue.CallableSource(editors), WEIGHTS["editors"]),
            ],
            catalog=segue.Catalog({"artist": service.artist, "minutes": service.minutes}),
            caps=[segue.GroupCap("artist", CAP)],
            mmr=segue.Mmr(index, LAMBDA, POOL),
        )

    def home(self, i: int) -> np.ndarray:
        s = self.service
        self.now = i
        request = segue.Request(s.queries[i : i + 2], k=K, seeds=s.seeds[i], filter="minutes < 30", exclude=s.played[i])
        return self.generator.generate(request).ids


class ByHand:
    """FAISS searches, numpy does the rest."""

    def __init__(self, service: Service, kind: str) -> None:
        import faiss

        faiss.omp_set_num_threads(1)
        self.service = service
        spec = "HNSW16" if kind == "hnsw" else f"IVF{int(4 * len(service.x) ** 0.5)},Flat"
        self.index = faiss.index_factory(service.x.shape[1], spec, faiss.METRIC_INNER_PRODUCT)
        if kind == "hnsw":
            self.index.hnsw.efConstruction = 200
        self.index.train(service.x)
        self.index.add(service.x)
        self.bits = np.packbits(service.allowed, bitorder="little")
        allowed = faiss.IDSelectorBitmap(len(service.x), faiss.swig_ptr(self.bits))
        if kind == "hnsw":
            self.parameters = faiss.SearchParametersHNSW(sel=allowed, efSearch=2 * K)
        else:
            self.parameters = faiss.SearchParametersIVF(sel=allowed, nprobe=16)

    def search(self, q: np.ndarray, out: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The K best that may be there: the filter is FAISS's, exclusions are dropped from twice as many."""
        scores, ids = self.index.search(np.atleast_2d(q), 2 * K, params=self.parameters)
        fits = (ids >= 0) & ~np.isin(ids, out)
        ids, scores = ids[fits], scores[fits]
        best = np.lexsort((ids, -scores))
        ids, scores = ids[best], scores[best]
        _, first = np.unique(ids, return_index=True)
        first.sort()
        return ids[first][:K], scores[first][:K]

    def listed(self, ids: np.ndarray, out: np.ndarray) -> np.ndarray:
        ids = ids[: 16 * K]  # enough, as the filter lets half through
        return ids[self.service.allowed[ids] & ~np.isin(ids, out)][:K]

    def home(self, i: int) -> np.ndarray:
        s = self.service
        out = np.concatenate([s.played[i], s.seeds[i]])
        decay = np.exp2(-np.arange(len(s.seeds[i])) / 5).astype(np.float32)
        session = decay @ s.x[s.seeds[i]]
        proposals = {
            "taste": self.search(s.queries[i : i + 2], out),
            "session": self.search(session / np.linalg.norm(session), out),
            "popular": (self.listed(s.popular, out), None),
            "editors": (self.listed(s.editors(i), out), None),
        }
        ids, worth = [], []
        for name, (found, scores) in proposals.items():
            n = len(found)
            if scores is None:
                part = 1 - np.arange(n) / n
            else:
                part = 1 / n + (1 - 1 / n) * (scores - scores[-1]) / (scores[0] - scores[-1])
            ids.append(found)
            worth.append(WEIGHTS[name] * part)
        pool, place = np.unique(np.concatenate(ids), return_inverse=True)
        score = np.bincount(place, np.concatenate(worth))
        order = np.lexsort((pool, -score))[:POOL]
        return self.diverse(pool[order], score[order])

    def diverse(self, pool: np.ndarray, score: np.ndarray) -> np.ndarray:
        x, artist = self.service.x[pool], self.service.artist[pool]
        relevance = LAMBDA * (score - score.min()) / (score.max() - score.min())
        nearest, free = np.zeros(len(pool), np.float32), np.ones(len(pool), bool)
        taken: list[int] = []
        of_artist: dict[int, int] = {}
        while len(taken) < K and free.any():
            best = int(np.argmax(np.where(free, relevance - (1 - LAMBDA) * nearest, -np.inf)))
            free[best] = False
            if of_artist.get(artist[best], 0) == CAP:
                continue
            of_artist[artist[best]] = of_artist.get(artist[best], 0) + 1
            products = x @ x[best]
            nearest = np.maximum(nearest, products) if taken else products
            taken.append(best)
        return pool[taken]


def measure(home: WithSegue | ByHand, requests: int) -> tuple[float, float, list[set[int]]]:
    took, lists = np.empty(requests), []
    for i in range(min(50, requests)):
        home.home(i)
    for i in range(requests):
        start = time.perf_counter()
        ids = home.home(i)
        took[i] = time.perf_counter() - start
        lists.append(set(ids.tolist()))
    return float(np.percentile(took, 50) * 1e6), float(np.percentile(took, 99) * 1e6), lists


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=200_000)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--faiss", default="ivf", help="hnsw, ivf, or both with a comma between (%(default)s)")
    parser.add_argument("--core", type=int, default=0)
    asked = parser.parse_args()
    os.sched_setaffinity(0, {asked.core})
    service = Service(asked.items, asked.requests)
    p50, p99, ours = measure(WithSegue(service), asked.requests)
    print(f"| {asked.items:,} items | p50, us | p99, us | ids a list | the same as Segue's |\n|---|---|---|---|---|")
    print(f"| segue | {p50:.0f} | {p99:.0f} | {np.mean([len(ids) for ids in ours]):.0f} | |", flush=True)
    for kind in asked.faiss.split(","):
        p50, p99, theirs = measure(ByHand(service, kind), asked.requests)
        same = np.mean([len(a & b) / len(a) for a, b in zip(ours, theirs)])
        size = np.mean([len(ids) for ids in theirs])
        print(f"| faiss {kind} and numpy | {p50:.0f} | {p99:.0f} | {size:.0f} | {same:.0%} |", flush=True)


if __name__ == "__main__":
    main()
