"""python -m bench.curves measure | draw | tables | list: see --help of each."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from . import machine, measure, points, sets
from .peers import PEERS


def given_sets(options: argparse.Namespace, folder: Path) -> Iterator[tuple[sets.Set, Path]]:
    """The files, or where none is given the sets that are made here."""
    for path in options.sets:
        yield sets.load(path), path
    if not options.sets:
        for name, make in sets.MADE.items():
            print(f"making {name}: {options.items:,} items and their exact neighbours", flush=True)
            made, path = make(options.items, options.queries), folder / f"{name}.npz"
            sets.save(made, path)
            yield made, path


def progress(record: points.Record) -> None:
    if record["kind"] == "built":
        print(f"  {record['peer']}: built in {record['seconds']} s, {record['megabytes']} MB", flush=True)
    elif record["kind"] == "left out":
        print(f"  {record['peer']}: left out: {record['why']}", flush=True)


def arguments_of(options: argparse.Namespace) -> list[str]:
    """What somebody else has to say to measure the same; where the files lie is theirs to know."""
    words = [path.name for path in options.sets] or ["--items", str(options.items), "--queries", str(options.queries)]
    words += ["--peers", options.peers] if options.peers else []
    return [*words, "--rounds", str(options.rounds), "--k", str(options.k)]


def run_measure(options: argparse.Namespace) -> None:
    names = options.peers.split(",") if options.peers else list(PEERS)
    unknown = [name for name in names if name not in PEERS]
    if unknown:
        sys.exit(f"curves: no peer {', '.join(unknown)}; known: {', '.join(PEERS)}")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    measure.pin(options.core)
    command = shlex.join(["python", "-m", "bench.curves", "measure", *arguments_of(options)])
    with options.out.open("w") as out, tempfile.TemporaryDirectory() as folder:
        write(out, machine.describe(command, options.note))
        for made, path in given_sets(options, Path(folder)):
            print(f"{made.name}: {len(made.base):,} x {made.base.shape[1]}, {made.metric}", flush=True)
            write(out, {"kind": "set", "set": made.name, "items": len(made.base), "dim": made.base.shape[1],
                        "metric": made.metric, "queries": len(made.queries), "k": options.k})
            with measure.Contest(made.name, path, options.k, lambda record: write(out, record)) as contest:
                contest.build(names)
                for number in range(1, options.rounds + 1):
                    print(f"  round {number} of {options.rounds}", flush=True)
                    contest.run_round(number)


def write(out: IO[str], record: points.Record) -> None:
    out.write(json.dumps(record) + "\n")
    out.flush()
    progress(record)


def run_draw(options: argparse.Namespace) -> None:
    from . import draw, page  # matplotlib, which only the pictures need

    measured = points.read(options.points)
    options.out.mkdir(parents=True, exist_ok=True)
    pictures = {}
    for name, of_set in measured.sets.items():
        if of_set.points:
            _, pictures[name] = draw.draw_set(of_set, options.out)
    page.write_page(measured, pictures, options.out / "curves.html")
    print(f"pictures and page: {options.out / 'curves.html'}")


def run_tables(options: argparse.Namespace) -> None:
    from . import tables

    measured = points.read(options.points)
    if options.into:
        tables.write_into(options.into, measured)
    else:
        print(tables.block(measured))


def run_list(_: argparse.Namespace) -> None:
    for name, make in PEERS.items():
        missing = make().missing()
        print(name + (f"   ({', '.join(missing)} is not installed)" if missing else ""))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="bench.curves", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("measure", help="build and search, one core, all peers in turns")
    command.add_argument("sets", nargs="*", type=Path, help=".npz files; none: two sets that are made here")
    command.add_argument("--out", type=Path, default=Path("build/curves/points.jsonl"))
    command.add_argument("--peers", help="names with commas between them; all that are installed")
    command.add_argument("--rounds", type=int, default=2)
    command.add_argument("--k", type=int, default=10)
    command.add_argument("--core", type=int, help="the core to stay on; the last")
    command.add_argument("--items", type=int, default=50_000, help="of the sets that are made here")
    command.add_argument("--queries", type=int, default=2_000, help="of the sets that are made here")
    command.add_argument("--note", default="", help="what a reader of the figures has to know of this run")
    command.set_defaults(run=run_measure)

    command = commands.add_parser("draw", help="a PNG and an SVG a set, and one page with all")
    command.add_argument("points", type=Path)
    command.add_argument("--out", type=Path, default=Path("build/curves"))
    command.set_defaults(run=run_draw)

    command = commands.add_parser("tables", help="the tables as Markdown")
    command.add_argument("points", type=Path)
    command.add_argument("--into", type=Path, help="a document with the two markers; else they are printed")
    command.set_defaults(run=run_tables)

    commands.add_parser("list", help="the peers, and what is missing").set_defaults(run=run_list)
    options = parser.parse_args(arguments)
    options.run(options)


if __name__ == "__main__":
    main()
