"""Metrics and tracers from Python: what they count, the page for Prometheus, spans as OpenTelemetry would make them."""

from __future__ import annotations

import contextvars
import importlib.util
import pathlib
import re
import subprocess
import sys
import threading
import time
import types
from collections.abc import Iterator
from typing import Any, Optional

import numpy as np
import pytest
from conftest import KINDS, make_index, random_vectors

import segue

DIM = 8


@pytest.fixture(autouse=True)
def no_tracer() -> Iterator[None]:
    yield
    segue.set_tracer(None)


@pytest.fixture(params=KINDS)
def index(request: pytest.FixtureRequest) -> segue.Index:
    made = make_index(request.param, DIM, "l2")
    made.add(random_vectors(1, 300, DIM))
    return made


def settled(metrics: segue.Metrics) -> dict[str, Any]:
    for _ in range(20_000):
        recall = metrics.snapshot()["recall"]
        if recall["measured"] + recall["dropped"] + recall["skipped"] == recall["sampled"]:
            return recall
        time.sleep(0.001)
    raise AssertionError(f"shadow queries were left over: {recall}")


def test_counts(index: segue.Index) -> None:
    metrics = segue.Metrics()
    assert index.metrics is None
    index.metrics = metrics
    assert index.metrics is metrics
    stats = index.search(random_vectors(2, 7, DIM), 5, stats=True).stats
    index.search(random_vectors(2, 7, DIM), 5, threads=1)
    index.range_search(random_vectors(2, 2, DIM), 3.0)
    index.upsert(random_vectors(3, 4, DIM), ids=range(4))
    assert index.remove([1, 2, 77777]) == 2
    with pytest.raises(segue.AlreadyExists):
        index.add(random_vectors(3, 1, DIM), ids=[5])
    now = metrics.snapshot()
    assert (now["search"]["calls"], now["search"]["items"], now["range_search"]["items"]) == (2, 14, 2)
    assert now["distances"] >= stats.distances.sum() > 0 and now["visited"] >= stats.visited.sum()
    assert (now["upsert"]["items"], now["remove"]["items"], now["add"]["calls"], now["add"]["errors"]) == (4, 2, 0, 1)
    assert (now["indexes"], now["items"], now["memory"]) == (1, 298, index.memory_usage())
    assert now["live"] is None and now["serving"] is None and now["recall"]["sampled"] == 0
    latency = now["search"]["latency"]
    assert latency["count"] == 2 and 0 < latency["p50"] <= latency["p90"] <= latency["p99"] <= latency["p999"] < 10
    assert latency["p50"] * 0.9 <= latency["seconds"] <= latency["p999"] * 2 * 1.1
    index.metrics = None
    index.search(random_vectors(2, 7, DIM), 5)
    now = metrics.snapshot()
    assert now["search"]["calls"] == 2 and now["indexes"] == 0


def test_copies_are_watched_by_nobody(index: segue.Index) -> None:
    import copy

    index.metrics = segue.Metrics()
    assert copy.copy(index).metrics is None


def test_a_live_index_and_a_serving(tmp_path: pathlib.Path) -> None:
    metrics = segue.Metrics()
    with segue.LiveIndex(tmp_path / "live", segue.FlatIndex(DIM)) as live:
        live.metrics = metrics
        live.add(random_vectors(1, 10, DIM))
        live.snapshot()
        now = metrics.snapshot()
        assert now["add"]["items"] == 10 and now["snapshot"]["calls"] == 1
        assert now["live"]["journal_lag"] == 0 and 0 <= now["live"]["snapshot_age"] < 60
        live.save(tmp_path / "saved")
    del live
    serving = segue.Serving(tmp_path / "saved")
    assert serving.metrics is None
    serving.metrics = metrics
    assert serving.metrics is metrics
    serving.search(random_vectors(1, 3, DIM))
    serving.swap(tmp_path / "saved")
    serving.search(random_vectors(1, 3, DIM))
    serving.current().index.search(random_vectors(1, 3, DIM))
    now = metrics.snapshot()
    assert now["search"]["items"] == 9 and now["swap"]["calls"] == 1
    assert now["serving"]["generation"] == 2 and now["serving"]["held"] == 1 and now["live"] is None
    del serving
    assert metrics.snapshot()["serving"] is None


def test_shadow_recall() -> None:
    index = segue.HnswIndex(DIM, "l2", storage="f32")
    index.add(random_vectors(1, 3000, DIM))
    index.metrics = metrics = segue.Metrics(shadow_rate=1.0, shadow_load=1.0, shadow_queue=500)
    queries = random_vectors(5, 200, DIM)
    keep = segue.IdSet(range(0, 3000, 3))
    hits = 0
    for query in queries:
        dropped = -1
        while dropped != settled(metrics)["dropped"]:  # again, where it met the thread in the queue
            dropped = metrics.snapshot()["recall"]["dropped"]
            found = index.search(query, 10, ef=10, filter=keep, exclude=[0, 3, 6])
        ids = np.setdiff1d(keep.ids(), [0, 3, 6])
        distances = ((index.get(ids) - query) ** 2).sum(1)
        hits += np.isin(found.ids, ids[np.argsort(distances, kind="stable")[:10]]).sum()
    recall = settled(metrics)
    assert recall["measured"] == 200 and recall["wanted"] == 2000
    assert abs(recall["recall"] - hits / 2000) < 0.002  # distances of numpy may round otherwise
    assert 0 < recall["low"] <= recall["recall"] <= recall["high"] <= 1


