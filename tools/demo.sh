#!/bin/bash
# demo.sh : continues real playlists, in C++ and in Python; `make demo` calls it after the set-up.
#
# What both leave (the index file, the picture of recall against speed) goes to build/demo/. At the end a C++ program
# opens the index that Python saved and answers the same queries with the same ids.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/compiler_cache.sh

mkdir -p build/demo
quietly() { # LOG COMMAND...
  local log=$1
  shift
  "$@" >"$log" 2>&1 || { tail -n 60 "$log"; exit 1; }
}

echo "==> building the library and the examples (about a minute the first time)"
quietly build/demo/configure.log cmake --preset release
quietly build/demo/build.log cmake --build --preset release --target example_continue_playlists example_open_index
echo "==> continue_playlists, in C++"
build/release/examples/continue_playlists --out build/demo/cpp

echo "==> building the Python package (about two minutes the first time)"
quietly build/demo/python.log tools/install_python.sh
echo "==> continue_playlists.py, and its index opened from C++"
.venv/bin/python examples/continue_playlists.py --out build/demo/python --open-index build/release/examples/open_index
echo "==> pictures and indexes: build/demo/cpp, build/demo/python"
