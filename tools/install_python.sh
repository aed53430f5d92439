#!/bin/bash
# install_python.sh : builds the Python package and installs it into .venv. Needs tools/setup.sh.
#
# The build folder is kept, so only what changed is compiled again.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/compiler_cache.sh
# The compiler by the name that CMake finds for the other builds: ccache tells names apart.
export CXX=${CXX:-c++}
# Nor are there two libraries to compile where test.sh has just compiled one with the same flags.
if [ -n "${CI:-}" ]; then export SKBUILD_CMAKE_DEFINE=SEGUE_WARNINGS_AS_ERRORS=ON; fi
# PIP_NO_INDEX: nothing may come from outside here. Without isolation all that is needed is there already.
# SKBUILD_BUILD_DIR and not pip's -C, which Debian 12 (pip 23.0) and Ubuntu 22.04 (22.0) do not know.
PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INDEX=1 SKBUILD_BUILD_DIR=build/python .venv/bin/pip install --quiet --no-deps \
  --force-reinstall --no-build-isolation .
