"""Catalog, field, parse_filter, and filters by expressions."""

from __future__ import annotations

import copy
import datetime
import math
import pathlib
import pickle
from typing import Any

import numpy as np
import pytest
from conftest import make_index, random_vectors
from hypothesis import given
from hypothesis import strategies as st

import segue
from segue import field

UTC = datetime.timezone.utc

VALUES: dict[str, Any] = {
    "genre": st.sampled_from(["jazz", "pop", "it's", "ünïcode", ""]),
    "market": st.frozensets(st.sampled_from(["SE", "NO", "US", "DE"]), max_size=3),
    "minutes": st.one_of(st.integers(0, 60), st.sampled_from([2**40, -(2**63) + 1, 2**63 - 1])),
    "score": st.floats(allow_nan=False, width=64),
    "explicit": st.booleans(),
    "aired": st.datetimes(datetime.datetime(1900, 1, 1), datetime.datetime(2200, 1, 1)).map(
        lambda d: d.replace(microsecond=0)
    ),
}
TYPES = dict(zip(VALUES, ("category", "set", "integer", "float", "boolean", "date")))
ORDERED = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}

rows_strategy = st.lists(
    st.fixed_dictionaries({name: st.one_of(st.none(), values) for name, values in VALUES.items()}),
    min_size=1,
    max_size=25,
)


@st.composite
def leaves(draw: Any) -> tuple[segue.Expression, Any]:
    """An expression, and the same as a function of a row."""
    name = draw(st.sampled_from(list(VALUES)))
    column = field(name)
    if draw(st.integers(0, 7)) == 0:
        return column.is_missing(), lambda row: row[name] is None
    if name == "market":
        markets = st.sampled_from(["SE", "NO", "FR", "DE"])
        if draw(st.booleans()):
            some = draw(st.lists(markets, max_size=5))
            return column.isin(some), lambda row: row[name] is not None and not row[name].isdisjoint(some)
        value = draw(markets)
        return column.contains(value), lambda row: row[name] is not None and value in row[name]
    literals = (
        st.one_of(VALUES[name], st.floats(-70, 70), st.integers(-5, 65))
        if name in ("minutes", "score")
        else VALUES[name]
    )
    sign = draw(st.sampled_from(["==", "!="] if name in ("genre", "explicit") else [*ORDERED, "between", "in"]))
    if sign == "between":
        low, high = draw(literals), draw(literals)
        return column.between(low, high), lambda row: row[name] is not None and low <= row[name] <= high
    if sign == "in":
        some = draw(st.lists(literals, max_size=6))
        return column.isin(some), lambda row: row[name] is not None and row[name] in some
    value = draw(literals)
    compare = ORDERED[sign]
    return compare(column, value), lambda row: row[name] is not None and compare(row[name], value)


expressions = st.recursive(
    leaves(),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda p: (p[0][0] & p[1][0], lambda row: p[0][1](row) and p[1][1](row))),
        st.tuples(inner, inner).map(lambda p: (p[0][0] | p[1][0], lambda row: p[0][1](row) or p[1][1](row))),
        inner.map(lambda p: (~p[0], lambda row: not p[1](row))),
    ),
    max_leaves=6,
)


def columns_of(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in VALUES}


@given(rows_strategy, st.lists(expressions, min_size=1, max_size=4), st.booleans())
def test_selections_agree_with_python(rows: list[dict[str, Any]], asked: list[Any], scattered: bool) -> None:
    ids = [(i * 7919) % 1000 + 5 for i in range(len(rows))] if scattered else list(range(len(rows)))
    catalog = segue.Catalog(columns_of(rows), ids=ids, types=TYPES)
    catalog.validate()
    for expression, matches in asked:
        wanted = sorted(i for i, row in zip(ids, rows) if matches(row))
        assert catalog.select(expression).ids().tolist() == wanted, str(expression)
        assert catalog.select(str(expression)).ids().tolist() == wanted
        assert segue.parse_filter(str(expression)) == expression


