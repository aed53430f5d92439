"""Docstrings: every public name has one, with the sections that belong there, and every example in them runs. So does
every block of Python in the README and in the pages of PAGES."""

from __future__ import annotations

import doctest
import inspect
import pathlib
import re

import pytest

import segue

ROOT = pathlib.Path(__file__).parents[2]
PAGES = ("README.md", "docs/evaluation.md", "docs/observability.md", "docs/serving.md")


def public() -> dict[str, object]:
    """Everything that a user can reach, by its dotted name."""
    found: dict[str, object] = {"segue": segue}
    for name in segue.__all__:
        value = getattr(segue, name)
        if inspect.isclass(value):
            found[name] = value
            fields = getattr(value, "__dataclass_fields__", {})  # described with their classes
            for member, raw in vars(value).items():
                if not member.startswith("_") and member not in fields and not isinstance(raw, type(segue.SearchResult.ids)):
                    found[f"{name}.{member}"] = getattr(value, member)
        elif inspect.ismodule(value):
            found |= {f"{name}.{member}": getattr(value, member) for member in value.__all__}
        elif callable(value):
            found[name] = value
    found.pop("SearchResult.stats"), found.pop("RangeResult.stats")  # described with their classes
    return found


PUBLIC = public()
ERRORS = {name for name, value in PUBLIC.items() if inspect.isclass(value) and issubclass(value, Exception)}


def test_the_walk_finds_what_it_must() -> None:
    assert {"FlatIndex", "Index.search", "Index.dim", "HnswIndex.m", "IdSet.from_mask", "isa.use", "build"} <= set(PUBLIC)


@pytest.mark.parametrize("name", PUBLIC)
def test_every_name_is_described(name: str) -> None:
    text = inspect.getdoc(PUBLIC[name])
    assert text and len(text) > 20
    assert all(len(line) <= 100 for line in text.splitlines())
    if callable(PUBLIC[name]) and name not in ERRORS | {"Index"}:
        assert ">>> " in text, "no example"


@pytest.mark.parametrize("name", [n for n in PUBLIC if ">>> " in (inspect.getdoc(PUBLIC[n]) or "")])
def test_examples_run(name: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # some save a picture
    text = inspect.getdoc(PUBLIC[name])
    example = doctest.DocTestParser().get_doctest(text, {}, name, None, 0)
    failed, tried = doctest.DocTestRunner(optionflags=doctest.REPORT_NDIFF).run(example)
    assert tried > 0 and failed == 0


@pytest.mark.parametrize("name", [n for n, v in PUBLIC.items() if inspect.isroutine(v)])
def test_every_parameter_is_described(name: str) -> None:
    parameters = inspect.signature(PUBLIC[name]).parameters
    text = inspect.getdoc(PUBLIC[name])
    for parameter in parameters:
        if parameter != "self":
            assert re.search(rf"\b{parameter}\b.*: ", text), f"{parameter} is not described"


def test_the_version_is_one() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", segue.__version__)


@pytest.mark.parametrize("page", PAGES)
def test_pages_run(page: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not (ROOT / page).exists():
        pytest.skip(f"there is no {page} beside the tests")
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)
    assert blocks, f"{page} shows no Python"
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for i, block in enumerate(blocks):
        exec(compile(block, f"{page}, Python block {i + 1}", "exec"), names)
