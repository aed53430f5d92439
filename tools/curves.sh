#!/bin/bash
# curves.sh [ARGUMENTS of `bench.curves measure`] : Segue and the peers that are installed, recall against queries/s.
#
# Builds the Python package, measures, and draws into build/curves/: a PNG and an SVG a set, curves.html with all, and
# points.jsonl, what was measured. Arguments are .npz files and options (--peers a,b  --rounds 3); without files two
# sets are made. Peers are those of the environment: `.venv/bin/pip install hnswlib faiss-cpu scann scalable-vs usearch
# voyager`; or SEGUE_CURVES_PYTHON names another Python with peers, which gets this build of Segue.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/compiler_cache.sh

echo "==> building the Python package"
tools/install_python.sh
python=.venv/bin/python
if [ -n "${SEGUE_CURVES_PYTHON:-}" ]; then
  # The package alone, not what stands beside it: the other Python has a numpy of its own.
  package=$(.venv/bin/python -c 'import pathlib, segue; print(pathlib.Path(segue.__file__).parent)')
  rm -rf build/curves/package
  mkdir -p build/curves/package
  cp -r "$package" build/curves/package/
  export PYTHONPATH=$PWD/build/curves/package
  python=$SEGUE_CURVES_PYTHON
fi
"$python" -m bench.curves measure --out build/curves/points.jsonl "$@"
PYTHONPATH='' .venv/bin/python -m bench.curves draw build/curves/points.jsonl --out build/curves
