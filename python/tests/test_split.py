"""segue.split_by_time: nothing of the future in history, against loops over the log."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import segue

Row = tuple[int, int, int]


def logs() -> st.SearchStrategy[list[Row]]:
    return st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6), st.integers(0, 12)), min_size=1, max_size=40)


def columns_of(rows: list[Row]) -> tuple[np.ndarray, ...]:
    return tuple(np.array(column) for column in zip(*rows))


def by_user(rows: list[Row], users: list[int]) -> list[list[int]]:
    ordered = sorted(rows, key=lambda row: row[2])  # stable, so rows of one time keep their order
    return [[item for user, item, _ in ordered if user == of] for of in users]


def lists(items: segue.UserItems) -> list[list[int]]:
    return [ids.tolist() for ids in items]


@given(logs(), st.integers(1, 12), st.integers(0, 6), st.booleans())
def test_a_moment_cuts(rows: list[Row], at: int, more: int, drop_seen: bool) -> None:
    until = at + more if more else None
    before = [row for row in rows if row[2] < at]
    after = [row for row in rows if row[2] >= at and (until is None or row[2] < until)]
    if not before:
        with pytest.raises(segue.InvalidArgument, match="nothing of the log is before"):
            segue.split_by_time(columns_of(rows), at, until=until)
        return
    split = segue.split_by_time(columns_of(rows), at, until=until, drop_seen=drop_seen)
    users = sorted({row[0] for row in before + after})
    if drop_seen:
        seen = {(user, item) for user, item, _ in before}
        after = [row for row in after if row[:2] not in seen]
    assert split.users.tolist() == users
    assert lists(split.history) == by_user(before, users)
    assert lists(split.future) == by_user(after, users)


@given(logs(), st.integers(1, 4), st.one_of(st.none(), st.integers(6, 12)))
def test_the_last_of_each_user(rows: list[Row], last: int, until: Any) -> None:
    rows = [*rows, (0, 0, 0)]  # something is always before
    split = segue.split_by_time(columns_of(rows), last=last, until=until)
    within = [row for row in rows if until is None or row[2] < until]
    users = sorted({row[0] for row in within})
    assert split.users.tolist() == users
    for of, history, future in zip(by_user(within, users), lists(split.history), lists(split.future)):
        assert history + future == of
        assert len(future) == min(last, len(of) - 1)


def test_history_knows_nothing_of_a_change_after_the_cut() -> None:
    print("seed 21")
    rng = np.random.default_rng(21)
    users, items, times = rng.integers(0, 50, 2000), rng.integers(0, 90, 2000), rng.integers(0, 1000, 2000)
    first = segue.split_by_time((users, items, times), 600)
    changed = np.where(times >= 600, rng.permutation(items), items)
    second = segue.split_by_time((users, changed, times), 600)
    assert lists(first.history) == lists(second.history) and lists(first.future) != lists(second.future)


def test_logs_of_every_form() -> None:
    days = ["2024-05-01", "2024-05-02", "2024-05-02T12:00:00", "2024-05-03"]
    columns: dict[str, Any] = {"user": ["b", "a", "b", "b"], "item": [1, 2, 3, 4], "time": days}
    times = np.array(days, "datetime64[s]")
    logs: list[Any] = [
        columns,
        tuple(columns.values()),
        list(columns.values()),
        {**columns, "time": times},
        {**columns, "time": times.astype(object)},
        {**columns, "user": np.array(columns["user"], object)},
    ]
    pa = pytest.importorskip("pyarrow")
    table = pa.table({**columns, "time": pa.array(times)})
    logs += [table, pa.concat_tables([table.slice(0, 1), table.slice(1)]), table.to_batches()[0]]
    logs += [pa.table(columns), pa.table({**columns, "time": pa.array(times, pa.timestamp("us", "UTC"))})]
    logs += [{name: table.column(name).chunk(0) for name in table.column_names}]
    zone = datetime.timezone(datetime.timedelta(hours=2))
    for log in logs:
        for at in (
            "2024-05-02",
            "2024-05-02T00:00:00Z",
            "2024-05-02T02:00:00+02:00",
            datetime.date(2024, 5, 2),
            datetime.datetime(2024, 5, 2),
            datetime.datetime(2024, 5, 2, 2, tzinfo=zone),
            np.datetime64("2024-05-02"),
        ):
            split = segue.split_by_time(log, at)
            assert split.users.tolist() == ["a", "b"]
            assert (lists(split.history), lists(split.future)) == ([[], [1]], [[2], [3, 4]])
    names = {"who": columns["user"], "what": columns["item"], "when": columns["time"]}
    assert len(segue.split_by_time(names, "2024-05-02", columns=("who", "what", "when")).users) == 2


def test_pandas() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"user": ["b", "a"], "item": [1, 2], "time": pd.to_datetime(["2024-05-01", "2024-05-02"])})
    assert lists(segue.split_by_time(frame, "2024-05-02").future) == [[2], []]


GOOD = ([1, 2], [3, 4], [5, 6])


@pytest.mark.parametrize(
    ("log", "arguments", "message"),
    [
        (GOOD, {}, "expected one of at .* and last"),
        (GOOD, dict(at=5, last=1), "expected one of at .* and last"),
        (GOOD, dict(last=0), "last is 0, expected 1 or more"),
        (GOOD, dict(at=5), "nothing of the log is before 5; it begins at 5"),
        (GOOD, dict(at="2024-05-01"), "at is '2024-05-01', expected a number"),
        (GOOD, dict(at=6, until=6), "until is 6, expected a time after at, 6"),
        (GOOD, dict(at=6, columns=("user", "item")), "expected the three names"),
        (GOOD[:2], dict(at=6), "log has 2 parts, expected three arrays"),
        (([1], [3, 4], [5, 6]), dict(at=6), r"shapes \(1,\), \(2,\) and \(2,\)"),
        (([], [], []), dict(at=6), "the log has no rows"),
        (([1, 2], [3, -4], [5, 6]), dict(at=6), "item in row 1 is -4"),
        (([1, 2], ["a", "b"], [5, 6]), dict(at=6), "items of the log are .*expected integers"),
        (([1, 2], [3, 4], [5, np.nan]), dict(at=6), "time in row 1 is missing"),
        (([1, 2], [3, 4], ["2024-05-01", "soon"]), dict(at="2024-05-01"), "neither numbers nor dates"),
        (([1, 2], [3, 4], ["2024-05-01"] * 2), dict(at=7), "at is 7, expected a date or a time"),
        (([1, 2], [3, 4], ["2024-05-01"] * 2), dict(at="soon"), "at is 'soon', expected a date or a time"),
        (([1, 2], [3, 4], [True, False]), dict(at=6), "dtype bool"),
        ({"user": [1], "item": [2], "t": [3]}, dict(at=6), "no column 'time'; there are: user, item, t; say columns="),
        ("log.csv", dict(at=6), "log is a str, expected three arrays"),
    ],
    ids=str,
)
def test_bad_input(log: Any, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(segue.InvalidArgument, match=message):
        segue.split_by_time(log, **arguments)
