"""segue.evaluate against references of plain loops, cases by hand, and bad input."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import segue

CATALOGUE = 14


def reference(lists: list[list[int]], taken: list[dict[int, float]], k: int) -> dict[str, list[float]]:
    """Every measure of the found, user after user, from its definition."""
    out: dict[str, list[float]] = {name: [] for name in ("recall", "precision", "hit-rate", "ndcg", "mrr", "map")}
    for ids, gains in zip(lists, taken):
        relevant = {i for i, gain in gains.items() if gain > 0}
        if not relevant:
            for values in out.values():
                values.append(math.nan)
            continue
        hits = [place for place, i in enumerate(ids[:k], 1) if i in relevant]
        out["recall"].append(len(hits) / len(relevant))
        out["precision"].append(len(hits) / k)
        out["hit-rate"].append(1.0 if hits else 0.0)
        best = sorted(gains.values(), reverse=True)[:k]
        ideal = sum(gain / math.log2(place + 1) for place, gain in enumerate(best, 1))
        out["ndcg"].append(sum(gains[ids[p - 1]] / math.log2(p + 1) for p in hits) / ideal)
        out["mrr"].append(1 / hits[0] if hits else 0.0)
        out["map"].append(sum(n / place for n, place in enumerate(hits, 1)) / min(k, len(relevant)))
    return out


def breadth_reference(
    lists: list[list[int]], taken: list[set[int]], counts: dict[int, float], vectors: dict[int, np.ndarray], k: int
) -> dict[str, list[float]]:
    total, rarest = sum(counts.values()), min(c for c in counts.values() if c > 0)
    n = len(counts)
    stand = {
        i: (sum(o < c for o in counts.values()) + sum(o <= c for o in counts.values())) / (2 * n)
        for i, c in counts.items()
    }
    out: dict[str, list[float]] = {"novelty": [], "popularity": [], "popularity-lift": [], "diversity": []}
    for ids, own in zip(lists, taken):
        shown = [i for i in ids[:k] if i >= 0]
        if not shown:
            for values in out.values():
                values.append(math.nan)
            continue
        mean = sum(stand[i] for i in shown) / len(shown)
        out["novelty"].append(sum(-math.log2(max(counts[i], rarest) / total) for i in shown) / len(shown))
        out["popularity"].append(mean)
        out["popularity-lift"].append(mean - sum(stand[i] for i in own) / len(own) if own else math.nan)
        cosines = [
            float(vectors[a] @ vectors[b] / max(np.linalg.norm(vectors[a]) * np.linalg.norm(vectors[b]), 1e-300))
            for at, a in enumerate(shown)
            for b in shown[:at]
        ]
        out["diversity"].append(1 - sum(cosines) / len(cosines) if cosines else math.nan)
    return out


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    users = draw(st.integers(1, 6))
    depth = draw(st.integers(1, 8))
    stride = draw(st.sampled_from([1, 7, 10**15]))  # the last: ids that no table over all ids could hold
    item = st.integers(0, CATALOGUE - 1)
    lists, taken = [], []
    for _ in range(users):
        row = draw(st.lists(item, min_size=depth, max_size=depth, unique=True))
        holes = draw(st.sets(st.integers(0, depth - 1)))
        lists.append([-1 if i in holes else x * stride for i, x in enumerate(row)])
        taken.append([x * stride for x in draw(st.lists(item, max_size=6))])
    graded = draw(st.booleans())
    gains = [
        draw(st.lists(st.sampled_from([0.0, 0.5, 1.0, 3.0, 7.0]), min_size=len(t), max_size=len(t))) for t in taken
    ]
    counts = draw(st.lists(st.integers(0, 5), min_size=CATALOGUE, max_size=CATALOGUE).filter(any))
    depths = tuple(sorted(draw(st.sets(st.integers(1, depth), min_size=1))))
    return dict(lists=lists, taken=taken, gains=gains if graded else None, counts=counts, depths=depths, stride=stride)


def merged(taken: list[list[int]], gains: Any) -> list[dict[int, float]]:
    out: list[dict[int, float]] = []
    for row, ids in enumerate(taken):
        of: dict[int, float] = {}
        for at, i in enumerate(ids):
            of[i] = max(of.get(i, 0.0), 1.0 if gains is None else gains[row][at])
        out.append(of)
    return out


@given(cases())
def test_what_was_found(case: dict[str, Any]) -> None:
    found = segue.evaluate(np.array(case["lists"]), case["taken"], gains=case["gains"], k=case["depths"], bootstrap=0)
    worth = merged(case["taken"], case["gains"])
    assert found.without_relevant == sum(not any(of.values()) for of in worth)
    assert found.without_list == sum(all(i < 0 for i in ids[: case["depths"][-1]]) for ids in case["lists"])
    for k in case["depths"]:
        for name, values in reference(case["lists"], worth, k).items():
            np.testing.assert_allclose(found.per_list[f"{name}@{k}"], values, atol=1e-12, err_msg=f"{name}@{k}")
            defined = [v for v in values if v == v]
            measure = found[f"{name}@{k}"]
            assert measure.lists == len(defined)
            if defined:
                assert measure.value == pytest.approx(sum(defined) / len(defined))
            else:
                assert math.isnan(measure.value)
    recalls = {int(p.k): p.recall for p in found.curve}
    for k in case["depths"]:
        assert recalls[k] == pytest.approx(found[f"recall@{k}"].value, nan_ok=True)


@given(cases(), st.integers(0, 2**32 - 1))
def test_what_lists_are_like(case: dict[str, Any], seed: int) -> None:
    stride, lists = case["stride"], case["lists"]
    vectors = np.random.default_rng(seed).standard_normal((CATALOGUE, 3), dtype=np.float32)
    vectors[seed % CATALOGUE] = 0
    index = segue.FlatIndex(3, "ip")
    ids = np.arange(CATALOGUE) * stride
    index.add(vectors, ids)
    counts = dict(zip(ids.tolist(), map(float, case["counts"])))
    found = segue.evaluate(
        np.array(lists), case["taken"], k=case["depths"], popularity=counts, index=index, bootstrap=0
    )
    by_id = dict(zip(ids.tolist(), vectors.astype(np.float64)))
    taken = [set(t) for t in case["taken"]]
    for k in case["depths"]:
        for name, values in breadth_reference(lists, taken, counts, by_id, k).items():
            np.testing.assert_allclose(found.per_list[f"{name}@{k}"], values, atol=1e-6, err_msg=f"{name}@{k}")
        shown = [i for row in lists for i in row[:k] if i >= 0]
        exposure = [shown.count(i) for i in ids.tolist()]
        assert found[f"coverage@{k}"].value == pytest.approx(len(set(shown)) / CATALOGUE)
        apart = sum(abs(x - y) for x in exposure for y in exposure)
        gini = apart / (2 * CATALOGUE * sum(exposure)) if shown else math.nan
        assert found[f"gini@{k}"].value == pytest.approx(gini, nan_ok=True)
        assert math.isnan(found[f"coverage@{k}"].low) and math.isnan(found[f"gini@{k}"].high)
    assert found.tenths is not None
    assert found.tenths.sum() == pytest.approx(
        1 if any(i >= 0 for row in lists for i in row[: case["depths"][-1]]) else 0
    )


def test_by_hand() -> None:
    found = segue.evaluate([[1, 2, 3], [4, 5, 6]], [[2, 9], [4, 6]], k=(1, 3), bootstrap=0)
    assert found.per_list["recall@1"].tolist() == [0, 0.5] and found.per_list["recall@3"].tolist() == [0.5, 1]
    assert found.per_list["mrr@3"].tolist() == [0.5, 1] and found["hit-rate@1"].value == 0.5
    assert found.per_list["map@3"] == pytest.approx([0.25, (1 + 2 / 3) / 2])
    ideal = 1 + 1 / math.log2(3)
    assert found.per_list["ndcg@3"] == pytest.approx([1 / math.log2(3) / ideal, 1.5 / ideal])
    graded = segue.evaluate([[1, 2]], [[2, 1]], gains=[[3, 1]], k=2, bootstrap=0)
    assert graded["ndcg@2"].value == pytest.approx((1 + 3 / math.log2(3)) / (3 + 1 / math.log2(3)))


def test_novelty_popularity_and_exposure_by_hand() -> None:
    counts = np.array([8, 4, 4, 0])
    found = segue.evaluate([[0, 1], [3, 2]], [[1], [0]], k=2, popularity=counts, bootstrap=0)
    # Bits: 1, 2, 2, and 2 for what nobody took. Standing: 7/8, 1/2, 1/2, 1/8.
    assert found.per_list["novelty@2"].tolist() == [1.5, 2]
    assert found.per_list["popularity@2"].tolist() == [11 / 16, 5 / 16]
    assert found.per_list["popularity-lift@2"].tolist() == [11 / 16 - 1 / 2, 5 / 16 - 7 / 8]
    # Item 0 is half of what was taken and a quarter of the places, 1 and 2 the other half.
    assert found.tenths == pytest.approx([0.05] * 5 + [0.1] * 5 + [0.25])
    even = segue.evaluate([[0, 1], [2, 3]], [[1], [0]], k=2, items=4, bootstrap=0)
    assert even["gini@2"].value == 0 and even["coverage@2"].value == 1
    one = segue.evaluate([[0]] * 5, [[1]] * 5, k=1, items=4, bootstrap=0)
    assert one["gini@1"].value == 0.75 and one["coverage@1"].value == 0.25


def test_a_generator_that_shows_what_people_take_gives_each_tenth_a_tenth() -> None:
    print("seed 5")
    rng = np.random.default_rng(5)
    taken = rng.zipf(1.6, 20_000) % 500
    ids, counts = np.unique(taken, return_counts=True)
    found = segue.evaluate(
        rng.permutation(taken)[:, None], [[0]] * len(taken), k=1, popularity=(ids, counts), bootstrap=0
    )
    assert found.tenths == pytest.approx([0.1] * 10 + [0], abs=1e-12)


def test_forms_of_lists_and_of_what_was_relevant() -> None:
    lists = np.array([[4, 2, -1], [7, 8, 9], [-1, -1, -1]])
    wanted = segue.evaluate(lists, [[2], [9, 9, 1], [5]], k=3, bootstrap=0)
    offsets, ids = [0, 1, 4, 5], [2, 9, 9, 1, 5]
    for relevant in (
        (offsets, ids),
        (offsets, ids, np.ones(5)),
        segue.UserItems(offsets, ids),
        np.array([[2, -1, -1], [9, 9, 1], [5, -1, -1]]),
        [np.array([2]), (9, 1), {5}],
    ):
        for recommended in (
            lists,
            lists.astype(np.int32),
            segue.SearchResult(lists, np.zeros(lists.shape, np.float32)),
            [[4, 2], [7, 8, 9, 3], []],
            [[4, 2, -1], [7, 8, 9], [-1, -1, -1]],
            segue.UserItems.from_lists([[4, 2], [7, 8, 9], []]),
        ):
            found = segue.evaluate(recommended, relevant, k=3, bootstrap=0)
            assert found.without_list == 1
            for name, values in wanted.per_list.items():
                np.testing.assert_array_equal(found.per_list[name], values)

    class Csr:
        indptr, indices, data = np.array(offsets), np.array(ids), np.array([1, 2, 1, 0, 4])

    graded = segue.evaluate(lists, Csr(), k=3, bootstrap=0)
    assert graded.per_list["recall@3"].tolist() == [1, 1, 0]


def test_catalogues_of_every_kind() -> None:
    index = segue.FlatIndex(2)
    index.add(np.eye(4, 2, dtype=np.float32) + 1, [1, 2, 3, 4])
    for items in (
        [4, 3, 2, 1, 1],
        segue.Catalog({}, ids=[1, 2, 3, 4], keys=list("abcd")),
        segue.IdSet([1, 2, 3, 4]),
        index,
    ):
        assert segue.evaluate([[1, 2]], [[2]], k=2, items=items, bootstrap=0)["coverage@2"].value == 0.5
    assert segue.evaluate([[1, 2]], [[2]], k=2, index=index, bootstrap=0)["coverage@2"].value == 0.5
    assert segue.evaluate([[1, 2]], [[2]], k=2, index=np.eye(5, dtype=np.float32))["coverage@2"].value == 0.4
    assert "coverage@2" not in segue.evaluate([[1, 2]], [[2]], k=2, bootstrap=0)


def test_groups_are_evaluations_of_their_users() -> None:
    print("seed 6")
    rng = np.random.default_rng(6)
    lists = np.argsort(rng.random((300, 40)), axis=1)[:, :10]
    taken = [rng.integers(0, 40, rng.integers(0, 5)) for _ in range(300)]
    labels = rng.choice(["SE", "NO", "US"], 300)
    kw: dict[str, Any] = dict(k=(3, 10), items=40, popularity=np.arange(40), bootstrap=50)
    found = segue.evaluate(lists, taken, groups=labels, **kw)
    assert list(found.groups) == ["NO", "SE", "US"]
    for label, measures in found.groups.items():
        rows = np.flatnonzero(labels == label)
        alone = segue.evaluate(lists[rows], [taken[i] for i in rows], **kw)
        assert measures.keys() == alone.measures.keys()
        for name, of in alone.measures.items():
            np.testing.assert_allclose(measures[name], of, err_msg=name)


def test_pieces_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    from segue.evaluation import score

    print("seed 7")
    rng = np.random.default_rng(7)
    lists = np.argsort(rng.random((501, 60)), axis=1)[:, :20]
    taken = [rng.integers(0, 60, rng.integers(0, 5)) for _ in range(501)]
    kw: dict[str, Any] = dict(
        k=(5, 20), gains=[rng.random(len(t)) for t in taken], items=60, popularity=np.arange(60), bootstrap=20,
        index=rng.standard_normal((60, 4), dtype=np.float32),
    )  # fmt: skip
    whole = segue.evaluate(lists, taken, **kw)
    monkeypatch.setattr(score, "_CELLS", 100)
    monkeypatch.setattr(score, "_WIDE_CELLS", 800)
    pieces = segue.evaluate(lists, taken, **kw)
    for name, values in whole.per_list.items():
        np.testing.assert_allclose(pieces.per_list[name], values, rtol=1e-6, err_msg=name)
    for name, of in whole.measures.items():
        np.testing.assert_allclose(pieces[name], of, rtol=1e-6, err_msg=name)
    np.testing.assert_allclose(pieces.curve.high, whole.curve.high)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(recommended=[[1, 1]]), "recommended, row 0, holds id 1 more than once"),
        (dict(recommended=np.array([[1, -2]])), "row 0, holds -2; ids are 0 or more, -1 an empty place"),
        (dict(recommended=np.array([1, 2])), r"shape \(2,\), expected \(users, k\)"),
        (dict(recommended=np.array([[1]])), "k goes to 2, but recommended has 1 columns; search with k=2, or pass k=1"),
        (dict(recommended=np.array([[1.5, 2]])), "expected integers"),
        (dict(recommended=np.empty((0, 5), np.int64)), "has no rows"),
        (dict(recommended=[[1, "x"]]), r"recommended\[0\]"),
        (dict(relevant=[[1], [2]]), "relevant are of 2 users, recommended of 1"),
        (dict(relevant=[[-3]]), r"ids\[0\] is -3, expected 0 or more"),
        (dict(relevant=([0, 2], [1])), "offsets go from 0 to 2 for 1 ids"),
        (dict(relevant="abc"), "expected a list with one array of ids a user"),
        (dict(gains=[[1, 2]]), r"gains\[0\] has 2 numbers, expected 1"),
        (dict(gains=[[-1]]), r"gains\[0\] is -1.0, expected a finite number"),
        (dict(relevant=([0, 1], [1], [1.0]), gains=[1.0]), "gains came twice"),
        (dict(k=0), "k is 0, expected an integer of 1 or more"),
        (dict(k=()), r"k is \(\)"),
        (dict(items=2), "row 0, holds id 3, which is not among the 2 items"),
        (dict(items=0), "items is 0"),
        (dict(popularity=[0, 0]), "no count above 0"),
        (dict(popularity=([1, 1], [2, 3])), "id below 0 or one twice"),
        (dict(popularity=([1, 2], [2])), "one count an id"),
        (dict(index=np.ones((2, 2), np.float32)), "not among the 2 items"),
        (dict(index=np.ones((2, 2), np.float32), items=9), "holds id 3, but index has 2 rows"),
        (dict(groups=["a", "b"]), r"groups are of shape \(2,\), expected \(1,\)"),
        (dict(bootstrap=-1), "bootstrap is -1"),
        (dict(confidence=95), "confidence is 95, expected a number above 0 and below 1"),
        (dict(seed=-1), "seed is -1"),
    ],
    ids=str,
)
def test_bad_input(arguments: dict[str, Any], message: str) -> None:
    given_: dict[str, Any] = dict(recommended=[[1, 3]], relevant=[[1]], k=2) | arguments
    with pytest.raises(segue.InvalidArgument, match=message):
        segue.evaluate(given_.pop("recommended"), given_.pop("relevant"), **given_)


def test_nothing_at_all() -> None:
    found = segue.evaluate([[-1], []], [[], []], k=1)
    assert (found.lists, found.without_list, found.without_relevant) == (2, 2, 2)
    assert all(math.isnan(of.value) and of.lists == 0 for of in found.measures.values())
    assert segue.compare(found, found)["recall@1"].lists == 0 and "-" in str(found)


def test_more_groups_than_make_sense() -> None:
    with pytest.raises(segue.InvalidArgument, match="groups has 1,001 labels, expected at most 1000"):
        segue.evaluate([[1]] * 1001, [[1]] * 1001, k=1, groups=np.arange(1001))
    with pytest.raises(segue.NotFound, match="'recall@7' was not measured; there are: recall@1"):
        segue.evaluate([[1]], [[1]], k=1)["recall@7"]
    index = segue.FlatIndex(2)
    index.add(np.eye(2, dtype=np.float32))
    with pytest.raises(segue.NotFound, match="7"):
        segue.evaluate([[7]], [[1]], k=1, index=index, items=9)


@given(st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=8), st.integers(1, 4), st.data())
def test_user_items(lists: list[list[int]], n: int, data: st.DataObject) -> None:
    items = segue.UserItems.from_lists(lists)
    assert [x.tolist() for x in items] == lists and len(items) == len(lists)
    assert items.last(n).tolist() == [(row[::-1] + [-1] * n)[:n] for row in lists]
    ids, counts = items.popularity()
    assert dict(zip(ids.tolist(), counts.tolist())) == {
        i: many for i in range(10) if (many := sum(i in row for row in lists))
    }
    assert items.rows().tolist() == [u for u, row in enumerate(lists) for _ in row]
    rows = data.draw(st.lists(st.integers(0, len(lists) - 1), max_size=5)) if lists else []
    assert [x.tolist() for x in items[np.array(rows, int)]] == [lists[i] for i in rows]
    mask = np.array([len(row) > 2 for row in lists], bool)
    assert [x.tolist() for x in items[mask]] == [row for row in lists if len(row) > 2]
    assert [x.tolist() for x in items[1:]] == lists[1:]
    if lists:
        assert items[-1].tolist() == lists[-1]
    with pytest.raises(IndexError):
        items[len(lists)]
