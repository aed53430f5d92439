"""segue.build: the kinds, the progress bar where there is somebody to see it, and Ctrl-C."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import threading
import time
import types
from collections.abc import Iterator

import numpy as np
import pytest
from conftest import KINDS, METRICS, random_vectors

import segue
from segue import _progress

SCRIPT = """
import numpy as np, segue
x = np.random.default_rng(0).standard_normal((3000, 16), dtype=np.float32)
index = segue.build(x, kind="hnsw", ef_construction=50{more})
assert len(index) == 3000
"""


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("name", KINDS)
def test_kinds(name: str, metric: str) -> None:
    x = random_vectors(1, 100, 8)
    index = segue.build(x, np.arange(100) + 5, metric=metric, kind=name, progress=False, threads=1, storage="f16")
    assert type(index) is KINDS[name]
    assert (index.metric, index.storage, index.ids()[0]) == (metric, "f16", 5)


def test_auto_is_flat_up_to_ten_thousand() -> None:
    assert isinstance(segue.build(np.ones((10_000, 1), np.float32), progress=False), segue.FlatIndex)
    x = random_vectors(1, 10_001, 2)
    index = segue.build(x, metric="l2", progress=False, m=4, ef_construction=10, seed=3)
    assert isinstance(index, segue.HnswIndex) and (index.m, index.ef_construction, index.seed) == (4, 10, 3)


def test_explain_says_what_and_why() -> None:
    x = random_vectors(1, 12_000, 32)
    index, plan = segue.build(x, metric="l2", progress=False, explain=True)
    assert isinstance(plan, segue.Plan) and isinstance(index, segue.HnswIndex)
    assert plan.kind == "hnsw" and plan.parameters["m"] == 16 and "12,000 items" in plan.reasons[0]
    assert index.memory_usage() <= 1.05 * plan.memory
    lists, plan = segue.build(x, metric="l2", max_memory=plan.memory - 1, progress=False, explain=True)
    assert isinstance(lists, segue.IvfIndex) and plan.kind == "ivf"
    assert any("too much" in reason for reason in plan.reasons)
    assert isinstance(segue.build(x, recall=1, progress=False), segue.FlatIndex)
    with pytest.raises(segue.InvalidArgument, match="max_memory.*least of all kinds"):
        segue.build(x, max_memory=1000, progress=False)
    with pytest.raises(segue.InvalidArgument, match="recall"):
        segue.build(x, recall=0, progress=False)


def test_build_is_add() -> None:
    x = random_vectors(1, 500, 8)
    built, added = segue.build(x, kind="hnsw", metric="l2", progress=False), segue.HnswIndex(8, "l2")
    added.add(x)
    q = random_vectors(2, 10, 8)
    np.testing.assert_array_equal(built.search(q).ids, added.search(q).ids)


def run_on_a_terminal(code: str) -> tuple[int, str]:
    """Runs Python with a terminal as its stderr; what it wrote there."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen([sys.executable, "-c", code], stderr=theirs, stdout=subprocess.DEVNULL)
    os.close(theirs)
    seen = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # the other side is closed
            break
        if not part:
            break
        seen += part
    os.close(ours)
    return child.wait(timeout=60), seen.decode()


def test_a_terminal_sees_a_bar() -> None:
    code, seen = run_on_a_terminal(SCRIPT.format(more=""))
    assert code == 0, seen
    assert "\r100% [####" in seen and "3,000/3,000 items" in seen and seen.endswith("\n")


def test_a_terminal_sees_none_where_none_is_wanted() -> None:
    code, seen = run_on_a_terminal(SCRIPT.format(more=", progress=False"))
    assert (code, seen) == (0, "")


def test_a_pipe_sees_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT.format(more="")], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_no_stderr_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    assert len(segue.build(np.ones((3, 2), np.float32))) == 3


class ZMQInteractiveShell:
    """What IPython's shell is called in a notebook."""


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = types.SimpleNamespace(get_ipython=ZMQInteractiveShell)
    monkeypatch.setitem(sys.modules, "IPython", fake)


def test_a_notebook_sees_tqdm(notebook: None, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []

    class Bar:
        def __init__(self, total: int, **options: object) -> None:
            self.total, self.n = total, 0

        def reset(self, total: int) -> None:
            self.total = total

        def update(self, step: int) -> None:
            self.n += step
            calls.append((self.n, self.total))

        def close(self) -> None:
            calls.append("closed")

    monkeypatch.setitem(sys.modules, "tqdm.notebook", types.SimpleNamespace(tqdm=Bar))
    segue.build(random_vectors(1, 300, 4), kind="hnsw")
    assert calls[-2:] == [(300, 300), "closed"]


def test_a_notebook_without_tqdm_sees_text(
    notebook: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "tqdm.notebook", None)
    segue.build(random_vectors(1, 300, 4), kind="hnsw")
    out, err = capsys.readouterr()
    assert "100%" in out and err == ""


@pytest.mark.parametrize("width", [10, 30, 79, 300])
def test_a_bar_fits_its_line(width: int, capsys: pytest.CaptureFixture[str]) -> None:
    bar = _progress._TextBar(sys.stdout, width)
    for done in (0, 1, 500_000, 999_999, 1_000_000):
        bar(done, 1_000_000)
    bar(0, 0)
    bar.close()
    assert all(len(line) <= width for line in capsys.readouterr().out.rstrip("\n").split("\r"))


def test_a_callable_hears_how_far_it_is() -> None:
    heard: list[tuple[int, int]] = []
    segue.build(random_vectors(1, 400, 4), kind="hnsw", progress=lambda *at: heard.append(at))
    assert heard[-1] == (400, 400) and heard == sorted(heard)


def test_a_callable_may_stop_it() -> None:
    with pytest.raises(segue.Cancelled):
        segue.build(random_vectors(1, 400, 4), kind="hnsw", progress=lambda done, total: False)


def test_an_error_of_the_callable_comes_through() -> None:
    def complain(done: int, total: int) -> None:
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        segue.build(random_vectors(1, 400, 4), kind="hnsw", progress=complain)


@pytest.fixture
def heard_ctrl_c() -> Iterator[None]:
    """Python's own handler, which is missing where the shell started this process in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.slow
@pytest.mark.usefixtures("heard_ctrl_c")
@pytest.mark.parametrize("call", ["build", "add", "upsert"])
@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_stops_it_and_changes_nothing(call: str, threads: int) -> None:
    x = random_vectors(1, 60_000, 32)
    index = segue.HnswIndex(32, "l2", ef_construction=400)
    index.add(x[:50], ids=range(50))
    before = index.get(range(50))
    calls = {
        "build": lambda: segue.build(x, kind="hnsw", metric="l2", ef_construction=400, progress=False, threads=threads),
        "add": lambda: index.add(x, threads=threads),
        "upsert": lambda: index.upsert(x, range(60_000), threads=threads),
    }

    pressed = [0.0]

    def press() -> None:
        pressed[0] = time.monotonic()
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(0.5, press)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        calls[call]()
    late = time.monotonic() - pressed[0]
    timer.join()
    assert late < 5, f"stopped {late:.1f} s after Ctrl-C"
    assert index.ids().tolist() == list(range(50))
    np.testing.assert_array_equal(index.get(range(50)), before)
    index.validate()
    index.add(x[:10])
    assert len(index) == 60
