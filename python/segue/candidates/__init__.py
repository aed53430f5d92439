"""Candidate generation: from a request to the list that a ranker wants."""

from .generator import CandidateGenerator
from .request import Candidates, Request, SourceReport
from .rules import Freshness, GroupCap, MinimumQuota, Mmr, Popularity
from .sources import CallableSource, NearestToSeeds, NearestToVectors, RankedList, Source

__all__ = [
    "CallableSource",
    "CandidateGenerator",
    "Candidates",
    "Freshness",
    "GroupCap",
    "MinimumQuota",
    "Mmr",
    "NearestToSeeds",
    "NearestToVectors",
    "Popularity",
    "RankedList",
    "Request",
    "Source",
    "SourceReport",
]
