#!/bin/bash
# setup.sh : makes a Debian or Ubuntu machine ready for `make demo` and `make test`.
#
# Installs the distribution packages of packages.txt that are missing (as root or with sudo; without apt-get it names
# them and stops), those of packages-optional.txt where that is possible, and the Python packages of requirements-*.txt
# into one virtual environment, .venv. A stamp in .venv holds the sum of all its inputs: while they stay the same, the
# next run ends at once.
# SEGUE_PYTHON names the Python to use; otherwise python3, which must be 3.10 or newer.
set -euo pipefail
cd "$(dirname "$0")/.."
export DEBIAN_FRONTEND=noninteractive PIP_DISABLE_PIP_VERSION_CHECK=1

python=${SEGUE_PYTHON:-python3}
stamp=.venv/segue-setup.stamp
say() { echo "==> $*"; }
fail() { echo "setup: $*" >&2; exit 1; }

# Changes with any input, and with the Python that the environment was made from.
sum_of_inputs() {
  { cat tools/setup.sh tools/packages*.txt tools/requirements-*.txt
    uname -m
    "$python" -VV 2>&1 || true
    command -v "$python" || true
    pwd
  } | sha256sum | cut -d ' ' -f 1
}

if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(sum_of_inputs)" ] && .venv/bin/python -c '' 2>/dev/null; then
  say "set-up is up to date (remove .venv to repeat it)"
  exit 0
fi

installed() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q '^install ok installed$'; }

missing=()
while read -r package proof; do
  case $package in '' | '#'*) continue ;; esac
  if [ -n "$proof" ] && command -v "$proof" >/dev/null; then continue; fi
  if command -v dpkg-query >/dev/null && installed "$package"; then continue; fi
  missing+=("$package")
done < <(cat tools/packages.txt; if [ -f "tools/packages-$(uname -m).txt" ]; then cat "tools/packages-$(uname -m).txt"; fi)

# A Python that can make environments and compile modules; the distribution splits it over three packages.
if ! command -v "$python" >/dev/null; then
  missing+=(python3 python3-venv python3-dev)
else
  "$python" -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
  "$python" -c 'import os, sys, sysconfig
sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))' || missing+=(python3-dev)
fi

if [ ${#missing[@]} -gt 0 ]; then
  say "distribution packages that are missing: ${missing[*]}"
  command -v apt-get >/dev/null || fail "there is no apt-get here; please install what provides them, then try again"
  sudo=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || fail "not root and no sudo; please have them installed, then try again"
    sudo=(sudo)
  fi
  say "apt-get update"
  "${sudo[@]}" apt-get update -qq
  say "apt-get install"
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" \
    </dev/null >/dev/null
else
  say "distribution packages: all there"
fi

# What is built only where it is found: without it all else is.
while read -r package _; do
  case $package in '' | '#'*) continue ;; esac
  if command -v dpkg-query >/dev/null && installed "$package"; then continue; fi
  as_root=()
  if [ "$(id -u)" != 0 ]; then as_root=(sudo -n); fi
  if command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || command -v sudo >/dev/null; }; then
    say "apt-get install $package (optional)"
    if [ ${#missing[@]} -eq 0 ]; then "${as_root[@]}" apt-get update -qq </dev/null || true; fi
    if "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$package" \
      </dev/null >/dev/null; then continue; fi
  fi
  say "no $package here: what needs it is not built"
done <tools/packages-optional.txt

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
  fail "$("$python" -V) is too old: Segue needs Python 3.10 or newer; name one in SEGUE_PYTHON"
cmake_version=$(cmake --version | sed -n '1s/[^0-9]*//p')
[ "$(printf '%s\n' 3.22 "$cmake_version" | sort -V | head -n 1)" = 3.22 ] ||
  fail "cmake $cmake_version is too old: Segue needs 3.22 or newer (Debian 12, Ubuntu 22.04)"

say "virtual environment .venv with $("$python" -V)"
rm -f "$stamp"
"$python" -m venv --clear .venv
say "pip install: $(sed -nE 's/^([A-Za-z0-9-]+)==.*/\1/p' tools/requirements-*.txt | sort -u | tr '\n' ' ')"
.venv/bin/pip install --quiet -r tools/requirements-build.txt -r tools/requirements-test.txt
sum_of_inputs >"$stamp"
say "set-up is done"
