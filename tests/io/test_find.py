"""Files, folders and globs."""

from pathlib import Path

import pytest

from microtome.core.errors import InputError
from microtome.io.find import Found, MissingInput, find_images


@pytest.fixture
def plate(tmp_path):
    for name in ("A1.png", "A10.png", "A2.TIF", "notes.txt", ".hidden.png", "sub/B1.ome.tif", "sub/deep/C 1.jpg", ".cache/x.png"):
        path = tmp_path / "plate" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "plate"


def names(arguments):
    return [found.name for found in find_images(arguments)]


def test_a_file_is_called_by_its_own_name(plate):
    assert find_images([plate / "sub" / "B1.ome.tif"]) == [Found(plate / "sub" / "B1.ome.tif", "B1.ome.tif")]
    assert names([plate / "notes.txt"]) == ["notes.txt"]  # content decides when it is read


def test_a_folder_is_searched_in_natural_order_without_hidden_ones(plate):
    assert names([plate]) == ["A1.png", "A2.TIF", "A10.png", "sub/B1.ome.tif", "sub/deep/C 1.jpg"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.png", ["A1.png", "A10.png"]),
        ("**/*.*", ["A1.png", "A2.TIF", "A10.png", "sub/B1.ome.tif", "sub/deep/C 1.jpg"]),
        ("A?.*", ["A1.png", "A2.TIF"]),
        ("s*", ["sub/B1.ome.tif", "sub/deep/C 1.jpg"]),
        ("sub/[A-C]*", ["B1.ome.tif"]),
    ],
)
def test_globs_are_relative_to_their_fixed_part(plate, pattern, expected):
    assert names([f"{plate}/{pattern}"]) == expected


def test_relative_globs(plate, monkeypatch):
    monkeypatch.chdir(plate)
    assert names(["*.png"]) == ["A1.png", "A10.png"]
    assert names(["**/C*.jpg"]) == ["sub/deep/C 1.jpg"]


def test_a_file_with_brackets_in_its_name_is_itself(tmp_path):
    path = tmp_path / "cells [1].png"
    path.touch()
    assert names([path]) == ["cells [1].png"]


def test_a_file_reached_twice_is_taken_once(plate):
    assert names([plate / "A1.png", plate, f"{plate}/*.png"])[:2] == ["A1.png", "A2.TIF"]
    assert len(find_images([plate, plate])) == 5


def test_links_that_run_in_a_circle_end(plate):
    (plate / "sub" / "again").symlink_to(plate, target_is_directory=True)
    assert len(find_images([plate])) == 5


@pytest.mark.parametrize("argument", ["nowhere", "nowhere/*.png", "empty", "plate/*.txt"])
def test_nothing_there_is_wrong_use(plate, argument):
    (plate.parent / "empty").mkdir()
    with pytest.raises(MissingInput, match=r"no such file|no image") as caught:
        find_images([plate.parent / argument])
    assert isinstance(caught.value, InputError)
    assert argument in str(caught.value)


@pytest.mark.parametrize(
    ("name", "stem"), [("a.b/x.ome.tiff", "a.b/x"), ("x.1.png", "x.1"), ("X.TIF", "X"), ("x", "x"), ("a.b/x", "a.b/x")]
)
def test_stem(name, stem):
    assert Found(Path(name), name).stem == stem