def test_wrong_arguments() -> None:
    index = segue.FlatIndex(DIM)
    for wrong in (17, "metrics", segue.Metrics):
        with pytest.raises(segue.InvalidArgument, match="expected a segue.Metrics or None"):
            index.metrics = wrong
        with pytest.raises(segue.InvalidArgument, match="expected a segue.Metrics or None"):
            segue.Serving(index).metrics = wrong
    for arguments, says in (
        ({"labels": {"a-b": "c"}}, "a-b"),
        ({"labels": {"le": "c"}}, "taken"),
        ({"labels": {"a": 3}}, "label"),
        ({"labels": [("a", "b")]}, "dict"),
        ({"latency_bounds": [1, 0.5]}, "ascending"),
        ({"latency_bounds": ["x"]}, "latency_bounds"),
        ({"latency_bounds": 3}, "latency_bounds"),
        ({"shadow_rate": 2}, "shadow.rate"),
        ({"shadow_rate": float("nan")}, "shadow.rate"),
        ({"shadow_queue": 0}, "shadow.queue"),
        ({"shadow_load": 0}, "shadow.load"),
        ({"shadow_seed": -1}, "shadow_seed"),
    ):
        with pytest.raises(segue.InvalidArgument, match=says):
            segue.Metrics(**arguments)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        segue.Metrics({"a": "b"})  # type: ignore[misc]
    for wrong in (3, "f"):
        with pytest.raises(segue.InvalidArgument, match="expected a function"):
            segue.set_tracer(wrong)  # type: ignore[arg-type]
        with pytest.raises(segue.InvalidArgument, match="expected a function"):
            segue.set_tracer(print, wrong)  # type: ignore[arg-type]


def test_the_page_of_prometheus(index: segue.Index) -> None:
    index.metrics = metrics = segue.Metrics(labels={"index": 'a "b"\\\n'}, latency_bounds=[0.001, 60])
    for _ in range(5):
        index.search(random_vectors(2, 3, DIM))
    page = metrics.prometheus()
    label = 'index="a \\"b\\"\\\\\\n"'
    assert f'segue_searches_total{{{label},op="search"}} 5\n' in page
    assert f'segue_search_latency_seconds_bucket{{{label},op="search",le="60"}} 5\n' in page
    assert f'segue_search_latency_seconds_bucket{{{label},op="search",le="+Inf"}} 5\n' in page
    assert f"segue_items{{{label}}} 300\n" in page
    for line in page.splitlines():
        assert re.fullmatch(r"# (HELP|TYPE) segue_\w+ .+|segue_\w+\{.*\} [0-9.e+-]+", line), line


@pytest.mark.skipif(importlib.util.find_spec("prometheus_client") is None, reason="prometheus_client is not installed")
def test_prometheus_itself_reads_the_page(index: segue.Index) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    index.metrics = metrics = segue.Metrics(labels={"index": 'a "b"\\\n'}, shadow_rate=0.5)
    index.search(random_vectors(2, 3, DIM))
    families = {family.name: family for family in text_string_to_metric_families(metrics.prometheus())}
    assert families["segue_search_latency_seconds"].type == "histogram"
    samples = {(s.name, s.labels.get("op"), s.labels.get("le")): s for s in families["segue_search_latency_seconds"].samples}
    assert samples["segue_search_latency_seconds_count", "search", None].value == 1
    assert samples["segue_search_latency_seconds_count", "search", None].labels["index"] == 'a "b"\\\n'


class Spans:
    """As a tracer of OpenTelemetry would: spans nest by the context of the thread."""

    def __init__(self) -> None:
        self.current: contextvars.ContextVar[Optional[str]] = contextvars.ContextVar("current", default=None)
        self.ended: list[tuple[str, Optional[str], Optional[str]]] = []

    def start(self, name: str) -> dict[str, Any]:
        return {"name": name, "parent": self.current.get(), "thread": threading.get_ident()}

    def end(self, span: dict[str, Any], error: Optional[str]) -> None:
        assert span["thread"] == threading.get_ident()
        self.ended.append((span["name"], span["parent"], error))


