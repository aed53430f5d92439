"""The command `segue`: build, tune, search, inspect, verify, convert."""

from __future__ import annotations

import argparse
import json
import pathlib
import re
import sys
import time
from collections.abc import Sequence
from typing import Any, Optional

import numpy as np
import numpy.typing as npt

from . import _segue, io
from ._build import build
from ._errors import CorruptFile, Error, FileNotFound, InvalidArgument
from ._files import inspect, load, verify
from ._recall import recall as mean_recall
from ._sources import open_source, shape_of
from ._tune import tune

EXIT_FAILED = 1  # what was asked for could not be done; argparse ends with 2 where the command line is wrong
EXIT_INTERRUPTED = 130


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs one command. 0: done; 1: it failed, and said why on stderr; 2: a wrong command line."""
    options = _parser().parse_args(arguments)
    try:
        report = options.run(options)
    except Error as error:
        print(f"segue {options.command}: {_text_of(error)}", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        print(f"segue {options.command}: interrupted; nothing was written", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        return EXIT_FAILED
    if options.json:
        print(json.dumps(report))
    else:
        _print(report)
    return 0


def _text_of(error: Error) -> str:
    return str(error.args[0]) if error.args else str(error)


def _print(report: dict[str, Any]) -> None:
    for name, value in report.items():
        if isinstance(value, list):
            print(f"{name}:")
            for entry in value:
                print("  " + ("  ".join(f"{k} {v}" for k, v in entry.items()) if isinstance(entry, dict) else str(entry)))
        else:
            print(f"{name}: {f'{value:,}' if isinstance(value, int) and not isinstance(value, bool) else value}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="segue", description="Indexes of vectors: make, tune, ask, look at, check, convert.", allow_abbrev=False
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, run: Any, help: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help, description=help, allow_abbrev=False)
        sub.set_defaults(run=run)
        sub.add_argument("--json", action="store_true", help="print one JSON object")
        return sub

    vectors = "vectors: .npy, .fbin, .fvecs or .parquet"

    sub = command("build", _build, "Makes an index of the vectors in a file.")
    sub.set_defaults(usage_error=sub.error)
    sub.add_argument("vectors", help=vectors)
    sub.add_argument("target", nargs="?", help="the index file to write")
    sub.add_argument("-o", "--output", help="the same")
    sub.add_argument("--ids", help=".npy with one integer a vector; without it ids are 0 to n - 1")
    sub.add_argument("--column", help="of a .parquet file")
    sub.add_argument("--metric", choices=["ip", "l2", "cosine"], default="ip", help="default: ip")
    sub.add_argument("--kind", choices=["auto", "flat", "hnsw", "ivf"], default="auto", help="default: auto")
    sub.add_argument("--recall", type=float, default=0.95, help="what searches will want, for kind auto")
    sub.add_argument(
        "--max-memory",
        type=_bytes,
        help="bytes that the index may take, as 800M or 2G; a set of vectors that is larger becomes inverted lists, made "
        "piece by piece in so much memory and searched in the file",
    )
    for name, kind in (("storage", str), ("rerank", str), ("m", int), ("ef-construction", int), ("nlist", int), ("seed", int)):
        sub.add_argument(f"--{name}", type=kind, help="see the index's constructor")
    _threads(sub)

    sub = command("tune", _tune, "Measures how much effort a recall takes, and keeps the curve in the index file.")
    sub.add_argument("index", help="an index file; the curve is kept in it unless -o names another")
    sub.add_argument("--queries", help=f"{vectors}; without it items serve as queries")
    sub.add_argument("--truth", help=".npy with the ids of the true nearest of each query; without it they are computed")
    sub.add_argument("-k", type=int, default=10, help="default: 10")
    sub.add_argument("--recall", type=float, default=0.95, help="default: 0.95")
    sub.add_argument("-o", "--output", help="where to write the index with its curve")
    _threads(sub)

    sub = command("search", _search, "Asks an index for the k best of each query.")
    sub.add_argument("index", help="an index file")
    sub.add_argument("queries", help=vectors)
    sub.add_argument("-k", type=int, default=10, help="default: 10")
    sub.add_argument("--ef", type=int, help="see Index.search")
    sub.add_argument("--nprobe", type=int, help="see Index.search")
    sub.add_argument("--recall", type=float, help="see Index.search")
    sub.add_argument("-o", "--output", help=".npz with ids and scores; without it they are printed, a line a query")
    sub.add_argument("--truth", help=".npy with true ids: also says the recall")
    _threads(sub)

    sub = command("inspect", _inspect, "What an index file says of itself, without reading the rest.")
    sub.add_argument("index", help="an index file")

    sub = command("verify", _verify, "Checks every sum, range and link of index files.")
    sub.add_argument("index", nargs="+", help="index files")

    sub = command("convert", _convert, "From one file of vectors to another; from and to indexes of FAISS.")
    sub.add_argument("source", help=f"{vectors}; or an index: .segue or .faiss")
    sub.add_argument("target", help="the same; its suffix says what becomes of it")
    sub.add_argument("--column", help="of a .parquet file")
    return parser


def _threads(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--threads", type=int, help="at most so many; default: all")


def _bytes(text: str) -> int:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)i?B?", text, re.IGNORECASE)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of bytes; write 800M or 2G")
    return int(float(match[1]) * 1000 ** " KMGT".index(match[2].upper() or " "))


def _integers(path: str, what: str) -> npt.NDArray[np.int64]:
    if not pathlib.Path(path).exists():
        raise FileNotFound(f"{path}: there is no such file")
    try:
        array: npt.NDArray[Any] = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise CorruptFile(f"{path}: no whole .npy file: {error}") from error
    if array.dtype.kind not in "iu":
        raise InvalidArgument(f"{path} holds {array.dtype}, expected integers for {what}")
    return array.astype(np.int64)


def _describe(index: _segue.Index) -> dict[str, Any]:
    return {
        "kind": type(index).__name__,
        "items": len(index),
        "dimension": index.dim,
        "metric": index.metric,
        "storage": index.storage,
        "memory": index.memory_usage(),
    }


def _build(options: argparse.Namespace) -> dict[str, Any]:
    names = ("storage", "rerank", "m", "ef_construction", "nlist", "seed")
    params = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    target = options.output or options.target
    if target is None or None not in (options.output, options.target):
        options.usage_error("name one index file to write")
    start = time.monotonic()
    source = open_source(options.vectors, options.column)
    rows, dim = shape_of(source)
    larger = options.max_memory is not None and 4 * rows * dim > options.max_memory and options.kind in ("auto", "ivf")
    index, plan = build(
        options.vectors,
        None if options.ids is None else _integers(options.ids, "ids"),
        out=target if larger else None,
        column=options.column,
        metric=options.metric,
        kind=options.kind,
        recall=options.recall,
        max_memory=options.max_memory,
        threads=options.threads,
        explain=True,
        **params,
    )
    seconds = time.monotonic() - start
    if not larger:
        index.save(target)
    return {"index": target, **_describe(index), "seconds": round(seconds, 3), "because": list(plan.reasons)}


def _tune(options: argparse.Namespace) -> dict[str, Any]:
    index = load(options.index)
    queries = None if options.queries is None else np.asarray(io.read_vectors(options.queries))
    truth = None if options.truth is None else _integers(options.truth, "truth")
    tuning = tune(index, queries, options.k, options.recall, truth, threads=options.threads)
    target = options.output or options.index
    index.save(target)
    names = tuning.curve.dtype.names or ()
    return {
        "index": target,
        "k": tuning.k,
        "recall": tuning.recall,
        "reached": bool(tuning.reached),
        "effort": int(tuning.effort),
        "expected recall": round(tuning.expected_recall, 4),
        "microseconds": round(tuning.microseconds, 2),
        "curve": [{name: round(point[name].item(), 4) for name in names} for point in tuning.curve],
    }


def _search(options: argparse.Namespace) -> dict[str, Any]:
    index = load(options.index)
    queries = np.asarray(io.read_vectors(options.queries))
    start = time.monotonic()
    effort: dict[str, Any] = {name: getattr(options, name) for name in ("ef", "nprobe", "recall")}
    found = index.search(queries, options.k, threads=options.threads, **effort)
    seconds = time.monotonic() - start
    report: dict[str, Any] = {
        "queries": len(queries),
        "k": options.k,
        "queries a second": round(len(queries) / seconds, 1) if seconds > 0 else None,
    }
    if options.truth is not None:
        report["recall"] = round(mean_recall(found.ids, _integers(options.truth, "truth"), options.k), 4)
    if options.output is None:
        report["found"] = [
            " ".join(f"{i}:{score:.6g}" for i, score in zip(ids.tolist(), scores.tolist()) if i >= 0)
            for ids, scores in zip(found.ids, found.scores)
        ]
    else:
        target = pathlib.Path(options.output)
        if target.suffix != ".npz":
            raise InvalidArgument(f"{target.name} is no .npz file, which is what ids and scores are written to")
        np.savez(target, ids=found.ids, scores=found.scores)
        report["output"] = options.output
    return report


def _inspect(options: argparse.Namespace) -> dict[str, Any]:
    info = inspect(options.index)._asdict()
    info["sections"] = [section._asdict() for section in info["sections"]]
    return info


def _verify(options: argparse.Namespace) -> dict[str, Any]:
    for path in options.index:
        verify(path)
    return {"whole": list(options.index)}


def _convert(options: argparse.Namespace) -> dict[str, Any]:
    source, target = pathlib.Path(options.source).suffix, pathlib.Path(options.target).suffix
    indexes = {".segue", ".faiss"}
    if source in indexes:
        index = load(options.source) if source == ".segue" else io.from_faiss(options.source)
        if target == ".segue":
            index.save(options.target)
        elif target == ".faiss":
            io.to_faiss(index, options.target)
        else:
            io.write_vectors(options.target, index.get(index.ids()))
        return {"wrote": options.target, **_describe(index)}
    if target in indexes:
        raise InvalidArgument("an index is made of vectors by `segue build`, which asks for a metric")
    vectors = io.read_vectors(options.source, column=options.column)
    io.write_vectors(options.target, vectors)
    return {"wrote": options.target, "items": len(vectors), "dimension": vectors.shape[1]}
