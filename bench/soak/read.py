"""What a soak wrote: a line that says what was done, then one a period."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Run:
    about: dict[str, Any]
    periods: list[dict[str, Any]]

    def column(self, name: str) -> list[float]:
        return [period[name] for period in self.periods]

    def known(self, name: str) -> tuple[list[float], list[float]]:
        """Times and values of what is not looked at in every period."""
        pairs = [(period["t"], period[name]) for period in self.periods if period[name] is not None]
        return [t for t, _ in pairs], [value for _, value in pairs]

    @property
    def errors(self) -> int:
        return int(sum(self.column("errors")))

    def swaps(self) -> list[float]:
        """The periods in which there was one."""
        before, times = 0, []
        for period in self.periods:
            if period["swaps"] > before:
                times.append(period["t"])
            before = period["swaps"]
        return times


def read(path: Path) -> Run:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    if len(lines) < 3 or "items" not in lines[0] or "t" not in lines[1]:
        raise ValueError(f"{path}: {len(lines)} lines, and not those of `soak --out`: one about the run, and two periods at least")
    return Run(lines[0], lines[1:])
