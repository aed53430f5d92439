"""segue.compare, what it prints, its pictures and its page."""

from __future__ import annotations

import math
import pathlib
import re
import xml.etree.ElementTree as ElementTree
from typing import Any

import numpy as np
import pytest

import segue

NAMES = ("old & <tired>", "new")


def made(seed: int, lift: float, **more: Any) -> segue.Evaluation:
    """400 users; the relevant items come up earlier by `lift`."""
    print(f"seed {seed}")
    rng = np.random.default_rng(1)
    taken = [rng.choice(200, rng.integers(0, 6), replace=False) for _ in range(400)]
    labels = rng.choice(["SE", "NO", "US"], 400)
    scores = np.random.default_rng(seed).random((400, 200))
    for row, ids in enumerate(taken):
        scores[row, ids] += lift
    vectors = rng.standard_normal((200, 8), dtype=np.float32)
    kw: dict[str, Any] = dict(k=(5, 20), groups=labels, items=200, popularity=np.arange(200), index=vectors)
    return segue.evaluate(np.argsort(-scores, axis=1)[:, :20], taken, **kw | more)


@pytest.fixture(scope="module")
def comparison() -> segue.Comparison:
    return segue.compare(made(2, 0), made(3, 0.2), names=NAMES)


def test_differences_are_those_of_users(comparison: segue.Comparison) -> None:
    a, b = comparison.a, comparison.b
    for name, of in comparison.measures.items():
        assert (of.a, of.b) == (a[name].value, b[name].value)
        if name not in a.per_list:
            assert name.startswith(("coverage", "gini")) and of.difference == of.b - of.a
            assert of.lists == 0 and math.isnan(of.low)
            continue
        pairs = [(x, y) for x, y in zip(a.per_list[name], b.per_list[name]) if x == x and y == y]
        assert of.lists == len(pairs) == of.wins + of.losses + of.ties
        assert of.difference == pytest.approx(sum(y - x for x, y in pairs) / len(pairs))
        assert of.wins == sum(y > x + 1e-12 for x, y in pairs) and of.losses == sum(x > y + 1e-12 for x, y in pairs)
        assert of.low <= of.difference <= of.high
    assert comparison["recall@20"].low > 0
    same = segue.compare(a, a)
    assert all(of.difference == 0 and of.wins == of.losses == 0 for of in same.measures.values())


def test_groups(comparison: segue.Comparison) -> None:
    assert list(comparison.groups) == ["NO", "SE", "US"]
    for label, measures in comparison.groups.items():
        rows = np.flatnonzero(comparison.a.labels == label)
        for name in ("ndcg@20", "novelty@5"):
            apart = comparison.b.per_list[name][rows] - comparison.a.per_list[name][rows]
            assert measures[name].difference == pytest.approx(np.nanmean(apart))
        assert "gini@5" in measures


def test_the_table_says_it_in_words(comparison: segue.Comparison) -> None:
    text = str(comparison)
    whole, groups = text.split("\n\n")
    assert [row.split()[0] for row in groups.splitlines()] == ["ndcg@20", "NO", "SE", "US"]
    assert [row.split()[0] for row in str(comparison.a).split("\n\n")[1].splitlines()] == ["group", "NO", "SE", "US"]
    first, head, *rows = whole.splitlines()
    assert first.startswith("new against old & <tired>: 400 users, ")
    assert head.split()[-4:] == ["interval", "wins", "losses", "ties"] and len(rows) == 24
    assert re.search(r"^recall@20 .* better$", text, re.MULTILINE)
    assert not re.search(r"^(coverage|gini).*(better|worse)$", text, re.MULTILINE)
    other = str(segue.compare(comparison.b, comparison.a))
    assert re.search(r"^recall@20 .* worse$", other, re.MULTILINE)
    html = comparison._repr_html_()
    assert 'class="better"' in html and "old &amp; &lt;tired&gt;" in html and "<tired>" not in html
    ElementTree.fromstring(f"<div>{html}</div>")
    ElementTree.fromstring(f"<div>{comparison.a._repr_html_()}</div>")


def test_verdicts_follow_the_interval_and_the_way_that_is_better() -> None:
    from segue.evaluation.tables import verdict

    def of(low: float, high: float) -> segue.Difference:
        return segue.Difference(0.2, 0.2, (low + high) / 2, low, high, 1, 1, 1, 3)

    assert verdict("recall@5", of(0.1, 0.2)) == "better" and verdict("recall@5", of(-0.2, -0.1)) == "worse"
    assert verdict("recall@5", of(-0.1, 0.2)) == "" and verdict("recall@5", of(math.nan, math.nan)) == ""
    assert verdict("gini@5", of(0.1, 0.2)) == "worse" and verdict("novelty@5", of(-0.2, -0.1)) == "lower"


