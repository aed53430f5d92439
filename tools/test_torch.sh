#!/bin/bash
# test_torch.sh : the tests of torch tensors, by the distribution's Python and its torch.
#
# Python's package index has torch for x86_64 with several GB of CUDA alone; the distribution's is for the CPU, 150 MB.
# CI=true installs it, as root or with sudo; without that, what is not there is left out, and said.
# The package that tools/install_python.sh put into .venv is used as it is: it has to be of the same version of Python.
set -euo pipefail
cd "$(dirname "$0")/.."
python=/usr/bin/python3
skip() { echo "    left out: $*"; exit 0; }

has() { "$python" -c 'import hypothesis, numpy, pytest, torch' 2>/dev/null; }
if ! has; then
  [ -n "${CI:-}" ] || skip "no torch here (apt-get install python3-torch python3-pytest, or CI=true)"
  sudo=()
  if [ "$(id -u)" != 0 ]; then sudo=(sudo -n); fi
  offered() { apt-cache policy python3-torch 2>/dev/null | grep -q 'Candidate: [0-9]'; }
  offered || ${sudo[@]+"${sudo[@]}"} apt-get update -qq
  offered || skip "this distribution has no python3-torch"
  ${sudo[@]+"${sudo[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends python3-torch \
    python3-pytest python3-hypothesis python3-numpy </dev/null >/dev/null
  has || { echo "python3-torch is installed and cannot be imported" >&2; "$python" -c 'import torch'; exit 1; }
fi

suffix=$("$python" -c 'import sysconfig; print(sysconfig.get_config_var("EXT_SUFFIX"))')
package=$(.venv/bin/python -c 'import pathlib, segue; print(pathlib.Path(segue.__file__).parent)')
[ -e "$package/_segue$suffix" ] || skip "Segue was built for another Python than $python"
mkdir -p build/torch
ln -sfn "$package" build/torch/segue
PYTHONPATH=build/torch "$python" -m pytest -q -p no:cacheprovider --junitxml build/results/pytest-torch.xml \
  python/tests/test_arrays.py
