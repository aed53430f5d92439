#!/bin/bash
# install_python.sh : builds the Python package and installs it into .venv. Needs tools/setup.sh.
#
# The build folder is kept, so only what changed is compiled again.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/compiler_cache.sh
# The compiler by the name that CMake finds for the other builds: ccache tells names apart.
export CXX=${CXX:-c++}
# PIP_NO_INDEX: nothing may come from outside here. Without isolation all that is needed is there already.
PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INDEX=1 .venv/bin/pip install --quiet --no-deps --force-reinstall \
  --no-build-isolation -C build-dir=build/python .
