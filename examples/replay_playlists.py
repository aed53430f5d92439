"""Which generator would have continued the public playlists best? A replay of their log.

The log has the dates at which songs came to playlists. Month after month, three generators continue every playlist
that got something new, from what it held by then, and are held against each other by what came. At the beginning of
each month vectors are made as in continue_playlists.py, of what was there, and the index holds the songs that some
playlist had by then and no others: a song that nobody has yet would be in it only because somebody will take it, and
such songs would fill most places, with a recall many times too high. What nobody had cannot be found, so the figures
are low.

    python examples/replay_playlists.py --out results

prints the tables and leaves results/replay.html, a page with pictures and the playlists that a change changes most.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from continue_playlists import DATA, Log, embed_tracks, read_playlists

import segue

EDGES = ("2021-01-01", "2021-02-01", "2021-03-01", "2021-04-01", "2021-05-01")


def read_additions(folder: Path = DATA) -> dict[str, list[object]]:
    """The log as columns: the name of a playlist, the song as read_playlists() numbers it, the day it was added."""
    with gzip.open(folder / "tracks.csv.gz", "rt", encoding="utf-8", newline="") as file:
        known: dict[tuple[str, str], int] = {}
        songs = [known.setdefault((track["title"], track["artists"]), len(known)) for track in csv.DictReader(file)]
    names = (folder / "playlists.txt").read_text(encoding="utf-8").splitlines()
    with gzip.open(folder / "playlist_tracks.csv.gz", "rt", encoding="utf-8", newline="") as file:
        entries = list(csv.DictReader(file))
    return {
        "user": [names[int(entry["playlist"])] for entry in entries],
        "item": [songs[int(entry["track_row"])] for entry in entries],
        "time": [entry["added"] for entry in entries],
    }


def propose_popular(window: segue.Window) -> list[np.ndarray]:
    """What most playlists held by then, and this one did not."""
    ids, counts = window.past.popularity()
    ranking = ids[np.argsort(-counts, kind="stable")]
    return [ranking[~np.isin(ranking, held)][: window.k] for held in window.history]


class PastIndexes:
    """For each window, the songs that were known when it began: their numbers, unit vectors and an index of them."""

    def __init__(self, log: Log, seed: int) -> None:
        self._log, self._seed = log, seed
        self._made: dict[object, tuple[np.ndarray, np.ndarray, segue.Index]] = {}

    def at(self, window: segue.Window) -> tuple[np.ndarray, np.ndarray, segue.Index]:
        if window.at not in self._made:
            known = np.unique(window.past.ids)
            lists = [np.searchsorted(known, np.unique(songs)) for songs in window.past if len(songs)]
            songs = [self._log.songs[song] for song in known]
            past = Log(songs, self._log.names, lists, len(songs), sum(map(len, lists)))
            vectors = embed_tracks(past, lists, seed=self._seed)
            unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-30)
            index = segue.build(vectors, known, metric="cosine", kind="flat", progress=False)
            self._made[window.at] = known, unit, index
        return self._made[window.at]


def nearest_to_last(indexes: PastIndexes, n: int) -> Callable[[segue.Window], segue.SearchResult]:
    """The songs nearest to the mean of the last n, those that the playlist held left out."""

    def propose(window: segue.Window) -> segue.SearchResult:
        known, unit, index = indexes.at(window)
        last = window.history.last(n)
        queries = (unit[np.searchsorted(known, np.maximum(last, known[0]))] * (last >= 0)[..., None]).sum(1)
        queries[~queries.any(1)] = unit.mean(0)  # it held nothing: what is near to everything
        return index.search(queries, window.k, exclude=list(window.history))

    return propose


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Replays the log of the public playlists.")
    parser.add_argument("--out", type=Path, default=Path(), help="where the page goes")
    parser.add_argument("--seed", type=int, default=0, help="of the vectors and the intervals")
    arguments = parser.parse_args(argv)
    arguments.out.mkdir(parents=True, exist_ok=True)

    log, additions = read_playlists(), read_additions()
    indexes = PastIndexes(log, arguments.seed)

    generators = {
        "popular": propose_popular,
        "near the last song": nearest_to_last(indexes, 1),
        "near the last fifty": nearest_to_last(indexes, 50),
    }
    report = segue.replay(
        additions,
        generators,
        windows=EDGES,
        k=(10, 100),
        drop_seen=True,
        names=lambda song: str(log.songs[song]),
        items=len(log.songs),
        seed=arguments.seed,
    )
    print(report)
    change = segue.compare(*(report.evaluations[name] for name in list(generators)[1:]), names=tuple(generators)[1:])
    print(f"\n{change}")
    report.save(arguments.out / "replay.html")
    print(f"\nLeft behind: {arguments.out / 'replay.html'}")


if __name__ == "__main__":
    sys.exit(main())
