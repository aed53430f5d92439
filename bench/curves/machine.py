"""On what the figures were taken: the processor, what is installed, and which Segue."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

from .points import Record

PACKAGES = ("segue", "numpy", "faiss-cpu", "hnswlib", "scann", "scalable-vs", "glass", "symphonyqg", "rabitqlib",
            "usearch", "voyager")


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def commit(root: Path) -> str:
    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", root, *words], capture_output=True, text=True, check=True).stdout.strip()

    try:
        return git("rev-parse", "--short=12", "HEAD") + ("+" if git("status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def describe(command: str, note: str) -> Record:
    try:
        import segue

        isa, own = segue.isa.active(), segue.__version__
    except ImportError:
        isa, own = "none", None
    versions = {package: version(package) for package in PACKAGES} | {"segue": own}
    return {
        "kind": "machine",
        "cpu": processor(),
        "cores": os.cpu_count(),
        "isa": isa,
        "versions": {package: number for package, number in versions.items() if number},
        "commit": commit(Path(__file__).resolve().parents[2]),
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "command": command,
        "note": note,
    }
