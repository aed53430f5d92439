#!/usr/bin/env python3
"""check_layers.py [ROOT]: reads every #include line of the project and enforces who may include whom.

The layers are those of docs/architecture.md, lowest first. A file may include files of its own layer and of those its
layer names. A file that no layer claims is an error: a new file has to be given its place in LAYERS. Also checked:
which files may include certain foreign headers, what a few files may never reach even through others, and that
compiler flags and attributes for instruction sets stand where they belong.

check_layers.py --self-test plants one violation of every rule into a copy of a small tree and expects to see it.
"""

import re
import sys
import tempfile
from fnmatch import fnmatchcase
from pathlib import Path

# name: (patterns, layers it may include besides itself). In a pattern * stays within a folder and ** does not.
LAYERS = {
    "base": (
        ["include/segue/types.hpp", "include/segue/status.hpp", "include/segue/matrix_view.hpp",
         "include/segue/isa.hpp", "src/types.cpp", "src/status.cpp"],
        [],
    ),
    # src/isa.cpp is the public face of the choice of kernels.
    "kernels": (["src/kernels/**", "src/isa.cpp"], ["base"]),
    "core data": (
        ["include/segue/filter.hpp", "src/filter.cpp", "src/id_set_*",
         *(f"include/segue/core/{name}.hpp" for name in (
             "buffer", "candidate", "deadline", "id_map", "id_set_body", "id_set_reader", "layered_graph",
             "mix64", "scorer", "scratch_pool", "search_buffer", "vector_store", "visited_set")),
         "src/items/reader_mutex.hpp", "src/buffer.cpp", "src/id_map.cpp", "src/layered_graph.cpp", "src/vector_store.cpp"],
        ["base", "kernels"],
    ),
    "core algorithms": (
        [*(f"include/segue/core/{name}.hpp" for name in (
            "head_coder", "parallel_for", "projection", "walk")),
         "include/segue/recall.hpp", "include/segue/recall_curve.hpp", "src/head_coder.cpp", "src/parallel_for.cpp",
         "src/projection.cpp", "src/recall.cpp", "src/recall_curve.cpp"],
        ["base", "kernels", "core data"],
    ),
    # The byte layout, its writer and its reader: sections of bytes, nothing of what they mean.
    "file container": (
        [f"src/file/{name}.*" for name in (
            "atomic_file", "byte_parser", "checksum", "directory", "file_assembler", "file_memory", "file_plan",
            "file_reader", "file_writer", "foreign", "journal_file", "journal_layout", "journal_reader", "layout", "new_file", "parse", "scratch_file", "source", "system_calls")] + ["third_party/xxhash/*"],
        ["base"],
    ),
    # Typed columns beside the vectors; knows ids, no index.
    "catalog": (
        ["include/segue/catalog.hpp", "include/segue/column.hpp", "include/segue/expression.hpp", "src/catalog/**"],
        ["base", "core data", "file container"],
    ),
    "indexes": (
        ["include/segue/index.hpp", "include/segue/flat.hpp", "include/segue/hnsw.hpp", "include/segue/ivf.hpp",
         "include/segue/build.hpp", "include/segue/build_file.hpp", "include/segue/vector_source.hpp", "src/sources/**",
         "include/segue/tune.hpp", "src/tune.cpp", "src/tuning/**",
         "include/segue/metrics.hpp", "include/segue/trace.hpp", "src/metrics/**",
         "src/index.cpp", "src/build.cpp", "src/plan_build.cpp", "src/items/**", "src/codes/**", "src/flat/**", "src/hnsw/**", "src/ivf/**"],
        ["base", "kernels", "core data", "core algorithms", "file container", "catalog"],
    ),
    # Which index a file holds; hangs at the side, above the indexes.
    "file": (
        ["include/segue/file.hpp", "src/load.*", "src/file/inspect.cpp"],
        ["base", "core data", "core algorithms", "file container", "catalog", "indexes"],
    ),
    # A hot swap between indexes of files.
    "serving": (["include/segue/serving.hpp", "src/serving/**"],
                ["base", "core data", "core algorithms", "file container", "catalog", "indexes", "file"]),
    # From a request to a list: above the indexes.
    "candidates": (["include/segue/candidates/**", "src/candidates/**"],
                   ["base", "kernels", "core data", "core algorithms", "catalog", "indexes"]),
    # An index in a directory: its journal, its snapshots.
    "live": (["include/segue/live/**", "src/live/**"],
             ["base", "core data", "core algorithms", "file container", "catalog", "indexes", "file"]),
    # Of other libraries, each a library of its own.
    "interop": (["include/segue/interop/**", "src/interop/**"],
                ["base", "core data", "core algorithms", "file container", "indexes", "file"]),
    "umbrella": (["include/segue/segue.hpp"],
                 ["base", "core data", "core algorithms", "catalog", "indexes", "candidates", "live", "file", "serving"]),
    "python": (["python/**"], ["base", "core data", "core algorithms", "catalog", "indexes", "candidates", "live", "file", "serving", "umbrella"]),
    "examples": (["examples/**"], ["base", "core data", "core algorithms", "catalog", "indexes", "candidates", "live", "file", "serving", "umbrella"]),
    "bench": (["bench/**"],
              ["base", "kernels", "core data", "core algorithms", "file container", "catalog", "indexes", "candidates", "live", "file", "serving", "umbrella"]),
    "tests": (["tests/**"],
              ["base", "kernels", "core data", "core algorithms", "file container", "catalog", "indexes", "candidates", "live", "file", "serving", "interop",
               "umbrella", "examples", "bench"]),
}