def test_spans(tmp_path: pathlib.Path, index: segue.Index) -> None:
    spans = Spans()
    segue.set_tracer(spans.start, spans.end)
    token = spans.current.set("request 7")
    index.search(random_vectors(2, 3, DIM))
    spans.current.reset(token)
    index.range_search(random_vectors(2, 3, DIM), 1.0)
    with pytest.raises(segue.AlreadyExists):
        index.add(random_vectors(2, 1, DIM), ids=[7])
    index.upsert(random_vectors(2, 1, DIM), ids=[7])
    index.remove([7])
    index.save(tmp_path / "saved")
    segue.Serving(tmp_path / "saved").swap(tmp_path / "saved")
    with segue.LiveIndex(tmp_path / "live", index, snapshots=False) as live:
        live.add(random_vectors(2, 1, DIM), ids=[7])
        live.snapshot()
        live.replace(index)
    assert [name for name, _, _ in spans.ended] == [
        f"segue.{name}"
        for name in "search range_search add upsert remove swap swap replay add snapshot replace".split()
    ]
    assert spans.ended[0] == ("segue.search", "request 7", None) and spans.ended[1][1] is None
    assert "already" in (spans.ended[2][2] or "") and spans.ended[3][2] is None
    segue.set_tracer(None)
    index.search(random_vectors(2, 3, DIM))
    assert len(spans.ended) == 11


def test_opentelemetry_as_the_docs_tie_it(monkeypatch: pytest.MonkeyPatch) -> None:
    page = pathlib.Path(__file__).parents[2] / "docs/observability.md"
    if not page.exists():
        pytest.skip("there are no docs beside the tests")
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    (block,) = [block for block in blocks if "opentelemetry" in block]
    seen: list[tuple[object, ...]] = []

    class Span:
        def set_status(self, status: object) -> None:
            seen.append(("status", status))

        def end(self) -> None:
            seen.append(("end",))

    class Tracer:
        def start_span(self, name: str) -> Span:
            seen.append(("start", name))
            return Span()

    trace = types.ModuleType("opentelemetry.trace")
    trace.Status = lambda code, text: (code, text)  # type: ignore[attr-defined]
    trace.StatusCode = types.SimpleNamespace(ERROR="ERROR")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "opentelemetry", types.ModuleType("opentelemetry"))
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", trace)
    names: dict[str, Any] = {"segue": segue}
    exec(block, names)
    names["use_tracer"](Tracer())
    index = segue.FlatIndex(DIM)
    index.add(random_vectors(1, 1, DIM))
    assert seen == [("start", "segue.add"), ("end",)]
    seen.clear()
    with pytest.raises(segue.AlreadyExists):
        index.add(random_vectors(1, 1, DIM), ids=[0])
    assert seen[0] == ("start", "segue.add") and seen[-1] == ("end",)
    assert seen[1][0] == "status" and seen[1][1][0] == "ERROR" and "already" in seen[1][1][1]  # type: ignore[index]


def test_spans_of_many_threads(index: segue.Index) -> None:
    spans = Spans()
    segue.set_tracer(spans.start, spans.end)
    queries = random_vectors(2, 3, DIM)

    def search() -> None:
        for _ in range(100):
            index.search(queries)

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [name for name, _, _ in spans.ended] == ["segue.search"] * 400


def test_a_tracer_that_raises_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    index = segue.FlatIndex(DIM)
    seen: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda raised: seen.append(str(raised.exc_value)))

    def fail(*arguments: object) -> None:
        raise ValueError(f"no: {arguments[0]}")

    segue.set_tracer(fail, fail)
    index.add(random_vectors(1, 3, DIM))
    assert len(index) == 3 and seen == ["no: segue.add"]
    segue.set_tracer(lambda name: name, fail)
    index.search(random_vectors(1, 3, DIM))
    assert seen[1:] == ["no: segue.search"]
    segue.set_tracer(lambda name: None)  # without an end
    index.search(random_vectors(1, 3, DIM))
    assert len(seen) == 2


def test_spans_and_tracers_are_let_go(index: segue.Index) -> None:
    span = object()
    before = sys.getrefcount(span)
    segue.set_tracer(lambda name: span, lambda span, error: None)
    for _ in range(50):
        index.search(random_vectors(1, 1, DIM))
    segue.set_tracer(lambda name: span)
    for _ in range(50):
        index.search(random_vectors(1, 1, DIM))
    segue.set_tracer(None)
    assert sys.getrefcount(span) == before


def test_a_tracer_may_search(index: segue.Index) -> None:
    names: list[str] = []

    def start(name: str) -> None:
        names.append(name)
        index.search(random_vectors(1, 1, DIM))

    segue.set_tracer(start)
    index.search(random_vectors(1, 1, DIM))
    assert names == ["segue.search"]


def test_the_interpreter_ends_with_a_tracer_and_metrics(tmp_path: pathlib.Path) -> None:
    program = (
        "import numpy as np, segue, sys\n"
        "segue.set_tracer(lambda name: [name], lambda span, error: None)\n"
        "live = segue.LiveIndex(sys.argv[1], segue.FlatIndex(8), durability='never', snapshot_bytes=1000)\n"
        "live.metrics = segue.Metrics(shadow_rate=1.0)\n"
        "for i in range(50):\n"
        "    live.add(np.ones((10, 8), np.float32))\n"
        "    live.search(np.ones(8, np.float32))\n"
        "print(len(live))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "live")], capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "500", "")
