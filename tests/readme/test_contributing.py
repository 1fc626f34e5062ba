"""CONTRIBUTING.md quotes real code: every excerpt that names a file stands in that file, word for word."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
EXCERPTS = [
    textwrap.dedent(block).split("\n", 1)
    for block in re.findall(r"^ *```python\n( *# [\w/]+\.py\n.*?)^ *```$", TEXT, re.MULTILINE | re.DOTALL)
]


@pytest.mark.parametrize(("head", "code"), EXCERPTS, ids=[head for head, _ in EXCERPTS])
def test_an_excerpt_stands_in_its_file(head, code):
    path = ROOT / head.removeprefix("# ").strip()
    assert code.strip() in path.read_text(encoding="utf-8")


def test_there_are_excerpts():
    assert len(EXCERPTS) == 2


def test_every_file_it_names_exists():
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (ROOT / target).exists(), target
    for path in re.findall(r"`((?:src|tests|docs|benchmarks)/[\w/]+(?:\.py|\.md|/))`", TEXT):
        assert (ROOT / path).exists(), path