# Foreign headers (a prefix of what stands between the brackets): the files that may include them.
FOREIGN = {
    "omp.h": ["src/parallel_for.cpp", "examples/**", "bench/**"],
    "Eigen/": ["src/**.cpp", "examples/**", "bench/**", "tests/**"],
    "immintrin.h": ["src/kernels/lanes/*"],
    "arm_neon.h": ["src/kernels/lanes/*"],
    "cpuid.h": ["src/kernels/cpu.cpp"],
    "faiss/": ["src/interop/**", "bench/**", "tests/**"],
    "cuda": ["src/gpu/**"],
    "pybind11/": ["python/**"],
    "gtest/": ["tests/**"],
    "benchmark/": ["bench/**"],
    "xxhash": ["src/file/checksum.cpp"],
}

# The kernels are hermetic: beyond each other they include these headers only.
HERMETIC_HEADERS = {"cstddef", "cstdint", "immintrin.h", "arm_neon.h"}
NOT_HERMETIC = ["src/kernels/cpu.*", "src/kernels/dispatch.*"]

# (from, never reached): through any chain of includes. A graph knows no vectors and a store knows no graph.
NEVER = [
    ("include/segue/core/layered_graph.hpp", "include/segue/core/vector_store.hpp"),
    ("include/segue/core/vector_store.hpp", "include/segue/core/layered_graph.hpp"),
    ("include/segue/core/layered_graph.hpp", "include/segue/core/scorer.hpp"),
]

CODE_FOLDERS = ["include", "src", "python", "bench", "examples", "tests"]
CODE_ENDINGS = {".hpp", ".cpp", ".h", ".cc", ".cu", ".cuh"}
BUILD_FILES = ["CMakeLists.txt", "*.cmake", "CMakePresets.json", "Makefile", "pyproject.toml", "*.sh", "run"]
SKIPPED_FOLDERS = {"build", ".venv", ".git", "__pycache__", "third_party"}
FLAGS_FILE = "cmake/kernels.cmake"

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.MULTILINE)
MACHINE_FLAG = re.compile(
    r"(?<![\w/-])-m(arch|cpu|tune|fpu|sse|ssse|avx|fma|f16c|bmi|popcnt|lzcnt|amx|aes|sha|prefer-vector|sve)[a-z0-9.=+-]*")
