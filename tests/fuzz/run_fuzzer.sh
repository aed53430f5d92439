#!/bin/sh
# run_fuzzer.sh PROGRAM KEPT WORK SECONDS : runs a libFuzzer program from its own seeds and from the inputs in KEPT.
#
# WORK/corpus grows from run to run. What ends the program lies in WORK/found/, minimised where that takes less than a minute;
# a fix comes with that file in KEPT, where corpus_test.cpp runs it from then on.
set -eu
program=$1 kept=$2 work=$3 seconds=$4
mkdir -p "$work/corpus" "$work/seeds" "$work/found"
"$program" --seeds "$work/seeds"
[ -d "$kept" ] || kept=

# malloc_limit_mb: no input is larger than some hundred kilobytes, so nothing may ask for more than a few megabytes.
status=0
"$program" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -malloc_limit_mb=64 -max_len=100000 -print_final_stats=1 \
  -artifact_prefix="$work/found/" "$work/corpus" "$work/seeds" $kept >"$work/log" 2>&1 || status=$?
if [ "$status" -ne 0 ]; then
  tail -n 60 "$work/log"
  newest=$(ls -t "$work/found" | head -n 1)
  if [ -n "$newest" ]; then
    "$program" -minimize_crash=1 -max_total_time=60 -exact_artifact_path="$work/found/minimised" "$work/found/$newest" \
      >"$work/minimise.log" 2>&1 || true
    echo "what ended it: $work/found/$newest; smaller: $work/found/minimised"
  fi
  exit "$status"
fi
grep -E "^(Done|stat::number_of_executed_units|stat::peak_rss_mb|#[0-9]+.DONE)" "$work/log"
