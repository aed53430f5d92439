"""The pass over all lists, some thousand users at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np
import numpy.typing as npt

from .._errors import InvalidArgument
from .accuracy import Relevant, measure_lists
from .arguments import read_vectors, rows_by_label
from .bootstrap import Floats, Resampling
from .breadth import Popularity, diversity_at, gini, mean_at, unit_rows
from .evaluation import Evaluation, Measure
from .ragged import Ids
from .user_items import UserItems
from .vocabulary import Codes, Vocabulary

_CELLS = 1 << 19  # places at once: their arrays stay in the cache of the second level, or near
_WIDE_CELLS = 1 << 24  # numbers of vectors at once, 64 MB


@dataclass(frozen=True, eq=False)
class Inputs:
    lists: Ids
    taken: UserItems
    depths: tuple[int, ...]
    items: Optional[Ids]
    popularity: Optional[tuple[Ids, Floats]]
    index: Any
    labels: Optional[npt.NDArray[Any]]
    units: Optional[npt.NDArray[Any]]


def score(given: Inputs, resampling: Resampling) -> Evaluation:
    known = [given.lists, given.taken.ids, *(x for x in (given.items,) if x is not None)]
    vocabulary = Vocabulary(known if given.popularity is None else [*known, given.popularity[0]])
    codes = vocabulary.codes(given.lists)
    catalogue = _catalogue(given, vocabulary, codes)
    relevant = Relevant(given.taken, vocabulary)
    popularity = _popularity(given, vocabulary, catalogue)
    per_list, curve = _accuracy(codes, relevant, given.depths, resampling)
    if popularity is not None:
        per_list |= _popular(codes, relevant, popularity, given.depths)
    if given.index is not None:
        per_list |= _diversity(codes, vocabulary, given.index, given.depths)
    measures = _measures(per_list, resampling)
    shown = np.bincount(codes[codes >= 0], minlength=len(vocabulary))
    if given.items is not None:
        measures |= _of_all(codes, catalogue, given.depths)
    groups = {}
    for label, rows in rows_by_label(given.labels):
        part = None if given.units is None else given.units[rows]
        own = Resampling(len(rows), part, resampling.draws, resampling.confidence, resampling.seed)
        groups[label] = _measures({name: values[rows] for name, values in per_list.items()}, own)
        if given.items is not None:
            groups[label] |= _of_all(codes[rows], catalogue, given.depths)
    return Evaluation(
        k=given.depths,
        lists=len(codes),
        users=resampling.units,
        without_relevant=int((relevant.counts == 0).sum()),
        without_list=int((codes < 0).all(1).sum()),
        measures=measures,
        per_list=per_list,
        groups=groups,
        labels=given.labels,
        curve=curve,
        tenths=None if popularity is None else popularity.tenths(shown.astype(np.float64)),
        resampling=resampling,
        units=given.units,
        signature=relevant.signature(vocabulary),
    )


def _pieces(rows: int, width: int, cells: int) -> Iterator[slice]:
    some = max(1, cells // max(1, width))
    return (slice(start, min(rows, start + some)) for start in range(0, rows, some))


def _catalogue(given: Inputs, vocabulary: Vocabulary, codes: Codes) -> npt.NDArray[np.bool_]:
    inside = np.ones(len(vocabulary), np.bool_)
    if given.items is not None:
        inside = np.isin(vocabulary.ids, given.items, assume_unique=True)
        strange = (codes >= 0) & ~inside[codes]
        if strange.any():
            row, place = np.argwhere(strange)[0]
            raise InvalidArgument(
                f"recommended, row {row}, holds id {given.lists[row, place]}, which is not among the "
                f"{len(given.items):,} items; pass the catalogue that lists are made from"
            )
    return inside


def _popularity(given: Inputs, vocabulary: Vocabulary, catalogue: npt.NDArray[np.bool_]) -> Optional[Popularity]:
    if given.popularity is None:
        return None
    counts = np.zeros(len(vocabulary))
    counts[vocabulary.codes(given.popularity[0])] = given.popularity[1]
    return Popularity(counts, catalogue)


def _accuracy(
    codes: Codes, relevant: Relevant, depths: tuple[int, ...], resampling: Resampling
) -> tuple[dict[str, Floats], np.recarray[Any, Any]]:
    steps = _steps(depths)
    counts, ideal = relevant.counts, relevant.ideal(depths)
    per_list: dict[str, Floats] = {}
    sums, many = np.zeros((resampling.bundles, len(steps))), np.zeros(resampling.bundles)
    for rows in _pieces(len(codes), codes.shape[1], _CELLS):
        gains = relevant.gains_at(codes[rows], rows.start)
        for name, values in measure_lists(gains, counts[rows], ideal[rows], depths).items():
            per_list.setdefault(name, np.empty(len(codes)))[rows] = values
        there = counts[rows] > 0
        bundle = resampling.bundle[rows][there]
        recalls = np.cumsum(gains[there] > 0, axis=1)[:, steps - 1] / counts[rows][there, None]
        many += np.bincount(bundle, minlength=resampling.bundles)
        for i in range(len(steps)):
            sums[:, i] += np.bincount(bundle, recalls[:, i], resampling.bundles)
    low, high = resampling.between(sums, np.repeat(many[:, None], len(steps), 1))
    curve = np.rec.array(np.empty(len(steps), [("k", "i8"), ("recall", "f8"), ("low", "f8"), ("high", "f8")]))
    curve["k"], curve["low"], curve["high"] = steps, low, high
    curve["recall"] = sums.sum(0) / many.sum() if many.sum() else np.nan
    return per_list, curve


def _steps(depths: tuple[int, ...]) -> npt.NDArray[np.intp]:
    """Depths for a curve: all up to 10, then some twelve a decade, and those that were asked for."""
    top = depths[-1]
    spread = np.unique(np.geomspace(1, top, 1 + int(12 * np.log10(max(top, 2)))).round().astype(np.intp))
    return np.unique(np.r_[np.arange(1, min(top, 10) + 1), spread, depths]).astype(np.intp)


def _popular(codes: Codes, relevant: Relevant, popularity: Popularity, depths: tuple[int, ...]) -> dict[str, Floats]:
    total = np.bincount(
        np.repeat(np.arange(len(codes)), relevant.counts), popularity.standing[relevant.codes], len(codes)
    )
    own = np.divide(total, relevant.counts, out=np.full(len(codes), np.nan), where=relevant.counts > 0)
    names = [f"{name}@{k}" for name in ("novelty", "popularity", "popularity-lift") for k in depths]
    out = {name: np.empty(len(codes)) for name in names}
    for rows in _pieces(len(codes), codes.shape[1], _CELLS):
        bits = mean_at(popularity.information, codes[rows], depths)
        standing = mean_at(popularity.standing, codes[rows], depths)
        for name, values in zip(names, [*bits, *standing, *(x - own[rows] for x in standing)]):
            out[name][rows] = values
    return out


def _diversity(codes: Codes, vocabulary: Vocabulary, index: Any, depths: tuple[int, ...]) -> dict[str, Floats]:
    used = np.zeros(len(vocabulary), np.bool_)
    used[codes[codes >= 0]] = True
    units = unit_rows(read_vectors(index, vocabulary.ids[used]))
    row_of = np.full(len(vocabulary) + 1, -1, np.intp)  # the last for -1
    row_of[np.flatnonzero(used)] = np.arange(used.sum())
    out = {f"diversity@{k}": np.empty(len(codes)) for k in depths}
    for rows in _pieces(len(codes), codes.shape[1] * units.shape[1], _WIDE_CELLS):
        for name, values in zip(out, diversity_at(units, row_of[codes[rows]], depths)):
            out[name][rows] = values
    return out


def _measures(per_list: dict[str, Floats], resampling: Resampling) -> dict[str, Measure]:
    between = resampling.intervals(per_list)
    out = {}
    for name, values in per_list.items():
        defined = values[~np.isnan(values)]
        out[name] = Measure(float(defined.mean()) if len(defined) else float("nan"), *between[name], len(defined))
    return out


def _of_all(codes: Codes, catalogue: npt.NDArray[np.bool_], depths: tuple[int, ...]) -> dict[str, Measure]:
    """Coverage and gini: of all lists together, without interval."""
    measures, shown, begin = {}, np.zeros(len(catalogue), np.int64), 0
    for k in depths:
        part = codes[:, begin:k]
        shown += np.bincount(part[part >= 0], minlength=len(catalogue))
        counts = shown[catalogue]
        for name, value in (("coverage", float((counts > 0).mean())), ("gini", gini(counts))):
            measures[f"{name}@{k}"] = Measure(value, float("nan"), float("nan"), len(codes))
        begin = k
    return measures
