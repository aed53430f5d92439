"""A log played again: what generators would have shown, against what people took next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Union

import numpy as np
import numpy.typing as npt

from .._errors import InvalidArgument
from .arguments import check_bootstrap, read_depths, read_recommended
from .evaluate import evaluate
from .log import read_log
from .report import Replay, naming
from .ragged import Ids
from .user_items import UserItems
from .window import Window, ask, edges_of, shown


def replay(
    log: Any,
    generators: Mapping[str, Callable[[Window], Any]],
    *,
    windows: Union[int, Sequence[Any]] = 4,
    k: Union[int, Iterable[int]] = (10, 50),
    drop_seen: bool = False,
    min_history: int = 1,
    names: Any = None,
    items: Any = None,
    index: Any = None,
    columns: Sequence[str] = ("user", "item", "time"),
    bootstrap: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Replay:
    """Plays a log again with each of some generators, and holds the others against the first.

    At the beginning of each window of time, every generator gets the histories up to then of
    the users who took something within the window, all at once, and returns a list for each;
    `segue.evaluate` scores them by what was taken. The rows of all windows are taken together,
    and those of one user are drawn together for intervals; each window is also a group.
    Popularity is that of before the first window. Times may as well be steps: with the position
    in a session as time, windows=[5, 6, 7, 8] asks for the sixth, seventh and eighth track.

    A generator sees nothing of its window. Whatever it was made from beforehand is not looked
    at: vectors trained on the whole log know the future, so train on what is before the first
    window.

    Args:
        log: As for `segue.split_by_time`.
        generators: Callables by name; the first is what is there today. Each takes a `Window`
            and returns what `segue.evaluate` takes: a `SearchResult`, a matrix, lists.
        windows: How many, of equally many events, over the second half of the log; or their
            edges: times, ascending, the last of them an end.
        k: The depths to measure at; the largest is asked for.
        drop_seen: Leaves out what a user took again: only what is new to them counts.
        min_history: Users with fewer events are not asked for; 0: everybody.
        names: What to call items in examples: a callable from an id to a str, or a `Catalog`
            with keys. None: their ids.
        items: As for `segue.evaluate`.
        index: As for `segue.evaluate`.
        columns: As for `segue.split_by_time`.
        bootstrap: As for `segue.evaluate`.
        confidence: As for `segue.evaluate`.
        seed: As for `segue.evaluate`.

    Returns:
        Replay. Prints as a table; `save("page.html")` writes a page.

    Raises:
        InvalidArgument: As `segue.split_by_time` and `segue.evaluate`; a generator that returns
            something else than a list a user (the message names it); no user in any window.
            What a generator raises comes through.

    Example:
        >>> import numpy as np, segue
        >>> rng = np.random.default_rng(0)
        >>> log = (rng.integers(0, 30, 900), rng.integers(0, 20, 900) ** 2 // 20, np.arange(900))
        >>> def popular(window):
        ...     ids, counts = window.past.popularity()
        ...     best = ids[np.argsort(-counts, kind="stable")][:window.k]
        ...     return np.tile(best, (len(window.users), 1))
        >>> def newest(window):
        ...     return [list(dict.fromkeys(seen[::-1].tolist()))[:window.k] for seen in window.history]
        >>> found = segue.replay(log, {"popular": popular, "newest": newest}, windows=2, k=5)
        >>> found
        Replay(popular, newest; 2 windows, 60 lists of each)
    """
    read = read_log(log, columns)
    depths = read_depths(k)
    check_bootstrap(bootstrap, confidence, seed)
    name_of = naming(names)
    if not isinstance(generators, Mapping) or not generators or not all(map(callable, generators.values())):
        raise InvalidArgument(
            "generators are expected as a mapping from names to callables, the first what is there today"
        )
    edges = edges_of(read, windows)
    popularity = read.take(read.time < edges[0])
    lists: dict[str, list[Ids]] = {name: [] for name in generators}
    parts: list[tuple[Ids, UserItems, UserItems, npt.NDArray[Any]]] = []  # users, history, taken, labels
    for i, (at, until) in enumerate(zip(edges, edges[1:])):
        label = f"{i + 1:0{len(str(len(edges) - 1))}}: {shown(at)} to {shown(until)}"
        window, rows, taken = ask(read, at, until, depths[-1], drop_seen, min_history)
        if len(rows) == 0:
            continue
        for name, generator in generators.items():
            lists[name].append(_answer(generator, window, name, label))
        parts.append((rows, window.history, taken, np.full(len(rows), label)))
    if not parts:
        raise InvalidArgument(
            "no user has a history and takes something in any window; try other edges or min_history=0"
        )
    users = np.concatenate([part[0] for part in parts])
    taken = join([part[2] for part in parts])
    evaluations = {
        name: evaluate(
            np.concatenate(answers),
            taken,
            k=depths,
            items=items,
            popularity=popularity if len(popularity.ids) else None,
            index=index,
            groups=np.concatenate([part[3] for part in parts]),
            users=users,
            bootstrap=bootstrap,
            confidence=confidence,
            seed=seed,
        )
        for name, answers in lists.items()
    }
    return Replay(
        evaluations,
        {name: np.concatenate(answers) for name, answers in lists.items()},
        read.names[users],
        join([part[1] for part in parts]),
        taken,
        name_of,
    )


def join(parts: Sequence[UserItems]) -> UserItems:
    """The users of all parts, one part after the other."""
    lengths = np.concatenate([part.lengths for part in parts])
    return UserItems(np.r_[0, np.cumsum(lengths)], np.concatenate([part.ids for part in parts]))


def _answer(generator: Callable[[Window], Any], window: Window, name: str, label: str) -> Ids:
    answer = generator(window)
    try:
        lists = read_recommended(answer, window.k)
    except InvalidArgument as error:
        raise InvalidArgument(f"generator {name!r}, window {label}: {error}") from None
    if len(lists) != len(window.users):
        raise InvalidArgument(
            f"generator {name!r}, window {label}: {len(lists)} lists for {len(window.users)} users, expected one each"
        )
    return lists
