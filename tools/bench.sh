#!/bin/bash
# bench.sh [FILTER] : a short run of the benchmark programs, or of those benchmarks that match a regular expression.
#
# SEGUE_BENCH_SECONDS is the least time a benchmark is repeated for (0.02). Figures of a short run on a busy machine are
# good for ratios within it, not for comparisons between days. JSON goes to build/bench/.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/compiler_cache.sh

mkdir -p build/bench
cmake --preset release >build/bench/build.log
cmake --build --preset release --target segue_benchmarks >>build/bench/build.log || { tail -n 40 build/bench/build.log; exit 1; }

programs=0
for program in $(find build/release/bench -type f -name '*_bench' -perm -u+x | sort); do
  programs=$((programs + 1))
  name=$(basename "$program")
  echo "==> $name"
  "$program" --benchmark_min_time="${SEGUE_BENCH_SECONDS:-0.02}" --benchmark_filter="${1:-.}" \
    --benchmark_out="build/bench/$name.json" --benchmark_out_format=json </dev/null
done
[ "$programs" -gt 0 ] || { echo "bench: no benchmark program was built" >&2; exit 1; }
echo "==> $programs benchmark programs ran"