@given(rows_strategy, rows_strategy, st.data())
def test_changes_agree_with_python(first: list[dict[str, Any]], second: list[dict[str, Any]], data: Any) -> None:
    model = {f"k{i}": row for i, row in enumerate(first)}
    catalog = segue.Catalog(columns_of(first), keys=list(model), types=TYPES)
    asked = data.draw(st.lists(expressions, min_size=1, max_size=3))
    for expression, _ in asked:
        catalog.select(expression)
    keys = data.draw(
        st.lists(st.sampled_from([f"k{i}" for i in range(30)]), min_size=len(second), max_size=len(second), unique=True)
    )
    catalog.upsert(columns_of(second), keys=keys)
    model |= dict(zip(keys, second))
    gone = data.draw(st.lists(st.sampled_from(sorted(model)), unique=True))
    assert catalog.remove(catalog.ids(gone)) == len(gone)
    for key in gone:
        del model[key]
    catalog.validate()
    assert sorted(catalog.keys()) == sorted(model)
    for expression, matches in asked:
        wanted = {key for key, row in model.items() if matches(row)}
        assert set(catalog.keys(catalog.select(expression).ids())) == wanted, str(expression)


@given(rows_strategy)
def test_values_come_back(rows: list[dict[str, Any]]) -> None:
    catalog = segue.Catalog(columns_of(rows), types=TYPES)
    for name in ("genre", "market", "explicit"):
        assert catalog.take(range(len(rows)), name).tolist() == [row[name] for row in rows]
    scores = catalog.take(range(len(rows)), "score")
    assert [None if math.isnan(x) else x for x in scores] == [row["score"] for row in rows]
    minutes, aired = catalog.take(catalog.ids(), "minutes"), catalog.take(catalog.ids(), "aired")
    for i, row in enumerate(rows):
        assert (
            np.isnan(minutes[i])
            if row["minutes"] is None
            else minutes[i] == float(row["minutes"]) or minutes[i] == row["minutes"]
        )
        assert np.isnat(aired[i]) if row["aired"] is None else aired[i] == np.datetime64(row["aired"])


def test_types_follow_from_values() -> None:
    catalog = segue.Catalog(
        {
            "a": np.array([1, 2], np.uint8),
            "b": np.array([True, False]),
            "c": np.array([0.5, np.nan], np.float32),
            "d": np.array(["2024-05-01", "NaT"], "datetime64[D]"),
            "e": ["x", None],
            "f": [{"x"}, ("y", "z")],
            "g": [1, 2.5],
            "h": [datetime.date(2024, 5, 1), None],
            "i": np.array(["x", "y"]),
            "j": [np.nan, np.nan],
            "k": [[], None],
            "l": [np.int64(3), None],
            "m": [np.bool_(True), None],
        }
    )
    assert "".join(kind[0] for kind in catalog.columns.values()) == "ibfdcsfdcfsib"
    assert catalog.take(0, "h") == np.datetime64("2024-05-01") and catalog.take(1, "e") is None
    assert catalog.take(0, "k") == frozenset() and catalog.take(1, "k") is None
    assert catalog.select("f has 'z' and b = false").ids().tolist() == [1]


def test_dates() -> None:
    zone = datetime.timezone(datetime.timedelta(hours=2))
    catalog = segue.Catalog(
        {
            "t": [
                datetime.datetime(2024, 5, 1, 1, tzinfo=zone),
                datetime.date(2024, 5, 1),
                datetime.datetime(1969, 12, 31, 23, 59, 59, 5),
            ]
        }
    )
    assert catalog.take([0, 1, 2], "t").astype(str).tolist() == [
        "2024-04-30T23:00:00",
        "2024-05-01T00:00:00",
        "1969-12-31T23:59:59",
    ]
    for value in (
        "2024-05-01",
        datetime.date(2024, 5, 1),
        datetime.datetime(2024, 5, 1, tzinfo=UTC),
        np.datetime64("2024-05-01"),
    ):
        assert catalog.select(field("t") >= value).ids().tolist() == [1]
    assert str(field("t") == datetime.datetime(7, 1, 2)) == "t = '0007-01-02T00:00:00'"
    assert segue.Catalog({"t": ["2024-05-01", "2024-05-01T10:00:00Z"]}, types={"t": "date"}).take(
        1, "t"
    ) == np.datetime64("2024-05-01T10")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"a": [1, "x"]}, "several types.*category in row 1"),
        ({"a": [None, None]}, "no value to tell its type by"),
        ({"a": [1, 2], "b": [1]}, "column 'b' has 1 rows, expected 2"),
        ({"a": np.ones((2, 2))}, r"shape \(2, 2\)"),
        ({"a": "abc"}, "column 'a' is 'abc'"),
        ({"a": 3}, "column 'a' is 3"),
        ({"a": [2**70]}, "do not fit 64 bits"),
        ({"a": [-(2**63)]}, "-2\\^63"),
        ({"a": np.array([2**63], np.uint64)}, "64 bits"),
        ({"a": [["x", 3]]}, "row 0: 3 is no text"),
        ({"a": [1 + 2j]}, "complex"),
        ({3: [1]}, "called 3"),
        ({"": [1]}, "empty name"),
        ([1, 2], "expected a mapping"),
    ],
    ids=str,
)
def test_columns_that_are_none(columns: Any, message: str) -> None:
    with pytest.raises(segue.InvalidArgument, match=message):
        segue.Catalog(columns)


