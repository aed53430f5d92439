"""The compiled module has the hardening flags that cmake/hardening.cmake promises."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest

from segue import _segue

CHECK = pathlib.Path(__file__).parents[2] / "tests" / "hardening" / "check_hardening.py"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at ELF files")
def test_the_module_is_hardened() -> None:
    done = subprocess.run([sys.executable, str(CHECK), _segue.__file__], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
