"""The command `segue`, as a shell would call it: what it prints, what it writes, how it ends."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from conftest import exact, random_vectors

import segue
from segue._cli import main

X, Q = random_vectors(1, 3000, 16), random_vectors(2, 50, 16)
LARGE = random_vectors(4, 150_000, 16)


@pytest.fixture
def folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", X)
    np.save("q.npy", Q)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_from_vectors_to_answers(folder: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = run(capsys, "build", "x.npy", "-o", "x.segue", "--metric", "l2", "--kind", "hnsw", "--m", "8")
    assert (report["kind"], report["items"], report["metric"]) == ("HnswIndex", 3000, "l2")
    assert segue.load("x.segue").m == 8
    tuned = run(capsys, "tune", "x.segue", "--queries", "q.npy", "--recall", "0.9")
    assert tuned["reached"] and tuned["effort"] == tuned["curve"][0]["effort"] or tuned["effort"] > 10
    np.save("truth.npy", exact(X, Q, 10, "l2")[0])
    found = run(capsys, "search", "x.segue", "q.npy", "--recall", "0.9", "--truth", "truth.npy", "-o", "found.npz")
    assert found["recall"] > 0.85
    with np.load("found.npz") as file:
        np.testing.assert_array_equal(file["ids"], segue.load("x.segue").search(Q, recall=0.9).ids)
    printed = run(capsys, "search", "x.segue", "q.npy", "-k", "1", "--ef", "100")
    assert printed["found"][0].split(":")[0] == str(exact(X, Q, 1, "l2")[0][0, 0])
    assert run(capsys, "inspect", "x.segue")["kind"] == "hnsw"
    assert run(capsys, "verify", "x.segue") == {"whole": ["x.segue"]}


def test_ids_and_memory(folder: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save("ids.npy", np.arange(3000) + 100)
    report = run(capsys, "build", "x.npy", "-o", "x.segue", "--ids", "ids.npy", "--max-memory", "1M")
    assert report["memory"] <= 1_000_000 and any("1 MB" in reason for reason in report["because"])
    assert segue.load("x.segue").ids()[0] == 100
    assert main(["build", "x.npy", "-o", "y.segue", "--max-memory", "10k"]) == 1
    assert "takes at least" in capsys.readouterr().err
    assert not pathlib.Path("y.segue").exists()


def test_more_vectors_than_memory_become_lists_in_a_file(
    folder: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save("large.npy", LARGE)  # 9.6 MB
    np.save("some.npy", LARGE[:2000])
    report = run(capsys, "build", "large.npy", "large.segue", "--metric", "l2", "--max-memory", "9.5MB", "--threads", "1")
    assert (report["kind"], report["items"]) == ("IvfIndex", 150_000)
    assert "piece by piece" in report["because"][0]
    segue.verify("large.segue")
    found = run(capsys, "search", "large.segue", "some.npy", "-k", "1", "--nprobe", "2", "-o", "found.npz")
    assert found["queries"] == 2000
    with np.load("found.npz") as file:
        assert (file["ids"][:, 0] == np.arange(2000)).mean() > 0.99
    report = run(capsys, "build", "large.npy", "-o", "all.segue", "--metric", "l2", "--max-memory", "1GB", "--kind", "ivf")
    assert pathlib.Path("all.segue").read_bytes() == pathlib.Path("large.segue").read_bytes()
    assert "asked for" in report["because"][0]


def test_conversions(folder: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    for source, target in (("x.npy", "x.fbin"), ("x.fbin", "x.fvecs"), ("x.fvecs", "y.npy")):
        assert run(capsys, "convert", source, target)["items"] == 3000
    np.testing.assert_array_equal(np.load("y.npy"), X)
    run(capsys, "build", "x.npy", "-o", "x.segue", "--metric", "ip", "--kind", "flat")
    run(capsys, "convert", "x.segue", "back.npy")
    np.testing.assert_array_equal(np.load("back.npy"), X)
    pytest.importorskip("faiss")
    run(capsys, "convert", "x.segue", "x.faiss")
    assert run(capsys, "convert", "x.faiss", "z.segue")["kind"] == "FlatIndex"
    np.testing.assert_array_equal(segue.load("z.segue").search(Q).ids, segue.load("x.segue").search(Q).ids)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["build", "none.npy", "-o", "x.segue"], "no such file"),
        (["build", "x.csv", "-o", "x.segue"], "known are npy"),
        (["build", "x.npy", "-o", "none/x.segue"], "none/x.segue"),
        (["build", "x.npy", "-o", "x.segue", "--kind", "flat", "--m", "8"], "no parameter m"),
        (["build", "x.npy", "-o", "x.segue", "--ids", "q.npy"], "expected integers"),
        (["search", "x.npy", "q.npy"], "numpy"),
        (["inspect", "none.segue"], "none.segue"),
        (["verify", "x.npy"], "numpy"),
        (["convert", "x.npy", "x.segue"], "segue build"),
    ],
)
def test_failures_say_why_and_end_with_one(
    folder: pathlib.Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(arguments) == 1
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith(f"segue {arguments[0]}: ") and message in captured.err


def test_wrong_command_lines_end_with_two(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["bulid"], ["build"], ["build", "x.npy"], ["build", "x.npy", "y", "-o", "z"],
                      ["build", "x.npy", "-o", "y", "--max-memory", "much"], ["search", "x"]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 2


def test_people_read_it(folder: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "x.npy", "-o", "x.segue", "--metric", "cosine"]) == 0
    text = capsys.readouterr().out
    assert "items: 3,000" in text and "because:\n  3,000 items" in text
    assert main(["inspect", "x.segue"]) == 0
    assert "name rows" in capsys.readouterr().out


def test_as_a_module(folder: pathlib.Path) -> None:
    done = subprocess.run([sys.executable, "-m", "segue", "verify", "x.npy"], capture_output=True, text=True)
    assert done.returncode == 1 and "numpy" in done.stderr and "Traceback" not in done.stderr
