"""What was measured, as lines of JSON: one record a line, its kind under "kind".

    machine    cpu, cores, isa, versions (a dict), commit, date, command; and a note where there is one
    set        set, items, dim, metric, queries, k
    built      set, peer, seconds, megabytes (growth of the process)
    left out   set, peer, why
    point      set, peer, setting, round, recall, qps (in a batch), p50_us, p99_us (single calls)

A file may hold several runs; the last machine, set and built records count, and all points.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Record = dict[str, Any]
FIELDS = {
    "machine": {"cpu", "cores", "isa", "versions", "commit", "date", "command"},
    "set": {"set", "items", "dim", "metric", "queries", "k"},
    "built": {"set", "peer", "seconds", "megabytes"},
    "left out": {"set", "peer", "why"},
    "point": {"set", "peer", "setting", "round", "recall", "qps", "p50_us", "p99_us"},
}


@dataclass
class SetPoints:
    about: Record
    built: dict[str, Record] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    points: dict[str, list[Record]] = field(default_factory=dict)


@dataclass
class Measured:
    machine: Record
    sets: dict[str, SetPoints]


def parse(line: str, where: str) -> Record:
    try:
        record: Record = json.loads(line)
        missing = FIELDS[record["kind"]] - set(record)
    except (json.JSONDecodeError, KeyError, TypeError):
        kinds = ", ".join(FIELDS)
        raise ValueError(f"{where}: expected a record with one of the kinds {kinds}, got {line[:80]!r}") from None
    if missing:
        raise ValueError(f"{where}: a {record['kind']} record lacks {', '.join(sorted(missing))}")
    return record


def gather(records: Iterable[Record]) -> Measured:
    measured = Measured({}, {})
    for record in records:
        if record["kind"] == "machine":
            measured.machine = record
            continue
        if record["kind"] == "set":
            measured.sets.setdefault(record["set"], SetPoints(record)).about = record
            continue
        if record["set"] not in measured.sets:
            raise ValueError(f"a {record['kind']} of {record['set']} comes before that set's own record")
        of_set, peer = measured.sets[record["set"]], record["peer"]
        if record["kind"] == "built":
            of_set.built[peer] = record
            of_set.left_out.pop(peer, None)
        elif record["kind"] == "left out":
            of_set.left_out[peer] = record["why"]
        else:
            of_set.points.setdefault(peer, []).append(record)
    return measured


def read(path: Path) -> Measured:
    lines = enumerate(path.read_text().splitlines(), 1)
    measured = gather(parse(line, f"{path}:{number}") for number, line in lines if line.strip())
    if not measured.machine or not any(of_set.points for of_set in measured.sets.values()):
        raise ValueError(f"{path}: expected a machine and at least one point; measure first")
    return measured
