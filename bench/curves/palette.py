"""How a peer looks, the same on every picture. Segue is wide and strong; peers are thin and told apart by colour and
marker together, as no twelve colours are distinct to everybody (the hues are those of Paul Tol's muted scheme)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    colour: str
    marker: str
    width: float = 1.3
    size: float = 4.5
    above: int = 2  # drawn over those of lower numbers


def own(colour: str, marker: str) -> Look:
    return Look(colour, marker, width=3.0, size=7.5, above=5)


LOOKS = {
    "segue-hnsw": own("#0057d9", "o"),
    "segue-flat": own("#d9480f", "D"),
    "segue-ivf": own("#7b2cbf", "s"),
    "faiss-flat": Look("#882255", "D"),
    "faiss-hnsw16": Look("#882255", "^"),
    "faiss-ivfflat": Look("#882255", "v"),
    "hnswlib16": Look("#999933", "o"),
    "hnswlib32": Look("#999933", "s"),
    "usearch16": Look("#44aa99", "P"),
    "usearch16-bf16": Look("#44aa99", "X"),
    "voyager16": Look("#777777", "v"),
    "scann": Look("#aa4499", "h"),
    "svs-f32": Look("#117733", "<"),
    "svs-f16": Look("#117733", ">"),
    "svs-lvq4x8": Look("#117733", "p"),
    "glass-sq8": Look("#332288", "s"),
    "glass-sq4": Look("#332288", "d"),
    "symphonyqg": Look("#cc6677", "*", size=6.5),
    "rabitq-graph": Look("#b8860b", "^"),
    "rabitq-ivf7": Look("#b8860b", "v"),
}
OTHER = Look("#555555", "x")


def look(peer: str) -> Look:
    return LOOKS.get(peer, OTHER)
