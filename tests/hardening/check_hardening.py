#!/usr/bin/env python3
"""check_hardening.py FILE...: built files have what cmake/hardening.cmake promises. It asks readelf.

A program or a shared library: its loader tables are read-only (GNU_RELRO) and filled at the start (BIND_NOW), its stack
holds no code, it lies anywhere (DYN) without relocations in its code, and it links the stack protector.
An archive: no object asks for a stack with code; readers of files and at least half of all use the stack protector; all
but the kernels are marked for CET where the compiler knows it (--cet); one calls a checked function of the C library
(--fortified).
Exit status 1 and a line a shortfall otherwise.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys

# Sources that read untrusted bytes and have arrays or buffers on their stacks: without a canary none would have one.
GUARDED = ("file_reader.cpp.o", "parse.cpp.o", "atomic_file.cpp.o", "parse_expression.cpp.o", "catalog_file.cpp.o")
KERNELS = ("scalar.cpp.o", "avx2.cpp.o", "avx512.cpp.o", "avx512vnni.cpp.o", "neon.cpp.o")


def readelf(*arguments: str) -> str:
    environment = {**os.environ, "LC_ALL": "C"}
    done = subprocess.run(["readelf", "-W", *arguments], capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        raise ValueError(f"readelf {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def stack_has_code(headers: str) -> bool:
    stack = re.search(r"GNU_STACK\s+(?:0x\w+\s+){5}(\S*)", headers)
    return stack is None or "E" in stack[1]


def check_linked(path: str) -> list[str]:
    """What a program or a shared library lacks."""
    headers, dynamic, symbols = readelf("-hl", path), readelf("-d", path), readelf("-s", path)
    wrong = []
    if not re.search(r"Type:\s+DYN", headers):
        wrong.append("is not position-independent")
    if "GNU_RELRO" not in headers:
        wrong.append("has no GNU_RELRO segment (-z relro)")
    if not re.search(r"BIND_NOW|FLAGS_1.*\bNOW\b", dynamic):
        wrong.append("binds lazily (-z now)")
    if stack_has_code(headers):
        wrong.append("has a stack that may hold code (-z noexecstack)")
    if "TEXTREL" in dynamic:
        wrong.append("has relocations in its code")
    if "__stack_chk_fail" not in symbols:
        wrong.append("does not use the stack protector")
    return wrong


def members(text: str) -> dict[str, str]:
    """What readelf says of each object of an archive."""
    parts = re.split(r"^File: .*\(([^()]+)\)$", text, flags=re.MULTILINE)
    said: dict[str, str] = {}
    for name, part in zip(parts[1::2], parts[2::2]):
        said[name] = said.get(name, "") + part
    return said


def check_archive(path: str, cet: bool, fortified: bool) -> list[str]:
    """What the objects of a static library lack."""
    sections, symbols, notes = (members(readelf(flag, path)) for flag in ("-S", "-s", "-n"))
    wrong = [] if sections else ["holds no objects"]
    for name, text in sections.items():
        stack = re.search(r"\.note\.GNU-stack\s+\S+\s+\S+\s+\S+\s+\S+\s+\S+\s+([A-Z]*)", text)
        if stack is None or "X" in stack[1]:
            wrong.append(f"{name} asks for a stack that may hold code")
        if cet and name not in KERNELS and not re.search(r"x86 feature: .*IBT.*SHSTK", notes.get(name, "")):
            wrong.append(f"{name} is not marked for CET (-fcf-protection)")
    for name in GUARDED:
        if "__stack_chk_fail" not in symbols.get(name, "__stack_chk_fail"):
            wrong.append(f"{name} does not use the stack protector")
    guarded = sum("__stack_chk_fail" in text for name, text in symbols.items() if name not in KERNELS)
    if 2 * guarded < len(symbols):
        wrong.append(f"only {guarded} of {len(symbols)} objects use the stack protector")
    if fortified and not any(re.search(r"UND __\w+_chk$", text, re.MULTILINE) for text in symbols.values()):
        wrong.append("calls no checked function of the C library (_FORTIFY_SOURCE)")
    return wrong


def check(path: str, cet: bool = False, fortified: bool = False) -> list[str]:
    with open(path, "rb") as file:
        start = file.read(8)
    if start == b"!<arch>\n":
        return check_archive(path, cet, fortified)
    if start[:4] == b"\x7fELF":
        return check_linked(path)
    return ["is neither an ELF file nor an archive"]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--cet", action="store_true", help="the compiler knows -fcf-protection")
    parser.add_argument("--fortified", action="store_true", help="this is an optimised build")
    options = parser.parse_args(arguments)
    wrong = [f"{path}: {what}" for path in options.files for what in check(path, options.cet, options.fortified)]
    print("\n".join(wrong) or f"hardened: {', '.join(options.files)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
