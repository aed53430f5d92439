"""Which benchmarks to compare: those of cases.txt that both builds have, by name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

# Loops for comparison stand where the others name their instruction set.
YARDSTICKS = {"plain", "eigen"}


@dataclass(frozen=True)
class Chosen:
    shared: list[str]
    only_old: list[str]
    only_new: list[str]


def read(path: Path) -> dict[str, list[str]]:
    """The patterns of each program, programs in the order of the file."""
    patterns: dict[str, list[str]] = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split()
        if len(fields) != 2:
            raise ValueError(f"{path}:{number}: expected a program and a regular expression, got {line!r}")
        patterns.setdefault(fields[0], []).append(fields[1])
    return patterns


def best_isa(names: Iterable[str]) -> str:
    """The instruction set of kernel benchmarks that is listed last: a program lists them slowest first."""
    kernels = (name.split("/") for name in names)
    found = [parts[3] for parts in kernels if len(parts) == 6 and parts[3] not in YARDSTICKS]
    return found[-1] if found else "none"


def choose(patterns: Sequence[str], old: Sequence[str], new: Sequence[str]) -> Chosen:
    """The names of both builds that match a pattern, in the order of the new build."""
    known = set(old) & set(new)
    isa = best_isa([name for name in new if name in known] or new)
    wanted = [re.compile(pattern.replace("{isa}", re.escape(isa))) for pattern in patterns]

    def matching(names: Sequence[str]) -> list[str]:
        return [name for name in names if any(pattern.fullmatch(name) for pattern in wanted)]

    return Chosen(
        shared=[name for name in matching(new) if name in known],
        only_old=[name for name in matching(old) if name not in known],
        only_new=[name for name in matching(new) if name not in known],
    )
