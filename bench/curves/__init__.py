"""Recall against queries a second: Segue and the peers that are installed, measured, drawn, and put into tables.

    python -m bench.curves measure [SET.npz ...] --out POINTS.jsonl
    python -m bench.curves draw POINTS.jsonl --out FOLDER
    python -m bench.curves tables POINTS.jsonl --into docs/performance.md

Modules: sets (what is searched), peers/ (who searches), worker (one of them, in a process of its own), measure (all of
them in turns), points (what was measured, as lines of JSON), frontier (what may be read between two points), summary
(a row a peer), machine, palette, draw, page, tables.
"""