def shapes(picture: segue.Picture) -> tuple[list[str], dict[str, list[dict[str, str]]]]:
    root = ElementTree.fromstring(picture.svg)
    found: dict[str, list[dict[str, str]]] = {}
    for node in root.iter():
        found.setdefault(node.tag.rpartition("}")[2], []).append(node.attrib)
    return ["".join(node.itertext()) for node in root.iter() if node.tag.endswith("}text")], found


def test_pictures_show_what_was_measured(comparison: segue.Comparison, tmp_path: pathlib.Path) -> None:
    words, found = shapes(comparison.draw_recall())
    assert len(found["polyline"]) == 2 and len(found["polygon"]) == 2
    assert f"new {comparison.b['recall@20'].value:.3f}" in words
    rising = [float(point.split(",")[1]) for point in found["polyline"][1]["points"].split()]
    assert rising == sorted(rising, reverse=True), "recall never falls with depth"

    words, found = shapes(comparison.draw_exposure())
    assert comparison.a.tenths is not None
    heights = [float(bar["height"]) for bar in found["rect"][1:-2]]  # but the paper and the legend
    assert len(heights) == 22
    assert np.corrcoef(heights[::2], comparison.a.tenths)[0, 1] > 0.9999
    assert {"old & <tired>", "new", "never taken", "most popular"} <= set(words)

    words, found = shapes(comparison.draw_groups("ndcg@5"))
    assert {"all", "NO", "SE", "US", "ndcg@5: new minus old & <tired>"} <= set(words)
    places = [float(dot["cx"]) for dot in found["circle"]]
    apart = [comparison["ndcg@5"], *(of["ndcg@5"] for of in comparison.groups.values())]
    assert np.corrcoef(places, [of.difference for of in apart])[0, 1] > 0.9999
    path = tmp_path / "groups.svg"
    comparison.draw_groups().save(path)
    ElementTree.parse(path)


def test_pictures_of_little() -> None:
    little = segue.evaluate([[1]], [[1]], k=1, bootstrap=0, groups=["only"], popularity={1: 2})
    nothing = segue.evaluate([[1], [-1]], np.empty((2, 0), np.int64), k=1, groups=["a", "b"], popularity={1: 2})
    for of in (segue.compare(little, little), segue.compare(nothing, nothing)):
        for picture in (of.draw_recall(), of.draw_exposure(), of.draw_groups("recall@1")):
            ElementTree.fromstring(picture.svg)
            assert "nan" not in picture.svg and picture._repr_svg_() == picture.svg
        assert str(of) and "nan" not in str(of).lower()


def test_a_page_needs_nothing_from_elsewhere(comparison: segue.Comparison, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "page.html"
    comparison.save(path)
    text = path.read_text(encoding="utf-8")
    assert text.count("<svg") == 3 and "recall@20" in text and "<tired>" not in text
    assert not re.search(r"(src|href)=|url\(|@import|<script", text)
    assert set(re.findall(r"https?://[^\"' ]+", text)) == {"http://www.w3.org/2000/svg"}  # a name, not an address
    with pytest.raises(segue.IoError, match="cannot be written"):
        comparison.save(tmp_path / "no" / "page.html")


def test_what_cannot_be_compared(comparison: segue.Comparison) -> None:
    a = comparison.a
    plain = segue.evaluate([[1, 2]], [[1]], k=2)
    for b, message in (
        (plain, "a is of 400 lists and k=.5, 20., b of 1 and k=.2,."),
        (made(2, 0, groups=None), "other groups"),
        (made(2, 0, users=np.arange(400)), "other users"),
        (made(2, 0, k=(5, 10)), "evaluate both for the same"),
        ("b", "b is a str, expected what segue.evaluate returns"),
    ):
        with pytest.raises(segue.InvalidArgument, match=message):
            segue.compare(a, b)
    for relevant in ([[2]], [[1, 2]], [[]], ([0, 1], [1], [2.0])):
        with pytest.raises(segue.InvalidArgument, match="other items were relevant"):
            segue.compare(plain, segue.evaluate([[1, 2]], relevant, k=2))
    segue.compare(plain, segue.evaluate([[7, 10**9]], [[1, 1]], k=2))
    with pytest.raises(segue.InvalidArgument, match="names are"):
        segue.compare(plain, plain, names=("a",))  # type: ignore[arg-type]
    for call, message in (
        (lambda: comparison["x"], "'x' was not measured of both"),
        (lambda: comparison.draw_groups("x@5"), "'x@5' was not measured"),
        (segue.compare(plain, plain).draw_groups, "there are no groups"),
        (segue.compare(plain, plain).draw_exposure, r"needs evaluate\(popularity=...\)"),
    ):
        with pytest.raises(segue.NotFound, match=message):
            call()
