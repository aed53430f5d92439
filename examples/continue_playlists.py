"""From a log of playlists to candidates, in Python.

The walk of continue_playlists.cpp with numpy: hold back a part of each playlist, make vectors of the songs from the
rest, index them, continue the playlists, and see how many of the songs that were held back come up. The split is the
same as there to the song, and the vectors are the same up to rounding and signs. Songs that are only in the held-back
part are in the index too, by artist and title, and take 31 % of the places: without them the hit-rate is half as high
(0.19, not 0.38), so take it for a comparison of searches, not for what a service would reach.

    python examples/continue_playlists.py --out results
    python examples/continue_playlists.py --out results --open-index build/release/examples/open_index

leaves results/playlists.segue and results/recall_and_speed.png. With --open-index, that C++ program then opens the file
that Python saved and must answer the same queries with the same ids. The notebook beside this file imports it.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import re
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import segue

DATA = Path(__file__).resolve().parents[1] / "data" / "playlists"
SHOWN = ("Shoegaze Classics", "Bollywood Top 50", "All Out 80s")
K = 100


@dataclass(frozen=True)
class Song:
    title: str
    artists: tuple[str, ...]
    album: str
    seconds: int

    def __str__(self) -> str:
        return f"{self.title} — {', '.join(self.artists) or '?'}"


@dataclass(frozen=True)
class Log:
    songs: list[Song]
    names: list[str]  # of the playlists
    contents: list[np.ndarray]  # song ids of each, distinct, in the order of the file
    tracks: int  # before releases of one song were merged
    entries: int


def read_playlists(folder: Path = DATA) -> Log:
    """Reads the log. Releases of one song (the same title by the same artists) become one song."""
    with gzip.open(folder / "tracks.csv.gz", "rt", encoding="utf-8", newline="") as file:
        tracks = list(csv.DictReader(file))
    with gzip.open(folder / "playlist_tracks.csv.gz", "rt", encoding="utf-8", newline="") as file:
        entries = list(csv.DictReader(file))
    names = (folder / "playlists.txt").read_text(encoding="utf-8").splitlines()

    songs: list[Song] = []
    known: dict[tuple[str, str], int] = {}
    song_of = []
    for track in tracks:
        song = known.setdefault((track["title"], track["artists"]), len(songs))
        if song == len(songs):
            artists = tuple(track["artists"].split("|")) if track["artists"] else ()
            songs.append(Song(track["title"], artists, track["album"], int(track["duration_s"])))
        song_of.append(song)

    contents: list[dict[int, None]] = [{} for _ in names]  # a dict keeps the order
    for entry in entries:
        contents[int(entry["playlist"])][song_of[int(entry["track_row"])]] = None
    return Log(songs, names, [np.fromiter(c, np.int64) for c in contents], len(tracks), len(entries))


def mix(x: np.ndarray) -> np.ndarray:
    """SplitMix64, as in playlists/random.hpp; uint64 wraps around."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def hold_back(log: Log, seed: int = 0) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Splits each playlist into (seen, held back): a fifth at random is held back, at most 100 songs."""
    seen, held = [], []
    for number, songs in enumerate(log.contents):
        key = mix(mix(np.array([seed], np.uint64)) + np.uint64(number))
        chosen = np.zeros(len(songs), bool)
        chosen[np.argsort(mix(key + songs.astype(np.uint64)), kind="stable")[: min(100, len(songs) // 5)]] = True
        seen.append(songs[~chosen])
        held.append(songs[chosen])
    return seen, held


def smooth(x: np.ndarray, log: Log, weight: float, values_of: Callable[[Song], Iterable[object]]) -> np.ndarray:
    """What songs borrow from others with the same value: weight * mean over their values of the mean over its songs."""
    songs_of = defaultdict(list)
    for number, song in enumerate(log.songs):
        for value in dict.fromkeys(values_of(song)):
            songs_of[value].append(number)
    shared = [songs for songs in songs_of.values() if len(songs) > 1]
    total, count = np.zeros_like(x), np.zeros((len(x), 1), x.dtype)
    for songs in shared:
        total[songs] += x[songs].sum(0) / (len(songs) + 1)  # as if one more song had it, in no playlist
        count[songs] += 1
    return weight * total / np.maximum(count, 1)


def embed_tracks(log: Log, seen: Sequence[np.ndarray], dim: int = 64, seed: int = 0) -> np.ndarray:
    """A vector for every song, (songs, dim): U S of a randomised SVD of the smoothed songs x playlists matrix.

    With so few playlists the matrix may be dense here; continue_playlists.cpp never writes it out. Why two power steps,
    and no more: playlists/embed_tracks.hpp has the figures. Rows of zeros are songs of which nothing is known.

    In float64: songs of one playlist differ by little, and what float32 rounds, otherwise on every kind of processor, would
    decide which of them are nearest.
    """
    x = np.zeros((len(log.songs), len(seen)))
    for number, songs in enumerate(seen):
        x[songs, number] = np.log(len(log.songs) / len(songs)) / len(songs) ** 0.25
    x = (
        x
        + smooth(x, log, 1.0, lambda song: song.artists)
        + smooth(x, log, 0.5, lambda song: [(song.album, song.artists[:1])])
        + smooth(x, log, 0.2, lambda song: re.findall(rb"[0-9a-z\x80-\xff]+", song.title.encode().lower()))
    )
    lists, width = len(seen), min(dim + 16, len(seen))
    bits = mix(mix(np.array([seed], np.uint64)) + np.arange(lists * width, dtype=np.uint64)) >> np.uint64(40)
    basis = np.linalg.qr((bits * 2.0**-23 - 1).reshape(lists, width))[0]
    for _ in range(2):
        basis = np.linalg.qr(x.T @ (x @ basis))[0]
    image = x @ basis
    rotation = np.linalg.eigh(image.T @ image)[1][:, : -dim - 1 : -1]  # eigenvalues come ascending
    return np.ascontiguousarray(image @ rotation, dtype=np.float32)


def embed_playlists(vectors: np.ndarray, seen: Sequence[np.ndarray]) -> np.ndarray:
    """One query a playlist: the sum of its songs' vectors, each divided by the root of its length."""
    weight = 1 / np.sqrt(np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-30))
    return np.stack([(vectors[songs] * weight[songs]).sum(0) for songs in seen])


def propose_popular(log: Log, seen: Sequence[np.ndarray], k: int = K) -> np.ndarray:
    """The songs of the most playlists that each playlist does not hold yet, (playlists, k)."""
    count = Counter(song for songs in seen for song in songs.tolist())
    ranking = np.array(sorted(range(len(log.songs)), key=lambda song: -count[song])[: k + max(map(len, seen))])
    return np.stack([ranking[~np.isin(ranking, songs)][:k] for songs in seen])


def hit_rate(ids: np.ndarray, held: Sequence[np.ndarray]) -> float:
    """Which part of a playlist's held-back songs is among its proposals; the mean over the playlists."""
    return float(np.mean([np.isin(songs, row).mean() for row, songs in zip(ids, held, strict=True)]))


def print_continuation(log: Log, number: int, seen: np.ndarray, held: np.ndarray, ids: np.ndarray) -> None:
    print(f"\n  {log.names[number]}\n    saw, among {len(seen)} songs")
    for song in seen[:: max(1, len(seen) // 4)][:4]:
        print(f"        {log.songs[song]}")
    print("    proposes")
    for song in ids[:8]:
        print(f"      {'✓' if song in held else ' '} {log.songs[song]}")
    print(f"    hit {np.isin(held, ids).sum()} of {len(held)} held back within the first {len(ids)}")


def measure_curve(
    index: segue.Index, exact: segue.Index, queries: np.ndarray, seen: list[np.ndarray], rounds: int = 3
) -> list[tuple[str, float, float]]:
    """(name, recall@10, queries a second on one thread) of the graph for several ef, then of the exact scan."""
    truth = exact.search(queries, 10, exclude=seen).ids
    points = []
    for name, which, ef in [*((f"ef {ef}", index, ef) for ef in (10, 20, 40, 80, 160, 320)), ("exact", exact, None)]:
        best = np.inf
        for _ in range(rounds):
            begin = time.perf_counter()
            ids = which.search(queries, 10, ef=ef, exclude=seen, threads=1).ids
            best = min(best, time.perf_counter() - begin)
        points.append((name, segue.recall(ids, truth, 10), len(queries) / best))
    return points


def draw_curve(points: Sequence[tuple[str, float, float]], axes: object = None) -> object:
    """Draws measure_curve's points with matplotlib and returns the axes."""
    import matplotlib.pyplot as plt
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    if axes is None:
        axes = plt.subplots(figsize=(7.2, 4.2), layout="constrained")[1]
    names, recall, speed = zip(*points, strict=True)
    axes.plot(recall[:-1], speed[:-1], "o-", color="#1f6feb", label="HnswIndex, by ef")
    axes.plot(recall[-1:], speed[-1:], "D", color="#bc4c00", label="FlatIndex (exact)")
    shown = None
    for name, x, y in points[:-1]:
        if shown and abs(x - shown[0]) < 5e-4 and shown[1] / y < 1.12:
            continue  # would run into the one before
        shown = x, y
        axes.annotate(name, (x, y), (-7, -11), textcoords="offset points", ha="right", fontsize=8, color="#59636e")
    axes.set(xlabel="recall@10", ylabel="queries per second, one thread", yscale="log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_title("Continuing playlists: recall against speed", loc="left", fontweight="bold")
    axes.margins(x=0.12, y=0.3)
    axes.grid(True, which="both", color="#d8dee4", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower left")
    return axes


def check_with_cpp(program: Path, file: Path, queries: np.ndarray, ids: np.ndarray, ef: int) -> None:
    """Lets open_index answer `queries` from the file that Python saved; raises where an id differs."""
    asked, answered = file.with_name("queries.npy"), file.with_name("ids.npy")
    np.save(asked, queries)
    subprocess.run([program, file, asked, str(ids.shape[1]), "--ef", str(ef), "--out", answered], check=True)
    if not np.array_equal(np.load(answered), ids):
        raise SystemExit("the C++ program answers with other ids")


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Continues public playlists, judges and draws.")
    parser.add_argument("--out", type=Path, default=Path(), help="where the index and the picture go")
    parser.add_argument("--dim", type=int, default=64, help="dimensions of the vectors")
    parser.add_argument("--seed", type=int, default=0, help="of the split and the index")
    parser.add_argument("--quick", action="store_true", help="fewer timing rounds")
    parser.add_argument("--open-index", type=Path, help="the C++ program that is to give the same answers")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    arguments = parse_arguments(argv)
    arguments.out.mkdir(parents=True, exist_ok=True)
    begin = time.perf_counter()

    def report(step: str, result: str) -> None:
        nonlocal begin
        print(f"  {step:11}{result:74}{time.perf_counter() - begin:6.2f} s", flush=True)
        begin = time.perf_counter()

    print("Continuing public playlists with Segue, in Python\n")
    log = read_playlists()
    report("read", f"{len(log.names)} playlists of {len(log.songs):,} songs ({log.tracks:,} tracks)")
    seen, held = hold_back(log, arguments.seed)
    report("held back", f"{sum(map(len, held)):,} songs: a fifth of each playlist, at most 100; seed {arguments.seed}")
    vectors = embed_tracks(log, seen, arguments.dim, arguments.seed)
    ids = np.flatnonzero(np.any(vectors != 0, axis=1))
    report("embedded", f"{len(ids):,} songs in {arguments.dim} dimensions")

    index = segue.build(vectors[ids], ids, metric="cosine", kind="hnsw", seed=arguments.seed)
    report("indexed", f"HnswIndex, cosine, {index.memory_usage() / 1e6:.1f} MB")
    file = arguments.out / "playlists.segue"
    index.save(file)
    report("saved", f"playlists.segue, {file.stat().st_size / 1e6:.1f} MB")

    exact = segue.build(vectors[ids], ids, metric="cosine", kind="flat", progress=False)
    queries = embed_playlists(vectors, seen)
    truth = exact.search(queries, K, exclude=seen).ids
    found = index.search(queries, K, ef=200, exclude=seen).ids
    report("continued", f"{len(queries)} playlists, by the index and exactly")

    print(f"\n  {'':28}{'recall@10':>9}{'hit-rate@100':>14}")
    print(f"  {'exact (FlatIndex)':28}{1:9.4f}{hit_rate(truth, held):14.4f}")
    print(f"  {'index (HnswIndex, ef 200)':28}{segue.recall(found, truth, 10):9.4f}{hit_rate(found, held):14.4f}")
    print(f"  {'popularity':28}{'':9}{hit_rate(propose_popular(log, seen), held):14.4f}")
    for number in map(log.names.index, SHOWN):
        print_continuation(log, number, seen[number], held[number], found[number])

    import matplotlib

    matplotlib.use("agg")
    axes = draw_curve(measure_curve(index, exact, queries, seen, 1 if arguments.quick else 5))
    picture = arguments.out / "recall_and_speed.png"
    axes.figure.savefig(picture, dpi=150)
    print(f"\n  Left behind: the index, {file}\n  and a picture of recall against speed, {picture}")

    if arguments.open_index:
        plain = segue.load(file).search(queries, K, ef=200).ids
        check_with_cpp(arguments.open_index, file, queries, plain, ef=200)
        print(f"  {arguments.open_index.name} (C++) opened the same file and answered {len(queries)} queries alike")


if __name__ == "__main__":
    sys.exit(main())
