"""From what people have to what a catalog reads: one column as codes, numbers and words, and back."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any, Optional

import numpy as np
import numpy.typing as npt

from ._errors import InvalidArgument

TYPES = ("category", "set", "integer", "float", "boolean", "date")
# (name, type, numbers, reals, offsets, words, missing), None for what the type has not.
Parts = tuple[str, str, Any, Any, Any, Any, Any]

_SETS = (list, tuple, set, frozenset, np.ndarray)


def to_parts(name: str, values: Any, kind: Optional[str]) -> Parts:
    """The values of one column; `kind` is a type, or None: the one that the values have."""
    if kind is not None and kind not in TYPES:
        raise InvalidArgument(f"column {name!r}: type {kind!r} is unknown; known are {', '.join(TYPES)}")
    if type(values).__module__.partition(".")[0] == "pyarrow":
        from ._arrow import arrow_parts

        return arrow_parts(name, values, kind)
    if hasattr(values, "to_numpy") and isinstance(getattr(values, "dtype", None), np.dtype):
        values = values.to_numpy()  # a pandas.Series that is an array of numpy's inside
    if isinstance(values, np.ndarray) and values.dtype.kind in "biufM" and values.ndim == 1:
        return _from_array(name, values, kind)
    if isinstance(values, np.ndarray) and values.ndim != 1:
        raise InvalidArgument(f"column {name!r} is of shape {values.shape}, expected (n,)")
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise InvalidArgument(f"column {name!r} is {values!r}, expected an array or a list with one value a row")
    return _from_list(name, values.tolist() if isinstance(values, np.ndarray) else list(values), kind)


def numbers_parts(name: str, kind: str, numbers: npt.NDArray[Any], missing: Optional[npt.NDArray[np.bool_]]) -> Parts:
    """Integers, booleans, dates in seconds, or floats."""
    if kind == "float":
        reals = numbers.astype(np.float64)
        if missing is not None:
            reals[missing] = np.nan
        return name, kind, None, reals, None, None, None
    return name, kind, numbers.astype(np.int64), None, None, None, missing


def _from_array(name: str, values: npt.NDArray[Any], kind: Optional[str]) -> Parts:
    has = {"b": "boolean", "i": "integer", "u": "integer", "f": "float", "M": "date"}[values.dtype.kind]
    if has == "date":
        return numbers_parts(
            name, _same(name, has, kind), values.astype("datetime64[s]").astype(np.int64), np.isnat(values)
        )
    if has == "float" and kind == "integer":
        return numbers_parts(name, kind, *_whole(name, values))
    if has == "integer" and kind == "float":
        return numbers_parts(name, kind, values, None)
    if values.dtype == np.uint64 and values.size and values.max() > np.iinfo(np.int64).max:
        raise InvalidArgument(f"column {name!r} holds {values.max()}, integers fit 64 bits with a sign")
    return numbers_parts(name, _same(name, has, kind), values, None)


def _whole(name: str, values: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Floats that are integers, NaN where one is missing: what pandas makes of integers with gaps."""
    missing = np.isnan(values)
    filled = np.where(missing, 0, values)
    if (filled != np.floor(filled)).any() or (np.abs(filled) >= 2**63).any():
        raise InvalidArgument(f"column {name!r} holds floats that are no integers of 64 bits; its type is 'integer'")
    return filled.astype(np.int64), missing


def _same(name: str, has: str, kind: Optional[str]) -> str:
    if kind is not None and kind != has:
        raise InvalidArgument(f"column {name!r} holds values of type {has!r}, expected {kind!r}")
    return has


