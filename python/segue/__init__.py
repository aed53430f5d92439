"""Segue turns embeddings into candidates.

From millions of tracks or classes to the few hundred that a ranker should look at for one
person, now: exact search, graphs and inverted lists over vectors.

Example:
    >>> import numpy as np, segue
    >>> tracks = np.random.default_rng(0).standard_normal((1000, 32), dtype=np.float32)
    >>> index = segue.build(tracks, metric="cosine")
    >>> index.search(tracks[7], k=1).ids
    array([7])
"""

from . import io, isa
from ._build import Plan, build
from ._catalog import Catalog
from ._errors import (
    AlreadyExists,
    Cancelled,
    CorruptFile,
    Error,
    FileNotFound,
    InvalidArgument,
    IoError,
    NotFound,
    OutOfMemory,
    Unsupported,
)
from ._expression import Field, field
from ._files import inspect, load, verify
from ._recall import recall
from ._results import FileInfo, FileSection, RangeResult, SearchResult
from ._segue import (
    Expression,
    FlatIndex,
    HnswIndex,
    IdSet,
    Index,
    IvfIndex,
    LiveIndex,
    Metrics,
    Serving,
    ServingSnapshot,
    __version__,
    parse_filter,
)
from ._trace import set_tracer
from ._tune import Tuning, tune
from .candidates import (
    CallableSource,
    CandidateGenerator,
    Candidates,
    Freshness,
    GroupCap,
    MinimumQuota,
    Mmr,
    NearestToSeeds,
    NearestToVectors,
    Popularity,
    RankedList,
    Request,
    Source,
    SourceReport,
)
from .evaluation import (
    Comparison,
    Difference,
    Evaluation,
    Measure,
    Picture,
    Replay,
    ReplayExample,
    Split,
    UserItems,
    Window,
    compare,
    evaluate,
    replay,
    split_by_time,
)

__all__ = [
    "AlreadyExists",
    "CallableSource",
    "Cancelled",
    "CandidateGenerator",
    "Candidates",
    "Catalog",
    "Comparison",
    "CorruptFile",
    "Difference",
    "Error",
    "Evaluation",
    "Expression",
    "Field",
    "FileInfo",
    "FileNotFound",
    "FileSection",
    "FlatIndex",
    "Freshness",
    "GroupCap",
    "HnswIndex",
    "IdSet",
    "Index",
    "InvalidArgument",
    "IoError",
    "IvfIndex",
    "LiveIndex",
    "Measure",
    "Metrics",
    "MinimumQuota",
    "Mmr",
    "NearestToSeeds",
    "NearestToVectors",
    "NotFound",
    "OutOfMemory",
    "Picture",
    "Plan",
    "Popularity",
    "RangeResult",
    "RankedList",
    "Replay",
    "ReplayExample",
    "Request",
    "SearchResult",
    "Serving",
    "ServingSnapshot",
    "Source",
    "SourceReport",
    "Split",
    "Tuning",
    "Unsupported",
    "UserItems",
    "Window",
    "__version__",
    "build",
    "compare",
    "evaluate",
    "field",
    "inspect",
    "io",
    "isa",
    "load",
    "parse_filter",
    "recall",
    "replay",
    "set_tracer",
    "split_by_time",
    "tune",
    "verify",
]

# People see segue.FlatIndex, wherever it is made.
for _public in (
    Catalog,
    Expression,
    Field,
    FlatIndex,
    HnswIndex,
    IdSet,
    Index,
    IvfIndex,
    LiveIndex,
    Metrics,
    Serving,
    ServingSnapshot,
):
    _public.__module__ = __name__
del _public
