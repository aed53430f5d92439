"""segue.replay: generators see the past alone, and are scored as evaluate scores what came next."""

from __future__ import annotations

import math
import pathlib
import re
from typing import Any

import numpy as np
import pytest

import segue

EDGES = [60, 75, 90, 101]


@pytest.fixture(scope="module")
def log() -> dict[str, np.ndarray]:
    """People who mostly go on from an item to the next one; user 7 comes back in no window, user 99 is there once."""
    print("seed 31")
    rng = np.random.default_rng(31)
    user = rng.integers(0, 40, 3000)
    time = rng.integers(0, 101, 3000)
    time[user == 7] %= 60
    item = (user * 3 + time // 4 + rng.integers(0, 3, 3000)) % 120
    user[0], time[0] = 99, 3
    return {"user": user, "item": item, "time": time}


def popular(window: segue.Window) -> np.ndarray:
    ids, counts = window.past.popularity()
    return np.tile(ids[np.argsort(-counts, kind="stable")][: window.k], (len(window.users), 1))


def onwards(window: segue.Window) -> np.ndarray:
    return (window.history.last(1) + 1 + np.arange(window.k)) % 120


def test_a_replay_is_what_splits_and_evaluations_are(log: dict[str, np.ndarray]) -> None:
    asked: list[segue.Window] = []

    def watching(window: segue.Window) -> np.ndarray:
        asked.append(window)
        return onwards(window)

    found = segue.replay(log, {"popular": popular, "onwards": watching}, windows=EDGES, k=(3, 10), items=120)
    assert len(asked) == 3 and list(found.evaluations) == ["popular", "onwards"]
    row = 0
    for window, at, until in zip(asked, EDGES, EDGES[1:]):
        split = segue.split_by_time(log, at, until=until)
        rows = np.flatnonzero((split.history.lengths > 0) & (split.future.lengths > 0))
        assert window.at == at and window.k == 10
        assert window.users.tolist() == split.users[rows].tolist() and 7 not in window.users
        assert [x.tolist() for x in window.history] == [x.tolist() for x in split.history[rows]]
        assert sum(len(x) for x in window.past) == (log["time"] < at).sum()
        label = list(found.evaluations["onwards"].groups)[asked.index(window)]
        alone = segue.evaluate(onwards(window), split.future[rows], k=(3, 10), items=120)
        for name, of in alone.measures.items():
            assert found.evaluations["onwards"].groups[label][name].value == pytest.approx(of.value), name
        assert str(at) in str(label) and str(until) in str(label)
        assert found.users[row : row + len(rows)].tolist() == window.users.tolist()
        row += len(rows)
    whole = found.evaluations["popular"]
    assert whole.lists == row == len(found.history) == len(found.taken) and whole.users == len(np.unique(found.users))
    for name in ("recall@10", "ndcg@3"):
        groups = [of[name] for of in whole.groups.values()]
        assert whole[name].value == pytest.approx(sum(g.value * g.lists for g in groups) / sum(g.lists for g in groups))
    assert found.comparisons["onwards"]["recall@10"].low > 0
    assert "lists of" in str(found) and "onwards against popular" in str(found) and "<table" in found._repr_html_()


def test_generators_see_nothing_of_their_window(log: dict[str, np.ndarray]) -> None:
    seen: list[list[Any]] = [[], []]
    rng = np.random.default_rng(1)
    later = log["time"] >= EDGES[1]
    changed = {**log, "item": np.where(later, rng.permutation(log["item"]), log["item"])}
    for which, of in enumerate((log, changed)):

        def look(window: segue.Window, which: int = which) -> np.ndarray:
            seen[which].append(([x.tolist() for x in window.history], [x.tolist() for x in window.past]))
            return onwards(window)

        segue.replay(of, {"look": look}, windows=EDGES, k=3, bootstrap=0)
    assert seen[0][:2] == seen[1][:2] and seen[0][2] != seen[1][2]


def test_only_what_is_new_counts_where_it_is_asked_for(log: dict[str, np.ndarray]) -> None:
    found = segue.replay(log, {"popular": popular}, windows=EDGES, k=5, drop_seen=True, bootstrap=0)
    for history, taken in zip(found.history, found.taken):
        assert not set(history.tolist()) & set(taken.tolist()) and len(taken)
    again = segue.replay(log, {"popular": popular}, windows=EDGES, k=5, bootstrap=0)
    assert len(again.taken.ids) > len(found.taken.ids)


def test_windows_that_follow_from_the_log(log: dict[str, np.ndarray]) -> None:
    days = np.datetime64("2024-01-01") + log["time"].astype("timedelta64[D]")
    for times in (log["time"], log["time"] / 7, days, days.astype("datetime64[us]")):
        found = segue.replay({**log, "time": times}, {"popular": popular}, windows=3, k=5, bootstrap=0)
        groups = found.evaluations["popular"].groups
        assert len(groups) == 3
        events = len(found.taken.ids)
        assert 0.4 * 3000 < events <= 0.6 * 3000, "the second half of the log, to its last event"
    assert list(groups)[0].startswith("1: 2024-02-") and "T00" not in list(groups)[0]


def test_examples_are_those_whom_it_changes_most(log: dict[str, np.ndarray]) -> None:
    found = segue.replay(log, {"popular": popular, "onwards": onwards}, windows=EDGES, k=10)
    apart = found.evaluations["onwards"].per_list["recall@10"] - found.evaluations["popular"].per_list["recall@10"]
    winners, losers = found.examples(4, measure="recall@10", shown=6)
    assert [x.difference for x in winners] == sorted((x.difference for x in winners), reverse=True)
    assert winners[0].difference == apart.max() > 0
    assert len(winners) == 4
    everybody, _ = found.examples(1000, measure="recall@10")
    assert (
        len({x.user for x in everybody}) == len(everybody) == len(np.unique(found.users[apart > 0])) < (apart > 0).sum()
    )
    assert all(x.difference < 0 for x in losers) and (not losers or losers[0].difference == apart.min())
    best = winners[0]
    row = next(i for i in np.flatnonzero(apart == apart.max()) if found.users[i] == best.user)
    assert best.taken == list(dict.fromkeys(found.taken[row].tolist()))
    assert best.history == found.history[row][::-1][:6].tolist()
    assert best.lists["onwards"] == found.recommended["onwards"][row][:6].tolist()
    same = segue.replay(log, {"popular": popular, "again": popular}, windows=EDGES, k=10)
    assert same.examples() == ([], [])
    with pytest.raises(segue.NotFound, match="no generator 'x' is held against 'popular'; there are: onwards"):
        found.examples(name="x")
    with pytest.raises(segue.NotFound, match="'gini@10' is no measure of each user"):
        found.examples(measure="gini@10")


def test_the_page_has_everything_and_needs_nothing(log: dict[str, np.ndarray], tmp_path: pathlib.Path) -> None:
    catalog = segue.Catalog({}, keys=[f"track <{i}>" for i in range(110)])  # the last ten have no name
    for names, shown in ((catalog, "track &lt;"), (lambda i: f"& {i}", "&amp; "), (None, ">")):
        generators = {"popular": popular, "onwards": onwards, "onwards & back": lambda w: onwards(w)[:, ::-1]}
        found = segue.replay(log, generators, windows=EDGES, k=(3, 10), items=120, names=names, bootstrap=100)
        path = tmp_path / "page.html"
        found.save(path)
        text = path.read_text(encoding="utf-8")
        assert shown in text and "<track" not in text and "nan" not in re.sub("<[^>]*>", "", text)
        for part in (
            "Window by window",
            "Who gains most",
            "onwards &amp; back against popular",
            "class=hit",
            "1: 60 to 75",
        ):
            assert part in text, part
        assert text.count("<svg") == 6
        shown = [one for name in ("onwards", "onwards & back") for side in found.examples(name=name) for one in side]
        marked = [item for one in shown for ids in one.lists.values() for item in ids if item in one.taken]
        assert text.count("class=hit") == len(marked) > 0
        assert not re.search(r"(src|href)=|url\(|@import|<script", text)
    one = segue.replay(log, {"popular": popular}, windows=EDGES, k=3)
    one.save(path)
    assert "Window by window" in path.read_text() and "3 windows" in repr(one)
    assert str(one).splitlines()[1].split() == ["@3"] and "<table" in one._repr_html_()


@pytest.mark.parametrize(
    ("generator", "message"),
    [
        (lambda w: onwards(w)[:-1], r"generator 'g', window 1: 60 to 75: \d+ lists for \d+ users, expected one each"),
        (lambda w: onwards(w)[:, :2], "generator 'g', window 1.*k goes to 3, but recommended has 2 columns"),
        (lambda w: onwards(w) * 0, "holds id 0 more than once"),
        (lambda w: None, "generator 'g'"),
        (lambda w: onwards(w) / 2, "expected integers"),
    ],
)
def test_generators_that_return_something_else(log: dict[str, np.ndarray], generator: Any, message: str) -> None:
    with pytest.raises(segue.InvalidArgument, match=message):
        segue.replay(log, {"g": generator}, windows=EDGES, k=3)


def test_bad_input(log: dict[str, np.ndarray]) -> None:
    def fails(window: segue.Window) -> None:
        raise RuntimeError("no model")

    with pytest.raises(RuntimeError, match="no model"):
        segue.replay(log, {"g": fails}, k=3)
    good: dict[str, Any] = {"g": lambda window: asked.append(window) or popular(window)}
    asked: list[segue.Window] = []
    for generators, more, message in (
        ({}, {}, "generators are expected as a mapping"),
        ([popular], {}, "generators are expected as a mapping"),
        ({"g": 3}, {}, "generators are expected as a mapping"),
        (good, dict(windows=0), "windows is 0"),
        (good, dict(windows=[5]), "expected how many, or at least two edges"),
        (good, dict(windows=[60, 60]), r"windows\[1\] is 60, expected a time after 60"),
        (good, dict(windows=["a", "b"]), r"windows\[0\] is 'a', expected a number"),
        (good, dict(windows=500), "too few for 500 windows; give their edges"),
        (good, dict(windows=[200, 300]), "no user has a history and takes something in any window"),
        (good, dict(names=3), "names are int, expected a callable"),
        (good, dict(names=segue.Catalog({"a": [1]})), "a Catalog whose rows have no keys"),
        (good, dict(bootstrap=-1), "bootstrap is -1"),
    ):
        with pytest.raises(segue.InvalidArgument, match=message):
            segue.replay(log, generators, **{"k": 3, **more})
    assert not asked, "what is wrong is said before anything is asked"


def test_users_without_history_are_asked_for_on_request() -> None:
    log = (["a", "b", "b"], [1, 2, 2], [0, 5, 6])
    with pytest.raises(segue.InvalidArgument, match="no user"):
        segue.replay(log, {"two": lambda w: [[2]] * len(w.users)}, windows=[1, 9], k=1)
    found = segue.replay(log, {"two": lambda w: [[2]] * len(w.users)}, windows=[1, 9], k=1, min_history=0)
    assert found.users.tolist() == ["b"] and found.evaluations["two"]["recall@1"].value == 1
    none = segue.replay(log, {"two": lambda w: [[2]] * len(w.users)}, windows=[0, 5, 9], k=1, min_history=0)
    assert math.isnan(none.evaluations["two"]["recall@1"].low) or none.evaluations["two"].tenths is None
