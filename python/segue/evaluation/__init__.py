"""Offline evaluation: how good lists are, side by side, and over a log. Its names are those of `segue`."""

from .compare import Comparison, Difference, compare
from .evaluate import evaluate
from .evaluation import Evaluation, Measure
from .replay import Window, replay
from .report import Example, Replay
from .split import Split, split_by_time
from .svg import Picture
from .user_items import UserItems

__all__ = [
    "Comparison",
    "Difference",
    "Evaluation",
    "Example",
    "Measure",
    "Picture",
    "Replay",
    "Split",
    "UserItems",
    "Window",
    "compare",
    "evaluate",
    "replay",
    "split_by_time",
]
