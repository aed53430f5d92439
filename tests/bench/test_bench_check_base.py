"""Which commit tools/bench_check.sh compares with, in repositories of every shape that it meets."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"


class Repository:
    """The script, and commits without content."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "--quiet", "--initial-branch=main")
        self.add_script()

    def add_script(self) -> None:
        (self.root / "tools").mkdir(exist_ok=True)
        for name in ("bench_check.sh", "compiler_cache.sh"):
            shutil.copy(TOOLS / name, self.root / "tools")

    def git(self, *words: str) -> str:
        who = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.com", "-c", "commit.gpgsign=false")
        done = subprocess.run(["git", *who, *words], cwd=self.root, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self, message: str) -> str:
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def base(self, **environment: str) -> tuple[int, str]:
        clean = {name: value for name, value in os.environ.items() if name != "SEGUE_BENCH_BASE"}
        done = subprocess.run(["tools/bench_check.sh", "--base"], cwd=self.root, env={**clean, **environment},
                              capture_output=True, text=True)
        return done.returncode, (done.stdout + done.stderr).strip()


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    (tmp_path / "origin").mkdir()
    return Repository(tmp_path / "origin")


def clone(repository: Repository, *options: str) -> Repository:
    root = repository.root.parent / "clone"
    subprocess.run(["git", "clone", "--quiet", *options, repository.root.as_uri(), root], check=True)
    made = object.__new__(Repository)
    made.root = root
    made.add_script()
    return made


def test_the_commit_before(repository: Repository) -> None:
    first = repository.commit("first")
    repository.commit("second")
    assert repository.base() == (0, first)


def test_one_commit_has_nothing_to_be_compared_with(repository: Repository) -> None:
    repository.commit("first")
    status, said = repository.base()
    assert status == 0
    assert "nothing was compared" in said


def test_a_clone_of_the_last_commit_has_nothing_either(repository: Repository) -> None:
    repository.commit("first")
    repository.commit("second")
    status, said = clone(repository, "--depth=1").base()
    assert status == 0
    assert "nothing was compared" in said


def test_no_checkout_at_all(tmp_path: Path) -> None:
    made = object.__new__(Repository)
    made.root = tmp_path
    made.add_script()
    status, said = made.base(GIT_CEILING_DIRECTORIES=str(tmp_path.parent))
    assert status == 0
    assert "no git checkout" in said


def test_a_branch_departs_where_it_left_main(repository: Repository) -> None:
    departed = repository.commit("first")
    work = clone(repository)
    repository.commit("main went on")
    work.git("fetch", "--quiet")
    for message in ("one", "two", "three"):
        work.commit(message)
    assert work.base() == (0, departed)


def test_what_is_pushed_departs_from_the_commit_before(repository: Repository) -> None:
    first = repository.commit("first")
    repository.commit("second")
    assert clone(repository).base() == (0, first)


def test_the_upstream_counts_where_there_is_no_origin_main(repository: Repository) -> None:
    departed = repository.commit("first")
    repository.git("branch", "trunk")
    repository.git("branch", "--quiet", "--set-upstream-to=trunk")
    repository.commit("one")
    repository.commit("two")
    assert repository.base() == (0, departed)


def test_the_environment_has_the_last_word(repository: Repository) -> None:
    first = repository.commit("first")
    repository.commit("second")
    repository.commit("third")
    assert repository.base(SEGUE_BENCH_BASE="HEAD~2") == (0, first)
    status, said = repository.base(SEGUE_BENCH_BASE="nowhere")
    assert status == 1
    assert "nowhere names no commit" in said
