"""All peers on one set, in turns: each is built in a process of its own, then every round asks one after the other.

Rounds in turns, and the best of each point, so that a slow spell of a shared machine does not fall on one peer alone.
All processes share one core; only one of them works at a time.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from .peers import PEERS
from .points import Record

PATIENCE_S = 1800  # for one record; nothing that is worth drawing takes longer
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "PARLAY_NUM_THREADS"), "1")
ROOT = Path(__file__).resolve().parents[2]


class Worker:
    """The process of one peer."""

    def __init__(self, peer: str, path: Path, k: int) -> None:
        self.peer = peer
        self.errors: IO[str] = tempfile.TemporaryFile("w+")  # a pipe that nobody empties would block a chatty library
        self.buffer = b""
        self.read_end, write_end = os.pipe()
        environment = {**os.environ, **ONE_THREAD, "TF_CPP_MIN_LOG_LEVEL": "3"}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.curves.worker", peer, str(path), str(k), str(write_end)],
            stdin=subprocess.PIPE, stdout=self.errors, stderr=self.errors, text=True, pass_fds=[write_end],
            env=environment)
        os.close(write_end)

    def read(self) -> dict[str, Any] | None:
        """The next record; None where the process has ended or takes too long."""
        while b"\n" not in self.buffer:
            ready, _, _ = select.select([self.read_end], [], [], PATIENCE_S)
            part = os.read(self.read_end, 65536) if ready else b""
            if not part:
                return None
            self.buffer += part
        line, self.buffer = self.buffer.split(b"\n", 1)
        record: dict[str, Any] = json.loads(line)
        return record

    def ask(self, number: int) -> Iterator[dict[str, Any]]:
        """The points of one round. Raises RuntimeError if the process does not finish it."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(f"{number}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise RuntimeError(self.last_words()) from None
        while (record := self.read()) is not None:
            if record["kind"] == "done":
                return
            yield record
        raise RuntimeError(self.last_words())

    def last_words(self) -> str:
        """Why it said no more: its last line, or that it is still at it."""
        try:
            status = self.process.wait(10)
        except subprocess.TimeoutExpired:
            return f"no answer in {PATIENCE_S} s"
        if status < 0:
            return f"ended by {signal.Signals(-status).name}"
        self.errors.seek(0)
        lines = self.errors.read().strip().splitlines()
        return lines[-1][:200] if lines else f"ended without a word (status {status})"

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # of what it never read
            self.process.stdin.close()
        os.close(self.read_end)
        self.errors.close()


class Contest:
    """The peers of one set. Use as a context; write() gets every record as it comes."""

    def __init__(self, name: str, path: Path, k: int, write: Any) -> None:
        self.name, self.path, self.k, self.write = name, path, k, write
        self.workers: dict[str, Worker] = {}

    def __enter__(self) -> Contest:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers.values():
            worker.close()

    def note(self, peer: str, record: Record) -> None:
        self.write({"set": self.name, "peer": peer, **record})

    def build(self, names: Sequence[str]) -> None:
        for name in names:
            missing = PEERS[name]().missing()
            if missing:
                self.note(name, {"kind": "left out", "why": f"{', '.join(missing)} is not installed"})
                continue
            worker = Worker(name, self.path, self.k)
            record = worker.read() or {"kind": "left out", "why": worker.last_words()}
            self.note(name, record)
            if record["kind"] == "built":
                self.workers[name] = worker
            else:
                worker.close()

    def run_round(self, number: int) -> None:
        for name, worker in list(self.workers.items()):
            try:
                for record in worker.ask(number):
                    self.note(name, record)
            except RuntimeError as error:
                self.note(name, {"kind": "left out", "why": f"ended in round {number}: {error}"})
                self.workers.pop(name).close()


def pin(core: int | None) -> None:
    """This process and all that it starts: to a core, or to the last that it may use."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0)) if core is None else core})
