#!/bin/bash
# fuzz.sh [TARGET...] : runs the fuzz targets of tests/fuzz, or those that are named, side by side. `make fuzz`.
#
# FUZZ_SECONDS says for how long each (3600). Corpora grow in build/fuzz/tests/fuzz/<target>/corpus from run to run. What ends a
# target lies beside it in found/; a fix comes with the smaller of the two files in tests/fuzz/corpus/<target>/.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/compiler_cache.sh

command -v clang++ >/dev/null || { echo "fuzz: there is no clang++ here; libFuzzer is clang's" >&2; exit 1; }
mkdir -p build
{ cmake --preset fuzz -DSEGUE_FUZZ_SECONDS="${FUZZ_SECONDS:-3600}" && cmake --build --preset fuzz; } >build/fuzz.log 2>&1 ||
  { tail -n 60 build/fuzz.log; exit 1; }
# Names of targets to a regular expression of ctest's.
chosen=$(IFS='|'; echo "${*:-.*}")
ctest --test-dir build/fuzz --parallel "$(nproc)" --output-on-failure --tests-regex "^fuzz_($chosen)\$" --timeout 1000000