def test_names_and_errors() -> None:
    catalog = segue.Catalog({"minutes": [30, 45]}, keys=["a", "b"])
    assert catalog["b"] == 1 and "a" in catalog and "c" not in catalog and 1 in catalog and 2 not in catalog
    assert len(catalog) == 2 and catalog.has_keys
    assert repr(catalog) == "Catalog(minutes: integer) of 2 rows with keys"
    for call, error, message in (
        (lambda: catalog["c"], segue.NotFound, "key 'c' is not in the catalog"),
        (lambda: catalog["c"], KeyError, "key 'c'"),
        (lambda: catalog[3], segue.InvalidArgument, "expected a str"),
        (lambda: catalog.ids(["a", "x"]), segue.NotFound, "'x' at position 1"),
        (lambda: catalog.ids("ab"), segue.InvalidArgument, "expected a list"),
        (lambda: catalog.keys([7]), segue.NotFound, "id 7"),
        (lambda: catalog.take([0], "hours"), segue.InvalidArgument, "no column 'hours'; there are: minutes"),
        (lambda: catalog.take([5], "minutes"), segue.NotFound, "id 5"),
        (lambda: catalog.take([0], 3), segue.InvalidArgument, "column is 3"),
        (lambda: catalog.append({"minutes": [1]}, keys=["a"]), segue.AlreadyExists, "key 'a'"),
        (lambda: catalog.append({"minutes": ["x"]}, keys=["z"]), segue.InvalidArgument, "no value of type 'integer'"),
        (lambda: catalog.append({"hours": [1]}, keys=["z"]), segue.InvalidArgument, "no column 'hours'"),
        (lambda: catalog.append({"minutes": [1]}), segue.InvalidArgument, "without a key"),
        (lambda: catalog.append({"minutes": [1]}, keys=[b"z"]), segue.InvalidArgument, "position 0 is of type bytes"),
        (lambda: catalog.select("minutes >"), segue.InvalidArgument, "character 10: the filter ends here"),
        (lambda: catalog.select(3), segue.InvalidArgument, "filter is 3"),
        (lambda: catalog.select(field("minutes") == "x"), segue.InvalidArgument, "is an integer"),
        (lambda: segue.parse_filter(3), segue.InvalidArgument, "text is 3"),
        (lambda: field(3), segue.InvalidArgument, "name is 3"),
        (lambda: field("a") == None, segue.InvalidArgument, "is_missing"),  # noqa: E711
        (lambda: field("a") == [1], segue.InvalidArgument, "expected a bool"),
        (lambda: field("a") == 2**64, segue.InvalidArgument, "64 bits"),
        (lambda: field("a").isin("abc"), segue.InvalidArgument, "expected a list"),
        (lambda: 1 <= field("a") <= 5, TypeError, "between"),
        (lambda: field("a") == 1 and field("b") == 2, TypeError, "& |"),
        (lambda: hash(field("a")), TypeError, "unhashable"),
        (
            lambda: segue.Catalog({"a": [1]}, types={"a": "text"}),
            segue.InvalidArgument,
            "'text' is unknown; known are category",
        ),
    ):
        with pytest.raises(error, match=message):
            call()
    assert catalog.ids().tolist() == [0, 1]


def test_expressions_travel() -> None:
    made = (field("a b") >= 2.5) & ~field("c").isin(["x", "it's"]) | field("d").contains("SE")
    for twin in (pickle.loads(pickle.dumps(made)), copy.copy(made), copy.deepcopy(made), segue.parse_filter(str(made))):
        assert twin == made and str(twin) == str(made)
    assert made != (field("a") == 1)
    assert str(made) == "(`a b` >= 2.5 and not c in ('x', 'it''s')) or d has 'SE'"


