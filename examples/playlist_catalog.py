"""The public playlists as listeners of a catalogue on one day: what the notebooks beside this file share.

A playlist is a listener. What was in playlists before the day is known; what came after is the future, which only the
metrics look at. The catalogue is the songs that some playlist had by then. With the songs that came later in it, it
would give the future away: a song that nobody has is there only because somebody will take it, and 70 % of what stands
near a listener's songs would be such, with twelve times the recall.

    from playlist_catalog import WIDE, read_service

    service = read_service()
    service.index.search(service.taste(7), k=10, nprobe=WIDE, exclude=service.history[7])
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from continue_playlists import Log, Song, embed_tracks, read_playlists
from replay_playlists import read_additions

import segue

DAY = "2021-01-01"
# So many lists a search visits: 0.99 of the 50 true nearest, what the listener has left out. The usual number finds 0.87
# of them, as what lies nearest to a listener is mostly theirs.
WIDE = 512


@dataclass(frozen=True, eq=False)
class Service:
    """The songs and listeners of a day, each numbered from 0: history[i] and future[i] are of the listener names[i]."""

    songs: list[Song]
    names: list[str]
    history: segue.UserItems  # distinct songs, oldest first
    future: segue.UserItems  # what came later and is new to the listener
    index: segue.Index  # cosine; to be searched with nprobe=WIDE
    catalog: segue.Catalog  # artist, album, seconds, first_added, plays
    popular: np.ndarray  # songs by how many listeners had them
    new: np.ndarray  # songs of the last four weeks, newest first
    unknown: int  # how much of what came later was in no playlist before: nothing can find it

    def number(self, name: str) -> int:
        """Of the listener with that name."""
        return self.names.index(name)

    def taste(self, listener: int) -> np.ndarray:
        """What they like on the whole: the mean of their songs' vectors, which a cosine index keeps at length 1."""
        return self.index.get(self.history[listener]).mean(0)

    @functools.cache
    def interests(self, listener: int) -> np.ndarray:
        """Two of them, the larger first: their songs, halved where they differ most, and the mean of each half."""
        vectors = self.index.get(self.history[listener])
        centred = vectors - vectors.mean(0)
        apart = centred @ np.linalg.eigh(centred.T @ centred)[1][:, -1]  # along the first principal direction
        apart *= np.sign(apart[0]) or 1  # which has no sign; their first song has
        halves = [half for half in (vectors[apart > 0], vectors[apart <= 0]) if len(half)]
        return np.stack([half.mean(0) for half in sorted(halves, key=len, reverse=True)])

    def last(self, listener: int, n: int) -> np.ndarray:
        """Their last n songs, the latest first."""
        return self.history[listener][: -n - 1 : -1]

    def artists(self, songs: Iterable[int]) -> list[str]:
        """All artists of some songs, each once."""
        return sorted({artist for song in songs for artist in self.songs[song].artists})


def read_service(day: str = DAY, dim: int = 64) -> Service:
    """Reads the log and makes of it what a service knows on that day."""
    log, additions = read_playlists(), read_additions()
    users, before, after = segue.split_by_time(additions, day, drop_seen=True)
    there = np.flatnonzero(before.lengths)
    known = np.unique(before.ids)  # sorted: a song's place in it is its number from here on
    songs = [log.songs[song] for song in known]
    history = [np.searchsorted(known, distinct(before[i])) for i in there]
    future = [np.searchsorted(known, distinct(taken[np.isin(taken, known)])) for taken in (after[i] for i in there)]

    names = [str(users[i]) for i in there]
    vectors = embed_tracks(Log(songs, names, history, len(songs), sum(map(len, history))), history, dim)
    plays = np.bincount(np.concatenate(history))
    first_added = first_days(additions)[known]
    recent = np.flatnonzero(first_added >= np.datetime64(day) - 28)
    return Service(
        songs,
        names,
        segue.UserItems.from_lists(history),
        segue.UserItems.from_lists(future),
        segue.build(vectors, metric="cosine", kind="ivf", progress=False),
        segue.Catalog(
            {
                "artist": [song.artists for song in songs],
                "album": [song.album for song in songs],
                "seconds": [song.seconds for song in songs],
                "first_added": first_added,
                "plays": plays,
            },
            types={"artist": "set"},
        ),
        popular=np.argsort(-plays, kind="stable"),
        new=recent[np.lexsort((-plays[recent], -first_added[recent].astype(np.int64)))],
        unknown=int(after[there].lengths.sum()) - sum(map(len, future)),
    )


def first_days(additions: dict[str, list[object]]) -> np.ndarray:
    """When each song first came to any playlist."""
    items, when = np.array(additions["item"]), np.array(additions["time"], "datetime64[D]")
    first = np.full(items.max() + 1, when.max())
    np.minimum.at(first, items, when)
    return first


def distinct(songs: np.ndarray) -> np.ndarray:
    """Each song once, where it first came."""
    return songs[np.sort(np.unique(songs, return_index=True)[1])]


def as_rows(found: Sequence[segue.Candidates], k: int) -> np.ndarray:
    """The lists of a batch as one matrix, as segue.evaluate takes them: -1 where a list is shorter than k."""
    rows = np.full((len(found), k), -1)
    for row, candidates in zip(rows, found):
        row[: len(candidates)] = candidates.ids
    return rows


def took(seconds: Sequence[float]) -> str:
    """How long requests took, for people."""
    p50, p99 = np.percentile(np.array(seconds) * 1e6, [50, 99])
    return f"a request took {p50:,.0f} µs (p50), {p99:,.0f} µs (p99)"


def show(service: Service, listener: int, found: segue.Candidates, n: int = 10) -> None:
    """The first n of a list, ✓ where the listener took it later, and who proposed it at what place."""
    for i, song in enumerate(found.ids[:n].tolist()):
        mark = "✓" if song in service.future[listener] else " "
        text = str(service.songs[song])
        who = ", ".join(f"{source} {rank + 1}" for source, rank, _ in found.provenance(i))
        print(f"{i + 1:3} {mark} {text if len(text) <= 58 else text[:57] + '…':58}  {who}")


def table(rows: dict[str, segue.Evaluation], measures: Sequence[str]) -> None:
    """Some measures of several generators side by side."""
    print(" " * 22 + "".join(f"{name:>14}" for name in measures))
    for name, evaluation in rows.items():
        print(f"{name:22}" + "".join(f"{evaluation[measure].value:14.4f}" for measure in measures))
