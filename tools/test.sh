#!/bin/bash
# test.sh : every test of the project, C++ and Python. `make test` calls it after the set-up.
#
# A step that fails does not keep the later ones from running; the end lists what failed, and the exit status says so.
# CI=true turns warnings into errors.
set -uo pipefail
cd "$(dirname "$0")/.."
export CTEST_OUTPUT_ON_FAILURE=1 CTEST_PARALLEL_LEVEL CMAKE_BUILD_PARALLEL_LEVEL
CTEST_PARALLEL_LEVEL=$(nproc)
# Tests run beside each other: OpenMP threads that wait should sleep, not spin.
export OMP_WAIT_POLICY=passive
CMAKE_BUILD_PARALLEL_LEVEL=$(nproc)
. tools/compiler_cache.sh

results=build/results
mkdir -p "$results"
rm -f "$results"/*.xml
failed=()

# step NAME COMMAND... : runs it, says how long it took, remembers a failure.
step() {
  local name=$1 begin=$SECONDS
  shift
  echo "==> $name"
  if "$@" </dev/null; then
    echo "==> $name: done in $((SECONDS - begin)) s"
  else
    failed+=("$name")
    echo "==> $name: FAILED after $((SECONDS - begin)) s"
  fi
}

# build PRESET : quiet while all goes well, as a build prints a line a file.
build() {
  local log=build/$1.log
  mkdir -p build
  if cmake --preset "$1" -DSEGUE_WARNINGS_AS_ERRORS="${CI:+ON}" >"$log" 2>&1 && cmake --build --preset "$1" >>"$log" 2>&1
  then return 0; fi
  tail -n 60 "$log"
  return 1
}

run_ctest() { ctest --preset "$1" --output-junit "$PWD/$results/ctest-$1.xml"; }
run_pytest() { SEGUE_EXAMPLES_DIR="$PWD/build/release/examples" .venv/bin/python -m pytest -n "$(nproc)" --junitxml "$results/pytest.xml" -q; }
run_neon() { tests/kernels/run_neon_under_qemu.sh build/neon >build/neon.log 2>&1 || { tail -n 40 build/neon.log; return 1; }; }
# libFuzzer comes with clang, but some distributions keep its runtime apart, as they do with OpenMP's.
can_fuzz() {
  echo 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }' |
    clang++ -fsanitize=fuzzer,address -fopenmp -x c++ - -o build/can_fuzz 2>/dev/null
}

step "build (release)" build release
step "C++ tests" run_ctest release
step "Python package" tools/install_python.sh
step "Python tests" run_pytest
step "torch tensors" tools/test_torch.sh
step "build (AddressSanitizer, UndefinedBehaviorSanitizer)" build asan
step "C++ tests under AddressSanitizer and UndefinedBehaviorSanitizer" run_ctest asan
step "build (ThreadSanitizer)" build tsan
step "C++ tests with threads under ThreadSanitizer" run_ctest tsan
if can_fuzz; then
  step "build (libFuzzer)" build fuzz
  step "fuzz targets, ten seconds each" run_ctest fuzz
else
  echo "==> fuzz targets: not run, as there is no clang with libFuzzer here"
fi
if [ "$(uname -m)" = x86_64 ]; then step "NEON kernels under qemu" run_neon; fi

echo "==> all tests: ${SECONDS} s"
for name in ${failed[@]+"${failed[@]}"}; do echo "==> failed: $name"; done
python3 tools/summary.py "$results"
summary=$?
[ ${#failed[@]} -eq 0 ] && exit $summary
exit 1