NATIVE_FLAG = re.compile(r"-m(arch|cpu|tune)=" + "native")
TARGET_ATTRIBUTE = re.compile(r"__attribute__\s*\(\(\s*(__)?target|#\s*pragma\s+(GCC|clang)\s+.*target")


def matches(path, patterns):
    return any(re.fullmatch(translate(pattern), path) for pattern in patterns)


def translate(pattern):
    parts = (re.escape(part).replace(r"\*", "[^/]*") for part in pattern.split("**"))
    return ".*".join(parts)


def layer_of(path):
    for name, (patterns, _) in LAYERS.items():
        if matches(path, patterns):
            return name
    return None


def files_below(root, folders):
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            relative = path.relative_to(root)
            if path.is_file() and not SKIPPED_FOLDERS.intersection(relative.parts):
                yield relative.as_posix()


def resolve(root, including, quoted):
    """The project's file that an include line means, or None: the includer's folder, then the include paths."""
    folders = [Path(including).parent, *map(Path, ("include", "src", "third_party", "tests", "bench", "examples"))]
    for folder in folders:
        path = root / folder / quoted
        if path.is_file():
            return path.resolve().relative_to(root.resolve()).as_posix()
    return None


def check_lines(root, path, includes, errors):
    layer = layer_of(path)
    if layer is None:
        errors.append(f"{path}: belongs to no layer; give it a place in LAYERS of tests/layers/check_layers.py")
        return []
    reached = []
    hermetic = matches(path, ["src/kernels/**"]) and not matches(path, NOT_HERMETIC)
    for quote, name in includes:
        for prefix, allowed in FOREIGN.items():
            if name.startswith(prefix) and not matches(path, allowed):
                errors.append(f"{path}: includes {name}, which only these may: {', '.join(allowed)}")
        target = resolve(root, path, name)
        if target is None:
            if quote == '"':
                errors.append(f'{path}: includes "{name}", which is no file of the project')
            elif hermetic and name not in HERMETIC_HEADERS:
                errors.append(f"{path}: a kernel may not include <{name}>, which brings inline functions along")
            continue
        reached.append(target)
        other = layer_of(target)
        if other is not None and other != layer and other not in LAYERS[layer][1]:
            errors.append(f"{path} ({layer}): may not include {target} ({other})")
    return reached


def check_reach(graph, errors):
    for start, forbidden in NEVER:
        came_from = {start: None}
        queue = [start]
        while queue:
            path = queue.pop(0)
            for target in graph.get(path, []):
                if target not in came_from:
                    came_from[target] = path
                    queue.append(target)
        if forbidden in came_from:
            chain = [forbidden]
            while came_from[chain[0]] is not None:
                chain.insert(0, came_from[chain[0]])
            errors.append(f"{start}: must never reach {forbidden}, but does: {' -> '.join(chain)}")


def check_flags(root, errors):
    paths = [p for p in files_below(root, ["."]) if any(fnmatchcase(p.split("/")[-1], end) for end in BUILD_FILES)]
    for path in paths:
        text = (root / path).read_text(errors="replace")
        if NATIVE_FLAG.search(text):
            errors.append(f"{path}: compiles for this machine alone ({NATIVE_FLAG.search(text)[0]})")
        found = MACHINE_FLAG.search(text)
        if found and path != FLAGS_FILE:
            errors.append(f"{path}: {found[0]}: flags for an instruction set belong to {FLAGS_FILE} alone")
    return len(paths)


