"""python -m bench.soak FIGURES.jsonl --out PICTURE: see --help."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .read import read


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="bench.soak", description=__doc__)
    parser.add_argument("figures", type=Path, help="what soak --out wrote")
    parser.add_argument("--out", type=Path, required=True, action="append", help="PICTURE.svg or .png; again for both")
    options = parser.parse_args(arguments)
    try:
        run = read(options.figures)
    except ValueError as error:
        sys.exit(f"bench.soak: {error}")
    from .draw import draw  # matplotlib, which only the picture needs

    for out in options.out:
        out.parent.mkdir(parents=True, exist_ok=True)
        draw(run, out)
        print(f"picture: {out}")


if __name__ == "__main__":
    main()
