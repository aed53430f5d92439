"""The soak's picture: python -m bench.soak FIGURES.jsonl --out PICTURE.svg (or .png).

The program itself is soak.cpp; `make soak` runs it and draws. Modules: read (the lines that it wrote), draw.
"""