def test_indexes_search_by_expressions(kind: str, tmp_path: pathlib.Path) -> None:
    x = random_vectors(3, 300, 8)
    index = make_index(kind, 8, "l2")
    index.add(x)
    assert index.catalog is None
    with pytest.raises(segue.InvalidArgument, match="has no catalog"):
        index.search(x[0], filter=field("minutes") <= 3)
    catalog = segue.Catalog(
        {"minutes": np.arange(300) % 50, "market": [["SE"] if i % 3 else ["US"] for i in range(300)]}
    )
    index.catalog = catalog
    assert index.catalog == catalog
    allowed = np.flatnonzero((np.arange(300) % 50 <= 10) & (np.arange(300) % 3 != 0))
    wanted = index.search(x[:5], 7, ef=300, filter=segue.IdSet(allowed)).ids
    path = tmp_path / "tracks.segue"
    index.save(path)
    for made in (index, segue.load(path), pickle.loads(pickle.dumps(index)), copy.copy(index)):
        for given_filter in (
            (field("minutes") <= 10) & field("market").contains("SE"),
            "minutes <= 10 and market has 'SE'",
        ):
            np.testing.assert_array_equal(made.search(x[:5], 7, ef=300, filter=given_filter).ids, wanted)
            _, ids, _ = made.range_search(x[:1], 1e9, ef=300, filter=given_filter)
            assert sorted(ids) == allowed.tolist()
    with pytest.raises(segue.InvalidArgument, match="no column 'hours'"):
        index.search(x[0], filter="hours = 3")
    with pytest.raises(segue.InvalidArgument, match="expected a segue.Catalog or None"):
        index.catalog = {"minutes": [1]}
    catalog.upsert({"minutes": [1000]}, ids=[7])
    assert index.search(x[0], 1, filter="minutes = 1000").ids.tolist() == [7]
    index.catalog = None
    assert index.catalog is None


