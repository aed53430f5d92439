#!/bin/bash
# bench_check.sh [ARGUMENTS of bench.check] : is this commit slower than the one it departs from? `make bench-check`.
# bench_check.sh --base : says which commit that is, and no more.
#
# The commit it departs from is what SEGUE_BENCH_BASE names; else, where it is another commit than HEAD, the merge base
# with origin/main, or with the branch's upstream; else HEAD~1. What stands in the working tree is measured as it is,
# committed or not. The other commit is unpacked to build/bench-check/base, built there as a release, and removed again.
# Where there is no other commit (a clone of one commit), or where it does not build here, it says that nothing was
# compared and ends well: only what is slower fails.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/compiler_cache.sh

work=$PWD/build/bench-check
say() { echo "==> $*"; }
nothing() { say "bench-check: nothing was compared: $*"; exit 0; }
commit() { git rev-parse --verify --quiet "$1^{commit}"; }

departed_from() {
  local other base
  for other in origin/main '@{upstream}'; do
    base=$(git merge-base HEAD "$other" 2>/dev/null) || continue
    if [ "$base" != "$(commit HEAD)" ]; then echo "$base"; return; fi
  done
  commit HEAD~1
}

git rev-parse --is-inside-work-tree >/dev/null 2>&1 || nothing "this is no git checkout"
if [ -n "${SEGUE_BENCH_BASE:-}" ]; then
  base=$(commit "$SEGUE_BENCH_BASE") ||
    { echo "bench-check: SEGUE_BENCH_BASE=$SEGUE_BENCH_BASE names no commit here" >&2; exit 1; }
else
  base=$(departed_from) || nothing "no commit before this one is here; fetch it, or name another in SEGUE_BENCH_BASE"
fi

if [ "${1:-}" = --base ]; then
  git rev-parse "$base"
  exit
fi

changed=
if [ -n "$(git status --porcelain --untracked-files=no)" ]; then changed=" with uncommitted changes"; fi
say "old: $(git log -1 --format='%h %s' "$base")"
say "new: $(git log -1 --format='%h %s')$changed"

rm -rf "$work"
mkdir -p "$work/base" "$work/old" "$work/new"
trap 'rm -rf "$work/base" "$work/old" "$work/new"' EXIT

# build TREE PROGRAMS [OPTION...] : those benchmark programs of cases.txt that a tree has, copied to PROGRAMS.
build() (
  cd "$1"
  programs=$2
  shift 2
  if [ -n "${CCACHE_BASEDIR:-}" ]; then export CCACHE_BASEDIR=$PWD; fi
  cmake --preset release "$@" || exit
  targets=$(cmake --build --preset release --target help | sed -nE 's/^([a-z0-9_]+_bench): phony$/\1/p' |
    grep -Fx -f <(sed -nE 's/^([a-z0-9_]+_bench) .*/\1/p' "$cases" | sort -u)) ||
    { echo "none of the programs of $cases"; exit 1; }
  # shellcheck disable=SC2086 # one word a target
  cmake --build --preset release --target $targets || exit
  for target in $targets; do cp "build/release/bench/$target" "$programs/" || exit; done
)
cases=$PWD/bench/check/cases.txt

begin=$SECONDS
build "$PWD" "$work/new" >"$work/new.log" 2>&1 ||
  { tail -n 40 "$work/new.log"; echo "bench-check: this commit does not build" >&2; exit 1; }
git archive "$base" | tar -x -C "$work/base"
# The same flags in both trees, or the cache would help nothing.
warnings=$(sed -n 's/^SEGUE_WARNINGS_AS_ERRORS:BOOL=//p' build/release/CMakeCache.txt)
build "$work/base" "$work/old" -DSEGUE_WARNINGS_AS_ERRORS="$warnings" >"$work/old.log" 2>&1 ||
  { tail -n 40 "$work/old.log"; nothing "the old commit does not build here"; }
say "both built in $((SECONDS - begin)) s"

status=0
python3 -m bench.check "$work/old" "$work/new" --json "$work/verdicts.json" "$@" || status=$?
[ "$status" -ne 3 ] || exit 0
exit "$status"
