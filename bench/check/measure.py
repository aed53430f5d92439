"""Runs the Google Benchmark programs of two builds in turns: old, new, old, new, ..."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .verdict import Run

UNITS = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}
# One program answers within seconds; one that does not has hung.
TIMEOUT_S = 300

Runs = dict[str, list[Run]]


@dataclass(frozen=True)
class Program:
    old: Path
    new: Path
    names: list[str]


def pin() -> int | None:
    """Keeps this process and those it starts on the last core it may use; None where the system cannot."""
    try:
        core = max(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {core})
    except (AttributeError, OSError):
        return None
    return core


def environment() -> dict[str, str]:
    """One thread, and none that spins beside it."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}


def call(program: Path, *arguments: str) -> str:
    done = subprocess.run([program, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=TIMEOUT_S, env=environment())
    if done.returncode != 0:
        raise RuntimeError(f"{program} {' '.join(arguments)[:200]}: exit {done.returncode}\n{done.stderr[-2000:]}")
    return done.stdout


def list_names(program: Path) -> list[str]:
    return call(program, "--benchmark_list_tests").split()


def parse(report: str) -> dict[str, Run]:
    """The runs of a JSON report by name."""
    runs = {}
    for entry in json.loads(report)["benchmarks"]:
        if entry.get("error_occurred"):
            raise RuntimeError(f"{entry['name']}: {entry.get('error_message', 'failed')}")
        if entry.get("run_type", "iteration") == "iteration":
            runs[entry["name"]] = Run(entry["real_time"] * UNITS[entry["time_unit"]], entry.get("recall"))
    return runs


def run_once(program: Path, names: Sequence[str], seconds: float) -> dict[str, Run]:
    chosen = "|".join(re.escape(name).replace("\\-", "-") for name in names)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        call(program, f"--benchmark_filter=^({chosen})$", f"--benchmark_min_time={seconds}",
             f"--benchmark_out={report}", "--benchmark_out_format=json")
        runs = parse(report.read_text())
    missing = [name for name in names if name not in runs]
    if missing:
        raise RuntimeError(f"{program} ran nothing by the name of {', '.join(missing)}")
    return runs


def alternate(programs: Sequence[Program], rounds: int, seconds: float) -> tuple[Runs, Runs]:
    """The runs of the old builds and those of the new ones, one of each a round."""
    old: Runs = {}
    new: Runs = {}
    for _ in range(rounds):
        for program in programs:
            for path, runs in ((program.old, old), (program.new, new)):
                for name, run in run_once(path, program.names, seconds).items():
                    runs.setdefault(name, []).append(run)
    return old, new
