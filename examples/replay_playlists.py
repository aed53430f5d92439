"""Which generator would have continued the public playlists best? A replay of their log.

The log has the dates at which songs came to playlists. Vectors are made of what was there before the first window, as
in continue_playlists.py; then, month after month, three generators continue every playlist that got something new, from
what it held by then, and are held against each other by what came. (Songs that came later have vectors too, by their
artists and titles: a catalogue is known beforehand, here all that ever came.)

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
from continue_playlists import DATA, embed_tracks, read_playlists

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


def nearest_to_last(index: segue.Index, vectors: np.ndarray, n: int) -> Callable[[segue.Window], segue.SearchResult]:
    """The songs nearest to the mean of the last n, those that the playlist held left out."""
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-30)

    def propose(window: segue.Window) -> segue.SearchResult:
        last = window.history.last(n)
        queries = (unit[last] * (last >= 0)[..., None]).sum(1)
        queries[~queries.any(1)] = unit.mean(0)  # of these songs nothing is known: what is near to everything
        return index.search(queries, window.k, exclude=list(window.history))

    return propose


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Replays the log of the public playlists.")
    parser.add_argument("--out", type=Path, default=Path(), help="where the page goes")
    parser.add_argument("--seed", type=int, default=0, help="of the vectors and the intervals")
    arguments = parser.parse_args(argv)
    arguments.out.mkdir(parents=True, exist_ok=True)

    log, additions = read_playlists(), read_additions()
    users, history, _ = segue.split_by_time(additions, EDGES[0])
    vectors = embed_tracks(log, [np.unique(songs) for songs in history if len(songs)], seed=arguments.seed)
    ids = np.flatnonzero(np.any(vectors != 0, axis=1))
    index = segue.build(vectors[ids], ids, metric="cosine", kind="flat", progress=False)

    generators = {
        "popular": propose_popular,
        "near the last song": nearest_to_last(index, vectors, 1),
        "near the last fifty": nearest_to_last(index, vectors, 50),
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
