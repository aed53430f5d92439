#!/bin/bash
# soak.sh [OPTION...] : the soak for SOAK_SECONDS (1200), and its picture. `make soak`.
#
# Options go to the program (bench/soak/soak_options.hpp). Figures, picture and what was printed go to build/soak/. The exit
# status is the soak's: 0 it held.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/compiler_cache.sh
# Searches and updates of one thread each: a team that spins would take a core from them while the index is built.
export OMP_WAIT_POLICY=passive

mkdir -p build/soak
cmake --preset release >build/soak/build.log
cmake --build --preset release --target soak >>build/soak/build.log || { tail -n 40 build/soak/build.log; exit 1; }
status=0
build/release/bench/soak --seconds "${SOAK_SECONDS:-1200}" --out build/soak/soak.jsonl "$@" | tee build/soak/soak.txt || status=$?
.venv/bin/python -m bench.soak build/soak/soak.jsonl --out build/soak/soak.svg --out build/soak/soak.png
exit "$status"
