"""Offline evaluation: how good lists are, side by side, and over a log. Its names are those of `segue`."""

from .compare import compare
from .comparison import Comparison
from .differences import Difference
from .evaluate import evaluate
from .evaluation import Evaluation, Measure
from .replay import replay
from .report import Replay, ReplayExample
from .split import Split, split_by_time
from .svg import Picture
from .user_items import UserItems
from .window import Window

__all__ = [
    "Comparison",
    "Difference",
    "Evaluation",
    "Measure",
    "Picture",
    "Replay",
    "ReplayExample",
    "Split",
    "UserItems",
    "Window",
    "compare",
    "evaluate",
    "replay",
    "split_by_time",
]
