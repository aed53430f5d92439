"""A made catalogue of fitness classes, and members who took some: what classes.ipynb looks at.

The twin of classes/make_classes.cpp, the same to the last bit. A class has a discipline, an instructor who teaches one
or two of them, minutes, a difficulty, music and the day on which it came out. Its vector is the sum of a direction for
each of these and of noise, so classes that share much are near each other. All of it comes from a seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from continue_playlists import mix

import segue

DISCIPLINES = ("cycling", "running", "strength", "yoga", "pilates", "boxing", "rowing", "meditation")
DIFFICULTIES = ("beginner", "intermediate", "advanced")
MUSIC = ("pop", "rock", "hip hop", "electronic", "soul", "latin", "country", "ambient")
MINUTES = (5, 10, 15, 20, 30, 45, 60, 90)
INSTRUCTORS = 80
OLDEST = 1500  # days
TODAY = np.datetime64("2021-06-01")
DIM = 32


@dataclass(frozen=True)
class Classes:
    columns: dict[str, np.ndarray]  # with a value a class; the id of a class is its place
    vectors: np.ndarray

    def __len__(self) -> int:
        return len(self.vectors)

    def catalog(self) -> segue.Catalog:
        return segue.Catalog(self.columns)


@dataclass(frozen=True)
class Member:
    """Takes classes: mostly of one discipline and difficulty, of one kind of music more than of others."""

    discipline: str
    difficulty: str
    music: str
    taken: np.ndarray  # distinct, a dozen or some fewer


class Draws:
    """A stream of numbers for each of some classes or members: a draw is another hash of who it is for."""

    def __init__(self, seed: int | np.ndarray, who: np.ndarray) -> None:
        self._state = mix(mix(np.array(seed, np.uint64).reshape(-1)) + np.array(who, np.uint64))

    def below(self, n: int) -> np.ndarray:
        self._state = mix(self._state)
        return (self._state % np.uint64(n)).astype(np.int64)

    def uniform(self) -> np.ndarray:
        """From 0 to 1, 1 not included."""
        self._state = mix(self._state)
        return (self._state >> np.uint64(11)) * 2.0**-53

    def any(self, values: Sequence[object]) -> np.ndarray:
        return np.array(values)[self.below(len(values))]


def draw_directions(hashes: np.ndarray) -> np.ndarray:
    """One of about length 1 for each: sums of three uniform numbers are nearly normal."""
    draws = Draws(hashes, np.array([DIM]))
    return np.stack(
        [2 * (draws.uniform() + draws.uniform() + draws.uniform() - 1.5) / np.sqrt(DIM) for _ in range(DIM)], axis=1
    )


def hash_word(word: str, seed: int) -> np.ndarray:
    state = np.array([seed], np.uint64)
    for byte in word.encode():
        state = mix(state + np.uint64(byte))
    return state


def make_classes(count: int = 20_000, seed: int = 0) -> Classes:
    draws = Draws(seed, np.arange(count))
    instructor = draws.below(INSTRUCTORS)
    discipline = np.where(draws.below(2) == 0, instructor, instructor // len(DISCIPLINES)) % len(DISCIPLINES)
    columns = {
        "discipline": np.array(DISCIPLINES)[discipline],
        "instructor": np.array([f"Instructor {number + 1}" for number in range(INSTRUCTORS)])[instructor],
        "minutes": draws.any(MINUTES),
        "difficulty": draws.any(DIFFICULTIES),
        "music": draws.any(MUSIC),
    }
    columns["published"] = TODAY - 1 - (draws.uniform() ** 2 * OLDEST).astype(np.int64)  # more, the nearer to today
    length = np.where(columns["minutes"] < 20, "short", np.where(columns["minutes"] < 45, "middling", "long"))

    vectors = np.zeros((count, DIM), np.float32)
    for words, weight in (
        (columns["discipline"], 1.0),
        (columns["music"], 0.7),
        (columns["instructor"], 0.6),
        (columns["difficulty"], 0.4),
        (length, 0.3),
    ):
        known, code = np.unique(words, return_inverse=True)
        directions = draw_directions(np.concatenate([hash_word(str(word), seed) for word in known]))
        vectors += (weight * directions).astype(np.float32)[code]
    noise = draw_directions(mix(np.array([seed + 1], np.uint64)) + np.arange(count, dtype=np.uint64))
    return Classes(columns, vectors + (0.5 * noise).astype(np.float32))


def make_members(classes: Classes, count: int = 200, seed: int = 0) -> list[Member]:
    draws = Draws(mix(np.array([seed + 2], np.uint64)), np.arange(count))
    likes = {"discipline": draws.any(DISCIPLINES), "difficulty": draws.any(DIFFICULTIES), "music": draws.any(MUSIC)}
    taken = np.zeros((count, 12), np.int64)
    for place in range(taken.shape[1]):
        best = np.full(count, -1.0)
        for _ in range(400):  # of these a member takes the one that suits best
            at = draws.below(len(classes))
            same = {name: classes.columns[name][at] == value for name, value in likes.items()}
            suits = (2 * same["discipline"] + same["difficulty"] + same["music"]) + draws.uniform()
            taken[suits > best, place] = at[suits > best]
            best = np.maximum(best, suits)
    return [
        Member(str(discipline), str(difficulty), str(music), np.array(list(dict.fromkeys(row.tolist()))))
        for discipline, difficulty, music, row in zip(*likes.values(), taken)
    ]