def check(root):
    """Every violation, one line each, and how many files were read."""
    errors, graph, count = [], {}, 0
    for path in files_below(root, CODE_FOLDERS):
        if Path(path).suffix not in CODE_ENDINGS:
            continue
        count += 1
        text = (root / path).read_text()
        graph[path] = check_lines(root, path, INCLUDE.findall(text), errors)
        if TARGET_ATTRIBUTE.search(text):
            errors.append(f"{path}: chooses an instruction set by attribute or pragma; that is {FLAGS_FILE}'s part")
    check_reach(graph, errors)
    return errors, count + check_flags(root, errors)


# A small tree that keeps every rule, and what is added to it to break one: (file, content, part of the message).
GOOD = {
    "include/segue/types.hpp": "#include <cstdint>\n",
    "include/segue/index.hpp": '#include "segue/types.hpp"\n',
    "include/segue/core/buffer.hpp": "",
    "include/segue/core/vector_store.hpp": '#include "segue/core/buffer.hpp"\n',
    "include/segue/core/layered_graph.hpp": '#include "segue/core/buffer.hpp"\n',
    "src/kernels/kernel_table.hpp": "#include <cstdint>\n",
    "src/file/parse.hpp": '#include "segue/types.hpp"\n',
    "src/flat/flat_index.cpp": '#include "segue/index.hpp"\n#include "file/parse.hpp"\n',
    "tests/base/types_test.cpp": '#include "segue/types.hpp"\n#include <gtest/gtest.h>\n',
    "cmake/kernels.cmake": "set(flags -mavx2)\n",
    "CMakeLists.txt": "add_library(segue src/types.cpp)\n",
}
PLANTED = [
    ("include/segue/types.hpp", '#include "segue/index.hpp"\n', "(base): may not include include/segue/index.hpp"),
    ("include/segue/core/buffer.hpp", '  #  include "segue/index.hpp"\n', "(core data): may not include"),
    ("include/segue/core/buffer.hpp", "#include <segue/index.hpp>\n", "(core data): may not include"),
    ("src/file/parse.hpp", '#include "segue/core/buffer.hpp"\n', "(file container): may not include"),
    ("src/kernels/kernel_table.hpp", "#include <vector>\n", "a kernel may not include <vector>"),
    ("src/flat/unplaced/../../unplaced.cpp", "", "belongs to no layer"),
    ("src/flat/flat_index.cpp", '#include "nowhere.hpp"\n', "no file of the project"),
    ("src/flat/flat_index.cpp", "#include <immintrin.h>\n", "includes immintrin.h"),
    ("include/segue/index.hpp", "#include <Eigen/Dense>\n", "includes Eigen/Dense"),
    ("src/flat/flat_index.cpp", "#include <omp.h>\n", "includes omp.h"),
    ("include/segue/core/buffer.hpp", '#include "segue/core/layered_graph.hpp"\n', "must never reach"),
    ("CMakeLists.txt", "add_compile_options(-mfma)\n", "-mfma: flags for an instruction set"),
    ("cmake/kernels.cmake", "set(flags -march=" + "native)\n", "compiles for this machine alone"),
    ("src/flat/flat_index.cpp", '__attribute__((target("avx2"))) void f();\n', "by attribute or pragma"),
]


def write_tree(root, extra=()):
    for path, content in [*GOOD.items(), *extra]:
        file = (root / path).resolve()
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a") as out:
            out.write(content)


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        write_tree(Path(folder))
        errors, _ = check(Path(folder))
        assert not errors, f"the tree that keeps every rule: {errors}"
    for path, content, expected in PLANTED:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / path).parent.mkdir(parents=True, exist_ok=True)
            write_tree(Path(folder), [(path, content)])
            errors, _ = check(Path(folder))
            assert any(expected in error for error in errors), f"{content!r} in {path}: expected {expected!r}: {errors}"
    print(f"self-test: a clean tree passed, {len(PLANTED)} planted violations were seen")


def main(arguments):
    if arguments == ["--self-test"]:
        self_test()
        return 0
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parents[2]
    errors, count = check(root)
    for error in errors:
        print(error)
    print(f"{count} files, {len(errors)} violations")
    return 1 if errors or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
