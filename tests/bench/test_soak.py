"""The soak's picture, from figures that are made; bench/CMakeLists.txt has a soak of seconds, soak_verdict_test.cpp its verdict."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from bench.soak import __main__ as program
from bench.soak.read import read

ABOUT = {"items": 1000, "dim": 8, "k": 10, "ef": 100, "searches": 1000, "serving_searches": 250, "updates": 500,
         "snapshot_every": 20, "durability": "batch", "seconds": 60, "warm_up": 20, "cores": 2}


def period(number: int) -> dict[str, float | None]:
    figures = {name: 100.0 + number for name in (
        "searches", "p50", "p99", "max", "serving_searches", "serving_p50", "serving_p99", "serving_max", "updates",
        "resident", "resident_most", "anonymous", "index")}
    return {**figures, "t": 10.0 * number, "swaps": number // 2, "errors": 0, "recall": 0.96,
            "serving_recall": 0.95 if number % 2 == 0 else None}


@pytest.fixture
def figures(tmp_path: Path) -> Path:
    path = tmp_path / "soak.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in [ABOUT, *(period(n) for n in range(1, 7))]))
    return path


def test_what_was_written_is_read(figures: Path) -> None:
    run = read(figures)
    assert run.about == ABOUT and run.errors == 0
    assert run.column("t") == [10, 20, 30, 40, 50, 60]
    assert run.swaps() == [20, 40, 60]
    assert run.known("serving_recall") == ([20, 40, 60], [0.95] * 3)


def test_the_picture_is_drawn_the_same_each_time(figures: Path, tmp_path: Path) -> None:
    svg, png = tmp_path / "pictures" / "soak.svg", tmp_path / "pictures" / "soak.png"
    program.main([str(figures), "--out", str(svg), "--out", str(png)])
    first = svg.read_bytes()
    assert ElementTree.fromstring(first).tag.endswith("svg") and png.read_bytes().startswith(b"\x89PNG")
    program.main([str(figures), "--out", str(svg)])
    assert svg.read_bytes() == first


def test_another_file_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text('{"kind": "machine"}\n')
    with pytest.raises(SystemExit, match="not those of"):
        program.main([str(other), "--out", str(tmp_path / "soak.svg")])
