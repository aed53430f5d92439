"""What `make bench-check` decides, with programs that stand in for Google Benchmark's and answer what a test wants."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

import pytest

from bench.check import __main__ as program
from bench.check import cases, measure
from bench.check.verdict import Run, Verdict, judge, table

ROOT = Path(__file__).resolve().parents[2]

# Lists its names, or writes a report: the times of a name are taken in turn, one a call, the last one for ever.
STAND_IN = """#!{python}
import json, pathlib, re, sys
figures = json.loads(pathlib.Path(__file__ + ".json").read_text())
arguments = dict(a.lstrip("-").split("=", 1) for a in sys.argv[1:] if "=" in a)
if "--benchmark_list_tests" in sys.argv:
    print("\\n".join(figures))
    sys.exit()
rows = []
for name, (times, recall) in figures.items():
    if re.search(arguments["benchmark_filter"], name):
        rows.append({{"name": name, "real_time": times[0], "time_unit": "us", "recall": recall}})
        figures[name] = (times[1:] or times, recall)
pathlib.Path(__file__ + ".json").write_text(json.dumps(figures))
pathlib.Path(arguments["benchmark_out"]).write_text(json.dumps({{"benchmarks": rows}}))
"""


def stand_in(folder: Path, figures: dict[str, tuple[list[float], float]]) -> None:
    folder.mkdir()
    path = folder / "index_metrics_bench"
    path.write_text(STAND_IN.format(python=sys.executable))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    Path(f"{path}.json").write_text(json.dumps(figures))


def check(folder: Path, old: dict[str, tuple[list[float], float]], new: dict[str, tuple[list[float], float]]) -> int:
    stand_in(folder / "old", old)
    stand_in(folder / "new", new)
    verdicts = folder / "verdicts.json"
    return program.main([str(folder / "old"), str(folder / "new"), "--rounds", "3", "--json", str(verdicts)])


@pytest.fixture(autouse=True)
def leave_affinity_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "pin", lambda: None)


def test_the_best_new_run_against_the_worst_old_one() -> None:
    runs = judge({"a": [Run(10), Run(12)], "b": [Run(10), Run(12)]}, {"a": [Run(12), Run(90)], "b": [Run(13), Run(90)]})
    assert [v.slower for v in runs] == [False, True]
    assert runs[0].speedup == pytest.approx(10 / 12)


def test_code_may_stand_elsewhere() -> None:
    runs = judge({"a": [Run(100)], "b": [Run(100)]}, {"a": [Run(102.9)], "b": [Run(103.1)]})
    assert [v.slower for v in runs] == [False, True]


@pytest.mark.parametrize(
    ("old", "new", "failed"),
    [(0.95, 0.946, False), (0.95, 0.944, True), (0.95, 1.0, False), (0.95, None, True), (None, 0.5, False)],
)
def test_recall_may_fall_by_half_a_point(old: float | None, new: float | None, failed: bool) -> None:
    verdict = judge({"a": [Run(10, old)]}, {"a": [Run(9, new)]})[0]
    assert not verdict.slower
    assert verdict.failed == failed


def test_an_old_worst_recall_and_a_new_worst_recall_are_compared() -> None:
    assert not judge({"a": [Run(1, 0.9), Run(1, 0.8)]}, {"a": [Run(1, 0.8), Run(1, 0.9)]})[0].failed


def test_passes_what_is_as_fast(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures = {"flat": ([10.0, 11, 12], 1.0), "hnsw": ([5.0], 0.9)}
    assert check(tmp_path, figures, figures) == 0
    assert "2 benchmarks compared" in capsys.readouterr().out


def test_fails_what_is_slower_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(tmp_path, {"flat": ([10.0, 11, 12], 1.0), "hnsw": ([5.0], 0.9)},
                 {"flat": ([13.0], 1.0), "hnsw": ([5.0], 0.9)}) == 1
    out = capsys.readouterr().out
    assert "failed: flat" in out
    assert "failed: hnsw" not in out
    rows = json.loads((tmp_path / "verdicts.json").read_text())
    assert [(row["name"], row["confirmed"]) for row in rows] == [("flat", True), ("hnsw", False)]


def test_forgives_what_is_slower_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(tmp_path, {"flat": ([10.0], 1.0)}, {"flat": ([13.0, 13, 13, 10], 1.0)}) == 0
    assert "1 slower; measured once more" in capsys.readouterr().out


def test_fails_faster_with_less_recall(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(tmp_path, {"flat": ([10.0], 1.0)}, {"flat": ([5.0], 0.98)}) == 1
    assert "RECALL FELL" in capsys.readouterr().out


def test_names_what_has_no_partner(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flat = {"flat": ([10.0], 1.0)}
    assert check(tmp_path, {**flat, "gone": ([1.0], 1.0)}, {**flat, "born": ([1.0], 1.0)}) == 0
    out = capsys.readouterr().out
    assert "gone is old only" in out
    assert "born is new only" in out
    assert "1 benchmarks compared" in out


def test_nothing_in_common_is_said(tmp_path: Path) -> None:
    assert check(tmp_path, {"gone": ([1.0], 1.0)}, {"born": ([1.0], 1.0)}) == program.NOTHING_COMPARED


def test_a_program_that_fails_is_an_error(tmp_path: Path) -> None:
    stand_in(tmp_path / "old", {})
    (tmp_path / "old" / "index_metrics_bench.json").write_text("no figures")
    with pytest.raises(RuntimeError, match="exit 1"):
        measure.list_names(tmp_path / "old" / "index_metrics_bench")


def test_the_instruction_set_is_the_best_that_both_have() -> None:
    names = [f"f32/dot/list/{isa}/128/in_cache" for isa in ("scalar", "avx2", "avx512", "plain", "eigen")]
    chosen = cases.choose([".*/{isa}/.*"], names, names)
    assert chosen.shared == ["f32/dot/list/avx512/128/in_cache"]
    without = [name for name in names if "avx512" not in name]
    assert cases.choose([".*/{isa}/.*"], without, names).shared == ["f32/dot/list/avx2/128/in_cache"]


def test_cases_name_benchmarks_that_exist() -> None:
    patterns = cases.read(ROOT / "bench" / "check" / "cases.txt")
    for name in patterns:
        folder, file = name.split("_", 1)
        assert (ROOT / "bench" / folder / f"{file}.cpp").exists(), name


def test_a_line_of_cases_needs_two_words(tmp_path: Path) -> None:
    (tmp_path / "cases.txt").write_text("# one\nprogram\n")
    with pytest.raises(ValueError, match="cases.txt:2"):
        cases.read(tmp_path / "cases.txt")


def test_the_table_shows_what_counts() -> None:
    text = table([Verdict("flat", 1500.0, 1600.0, 3e6, 1.0, 0.5)])
    for part in ("1.5 us", "3 ms", "0.001", "1.0000 -> 0.5000", "SLOWER, RECALL FELL"):
        assert part in text
