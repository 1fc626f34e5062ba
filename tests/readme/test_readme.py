"""The README is run: its commands and its Python, in order, in a folder with the sample pictures it speaks of."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, picture):
    """A folder with images/coins.png, as the README has it."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "images").mkdir()
    Image.fromarray(picture("coins")).save(folder / "images" / "coins.png")
    return folder


def run(command: list[str] | str, folder: Path) -> str:
    """Run in `folder` with this Python's `microtome` first on the path; return what was printed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "PATH": path}, shell=isinstance(command, str), capture_output=True, text=True
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_every_example_runs_and_prints_what_it_says(folder):
    """One test, since an example may read what an earlier one wrote."""
    for language, text in BLOCKS:
        if language == "python":
            assert "24 objects" in run([sys.executable, "-c", text], folder)
        elif language == "console":
            for command, expected in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE):
                assert run(command, folder).strip() == expected.strip()


def test_there_are_enough_examples():
    languages = [language for language, _ in BLOCKS]
    assert languages.count("console") >= 3
    assert languages.count("python") >= 2


def test_the_tree_names_every_folder():
    tree = next(text for language, text in BLOCKS if language == "text")
    listed = {line.split()[0].rstrip("/") for line in tree.splitlines()[1:]}
    folders = {path.name for path in (ROOT / "src" / "microtome").iterdir() if (path / "__init__.py").exists()}
    beside = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")}
    assert folders <= listed
    assert (listed - folders) <= beside


def test_links_and_make_targets_exist():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"(?:^|`)make (\w+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
