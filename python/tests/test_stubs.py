"""The stubs and the compiled module say the same, and the checker that says so does fail when they do not."""

from __future__ import annotations

import importlib.util
import inspect
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

import segue
from segue import _segue

PACKAGE = pathlib.Path(segue.__file__).parent

pytestmark = pytest.mark.skipif(importlib.util.find_spec("mypy") is None, reason="mypy is not installed")


def check(folder: pathlib.Path, *command: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "MYPYPATH": str(folder), "PATH": ""},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def package(tmp_path: pathlib.Path) -> pathlib.Path:
    shutil.copytree(PACKAGE, tmp_path / "segue", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def stubtest(folder: pathlib.Path) -> tuple[int, str]:
    return check(folder, "mypy.stubtest", "--ignore-disjoint-bases", "segue")


def test_the_package_is_typed() -> None:
    assert (PACKAGE / "py.typed").exists() and (PACKAGE / "_segue.pyi").exists()


def test_stubs_say_what_the_module_has(package: pathlib.Path) -> None:
    code, report = stubtest(package)
    assert code == 0, report


def test_wrong_stubs_are_found(package: pathlib.Path) -> None:
    stub = package / "segue" / "_segue.pyi"
    text = stub.read_text()
    for pattern, replacement in (
        (r"    def remove\(.*\n", ""),
        (r"    def upsert\(", "    def erase("),
        (r"ef: Optional\[SupportsIndex\] = None,\n        nprobe", "nprobe"),
        (r'metric: _Metric = "ip", storage', 'metric: _Metric = "l2", storage'),
        (r"def _address_of\(", "def invented("),
    ):
        text, times = re.subn(pattern, replacement, text, count=1)
        assert times == 1
    stub.write_text(text)
    code, report = stubtest(package)
    assert code != 0
    for found in ("Index.remove", "Index.erase", "Index.search", "FlatIndex.__init__", "_segue.invented"):
        assert found in report, f"{found} is missing in {report}"


def test_every_member_of_the_module_is_in_the_stub() -> None:
    """stubtest leaves out names whose __module__ is another; the public classes say `segue`."""
    text = (PACKAGE / "_segue.pyi").read_text()
    for name, value in vars(_segue).items():
        if name.startswith("__") and name != "__version__":
            continue
        assert re.search(rf"^(class|def) {name}\b|^{name}\b", text, re.MULTILINE), name
        if inspect.isclass(value):
            body = re.search(rf"^class {name}\b.*?(?=^\S)", text + "\nend", re.MULTILINE | re.DOTALL)[0]
            for member in vars(value):
                if not member.startswith("_"):
                    assert re.search(rf"def {member}\b", body), f"{name}.{member}"


def test_a_user_is_typed(package: pathlib.Path) -> None:
    (package / "user.py").write_text(
        "import numpy as np, segue\n"
        "index: segue.Index = segue.build(np.ones((3, 2), np.float32), metric='l2')\n"
        "ids, scores = index.search([1.0, 2.0], k=1, filter=~segue.IdSet([2]), exclude=[[1], [2]])\n"
        "reveal_type(ids)\nreveal_type(index.range_search(scores, 1).offsets)\nreveal_type(segue.load('x'))\n"
    )
    code, report = check(package, "mypy", "--strict", "user.py")
    assert code == 0, report
    assert "signedinteger" in report and "_segue.Index" in report
    (package / "user.py").write_text("import segue\nsegue.FlatIndex(3, 'euclid')\nsegue.FlatIndex(3).serch([1.0])\n")
    code, report = check(package, "mypy", "--strict", "user.py")
    assert code != 0 and "arg-type" in report and "serch" in report


def test_the_package_itself_is_typed(package: pathlib.Path) -> None:
    code, report = check(package, "mypy", "--strict", "-p", "segue")
    assert code == 0, report