def is_missing(value: Any) -> bool:
    """None, NaN, NaT and pandas.NA."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    if isinstance(value, (float, np.floating)):
        return bool(value != value)
    return isinstance(value, np.datetime64) and bool(np.isnat(value))


def _kind_of(value: Any) -> str:
    if isinstance(value, (bool, np.bool_)):
        return "boolean"
    if isinstance(value, (int, np.integer)):
        return "integer"
    if isinstance(value, (float, np.floating)):
        return "float"
    if isinstance(value, (datetime.date, np.datetime64)):
        return "date"
    if isinstance(value, str):
        return "category"
    if isinstance(value, _SETS):
        return "set"
    return type(value).__name__


def _from_list(name: str, values: list[Any], kind: Optional[str]) -> Parts:
    missing = np.fromiter((is_missing(value) for value in values), np.bool_, len(values))
    kinds = {_kind_of(value): i for i, value in reversed(list(enumerate(values))) if not missing[i]}
    if kind is None:
        if not kinds and any(isinstance(value, (float, np.floating)) for value in values):
            kinds = {"float": 0}
        if kinds.keys() == {"integer", "float"}:
            kinds = {"float": 0}
        if len(kinds) != 1 or next(iter(kinds)) not in TYPES:
            raise InvalidArgument(_unclear(name, kinds, values))
        kind = next(iter(kinds))
    fitting = {"float": {"integer", "float"}, "integer": {"integer", "float"}, "date": {"date", "category"}}.get(
        kind, {kind}
    )
    for has, row in kinds.items():
        if has not in fitting:
            raise InvalidArgument(f"column {name!r}, row {row}: {values[row]!r} is no value of type {kind!r}")
    if kind == "category":
        return (name, kind, *_encode(["" if gap else str(v) for v, gap in zip(values, missing)]), missing)
    if kind == "set":
        return _set_parts(name, values, missing)
    if kind == "date":
        seconds = [0 if gap else _seconds(name, row, v) for row, (v, gap) in enumerate(zip(values, missing))]
        return numbers_parts(name, kind, np.array(seconds, np.int64), missing)
    if kind == "integer" and "float" in kinds:
        return numbers_parts(
            name, kind, *_whole(name, np.array([np.nan if gap else v for v, gap in zip(values, missing)], np.float64))
        )
    try:
        numbers = np.array(
            [0 if gap else v for v, gap in zip(values, missing)], np.float64 if kind == "float" else np.int64
        )
    except OverflowError:
        raise InvalidArgument(f"column {name!r} holds integers that do not fit 64 bits") from None
    return numbers_parts(name, kind, numbers, missing)


def _unclear(name: str, kinds: Mapping[str, int], values: list[Any]) -> str:
    if not kinds:
        return f"column {name!r} has no value to tell its type by; give types={{{name!r}: 'category'}} or another"
    if len(kinds) == 1:
        value = values[next(iter(kinds.values()))]
        return f"column {name!r} holds {value!r} ({type(value).__name__}), of which there is no column"
    seen = ", ".join(f"{kind} in row {row}" for kind, row in kinds.items())
    return f"column {name!r} holds values of several types: {seen}; a column has one"


def _encode(values: list[str]) -> tuple[npt.NDArray[np.int64], None, None, list[str]]:
    numbers: dict[str, int] = {}
    codes = np.fromiter((numbers.setdefault(v, len(numbers)) for v in values), np.int64, len(values))
    return codes, None, None, list(numbers)


def _set_parts(name: str, values: list[Any], missing: npt.NDArray[np.bool_]) -> Parts:
    words: list[str] = []
    offsets = np.zeros(len(values) + 1, np.int64)
    for row, value in enumerate(values):
        if not missing[row]:
            for word in value:
                if not isinstance(word, str):
                    raise InvalidArgument(f"column {name!r}, row {row}: {word!r} is no text; sets hold texts")
                words.append(word)
        offsets[row + 1] = len(words)
    codes, _, _, known = _encode(words)
    return name, "set", codes, None, offsets, known, missing


def _seconds(name: str, row: int, value: Any) -> int:
    """Since 1970 in UTC; a time without a zone is UTC."""
    if isinstance(value, str):
        try:
            value = datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            raise InvalidArgument(f"column {name!r}, row {row}: {value!r} is no date; write 2024-05-01") from None
    return since_1970(value)


def since_1970(value: Any) -> int:
    """Seconds, of a datetime, a date or a datetime64; a time without a zone is UTC."""
    if isinstance(value, np.datetime64):
        return int(value.astype("datetime64[s]").astype(np.int64))
    if not isinstance(value, datetime.datetime):
        value = datetime.datetime(value.year, value.month, value.day)
    if value.tzinfo is None:
        value = value.replace(tzinfo=datetime.timezone.utc)
    return int((value - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) // datetime.timedelta(seconds=1))


def from_parts(
    kind: str,
    numbers: npt.NDArray[np.int64],
    reals: npt.NDArray[np.float64],
    offsets: npt.NDArray[np.int64],
    words: list[str],
    missing: npt.NDArray[np.uint8],
) -> npt.NDArray[Any]:
    """Values as people read them: float64 with NaN for integers with gaps, None for a missing text, set or boolean."""
    if kind == "float":
        return reals
    if kind == "set":
        return _sets(numbers, offsets, words, missing)
    gaps = missing.astype(np.bool_)
    if kind == "category":
        table = np.array([*words, None], object)
        return table[np.where(gaps, len(words), numbers) if gaps.size else numbers]
    if kind == "date":
        dates = numbers.astype("datetime64[s]")
        if gaps.size:
            dates[gaps] = np.datetime64("NaT")
        return dates
    if kind == "boolean":
        booleans = numbers.astype(np.bool_)
        if not gaps.size:
            return booleans
        with_gaps = booleans.astype(object)
        with_gaps[gaps] = None
        return with_gaps
    return np.where(gaps, np.nan, numbers) if gaps.size else numbers


def _sets(
    numbers: npt.NDArray[np.int64], offsets: npt.NDArray[np.int64], words: list[str], missing: npt.NDArray[np.uint8]
) -> npt.NDArray[Any]:
    sets = np.empty(len(offsets) - 1, object)
    for row in range(len(sets)):
        if not missing.size or not missing[row]:
            sets[row] = frozenset(words[n] for n in numbers[offsets[row] : offsets[row + 1]])
    return sets
