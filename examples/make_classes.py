"""A made catalogue of fitness classes, and people who take them: what classes.ipynb looks at.

20,000 classes of a discipline, by an instructor, with minutes, a difficulty, music and a day on which they came out. A
class's vector is the sum of a direction of its discipline, of its instructor, of its music and of its difficulty, and
some noise: what a model would learn of people who care about these four. A person is the same sum of what they like; a
class that they like is one with that discipline and music, at their difficulty or next to it. Same seed, same classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import segue

DISCIPLINES = ("cycling", "running", "strength", "yoga", "pilates", "barre", "rowing", "boxing", "stretching", "meditation")
DIFFICULTIES = ("beginner", "intermediate", "advanced")
MUSIC = ("pop", "rock", "hip hop", "electronic", "latin", "soul", "country", "classical", "ambient", "jazz")
MINUTES = (5, 10, 15, 20, 30, 45, 60)
INSTRUCTORS = 120
TODAY = np.datetime64("2024-06-01")
WEIGHTS = {"discipline": 1.0, "music": 0.7, "instructor": 0.6, "difficulty": 0.5}
NOISE = 0.4


@dataclass(frozen=True)
class Classes:
    columns: dict[str, np.ndarray]  # with a value a class
    vectors: np.ndarray
    directions: dict[str, np.ndarray]  # of each value of a column, as the vectors were made from them

    def __len__(self) -> int:
        return len(self.vectors)

    def catalog(self) -> segue.Catalog:
        return segue.Catalog(self.columns)

    def taste(self, **likes: str) -> np.ndarray:
        """Of a person who likes that: taste(discipline="yoga", music="ambient")."""
        names = {"discipline": DISCIPLINES, "music": MUSIC, "difficulty": DIFFICULTIES, "instructor": instructor_names()}
        parts = [WEIGHTS[kind] * self.directions[kind][names[kind].index(value)] for kind, value in likes.items()]
        return np.sum(parts, axis=0, dtype=np.float32)


def instructor_names() -> list[str]:
    return [f"instructor {number:03}" for number in range(INSTRUCTORS)]


def make_classes(n: int = 20_000, dim: int = 32, seed: int = 0) -> Classes:
    random = np.random.default_rng(seed)
    # An instructor has one discipline, two kinds of music and a level of their own; some give many classes, most few.
    home = random.integers(len(DISCIPLINES), size=INSTRUCTORS)
    played = np.stack([random.choice(len(MUSIC), 2, replace=False) for _ in range(INSTRUCTORS)])
    busy = 1 / (1 + np.arange(INSTRUCTORS)) ** 0.7

    codes = {"instructor": random.choice(INSTRUCTORS, size=n, p=random.permutation(busy) / busy.sum())}
    codes["discipline"] = home[codes["instructor"]]
    codes["music"] = played[codes["instructor"], random.integers(2, size=n)]
    codes["difficulty"] = random.choice(3, size=n, p=(0.3, 0.5, 0.2))
    minutes = random.choice(MINUTES, size=n, p=(0.05, 0.1, 0.1, 0.25, 0.3, 0.15, 0.05))
    age = np.floor(random.exponential(400, size=n)).astype(np.int64)  # days

    sizes = {
        "discipline": len(DISCIPLINES),
        "music": len(MUSIC),
        "instructor": INSTRUCTORS,
        "difficulty": len(DIFFICULTIES),
    }
    directions = {kind: unit(random.standard_normal((size, dim))) for kind, size in sizes.items()}
    vectors = NOISE * unit(random.standard_normal((n, dim)))
    for kind, weight in WEIGHTS.items():
        vectors += weight * directions[kind][codes[kind]]
    columns = {
        "discipline": np.array(DISCIPLINES)[codes["discipline"]],
        "instructor": np.array(instructor_names())[codes["instructor"]],
        "minutes": minutes,
        "difficulty": np.array(DIFFICULTIES)[codes["difficulty"]],
        "music": np.array(MUSIC)[codes["music"]],
        "published": TODAY - age,
    }
    return Classes(columns, vectors.astype(np.float32), directions)


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
