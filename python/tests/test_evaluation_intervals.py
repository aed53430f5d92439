"""Intervals hold the truth as often as they say: simulations with seeds, and what draws must keep together."""

from __future__ import annotations

import math

import numpy as np
import pytest

import segue
from segue.evaluation import bootstrap
from segue.evaluation.bootstrap import Resampling

# Of 400 intervals of 95 %, 380 hold the truth, give or take 3 * sqrt(400 * 0.95 * 0.05) = 13; a percentile interval of
# some hundred users may be short by another point.
RUNS, LEAST, MOST = 400, 363, 394


def lists_that_hit(hit: np.ndarray) -> np.ndarray:
    """For users to whom item 0 is relevant."""
    return np.where(hit, 0, 1)[:, None]


@pytest.mark.slow
def test_an_interval_holds_the_mean_as_often_as_it_says() -> None:
    print("seed 11")
    rng = np.random.default_rng(11)
    held = 0
    for run in range(RUNS):
        chance = rng.beta(1, 3, 200)
        found = segue.evaluate(lists_that_hit(rng.random(200) < chance), [[0]] * 200, k=1, bootstrap=400, seed=run)
        held += found["recall@1"].low <= 0.25 <= found["recall@1"].high
    print(held)
    assert LEAST <= held <= MOST


@pytest.mark.slow
def test_an_interval_of_a_difference_holds_it_and_is_paired() -> None:
    print("seed 12")
    rng = np.random.default_rng(12)
    held, narrower = 0, 0
    relevant = [[0]] * 300
    for run in range(RUNS):
        easy = rng.random(300) < 0.5
        of = [lists_that_hit(easy ^ (rng.random(300) < noise)) for noise in (0.03, 0.1)]  # both find 0.5
        a, b = (segue.evaluate(lists, relevant, k=1, bootstrap=400, seed=run) for lists in of)
        apart = segue.compare(a, b)["recall@1"]
        held += apart.low <= 0 <= apart.high
        narrower += apart.high - apart.low < 0.9 * (b["recall@1"].high - b["recall@1"].low)
    print(held, narrower)
    assert LEAST <= held <= MOST
    assert narrower > 0.95 * RUNS


@pytest.mark.slow
def test_rows_of_a_user_are_drawn_together() -> None:
    print("seed 13")
    rng = np.random.default_rng(13)
    held = {True: 0, False: 0}
    for run in range(RUNS):
        users = np.repeat(np.arange(100), 8)
        hit = rng.random(800) < (rng.random(100) < 0.4)[users] * 0.8 + 0.1  # a user's rows are much alike
        for together in held:
            found = segue.evaluate(
                lists_that_hit(hit), [[0]] * 800, k=1, bootstrap=300, seed=run, users=users if together else None
            )
            held[together] += found["recall@1"].low <= 0.42 <= found["recall@1"].high
    print(held)
    assert LEAST <= held[True] <= MOST
    assert held[False] < 0.8 * RUNS, "this simulation could not tell"


def test_bundles_have_intervals_of_the_same_width(monkeypatch: pytest.MonkeyPatch) -> None:
    print("seed 14")
    values = np.random.default_rng(14).exponential(size=8000)
    values[::7] = np.nan
    widths = []
    for bundles in (8000, 1000):
        monkeypatch.setattr(bootstrap, "_BUNDLES", bundles)
        low, high = Resampling(8000, None, 4000, 0.95, 3).intervals({"x": values})["x"]
        assert low < np.nanmean(values) < high
        widths.append(high - low)
    normal = 2 * 1.96 * np.nanstd(values) / math.sqrt((~np.isnan(values)).sum())
    # Variance from 1,000 bundles: sqrt(2 / 1,000) = 4.5 %, half of that for the width; quantiles of 4,000 draws: 2 %.
    assert widths == pytest.approx([normal, normal], rel=0.1)


def test_bundles_keep_users_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "_BUNDLES", 50)
    users = np.random.default_rng(1).integers(0, 400, 2000)
    drawn = Resampling(2000, users, 10, 0.95, 0)
    assert drawn.units == len(np.unique(users)) and drawn.bundles == 50
    for user in np.unique(users):
        assert len(np.unique(drawn.bundle[users == user])) == 1
    sizes = [len(np.unique(users[drawn.bundle == b])) for b in range(50)]
    assert max(sizes) - min(sizes) <= 1


def test_groups_draw_users_whole_too() -> None:
    print("seed 16")
    rng = np.random.default_rng(16)
    users, labels = np.repeat(np.arange(60), 5), np.repeat(rng.choice(["x", "y"], 60), 5)
    hits = [lists_that_hit((rng.random(60) < 0.5)[users]) for _ in range(2)]  # all rows of a user alike
    kw = dict(k=1, bootstrap=200, seed=4)
    a, b = (segue.evaluate(hit, [[0]] * 300, users=users, groups=labels, **kw) for hit in hits)
    both = segue.compare(a, b)
    for label in "xy":
        rows = np.flatnonzero(labels == label)
        alone = [segue.evaluate(hit[rows], [[0]] * len(rows), users=users[rows], **kw) for hit in hits]
        assert a.groups[label]["recall@1"] == alone[0]["recall@1"]
        assert both.groups[label]["recall@1"] == segue.compare(*alone)["recall@1"]
        once = segue.evaluate(hits[0][rows][::5], [[0]] * (len(rows) // 5), **kw)["recall@1"]
        assert alone[0]["recall@1"][:3] == pytest.approx(once[:3]), "five equal rows of a user tell what one does"


def test_draws_follow_the_seed_and_no_interval_is_invented() -> None:
    lists, taken = [[1], [2], [3], [4]] * 5, [[1], [9], [3], []] * 5
    first, same, other = (segue.evaluate(lists, taken, k=1, seed=seed) for seed in (1, 1, 2))
    assert first["ndcg@1"] == same["ndcg@1"] and first["ndcg@1"] != other["ndcg@1"]
    assert first.confidence == 0.95 and first["ndcg@1"].lists == 15
    wide = segue.evaluate(lists, taken, k=1, seed=1, confidence=0.5)["ndcg@1"]
    assert first["ndcg@1"].low <= wide.low < wide.value < wide.high <= first["ndcg@1"].high
    for measure in (
        segue.evaluate(lists, taken, k=1, bootstrap=0)["recall@1"],
        segue.evaluate([[1]], [[1]], k=1)["recall@1"],  # one user tells nothing of others
        segue.evaluate([[1], [2]], [[1], []], k=1)["recall@1"],
    ):
        assert math.isnan(measure.low) and math.isnan(measure.high) and measure.value > 0


def test_quantiles_are_those_of_numpy() -> None:
    print("seed 15")
    rng = np.random.default_rng(15)
    drawn = np.sort(rng.random((37, 3)), axis=0)
    drawn[30:, 1] = np.nan
    for q in (0.0, 0.025, 0.5, 0.99, 1.0):
        np.testing.assert_allclose(
            bootstrap._quantile(drawn, (~np.isnan(drawn)).sum(0), q), np.nanquantile(drawn, q, axis=0)
        )
