"""Run a script and make a page of it: its words, its code, what it printed and the figures it drew.

A script starts with a docstring: the title, an empty line, the reason. A line ``# %%`` begins a new part; the comment lines
after it are words, up to the first line of code. What a part prints and draws stands below it.
"""

from __future__ import annotations

import ast
import io
import re
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import matplotlib

matplotlib.use("Agg")  # draws into files, needs no screen

import matplotlib.pyplot as plt

__all__ = ["Page", "run", "title"]


@dataclass
class Page:
    """A page in Markdown, and the pictures it shows by file name."""

    text: str
    figures: dict[str, bytes] = field(default_factory=dict)


def title(path: Path) -> tuple[str, str]:
    """The title and the reason at the head of a script."""
    doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    head, _, reason = doc.partition("\n")
    return head.strip(), reason.strip()


def run(path: Path) -> Page:
    """Run a script part by part.

    Raises
    ------
    Exception
        Whatever the script raises.
    """
    head, reason = title(path)
    page = Page(f"# {head}\n\n{reason}\n")
    plt.close("all")
    names: dict[str, object] = {"__name__": "__main__", "__file__": str(path)}
    source = path.read_text(encoding="utf-8")
    body = source.split('"""', 2)[2]
    for words, code in map(_words_and_code, re.split(r"^# %%.*\n", body, flags=re.MULTILINE)):
        printed = io.StringIO()
        with redirect_stdout(printed), mock.patch.object(plt, "show"):
            above = "\n" * source[: source.index(code)].count("\n")  # so that an error names the script's own line
            exec(compile(above + code, str(path), "exec"), names)
        page.text += f"\n{words}\n" if words else ""
        page.text += f"\n```python\n{code}\n```\n" if code else ""
        page.text += f"\n```text\n{printed.getvalue().rstrip()}\n```\n" if printed.getvalue().strip() else ""
        _take_figures(page, path.stem)
    return page


def _words_and_code(part: str) -> tuple[str, str]:
    lines = part.strip("\n").splitlines()
    words = 0
    while words < len(lines) and lines[words].startswith("#"):
        words += 1
    text = "\n".join(line.removeprefix("#").removeprefix(" ") for line in lines[:words])
    return text, "\n".join(lines[words:]).strip("\n")


def _take_figures(page: Page, stem: str) -> None:
    for number in plt.get_fignums():
        name = f"{stem}-{len(page.figures) + 1}.png"
        drawn = io.BytesIO()
        plt.figure(number).savefig(drawn, dpi=90)
        page.figures[name] = drawn.getvalue()
        page.text += f"\n![The figure drawn by the code above]({name})\n"
    plt.close("all")
