"""bench/curves on a tiny set with Segue alone: the files, and whether the numbers in them can be true."""

from __future__ import annotations

import json
import math
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

from bench.curves import __main__ as program
from bench.curves import measure, points, sets, tables
from bench.curves.frontier import frontier, speed_at
from bench.curves.palette import LOOKS
from bench.curves.peers import PEERS, Peer
from bench.curves.summary import best_columns, cells, summarize

ROOT = Path(__file__).resolve().parents[2]
MACHINE = {"kind": "machine", "cpu": "a cpu", "cores": 2, "isa": "scalar", "versions": {"segue": "1"}, "commit": "abc",
           "date": "today", "command": "measure <it>", "note": "Beside other work."}
SET = {"kind": "set", "set": "some", "items": 100, "dim": 8, "metric": "ip", "queries": 10, "k": 10}


def point(peer: str, recall: float, qps: float, p50: float = 1.0) -> points.Record:
    return {"kind": "point", "set": "some", "peer": peer, "setting": 1, "round": 1, "recall": recall, "qps": qps,
            "p50_us": p50, "p99_us": 2 * p50}


def built(peer: str) -> points.Record:
    return {"kind": "built", "set": "some", "peer": peer, "seconds": 1.5, "megabytes": 12.0}


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both sets that are made, tiny, measured and drawn."""
    folder = tmp_path_factory.mktemp("curves")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measure, "pin", lambda core: None)
        program.main(["measure", "--items", "600", "--queries", "40", "--rounds", "2",
                      "--peers", "segue-flat,segue-hnsw", "--out", str(folder / "points.jsonl")])
    program.main(["draw", str(folder / "points.jsonl"), "--out", str(folder / "drawn")])
    return folder


def test_segue_is_measured_on_both_sets(measured: Path) -> None:
    found = points.read(measured / "points.jsonl")
    assert set(found.sets) == {"clustered", "factors"}
    assert found.machine["isa"] in ("scalar", "avx2", "avx512", "avx512vnni", "neon")
    for of_set in found.sets.values():
        assert set(of_set.built) == {"segue-flat", "segue-hnsw"}
        assert not of_set.left_out
        assert {p["round"] for p in of_set.points["segue-hnsw"]} == {1, 2}
        assert all(p["recall"] == 1 for p in of_set.points["segue-flat"]), "exact search finds the neighbours of numpy"
        assert max(p["recall"] for p in of_set.points["segue-hnsw"]) > 0.99
        for p in (p for of_peer in of_set.points.values() for p in of_peer):
            assert p["qps"] > 100
            assert 0 < p["p50_us"] <= p["p99_us"]
            assert 1 / (p["p50_us"] * 1e-6) < 20 * p["qps"], "a single call is no wonder beside a batch"


def test_pictures_and_page_are_whole(measured: Path) -> None:
    for name in ("clustered", "factors"):
        assert (measured / "drawn" / f"{name}.png").read_bytes().startswith(b"\x89PNG\r\n")
        assert ElementTree.parse(measured / "drawn" / f"{name}.svg").getroot().tag.endswith("svg")
    page = (measured / "drawn" / "curves.html").read_text()
    assert page.count("<img") == 2
    assert not re.search(r'(src|href)="(?!data:|#)', page), "nothing is fetched from anywhere"
    for row in summarize(points.read(measured / "points.jsonl").sets["factors"]):
        for cell in cells(row):
            assert f">{cell}<" in page or f"</span>{cell}<" in page


@pytest.mark.parametrize("metric", sets.METRICS)
def test_exact_neighbours(metric: str) -> None:
    random = np.random.default_rng(5)
    base, queries = random.standard_normal((300, 12), np.float32), random.standard_normal((7, 12), np.float32)
    if metric == "cosine":
        base, queries = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (base, queries))
    costs = ((queries[:, None].astype(float) - base[None]) ** 2).sum(2) if metric == "l2" else -(
        queries.astype(float) @ base.T.astype(float))
    assert np.array_equal(sets.exact(base, queries, metric, 10), np.argsort(costs, axis=1, kind="stable")[:, :10])


def test_the_sets_are_the_same_every_time() -> None:
    for make in sets.MADE.values():
        assert all(np.array_equal(getattr(make(200, 5), x), getattr(make(200, 5), x)) for x in ("base", "queries"))
    norms = np.linalg.norm(sets.factors(20_000, 1).base, axis=1)
    assert norms.max() / norms.min() > 1e5


def test_a_set_that_is_none_is_an_error(tmp_path: Path) -> None:
    np.savez(tmp_path / "half.npz", base=np.zeros((3, 2)), metric="ip")
    with pytest.raises(ValueError, match="has no neighbors, queries"):
        sets.load(tmp_path / "half.npz")
    odd = {"base": np.zeros((3, 2)), "queries": np.zeros((1, 4)), "neighbors": np.zeros((1, 1))}
    np.savez(tmp_path / "odd.npz", metric="ip", **odd)
    with pytest.raises(ValueError, match="do not belong together"):
        sets.load(tmp_path / "odd.npz")


def test_the_frontier_keeps_what_nothing_beats() -> None:
    assert frontier([(0.9, 100), (0.8, 90), (0.95, 50), (0.95, 60), (0.99, 10)]) == [(0.9, 100), (0.95, 60), (0.99, 10)]
    assert frontier([]) == []


def test_between_two_points_the_logarithm_is_linear() -> None:
    line = [(0.9, 10_000.0), (0.98, 100.0)]
    assert speed_at(line, 0.94) == pytest.approx(1000)
    assert speed_at(line, 0.98) == pytest.approx(100)
    assert speed_at(line, 0.5) == 10_000
    assert speed_at(line, 0.981) is None
    assert speed_at([(1.0, 7.0)], 0.95) == 7
    assert math.isclose(speed_at([*line, (0.93, 9_000.0)], 0.93) or 0, 9_000)


def test_a_row_a_peer_the_fastest_first() -> None:
    found = points.gather([MACHINE, SET, built("a"), built("b"), built("c"),
                           point("a", 0.96, 100, p50=9), point("a", 0.97, 90, p50=8), point("a", 0.97, 95, p50=7.5),
                           point("b", 0.999, 200, p50=5), point("c", 0.94, 5_000)])
    rows = summarize(found.sets["some"])
    assert [row.peer for row in rows] == ["b", "a", "c"]
    assert cells(rows[1]) == ["a", "100", "100", "-", "0.9700", "7.5", "15.0", "1.5", "12"]
    assert cells(rows[2])[1:7] == ["5,000", "-", "-", "0.9400", "-", "-"]
    assert best_columns(rows) == [{2, 3, 5, 6}, set(), {1}]


def test_what_was_left_out_is_kept_with_its_reason() -> None:
    found = points.gather([MACHINE, SET, {"kind": "left out", "set": "some", "peer": "x", "why": "no <such> thing"}])
    assert found.sets["some"].left_out == {"x": "no <such> thing"}


@pytest.mark.parametrize("line", ["no json", "[]", '{"kind": "poem"}', '{"kind": "point", "set": "some"}'])
def test_a_line_that_is_no_record_is_an_error(tmp_path: Path, line: str) -> None:
    (tmp_path / "points.jsonl").write_text(json.dumps(MACHINE) + "\n" + line + "\n")
    with pytest.raises(ValueError, match=r"points.jsonl:2: .*(expected|lacks)"):
        points.read(tmp_path / "points.jsonl")


def test_tables_go_between_the_markers(tmp_path: Path) -> None:
    found = points.gather([MACHINE, SET, built("segue-flat"), point("segue-flat", 1.0, 1234)])
    page = tmp_path / "page.md"
    page.write_text(f"above\n{tables.BEGIN}\nold\n{tables.END}\nbelow\n")
    for _ in range(2):
        tables.write_into(page, found)
        text = page.read_text()
        assert text.startswith("above\n") and text.endswith("\nbelow\n") and "\nold\n" not in text
        assert "**segue-flat** | **1,234**" in text
        assert "Beside other work." in text
    page.write_text("no markers")
    with pytest.raises(ValueError, match="expected one line"):
        tables.write_into(page, found)


def test_the_document_has_its_markers() -> None:
    text = (ROOT / "docs" / "performance.md").read_text()
    assert text.count(tables.BEGIN) == text.count(tables.END) == 1


def test_a_peer_that_is_not_installed_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Peer, "missing", lambda self: ["nowhere"])
    written: list[points.Record] = []
    with measure.Contest("some", tmp_path / "none.npz", 10, written.append) as contest:
        contest.build(["hnswlib16"])
    assert written == [{"set": "some", "peer": "hnswlib16", "kind": "left out", "why": "nowhere is not installed"}]


def test_a_peer_that_dies_is_left_out_with_its_last_words(tmp_path: Path) -> None:
    written: list[points.Record] = []
    with measure.Contest("some", tmp_path / "none.npz", 10, written.append) as contest:
        contest.build(["segue-flat"])
    assert written[0]["kind"] == "left out"
    assert "none.npz" in written[0]["why"]


def test_a_peer_that_is_killed_between_rounds_stops_nobody(tmp_path: Path) -> None:
    sets.save(sets.factors(200, 5), tmp_path / "some.npz")
    written: list[points.Record] = []
    with measure.Contest("some", tmp_path / "some.npz", 10, written.append) as contest:
        contest.build(["segue-flat", "segue-hnsw"])
        contest.workers["segue-flat"].process.terminate()
        contest.workers["segue-flat"].process.wait()
        contest.run_round(1)
    assert ("segue-flat", "ended in round 1: ended by SIGTERM") in [(r["peer"], r.get("why")) for r in written]
    assert {record["peer"] for record in written if record["kind"] == "point"} == {"segue-hnsw"}


def test_no_two_peers_look_the_same() -> None:
    assert set(PEERS) == set(LOOKS)
    assert len({(look.colour, look.marker) for look in LOOKS.values()}) == len(LOOKS)
