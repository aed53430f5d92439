"""Columns of a CSV file: every cell is text until all cells of its column read as something narrower."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ._errors import InvalidArgument


def read_csv(
    lines: Iterable[list[str]], types: Mapping[str, str], names: set[str], separator: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Values and types by name; columns in `names`, of ids and keys, stay text unless all of them are integers."""
    rows = iter(lines)
    header = next(rows, [])
    if len(set(header)) != len(header):
        raise InvalidArgument(f"two columns have the same name: {', '.join(header)}")
    columns: list[list[str]] = [[] for _ in header]
    for number, row in enumerate(rows, 2):
        if not row:
            continue
        if len(row) != len(header):
            raise InvalidArgument(f"line {number} has {len(row)} cells, the first line has {len(header)} names")
        for column, cell in zip(columns, row):
            column.append(cell)
    found: dict[str, Any] = {}
    values: dict[str, Any] = {}
    for name, cells in zip(header, columns):
        kind = types.get(name)
        if name in names:
            kind = "ids" if all(cell.isdigit() for cell in cells) and kind is None else "category"
            values[name] = [int(cell) for cell in cells] if kind == "ids" else cells
            continue
        values[name], found[name] = _column(name, cells, kind, separator)
    return values, found


def _column(name: str, cells: list[str], kind: Any, separator: str) -> tuple[list[Any], str]:
    if kind is None:
        for guess in ("integer", "float", "boolean", "date", "category"):
            try:
                return _read(cells, guess, separator), guess
            except ValueError:
                continue
    try:
        return _read(cells, kind, separator), kind
    except KeyError:
        raise InvalidArgument(
            f"column {name!r}: type {kind!r} is unknown; known are {', '.join(_READERS)} and set"
        ) from None
    except ValueError as error:
        raise InvalidArgument(f"column {name!r} is to be of type {kind!r}: {error}") from None


def _boolean(cell: str) -> bool:
    if cell.lower() not in ("true", "false"):
        raise ValueError(f"{cell!r} is neither true nor false")
    return cell.lower() == "true"


def _date(cell: str) -> datetime.datetime:
    if "-" not in cell:
        raise ValueError(f"{cell!r} is no date")
    return datetime.datetime.fromisoformat(cell.replace("Z", "+00:00"))


def _float(cell: str) -> float:
    if "_" in cell:
        raise ValueError(f"{cell!r} is no number")
    return float(cell)


def _integer(cell: str) -> int:
    if "_" in cell or not -(2**63) < int(cell) < 2**63:
        raise ValueError(f"{cell!r} is no integer of 64 bits")
    return int(cell)


_READERS: dict[str, Callable[[str], Any]] = {
    "integer": _integer,
    "float": _float,
    "boolean": _boolean,
    "date": _date,
    "category": str,
}


def _read(cells: list[str], kind: str, separator: str) -> list[Any]:
    if kind == "set":
        return [cell.split(separator) if cell else None for cell in cells]
    reader = _READERS[kind]
    if kind != "category" and not any(cells):
        raise ValueError("all cells are empty")
    return [reader(cell) if cell else None for cell in cells]
