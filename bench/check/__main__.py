"""Compares the benchmark programs of two builds; fails only if the best new run is slower than the worst old one.

    python3 -m bench.check OLD NEW [--rounds 5] [--seconds 0.03] [--json FILE]

OLD and NEW are folders with the programs of cases.txt. All rounds are pinned to one core and go old, new, old, new.
Slower means by more than 3 %, as unchanged code that stands elsewhere may take that much longer. What was slower is
measured a second time, and only what is slower both times fails: among fifty names, five runs that all happen to be
slower than five others turn up every few times. A recall that falls by more than 0.005 fails at once. Exit status: 0
nothing is slower, 1 something is or a program failed, 3 the two have no benchmark in common.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

from . import cases, measure, verdict

NOTHING_COMPARED = 3


def choose_programs(old: Path, new: Path) -> list[measure.Program]:
    """What both builds have; the rest is named, so that nobody takes it for compared."""
    programs = []
    for name, patterns in cases.read(Path(__file__).with_name("cases.txt")).items():
        lone = [side for side, folder in (("old", old), ("new", new)) if not (folder / name).exists()]
        if lone:
            print(f"no partner: {name}: not among the {' and not among the '.join(lone)} programs")
            continue
        chosen = cases.choose(patterns, measure.list_names(old / name), measure.list_names(new / name))
        for side, names in (("old", chosen.only_old), ("new", chosen.only_new)):
            for lone_name in names:
                print(f"no partner: {name}: {lone_name} is {side} only")
        if chosen.shared:
            programs.append(measure.Program(old / name, new / name, chosen.shared))
    return programs


def again(programs: list[measure.Program], slower: set[str]) -> list[measure.Program]:
    """The same programs with the names that were slower, where there are any."""
    left = (measure.Program(p.old, p.new, [name for name in p.names if name in slower]) for p in programs)
    return [program for program in left if program.names]


def save(path: Path, verdicts: list[verdict.Verdict], confirmed: set[str]) -> None:
    rows = [{**vars(v), "speedup": v.speedup, "slower": v.slower, "confirmed": v.name in confirmed} for v in verdicts]
    path.write_text(json.dumps(rows, indent=1) + "\n")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench.check", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.03, help="the least time of one benchmark in one round")
    parser.add_argument("--json", type=Path, help="write the verdicts here too")
    options = parser.parse_args(arguments)

    begin = time.monotonic()
    programs = choose_programs(options.old, options.new)
    if not programs:
        print("bench-check: the two builds have no benchmark in common; nothing was compared")
        return NOTHING_COMPARED
    core = measure.pin()
    print(f"{sum(len(p.names) for p in programs)} benchmarks, {options.rounds} rounds of old and new in turns, "
          f"{'not pinned' if core is None else f'on core {core}'}", flush=True)
    verdicts = verdict.judge(*measure.alternate(programs, options.rounds, options.seconds))
    print(verdict.table(verdicts), flush=True)

    slower = {v.name for v in verdicts if v.slower}
    confirmed = set()
    if slower:
        print(f"\n{len(slower)} slower; measured once more, with rounds of their own:", flush=True)
        second = verdict.judge(*measure.alternate(again(programs, slower), options.rounds, options.seconds))
        print(verdict.table(second), flush=True)
        confirmed = {v.name for v in second if v.slower}
    failed = confirmed | {v.name for v in verdicts if v.recalls_less}
    if options.json:
        save(options.json, verdicts, failed)

    print(f"\nbench-check: {len(verdicts)} benchmarks compared in {time.monotonic() - begin:.0f} s, "
          f"{len(confirmed)} slower both times, {sum(v.recalls_less for v in verdicts)} with less recall")
    for name in sorted(failed):
        print(f"  failed: {name}")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (RuntimeError, ValueError, subprocess.TimeoutExpired) as error:
        sys.exit(f"bench-check: {error}")
