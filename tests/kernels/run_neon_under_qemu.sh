#!/bin/sh
# run_neon_under_qemu.sh [BUILD_FOLDER] : builds the kernels and their tests for 64-bit ARM, runs them under qemu.
#
# Needs aarch64-linux-gnu-g++, qemu-aarch64 and GoogleTest's sources (Debian: g++-aarch64-linux-gnu, qemu-user,
# googletest). Exit status 77, which ctest reads as "skipped", says that one of them is not there.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${1:-$here/../../build/neon}
for tool in aarch64-linux-gnu-g++ qemu-aarch64 cmake; do
  command -v $tool >/dev/null || { echo "skipped: $tool is not installed"; exit 77; }
done
[ -f /usr/src/googletest/googletest/src/gtest-all.cc ] || { echo "skipped: no /usr/src/googletest"; exit 77; }
launcher=$(command -v ccache || true)
cmake -S "$here/standalone" -B "$build" -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER_LAUNCHER="$launcher" \
  -DCMAKE_TOOLCHAIN_FILE="$here/../../cmake/toolchains/aarch64-linux-gnu.cmake"
cmake --build "$build" -j "$(nproc)"
ctest --test-dir "$build" --output-on-failure