def test_catalogs_of_csv(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "classes.csv"
    path.write_text(
        "key,minutes,score,live,aired,name,market\n"
        "a,30,0.5,true,2024-05-01,Ride,SE|NO\n"
        'b,,1e3,FALSE,,"Yoga, slow",\n'
        "\n"
        "c,45,,,2024-05-02T10:00:00,1_000,SE\n"
    )
    catalog = segue.Catalog.from_csv(path, keys="key", types={"market": "set"})
    assert catalog.columns == dict(
        minutes="integer", score="float", live="boolean", aired="date", name="category", market="set"
    )
    assert catalog.keys() == ["a", "b", "c"]
    assert catalog.select("market has 'SE' and minutes > 30").ids().tolist() == [2]
    assert catalog.take([1, 2], "name").tolist() == ["Yoga, slow", "1_000"]
    assert catalog.select("market is missing and live = false and aired is missing").ids().tolist() == [1]
    path.write_text("id,a\n7,1\n3,2\n")
    assert segue.Catalog.from_csv(path, ids="id").ids().tolist() == [3, 7]
    for text, message in (
        ("a,b\n1\n", "line 2 has 1 cells"),
        ("a,a\n1,2\n", "same name"),
        ("a\nx\n", "to be of type 'integer'"),
    ):
        path.write_text(text)
        with pytest.raises(segue.InvalidArgument, match=message):
            segue.Catalog.from_csv(path, types={"a": "integer"})
    with pytest.raises(segue.InvalidArgument, match="keys is 'uri', which is no column; there are: a"):
        segue.Catalog.from_csv(path, keys="uri")
    with pytest.raises(segue.FileNotFound):
        segue.Catalog.from_csv(tmp_path / "none.csv")


def arrow_table() -> Any:
    pa = pytest.importorskip("pyarrow")
    return pa.table(
        {
            "uri": ["a", "b", "c"],
            "i8": pa.array([1, None, -3], pa.int8()),
            "u64": pa.array([1, 2, 2**62], pa.uint64()),
            "f": pa.array([0.5, None, float("nan")], pa.float32()),
            "b": pa.array([True, None, False]),
            "d": pa.array([datetime.date(2024, 5, 1), None, datetime.date(1960, 1, 1)], pa.date32()),
            "t": pa.array(
                [datetime.datetime(2024, 5, 1, 1, 2, 3, 999999), None, datetime.datetime(1969, 12, 31, 23, 59, 59, 5)],
                pa.timestamp("us"),
            ),
            "s": pa.array(["x", None, "y"]),
            "e": pa.array(["x", None, "x"]).dictionary_encode(),
            "m": pa.array([["SE", "NO"], None, []], pa.list_(pa.string())),
            "n": pa.array([["SE"], ["NO"], ["US"]], pa.list_(pa.large_string(), 1)),
        }
    )


def test_catalogs_of_arrow(tmp_path: pathlib.Path) -> None:
    table = arrow_table()
    import pyarrow as pa
    from pyarrow import parquet

    path = tmp_path / "tracks.parquet"
    parquet.write_table(table, path)
    chunked = pa.concat_tables([table.slice(0, 1), table.slice(1)])
    for catalog in (
        segue.Catalog.from_arrow(table, keys="uri"),
        segue.Catalog.from_arrow(chunked, keys="uri"),
        segue.Catalog.from_arrow(table.to_batches()[0], keys="uri"),
        segue.Catalog.from_parquet(path, keys="uri"),
        segue.Catalog({name: table[name] for name in table.column_names if name != "uri"}, keys=table["uri"]),
    ):
        catalog.validate()
        assert "".join(kind[0] for kind in catalog.columns.values()) == "iifbddccss"
        assert catalog["c"] == 2
        assert [x if x == x else None for x in catalog.take([0, 1, 2], "i8")] == [1, None, -3]
        assert catalog.take(2, "u64") == 2**62
        assert [x if x == x else None for x in catalog.take([0, 1, 2], "f")] == [0.5, None, None]
        assert catalog.take([0, 1, 2], "b").tolist() == [True, None, False]
        assert catalog.take([0, 1, 2], "d").astype(str).tolist() == [
            "2024-05-01T00:00:00",
            "NaT",
            "1960-01-01T00:00:00",
        ]
        assert catalog.take([0, 1, 2], "t").astype(str).tolist() == [
            "2024-05-01T01:02:03",
            "NaT",
            "1969-12-31T23:59:59",
        ]
        assert catalog.take([0, 1, 2], "s").tolist() == ["x", None, "y"]
        assert catalog.take([0, 1, 2], "e").tolist() == ["x", None, "x"]
        assert catalog.take([0, 1, 2], "m").tolist() == [frozenset({"SE", "NO"}), None, frozenset()]
        assert catalog.take([0, 1, 2], "n").tolist() == [{"SE"}, {"NO"}, {"US"}]
    few = segue.Catalog.from_parquet(path, columns=["uri", "i8"], keys="uri", types={"i8": "float"})
    assert few.columns == {"i8": "float"}
    whole = segue.Catalog.from_arrow(pa.table({"f": [1.0, None]}), types={"f": "integer"})
    assert whole.columns == {"f": "integer"} and whole.select("f is missing").ids().tolist() == [1]
    nothing = segue.Catalog.from_arrow(pa.table({"n": pa.nulls(2)}), types={"n": "set"})
    assert nothing.select("n is missing").ids().tolist() == [0, 1]
    for wrong, message in (
        (pa.table({"x": pa.array([b"a"])}), "Arrow's type binary"),
        (pa.table({"x": pa.array([[1]])}), "sets hold texts"),
        (pa.table({"x": pa.nulls(2)}), "no value to tell its type by"),
        ({"x": [1]}, "expected a pyarrow.Table"),
    ):
        with pytest.raises(segue.InvalidArgument, match=message):
            segue.Catalog.from_arrow(wrong)
    with pytest.raises(segue.FileNotFound):
        segue.Catalog.from_parquet(tmp_path / "none.parquet")
    (tmp_path / "bad.parquet").write_text("nothing")
    with pytest.raises(segue.InvalidArgument, match="cannot be read as Parquet"):
        segue.Catalog.from_parquet(tmp_path / "bad.parquet")


def test_catalogs_of_pandas() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(
        {
            "uri": ["a", "b", "c"],
            "i": pd.array([1, None, 3], dtype="Int64"),
            "f": [1.0, np.nan, 3.0],
            "b": pd.array([True, None, False], dtype="boolean"),
            "d": pd.to_datetime(["2024-05-01", None, "1960-01-01"]),
            "s": ["x", None, "y"],
            "c": pd.Categorical(["x", None, "x"]),
            "m": [["SE"], None, []],
        },
        index=[5, 5, 7],
    )
    catalog = segue.Catalog.from_pandas(frame, keys="uri")
    assert "".join(kind[0] for kind in catalog.columns.values()) == "ifbdccs"
    assert catalog.select("i is missing and f is missing and b is missing and d is missing").ids().tolist() == [1]
    assert catalog.select("c = 'x' and s = 'y' and not m is missing and d < '1970-01-01'").ids().tolist() == [2]
    assert segue.Catalog.from_pandas(frame[["f"]], types={"f": "integer"}).columns == {"f": "integer"}
