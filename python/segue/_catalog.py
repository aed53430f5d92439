"""Catalog: typed columns beside the vectors."""

from __future__ import annotations

import csv
import importlib
import os
import pathlib
from collections.abc import Iterable, Mapping
from typing import Any, Optional, SupportsIndex, Union

import numpy as np
import numpy.typing as npt

from . import _segue
from ._columns import Parts, from_parts, to_parts
from ._errors import FileNotFound, InvalidArgument, NotFound, Unsupported

_Types = Mapping[str, str]
_Path = Union[str, "os.PathLike[str]"]
_Ids = Any
_Keys = Iterable[str]


class Catalog:
    """Typed columns beside the vectors, and which ids an expression over them selects.

    A row is an id's values; any may be missing (None, NaN, NaT). Rows may have keys, the outside
    world's names for them: all rows or none. Types: "category" (one of some texts), "set" (any
    number of some texts: markets, tags), "integer", "float", "boolean", "date" (to the second,
    UTC). They follow from the values; `types` says so where they do not.

    Integers, dates and texts take 1 to 8 bytes a row, as their range asks for; floats 4 where
    every value survives it. Building takes O(rows). Any number of threads may read and select;
    changes wait for them.

    Args:
        columns: A mapping from names to arrays or lists with one value a row: numpy, lists,
            pandas.Series, pyarrow.Array.
        ids: int64 of shape (n,), 0 or more; None: 0, 1, 2, ...
        keys: One str a row, each another; None: rows have none.
        types: A mapping from names of columns to types, for those where the values do not tell.

    Raises:
        InvalidArgument: Columns of different lengths or without a clear type, repeated ids or
            keys; the message names the column and the row.

    Example:
        >>> import segue
        >>> classes = segue.Catalog(
        ...     {"minutes": [30, 45, None], "market": [["SE", "NO"], [], ["SE"]]},
        ...     keys=["class:a", "class:b", "class:c"],
        ... )
        >>> classes["class:b"]
        1
        >>> classes.select((segue.field("minutes") <= 30) & segue.field("market").contains("SE"))
        IdSet(1 id: 0)
        >>> classes.select("market has 'SE'").ids()
        array([0, 2])
    """

    def __init__(
        self,
        columns: Mapping[str, Any],
        *,
        ids: Optional[_Ids] = None,
        keys: Optional[_Keys] = None,
        types: Optional[_Types] = None,
    ) -> None:
        self._core = _segue._Catalog.create(_parts(columns, types), ids, _key_list(keys))

    @classmethod
    def _wrap(cls, core: _segue._Catalog) -> Catalog:
        made = cls.__new__(cls)
        made._core = core
        return made

    @classmethod
    def from_arrow(
        cls,
        table: Any,
        *,
        ids: Optional[_Ids] = None,
        keys: Optional[Union[str, _Keys]] = None,
        types: Optional[_Types] = None,
    ) -> Catalog:
        """Of an Arrow table; no Python object is made for a value.

        Args:
            table: pyarrow.Table or RecordBatch. Dictionaries and strings become categories, lists
                of strings sets, dates and timestamps dates.
            ids: Ids, or the name of the column that holds them.
            keys: Keys, or the name of the column that holds them.
            types: As for `Catalog`.

        Returns:
            Catalog.

        Raises:
            InvalidArgument: A type that no column has, a name that is not there.

        Example:
            >>> import segue
            >>> table = pyarrow.table({"uri": ["a", "b"], "bpm": [120, None]})  # doctest: +SKIP
            >>> segue.Catalog.from_arrow(table, keys="uri").columns  # doctest: +SKIP
            {'bpm': 'integer'}
        """
        if not hasattr(table, "column_names") and not hasattr(table, "schema"):
            raise InvalidArgument(f"table is {table!r} ({type(table).__name__}), expected a pyarrow.Table")
        names = list(table.schema.names)
        if len(set(names)) != len(names):
            raise InvalidArgument(f"the table has columns of the same name: {', '.join(names)}")
        return cls._of_columns({name: table.column(i) for i, name in enumerate(names)}, ids, keys, types)

    @classmethod
    def from_parquet(
        cls,
        path: _Path,
        *,
        columns: Optional[Iterable[str]] = None,
        ids: Optional[_Ids] = None,
        keys: Optional[Union[str, _Keys]] = None,
        types: Optional[_Types] = None,
    ) -> Catalog:
        """Of a Parquet file; needs pyarrow.

        Args:
            path: The file.
            columns: Names of those to read, the columns of ids and keys included; None: all.
            ids: As for `from_arrow`.
            keys: As for `from_arrow`.
            types: As for `Catalog`.

        Returns:
            Catalog.

        Raises:
            FileNotFound: No such file.
            InvalidArgument: As `from_arrow`; a file that is no Parquet.
            Unsupported: There is no pyarrow.

        Example:
            >>> import segue
            >>> tracks = segue.Catalog.from_parquet("tracks.parquet", keys="uri")  # doctest: +SKIP
            >>> tracks["spotify:track:0sNKiz82ATCvT3f3XVVUUj"]  # doctest: +SKIP
            7
        """
        try:
            pa, parquet = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
        except ImportError:
            raise Unsupported("reading Parquet needs pyarrow: pip install 'segue[parquet]'") from None
        if not pathlib.Path(path).exists():
            raise FileNotFound(f"{path}: there is no such file")
        try:
            table = parquet.read_table(path, columns=None if columns is None else list(columns))
        except (pa.ArrowInvalid, OSError) as error:
            raise InvalidArgument(f"{path} cannot be read as Parquet: {error}") from None
        return cls.from_arrow(table, ids=ids, keys=keys, types=types)

    @classmethod
    def from_csv(
        cls,
        path: _Path,
        *,
        types: Optional[_Types] = None,
        ids: Optional[_Ids] = None,
        keys: Optional[Union[str, _Keys]] = None,
        delimiter: str = ",",
        separator: str = "|",
    ) -> Catalog:
        """Of a CSV file in UTF-8 whose first line has the names. An empty cell is missing.

        Args:
            path: The file.
            types: As for `Catalog`. A column that it does not name is integer, float, boolean
                (true and false, in any case) or date where all its cells are, else category.
            ids: As for `from_arrow`.
            keys: As for `from_arrow`.
            delimiter: What stands between cells.
            separator: What stands between the texts of a set; only `types` makes a column one.

        Returns:
            Catalog.

        Raises:
            FileNotFound: No such file.
            InvalidArgument: A line of another length, a cell that is not of its column's type.

        Example:
            >>> import pathlib, tempfile, segue
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     path = pathlib.Path(folder, "classes.csv")
            ...     _ = path.write_text("key,minutes,market\\na,30,SE|NO\\nb,,SE\\n")
            ...     classes = segue.Catalog.from_csv(path, keys="key", types={"market": "set"})
            >>> classes.columns
            {'minutes': 'integer', 'market': 'set'}
        """
        from ._csv import read_csv

        if not pathlib.Path(path).exists():
            raise FileNotFound(f"{path}: there is no such file")
        named = {name for name in (ids, keys) if isinstance(name, str)}
        with open(path, newline="", encoding="utf-8-sig") as file:
            try:
                columns, found = read_csv(csv.reader(file, delimiter=delimiter), types or {}, named, separator)
            except (csv.Error, UnicodeDecodeError) as error:
                raise InvalidArgument(f"{path} cannot be read as CSV: {error}") from None
        return cls._of_columns(columns, ids, keys, found)

    @classmethod
    def from_pandas(
        cls,
        frame: Any,
        *,
        ids: Optional[_Ids] = None,
        keys: Optional[Union[str, _Keys]] = None,
        types: Optional[_Types] = None,
    ) -> Catalog:
        """Of a pandas.DataFrame; its index is not looked at.

        Args:
            frame: The frame. Columns of objects hold texts, lists of texts (sets), dates or
                booleans with gaps; None, NaN, NaT and pandas.NA are missing.
            ids: As for `from_arrow`.
            keys: As for `from_arrow`.
            types: As for `Catalog`. Floats that are integers, as pandas makes of integers with
                gaps, are floats unless it says "integer".

        Returns:
            Catalog.

        Raises:
            InvalidArgument: As `Catalog`.

        Example:
            >>> import segue
            >>> frame = pandas.DataFrame({"uri": ["a", "b"], "bpm": [120, 95]})  # doctest: +SKIP
            >>> segue.Catalog.from_pandas(frame, keys="uri").select("bpm > 100").ids()  # doctest: +SKIP
            array([0])
        """
        if not hasattr(frame, "columns") or not hasattr(frame, "iloc"):
            raise InvalidArgument(f"frame is {frame!r} ({type(frame).__name__}), expected a pandas.DataFrame")
        names = [str(name) for name in frame.columns]
        if len(set(names)) != len(names):
            raise InvalidArgument(f"the frame has columns of the same name: {', '.join(names)}")
        return cls._of_columns({name: frame.iloc[:, i] for i, name in enumerate(names)}, ids, keys, types)

    @classmethod
    def _of_columns(
        cls, columns: dict[str, Any], ids: Any, keys: Optional[Union[str, _Keys]], types: Optional[_Types]
    ) -> Catalog:
        names = ", ".join(columns)
        given = {}
        for what, value in (("ids", ids), ("keys", keys)):
            if isinstance(value, str):
                if value not in columns:
                    raise InvalidArgument(f"{what} is {value!r}, which is no column; there are: {names}")
                value = columns[value]
                value = value.to_pylist() if hasattr(value, "to_pylist") else list(value)
            given[what] = value
        for value in (ids, keys):
            if isinstance(value, str):
                columns.pop(value, None)
        return cls(columns, ids=given["ids"], keys=given["keys"], types=types)

    def append(self, columns: Mapping[str, Any], *, ids: Optional[_Ids] = None, keys: Optional[_Keys] = None) -> None:
        """Adds rows. All or nothing.

        Args:
            columns: As for `Catalog`; a column that is left out is missing in the new rows.
            ids: int64 of shape (n,), none of them there; None: the next free ones.
            keys: One a row, where rows have keys.

        Raises:
            AlreadyExists: An id or a key is there; `upsert` replaces.
            InvalidArgument: A column that the catalog does not have, values of another type.

        Example:
            >>> import segue
            >>> classes = segue.Catalog({"minutes": [30]})
            >>> classes.append({"minutes": [45, 20]})
            >>> len(classes)
            3
        """
        self._core.append(self._parts(columns), ids, _key_list(keys))

    def upsert(self, columns: Mapping[str, Any], *, ids: Optional[_Ids] = None, keys: Optional[_Keys] = None) -> None:
        """Replaces the given columns in rows that are there, and adds the others. All or nothing.

        Args:
            columns: As for `Catalog`; a column that is left out keeps its values.
            ids: int64 of shape (n,). None: those of the keys, the next free ones for new keys.
            keys: One a row. None: `ids` say which rows are meant.

        Raises:
            InvalidArgument: As `append`; neither ids nor keys; a key that belongs to another id.

        Example:
            >>> import segue
            >>> classes = segue.Catalog({"minutes": [30, 45]}, keys=["a", "b"])
            >>> classes.upsert({"minutes": [40, 10]}, keys=["b", "c"])
            >>> classes.take([0, 1, 2], "minutes")
            array([30, 40, 10])
        """
        self._core.upsert(self._parts(columns), ids, _key_list(keys))

    def remove(self, ids: _Ids) -> int:
        """Removes the rows that are there.

        Args:
            ids: int64 of shape (n,).

        Returns:
            int. How many there were.

        Example:
            >>> import segue
            >>> segue.Catalog({"minutes": [30, 45]}).remove([1, 7])
            1
        """
        return self._core.remove(ids)

    def select(self, filter: Union[_segue.Expression, str]) -> _segue.IdSet:
        """The ids of the rows that match.

        Scans the columns the first time, about 0.1 to 1 ms a million rows and comparison; the
        same filter again, however it is written, is there in microseconds, and after changes to
        few rows only these are looked at.

        Args:
            filter: An expression of `segue.field`, or text for `segue.parse_filter`.

        Returns:
            IdSet. len() of it is how many match.

        Raises:
            InvalidArgument: Text that is no expression, a column that is not there, a comparison
                that its type does not have; the message lists what there is.

        Example:
            >>> import segue
            >>> classes = segue.Catalog({"minutes": [30, 45, 20]})
            >>> classes.select("minutes between 20 and 30")
            IdSet(2 ids: 0, 2)
        """
        return self._core.select(filter)

    def take(self, ids: _Ids, column: str) -> npt.NDArray[Any]:
        """The values of a column for some ids.

        Args:
            ids: int64 of shape (n,), or one id.
            column: Its name.

        Returns:
            Array of shape (n,), or the value of one id: int64, float64 with NaN for integers with
            gaps, bool, datetime64[s], or objects: str, frozenset, None where missing.

        Raises:
            NotFound: An id that has no row.
            InvalidArgument: A column that is not there; the message lists those that are.

        Example:
            >>> import segue
            >>> classes = segue.Catalog({"minutes": [30, 45], "market": [["SE"], None]})
            >>> classes.take([1, 0], "minutes")
            array([45, 30])
            >>> classes.take(0, "market")
            frozenset({'SE'})
        """
        if not isinstance(column, str):
            raise InvalidArgument(f"column is {column!r} ({type(column).__name__}), expected its name")
        *parts, single = self._core.take(ids, column)
        values = from_parts(*parts)
        return values[0] if single else values

    def ids(self, keys: Optional[_Keys] = None) -> npt.NDArray[np.int64]:
        """The ids of some keys, or all ids.

        Args:
            keys: An iterable of str; None: all ids, ascending.

        Returns:
            int64 array of shape (n,).

        Raises:
            NotFound: A key that is not there; the message has its position.

        Example:
            >>> import segue
            >>> segue.Catalog({}, keys=["a", "b", "c"]).ids(["c", "a"])
            array([2, 0])
        """
        if keys is None:
            return self._core.ids()
        return self._core.find_all(_key_list(keys) or [])

    def keys(self, ids: Optional[_Ids] = None) -> list[str]:
        """The keys of some ids, or all.

        Args:
            ids: int64 of shape (n,); None: all ids, ascending.

        Returns:
            list of str.

        Raises:
            NotFound: An id that has no row; rows that have no keys.

        Example:
            >>> import segue
            >>> segue.Catalog({}, keys=["a", "b", "c"]).keys([2, 0])
            ['c', 'a']
        """
        return self._core.keys(self._core.ids() if ids is None else ids)

    @property
    def columns(self) -> dict[str, str]:
        """Names and types of the columns, in their order.

        Example:
            >>> import segue
            >>> segue.Catalog({"minutes": [30], "live": [True]}).columns
            {'minutes': 'integer', 'live': 'boolean'}
        """
        return dict(self._core.columns())

    @property
    def has_keys(self) -> bool:
        """Whether rows have keys."""
        return self._core.has_keys()

    def memory_usage(self) -> int:
        """Bytes held, cached selections included.

        Returns:
            int.

        Example:
            >>> import numpy as np, segue
            >>> segue.Catalog({"minutes": np.full(100_000, 30)}).memory_usage() // 100_000
            9
        """
        return self._core.memory_usage()

    def validate(self) -> None:
        """Checks every invariant, in time proportional to the size; for tests.

        Raises:
            CorruptFile: Something does not hold.

        Example:
            >>> import segue
            >>> segue.Catalog({"minutes": [30]}).validate()
        """
        self._core.validate()

    def __getitem__(self, key: str) -> int:
        if not isinstance(key, str):
            raise InvalidArgument(
                f"key is {key!r} ({type(key).__name__}), expected a str; take(ids, column) gives values"
            )
        found = self._core.find(key)
        if found < 0:
            raise NotFound(
                f"key {key!r} is not in the catalog" + ("" if self.has_keys else ", whose rows have no keys")
            )
        return found

    def __contains__(self, name: Union[str, SupportsIndex]) -> bool:
        return self._core.find(name) >= 0 if isinstance(name, str) else self._core.contains(name)

    def __len__(self) -> int:
        return self._core.size()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Catalog) and self._core is other._core

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        columns = ", ".join(f"{name}: {kind}" for name, kind in self._core.columns())
        rows = len(self)
        return f"Catalog({columns}) of {rows:,} {'row' if rows == 1 else 'rows'}" + (
            " with keys" if self.has_keys else ""
        )

    def _parts(self, columns: Mapping[str, Any]) -> list[Parts]:
        return _parts(columns, self.columns)


def _parts(columns: Mapping[str, Any], types: Optional[Mapping[str, str]]) -> list[Parts]:
    if not isinstance(columns, Mapping):
        raise InvalidArgument(
            f"columns are of type {type(columns).__name__}, expected a mapping from names to values; for tables there "
            "are from_arrow, from_pandas, from_parquet and from_csv"
        )
    known = types or {}
    for name in columns:
        if not isinstance(name, str):
            raise InvalidArgument(f"a column is called {name!r} ({type(name).__name__}), expected a str")
    return [to_parts(name, values, known.get(name)) for name, values in columns.items()]


def _key_list(keys: Optional[_Keys]) -> Optional[list[str]]:
    if keys is None:
        return None
    if isinstance(keys, str):
        raise InvalidArgument(f"keys are {keys!r}, expected a list of them")
    listed = keys.to_pylist() if hasattr(keys, "to_pylist") else list(keys)
    for position, key in enumerate(listed):
        if not isinstance(key, str):
            raise InvalidArgument(f"key {key!r} at position {position} is of type {type(key).__name__}, expected a str")
    return listed


_segue._use_catalog_class(Catalog)
