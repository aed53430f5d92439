"""segue.isa and SEGUE_ISA."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from conftest import exact, make_index, random_vectors

import segue

KNOWN = ["scalar", "avx2", "avx512", "avx512vnni", "neon"]


@pytest.fixture(autouse=True)
def put_back() -> object:
    before = segue.isa.active()
    yield
    segue.isa.use(before)


def test_available_and_active() -> None:
    names = segue.isa.available()
    assert names[0] == "scalar" and set(names) <= set(KNOWN) and segue.isa.active() in names


@pytest.mark.parametrize("name", segue.isa.available())
def test_every_instruction_set_finds_the_same(name: str, kind: str, metric: str) -> None:
    segue.isa.use(name)
    assert segue.isa.active() == name
    x, q = random_vectors(1, 200, 33), random_vectors(2, 10, 33)
    index = make_index(kind, 33, metric)
    index.add(x)
    np.testing.assert_array_equal(index.search(q, 5, ef=200).ids, exact(x, q, 5, metric)[0])


def test_unknown_names() -> None:
    for wrong in ("sse9", "", "AVX2"):
        with pytest.raises(segue.InvalidArgument, match="scalar"):
            segue.isa.use(wrong)
    with pytest.raises(segue.InvalidArgument, match="name"):
        segue.isa.use(None)


def with_environment(value: str) -> str:
    code = (
        "import segue\nprint(segue.isa.active())\n"
        "try:\n    segue.FlatIndex(3)\nexcept segue.InvalidArgument as e:\n    print('error', e)"
    )
    environment = {**os.environ, "SEGUE_ISA": value}
    return subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True).stdout


def test_the_environment_chooses() -> None:
    assert with_environment("scalar") == "scalar\n"
    wrong = with_environment("sse9")
    assert "error" in wrong and "sse9" in wrong and "scalar" in wrong
