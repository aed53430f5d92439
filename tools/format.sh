#!/bin/bash
# format.sh [--check] : clang-format over the C++ of the project, or a list of what it would change.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v clang-format >/dev/null || { echo "format: please install clang-format (14 or newer)" >&2; exit 1; }
mode=(-i)
if [ "${1:-}" = --check ]; then mode=(--dry-run --Werror); fi
git ls-files -z '*.cpp' '*.hpp' | xargs -0 clang-format "${mode[@]}"
