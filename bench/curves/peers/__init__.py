"""All that can be measured, by name: the library, then what tells its variants apart."""

from __future__ import annotations

from collections.abc import Callable

from .coded_graph_peers import Glass, RabitqGraph, Svs, SymphonyQG
from .faiss_peers import Faiss
from .graph_peers import Hnswlib, Usearch, Voyager
from .partition_peers import RabitqIvf, Scann
from .peer import CannotRun, Peer
from .segue_peers import Segue

__all__ = ["PEERS", "CannotRun", "Peer"]

PEERS: dict[str, Callable[[], Peer]] = {
    "segue-flat": lambda: Segue("flat"),
    "segue-hnsw": lambda: Segue("hnsw"),
    "segue-ivf": lambda: Segue("ivf"),
    "faiss-flat": lambda: Faiss("Flat"),
    "faiss-hnsw16": lambda: Faiss("HNSW16"),
    "faiss-ivfflat": lambda: Faiss("IVF{lists},Flat"),
    "hnswlib16": lambda: Hnswlib(16),
    "hnswlib32": lambda: Hnswlib(32),
    "usearch16": lambda: Usearch("f32"),
    "usearch16-bf16": lambda: Usearch("bf16"),
    "voyager16": Voyager,
    "scann": Scann,
    "svs-f32": lambda: Svs("f32"),
    "svs-f16": lambda: Svs("f16"),
    "svs-lvq4x8": lambda: Svs("4x8"),
    "glass-sq8": lambda: Glass("SQ8U"),
    "glass-sq4": lambda: Glass("SQ4U"),
    "symphonyqg": SymphonyQG,
    "rabitq-graph": RabitqGraph,
    "rabitq-ivf7": lambda: RabitqIvf(7),
}
